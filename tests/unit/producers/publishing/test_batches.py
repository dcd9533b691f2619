"""Grouping, sealing and spooling of results."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from producers.broker_clock import Clock
from producers.checks.model import CheckOutcome, PlannedCheck
from producers.publishing.batch import SealedBatch, line, seal
from producers.publishing.batcher import (
    NEWS_WAIT_S,
    OTHERS_WAIT_S,
    Batcher,
    Finished,
    Worth,
    turn_of,
)
from producers.publishing.spool import Spool
from schemas import batch
from schemas.batch import MAX_RESULTS
from schemas.target import Target

TARGET = Target(
    id="db",
    name="db",
    kind="tcp",
    host="h.example",
    port=5432,
    regions=("eu",),
    interval_ms=30_000,
    timeout_ms=1000,
    version=7,
    source="test",
)


def finished(number: int = 0, worth: Worth = "routine") -> Finished:
    outcome = CheckOutcome(
        status="up" if worth == "routine" else "down",
        reason=None if worth == "routine" else "connection_refused",
        started_at=float(number),
    )
    return Finished(PlannedCheck(TARGET, 1000.0 * number, 0, "schedule"), outcome, worth)


def a_clock() -> Clock:
    clock = Clock(wall=lambda: 1_800_000_000.0, monotonic=lambda: 0.0)
    clock.learn(0.0, 0.0, 1_800_000_005_000)
    clock.settle()
    return clock


def sealed(*failed: bool, partition: int = 0, first: int = 0) -> SealedBatch:
    worth: tuple[Worth, Worth] = ("routine", "repeated")
    items = [finished(first + place, worth[one]) for place, one in enumerate(failed)]
    return seal(partition, items, a_clock(), "eu", "p1", number=first)


def numbers(message: SealedBatch) -> list[int]:
    results, bad = batch.decode(message.value())
    assert bad == []
    return [result.scheduled_at // 1000 for result in results]


def test_results_are_stamped_by_a_brokers_clock_that_was_set_back() -> None:
    passed = [0.0]
    clock = Clock(wall=lambda: 1_800_000_000.0, monotonic=lambda: passed[0])
    clock.learn(0.0, 0.0, 1_800_000_000_000)
    clock.settle()
    for _ in range(12):
        passed[0] += 1.0
        now = passed[0]
        clock.learn(now, now, 1_799_996_400_000 + round(now * 1000))
    now = passed[0]
    outcome = CheckOutcome(status="up", reason=None, started_at=now)
    items = [
        Finished(PlannedCheck(TARGET, clock.now_ms(), 0, "schedule"), outcome, "routine"),
        Finished(
            PlannedCheck(TARGET, clock.now_ms(), 0, "schedule"),
            CheckOutcome(status="missed", reason=None, started_at=None),
            "routine",
        ),
    ]
    results, bad = batch.decode(seal(0, items, clock, "eu", "p1", number=0).value())
    assert bad == []
    for result in results:
        assert abs(result.started_at - 1_799_996_412_000) <= 2
        assert abs(result.scheduled_at - 1_799_996_412_000) <= 2


# Batcher


def test_news_is_due_at_once_all_else_at_the_turn_of_its_partition() -> None:
    batcher = Batcher()
    turn = turn_of(3, 10.0)
    now = turn - 0.5
    assert batcher.add(3, finished(0), now) == turn
    assert batcher.add(3, finished(1), now + 0.1) == turn
    assert batcher.due(turn - 0.01) == []
    assert batcher.next_due_of(batcher.all()) == turn
    assert batcher.add(4, finished(2, "news"), now) == now
    assert batcher.due(now) == [4]
    assert batcher.add(3, finished(3, "news"), now + 0.2) == now + 0.2
    taken = batcher.take(3, now + 0.2)
    assert [item.outcome.started_at for item in taken] == [0.0, 1.0, 3.0], "in order"
    assert batcher.due(turn) == [4]
    assert len(batcher) == 1


def test_news_after_a_message_of_its_partition_waits_until_20_ms_after_that() -> None:
    batcher = Batcher()
    assert batcher.add(0, finished(0, "news"), now=1.0) == 1.0
    batcher.take(0, 1.001)
    for number in range(1, 9):
        due_at = batcher.add(0, finished(number, "news"), now=1.001 + number / 1000)
        assert due_at == 1.001 + NEWS_WAIT_S, "an outage of many targets is few messages"
    assert batcher.add(1, finished(9, "news"), now=1.005) == 1.005, "another partition rested"
    assert batcher.due(1.02) == [1]
    assert len(batcher.take(0, 1.021)) == 8
    assert batcher.add(0, finished(10, "news"), now=2.0) == 2.0, "it has rested"


@given(st.integers(0, 1023), st.floats(0, 1e7))
def test_no_result_waits_longer_than_a_second(partition: int, now: float) -> None:
    assert 0 <= turn_of(partition, now) - now <= OTHERS_WAIT_S + 1e-6


def test_the_turns_of_the_partitions_lie_apart() -> None:
    for count in (2, 16, 64):
        turns = sorted(turn_of(partition, 1000.0) for partition in range(count))
        gaps = [later - turn for turn, later in pairwise([*turns, turns[0] + OTHERS_WAIT_S])]
        assert min(gaps) > 0.3 * OTHERS_WAIT_S / count


def test_a_later_routine_result_does_not_put_news_off() -> None:
    batcher = Batcher()
    batcher.add(0, finished(worth="news"), now=1.0)
    batcher.add(0, finished(), now=1.01)
    assert batcher.due(1.02) == [0]


def test_a_full_batch_is_due_at_once_and_the_rest_stays() -> None:
    batcher = Batcher()
    for number in range(MAX_RESULTS + 7):
        batcher.add(0, finished(number), now=1.0)
    assert batcher.full(0)
    assert batcher.due(1.0) == [0]
    assert len(batcher.take(0, 1.0)) == MAX_RESULTS
    rest = batcher.take(0, 1.0)
    assert [item.outcome.started_at for item in rest] == [500.0 + n for n in range(7)]
    assert batcher.all() == []
    assert batcher.next_due_of([]) is None


# SealedBatch


def test_times_become_the_brokers_when_a_batch_is_sealed() -> None:
    (result,), _ = batch.decode(sealed(True, first=2).value())
    assert result.started_at == 1_800_000_005_000 + 2000
    assert (result.scheduled_at, result.region, result.prober) == (2000, "eu", "p1")
    assert (result.target, result.target_version, result.status) == ("db", 7, "down")


def test_a_check_that_never_began_starts_at_its_scheduled_time() -> None:
    outcome = CheckOutcome(status="missed", reason="prober_error", started_at=None)
    item = Finished(PlannedCheck(TARGET, 123_456.0, 0, "schedule"), outcome, "routine")
    (result,), _ = batch.decode(seal(0, [item], a_clock(), "eu", "p1", number=1).value())
    assert result.started_at == result.scheduled_at == 123_456


def test_a_line_that_was_made_at_once_is_the_one_that_is_made_with_its_message() -> None:
    clock = a_clock()
    later = [finished(number) for number in range(3)]
    at_once = [
        replace(item, line=line(item.check, item.outcome, clock.at_ms(0.0), "eu", "p1"))
        for item in later
    ]
    mixed = [later[0], *at_once[1:]]
    values = {
        seal(0, items, clock, "eu", "p1", number=1).value() for items in (later, at_once, mixed)
    }
    assert len(values) == 1
    assert len(batch.decode(values.pop())[0]) == 3


def test_what_a_handshake_has_measured_is_in_its_result() -> None:
    outcome = CheckOutcome(
        status="up",
        reason=None,
        started_at=1.0,
        tls_ms=4.5,
        cert_expires_at=1_800_000_000_000,
        http_status=204,
        banner="ready",
    )
    item = Finished(PlannedCheck(TARGET, 0.0, 0, "schedule"), outcome, "routine")
    (result,), _ = batch.decode(seal(0, [item], a_clock(), "eu", "p1", number=1).value())
    assert (result.tls_ms, result.cert_expires_at) == (4.5, 1_800_000_000_000)
    assert (result.http_status, result.banner) == (204, "ready")


def test_packing_changes_no_byte() -> None:
    message = sealed(*[False] * 100)
    assert message.pack().value() == message.value()
    assert len(message.pack().payload) < len(message.payload) / 5
    assert message.pack().pack() == message.pack()


def test_halves_are_the_whole() -> None:
    message = sealed(False, True, False)
    first, second = message.halves()
    assert numbers(first) + numbers(second) == [0, 1, 2]
    assert first.kept + second.kept == message.kept
    assert first.value() + second.value() == message.value()


def test_what_is_left_without_routine() -> None:
    message = sealed(False, True, False, True)
    left = message.pack().without_routine()
    assert left is not None
    assert numbers(left) == [1, 3]
    assert left.routine == 0
    assert sealed(False, False).without_routine() is None


# Spool


def test_a_spool_keeps_the_order_of_each_partition() -> None:
    spool = Spool(1000)
    spool.push(sealed(True, first=1))
    spool.push(sealed(True, first=3, partition=5))
    spool.push(sealed(True, first=4))
    for half in reversed(sealed(True, True, first=6).halves()):
        spool.put_back(half)
    spool.put_back(sealed(True, first=0))
    spool.put_back(sealed(True, first=2))
    assert len(spool) == 7
    assert sorted(spool.partitions()) == [0, 5]
    got = []
    while (message := spool.pop(0)) is not None:
        got += numbers(message)
    assert got == [0, 1, 2, 4, 6, 7]
    assert spool.partitions() == [5]


def test_routine_goes_first_of_every_second_batch_and_failures_stay() -> None:
    spool = Spool(100)
    dropped = 0
    for number in range(20):
        dropped += spool.push(sealed(*[False] * 9, True, first=100 * number))
    assert len(spool) == 200 - dropped <= 100
    kept: list[int] = []
    while (message := spool.pop(0)) is not None:
        kept += numbers(message)
    assert [n for n in kept if n % 100 == 9] == [100 * n + 9 for n in range(20)], "all failures"
    assert kept == sorted(kept)


def test_failures_go_last_and_the_oldest_of_them_first() -> None:
    spool = Spool(100)
    dropped = sum(spool.push(sealed(*[True] * 10, first=100 * number)) for number in range(20))
    assert dropped == 200 - len(spool)
    kept: list[int] = []
    while (message := spool.pop(0)) is not None:
        kept += numbers(message)
    assert kept[-1] == 1909
    assert kept == [100 * (n // 10) + n % 10 for n in range(200 - len(kept), 200)]


@given(st.lists(st.tuples(st.integers(0, 3), st.lists(st.booleans(), min_size=1, max_size=8))))
def test_nothing_leaves_a_spool_uncounted(pushes: list[tuple[int, list[bool]]]) -> None:
    spool = Spool(20)
    pushed = dropped = 0
    for partition, failed in pushes:
        pushed += len(failed)
        dropped += spool.push(sealed(*failed, partition=partition))
        assert len(spool) <= 20
    popped = 0
    for partition in range(4):
        while (message := spool.pop(partition)) is not None:
            assert len(numbers(message)) == message.count
            popped += message.count
    assert popped + dropped == pushed
    assert len(spool) == 0
