"""The spool's part on disk: what outlives a prober, what a tear costs, what a full disk does."""

import contextlib
import io
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from prometheus_client import REGISTRY

from producers.publishing.batch import SealedBatch
from producers.publishing.spool import Spool
from producers.publishing.spool_file import SpoolFile
from tests.unit.producers.publishing.test_batches import numbers, sealed

LIMIT = 1_000_000


def a_spool(root: Path, limit: int = LIMIT, *, results: int = 100_000, in_memory: int = 0) -> Spool:
    file = SpoolFile(root, limit, segment_bytes=2_000)
    spool = Spool(results, in_memory=in_memory, file=file)
    spool.take_over()
    return spool


def drained(spool: Spool, partition: int = 0) -> list[int]:
    got: list[int] = []
    while (message := spool.pop(partition)) is not None:
        got += numbers(message)
        spool.forget(message)
    return got


def segments(root: Path) -> list[Path]:
    return sorted(root.glob("*/*.spool"))


def killed(spool: Spool) -> None:
    """As the kernel does it: descriptors are closed, nothing is written any more."""
    assert spool._file is not None
    spool._file.close()


def test_beyond_its_memory_all_goes_to_the_file(tmp_path: Path) -> None:
    spool = a_spool(tmp_path, in_memory=4)
    spool.push(sealed(True, False, first=0))
    spool.push(sealed(True, False, first=2))
    assert (len(spool), spool.only_in_memory, segments(tmp_path)) == (4, 4, [])
    spool.push(sealed(True, False, first=4))
    assert (len(spool), spool.only_in_memory, len(segments(tmp_path))) == (6, 0, 1)
    spool.push(sealed(True, first=6))
    assert spool.only_in_memory == 1
    assert drained(spool) == list(range(7))
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_the_metric_follows_the_file_up_and_down(tmp_path: Path) -> None:
    def told() -> float | None:
        return REGISTRY.get_sample_value("portquorum_spool_file_bytes")

    spool = a_spool(tmp_path)
    assert told() == 0
    spool.push(sealed(True, False, first=0))
    killed(spool)
    size = sum(path.stat().st_size for path in segments(tmp_path))
    assert told() == size > 0
    second = a_spool(tmp_path)
    assert told() == size
    assert drained(second) == [0, 1]
    assert told() == 0


def test_the_next_prober_takes_over_what_was_not_confirmed(tmp_path: Path) -> None:
    spool = a_spool(tmp_path)
    for first in range(0, 100, 2):
        spool.push(sealed(True, False, first=first, partition=first % 4))
    assert len(segments(tmp_path)) > 2
    confirmed = [spool.pop(0) for _ in range(10)]
    for message in confirmed:
        assert message is not None
        spool.forget(message)
    popped = spool.pop(0)  # on its way when the end comes
    assert popped is not None
    killed(spool)

    later = a_spool(tmp_path)
    assert len(later) == 100 - 20
    again = later.pop(0)
    assert again is not None
    assert again.value() == popped.value()
    later.put_back(again)
    later.push(sealed(True, first=1000))
    assert drained(later) == [*(n for n in range(40, 100) if n % 4 in {0, 1}), 1000]
    assert drained(later, 2) == [n for n in range(100) if n % 4 in {2, 3}]
    later.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_living_prober_has_nobody_takes(tmp_path: Path) -> None:
    spools = [a_spool(tmp_path) for _ in range(2)]
    for number, spool in enumerate(spools):
        spool.push(sealed(True, first=number))
    third = a_spool(tmp_path)
    assert len(third) == 0
    third.close()
    assert [drained(spool) for spool in spools] == [[0], [1]]


@pytest.mark.parametrize("cut", [1, 5, 16, 17, 18, 40])
def test_a_torn_file_is_read_up_to_the_tear(tmp_path: Path, cut: int) -> None:
    spool = a_spool(tmp_path)
    for first in range(3):
        spool.push(sealed(True, first=first))
    killed(spool)
    (path,) = segments(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    later = a_spool(tmp_path)
    assert drained(later) == [0, 1]
    assert segments(tmp_path) == []


def test_a_damaged_frame_ends_what_is_believed(tmp_path: Path) -> None:
    spool = a_spool(tmp_path)
    for first in range(3):
        spool.push(sealed(True, first=first))
    killed(spool)
    (path,) = segments(tmp_path)
    data = path.read_bytes()
    for place in range(1, len(data) // 3 - 4):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        later = a_spool(tmp_path)
        assert len(later) == 0
        assert segments(tmp_path) == []
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    assert drained(a_spool(tmp_path)) == [0, 1, 2]


def test_what_is_damaged_while_it_waits_is_told_as_lost(tmp_path: Path) -> None:
    lost: list[int] = []
    spool = a_spool(tmp_path)
    spool.on_lost = lambda count, _: lost.append(count)
    spool.push(sealed(True, True, first=0))
    spool.push(sealed(True, first=2))
    (path,) = segments(tmp_path)
    with path.open("r+b") as file:
        file.seek(30)
        file.write(b"\0\0\0\0")
    assert drained(spool) == [2]
    assert lost == [2]
    assert len(spool) == 0
    assert segments(tmp_path) == []


@contextlib.contextmanager
def a_full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond `size`: write(2) fails, or writes but a part."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_on_a_full_disk_results_wait_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producers.publishing.spool.AGAIN_S", 0.0)
    monkeypatch.setattr("sys.stdout", io.StringIO())  # a log in a file would not fit either
    spool = a_spool(tmp_path)
    with a_full_disk(300):
        for first in range(5):
            spool.push(sealed(True, first=first))
        assert 0 < spool.only_in_memory < 5
    spool.push(sealed(True, first=5))
    assert spool.only_in_memory == 0
    killed(spool)
    assert drained(a_spool(tmp_path)) == [0, 1, 2, 3, 4, 5]


def test_the_file_keeps_its_limit(tmp_path: Path) -> None:
    spool = a_spool(tmp_path, limit=500)
    for first in range(10):
        spool.push(sealed(True, first=first))
    assert spool.only_in_memory > 0
    assert sum(path.stat().st_size for path in segments(tmp_path)) <= 500
    assert drained(spool) == list(range(10))


def test_a_folder_that_can_not_be_made_is_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("not a folder")
    spool = a_spool(tmp_path / "spool" / "x")
    spool.push(sealed(True))
    assert spool.only_in_memory == 1
    assert drained(spool) == [0]
    spool.close()


def test_thinning_reaches_what_is_in_the_file(tmp_path: Path) -> None:
    spool = a_spool(tmp_path, results=100)
    dropped = sum(
        spool.push(sealed(*[False] * 9, True, first=100 * number)) for number in range(20)
    )
    assert len(spool) == 200 - dropped <= 100
    assert spool.only_in_memory == 0
    killed(spool)
    kept = sorted(drained(a_spool(tmp_path, results=100)))
    assert [n for n in kept if n % 100 == 9] == [100 * n + 9 for n in range(20)], "all failures"
    assert len(kept) == 200 - dropped


class Crashing(RuleBasedStateMachine):
    """Whatever happens: nothing is lost that was in the file, and what was confirmed is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.spool = a_spool(self.root)
        self.waiting: set[int] = set()
        self.out: list[SealedBatch] = []
        self.next = 0

    def teardown(self) -> None:
        self.spool.close()
        self.folder.cleanup()

    @rule(partition=st.integers(0, 2), worth=st.lists(st.booleans(), min_size=1, max_size=6))
    def push(self, partition: int, worth: list[bool]) -> None:
        message = sealed(*worth, partition=partition, first=self.next)
        self.next += len(worth)
        assert self.spool.push(message) == 0
        self.waiting |= set(numbers(message))

    @rule(partition=st.integers(0, 2))
    def pop(self, partition: int) -> None:
        message = self.spool.pop(partition)
        if message is not None:
            self.out.append(message)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        message = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        self.spool.forget(message)
        self.waiting -= set(numbers(message))

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def comes_back(self, data: st.DataObject) -> None:
        self.spool.put_back(self.out.pop(data.draw(st.integers(0, len(self.out) - 1))))

    @precondition(lambda self: any(message.count > 1 for message in self.out))
    @rule()
    def is_too_large(self) -> None:
        message = next(message for message in self.out if message.count > 1)
        self.out.remove(message)
        for half in reversed(message.halves()):
            self.spool.put_back(half)
        self.spool.forget(message)
        self.spool.keep()

    @rule()
    def is_killed(self) -> None:
        killed(self.spool)
        self.spool = a_spool(self.root)
        self.out.clear()

    @invariant()
    def all_is_there(self) -> None:
        out = sum(message.count for message in self.out)
        assert len(self.spool) + out == len(self.waiting)
        assert self.spool.only_in_memory == 0

    @invariant()
    def each_partition_is_in_order(self) -> None:
        for queue in self.spool._queues.values():
            order = [item.number for item in queue]
            assert order == sorted(order)


Crashing.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestCrashing = Crashing.TestCase
