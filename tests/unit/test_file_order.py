"""Files of tests that wait lie between those that compute, each whole."""

import itertools
from pathlib import Path
from typing import Any

from tests.file_order import LONG, WAITING_UNTIL, mixed


class Item:
    def __init__(self, nodeid: str) -> None:
        self.nodeid = nodeid


def order(*nodeids: str) -> list[str]:
    items: Any = [Item(nodeid) for nodeid in nodeids]
    return [item.nodeid for item in mixed(items)]


COMPUTING = [f"tests/unit/test_{n:03}.py::test_{part}" for n in range(100) for part in "ba"]
WAITING = [
    f"tests/{suite}/test_{n}.py::test_{part}"
    for suite in ("browser", "integration", "system")
    for n in range(5)
    for part in "ba"
]


def test_nothing_is_lost_and_files_stay_whole() -> None:
    found = order(*WAITING, *COMPUTING)
    assert sorted(found) == sorted([*WAITING, *COMPUTING])
    assert [one for one in found if one in COMPUTING] == COMPUTING
    for first, second in zip(found[::2], found[1::2], strict=True):
        assert first.partition("::")[0] == second.partition("::")[0]
        assert (first[-1], second[-1]) == ("b", "a")


def test_long_ones_come_first_and_nobody_begins_to_wait_at_the_end() -> None:
    found = order(*WAITING, *COMPUTING)
    waiting = [one for one in found if one in WAITING]
    assert [one.split("/")[1] for one in waiting[::10]] == ["system", "integration", "browser"]
    places = [found.index(one) for one in waiting[::2]]
    gaps = {later - earlier for earlier, later in itertools.pairwise(places)}
    assert gaps <= {12, 14}
    assert places[-1] < WAITING_UNTIL * len(found)


def test_the_longest_of_all_come_with_the_first() -> None:
    long = f"tests/integration/{max(LONG)}::test_a"
    assert order(*WAITING[10:20], long) == [long, *WAITING[10:20]]
    assert order(*WAITING, long)[:11] == [*WAITING[20:], long]


def test_files_that_are_called_long_are_there() -> None:
    integration = Path(__file__).parents[1] / "integration"
    assert [name for name in sorted(LONG) if not (integration / name).is_file()] == []


def test_one_kind_alone_keeps_its_order() -> None:
    assert order(*COMPUTING) == COMPUTING
    assert order(*WAITING[:10]) == WAITING[:10]
    assert order() == []
