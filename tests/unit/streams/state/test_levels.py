"""Latencies as levels: what a window keeps of how fast its target answers."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.control import TargetSet
from schemas.result import CheckResult
from streams.checkpoint import decoder
from streams.rules.apply import apply
from streams.rules.record import Record
from streams.rules.results import take
from streams.state import latency_levels
from streams.state.windows import Window
from tests.unit.streams.rules.fleet import START, Fleet, target

TIMES = st.floats(min_value=0, max_value=86_400_000, allow_nan=False)


def result(connect_ms: float | None = None, total_ms: float | None = None) -> CheckResult:
    return Fleet(target()).result("a", connect_ms=connect_ms, total_ms=total_ms)


def level(ms: float) -> int:
    return latency_levels.of(result(ms), of_total=False)


def window(fleet: Fleet, region: str = "a") -> Window:
    entry = fleet.state.targets["db"]
    found = fleet.state.window(entry, entry.policy.positions[region])
    assert found is not None
    return found


def answers(fleet: Fleet, *times: float | None, region: str = "a") -> Fleet:
    for ms in times:
        fleet.wait(30_000).append([fleet.result(region, connect_ms=ms)])
    return fleet


def kept_ms(fleet: Fleet) -> tuple[float, float]:
    found = window(fleet)
    return latency_levels.span_us(found.lately) / 1000, latency_levels.span_us(found.usual) / 1000


def test_a_doubling_is_1024_levels() -> None:
    found = [level(2.0**power) for power in range(-9, 26)]
    assert {after - before for before, after in pairwise(found)} == {1024}
    assert level(2.0**-9) == 1024


def test_what_a_result_can_carry_fits_16_bits() -> None:
    assert 0 < level(86_400_000) < 2**16


@pytest.mark.parametrize(("connect", "total"), [(None, None), (0.0, 0.0), (None, 0.0005)])
def test_no_time_and_less_than_a_microsecond_have_no_level(
    connect: float | None, total: float | None
) -> None:
    assert latency_levels.of(result(connect, total), of_total=False) == latency_levels.NONE


def test_the_total_time_speaks_when_there_is_no_connect_time() -> None:
    assert latency_levels.of(result(None, 12.0), of_total=False) == level(12.0)
    assert latency_levels.of(result(5.0, 12.0), of_total=False) == level(5.0)
    assert latency_levels.of(result(5.0, 12.0), of_total=True) == level(12.0)
    assert latency_levels.of(result(5.0), of_total=True) == latency_levels.NONE


@given(st.lists(st.tuples(st.none() | TIMES, st.none() | TIMES)))
def test_all_of_a_message_have_the_level_that_each_has(
    times: list[tuple[float | None, float | None]],
) -> None:
    results = [result(connect, total) for connect, total in times]
    found = [max(latency_levels.NONE, one) for one in latency_levels.of_all(results)]
    assert found == [latency_levels.of(one, of_total=False) for one in results]


@given(TIMES, TIMES)
def test_what_took_longer_is_no_lower(one: float, other: float) -> None:
    shorter, longer = sorted((one, other))
    assert level(shorter) <= level(longer)


@given(st.floats(min_value=0.002, max_value=86_400_000))
def test_a_level_tells_its_span_to_a_thousandth(ms: float) -> None:
    assert latency_levels.span_us(level(ms)) == pytest.approx(ms * 1000, rel=0.002, abs=1)


@pytest.mark.parametrize(
    ("interval_s", "shift"), [(1, 7), (20, 7), (30, 7), (60, 6), (300, 4), (3600, 2), (86_400, 2)]
)
def test_usual_follows_over_about_an_hour(interval_s: int, shift: int) -> None:
    assert latency_levels.usual_shift(interval_s * 1000) == shift


@given(st.integers(0, 10**12), st.integers(1, 100_000))
@example(0, 987)  # a Fibonacci number: what hashes by the golden ratio stays away for thousands
@example(1, 2**16)
def test_no_rhythm_of_records_always_misses_usual(begin: int, step: int) -> None:
    turns = [latency_levels.is_usual_turn(begin + step * number) for number in range(1000)]
    assert any(turns)
    assert not all(turns)


def test_one_record_in_eight_is_usuals() -> None:
    assert sum(map(latency_levels.is_usual_turn, range(80_000))) == pytest.approx(10_000, rel=0.01)


def test_the_first_success_sets_both() -> None:
    fleet = answers(Fleet(target()), None, 2.0)
    assert kept_ms(fleet) == (2.0, 2.0)


def test_failures_and_successes_without_a_time_change_nothing() -> None:
    fleet = answers(Fleet(target()), 2.0)
    before = kept_ms(fleet)
    fleet.down("a")
    fleet.append([fleet.result("a", "timed_out", total_ms=3000.0)])
    assert kept_ms(fleet) == before
    answers(fleet, None, None)
    assert kept_ms(fleet) == before


def test_lately_turns_within_a_few_results_and_usual_over_hours() -> None:
    fleet = answers(Fleet(target(interval_ms=30_000)), *[2.0] * 20, 340.0, 340.0, 340.0)
    lately, usual = kept_ms(fleet)
    assert lately > 20
    assert usual < 4
    answers(fleet, *[340.0] * 120)  # an hour: more than half of the seven doublings
    assert kept_ms(fleet)[1] > 2 * 2**3.7
    answers(fleet, *[340.0] * 840)
    lately, usual = kept_ms(fleet)
    assert lately == pytest.approx(340, rel=0.02)
    assert usual == pytest.approx(340, rel=0.05)


@given(
    st.lists(st.none() | st.floats(min_value=0.01, max_value=10_000), min_size=1, max_size=60),
    st.sampled_from((30_000, 300_000)),
)
def test_the_short_way_of_calm_results_keeps_the_same(
    times: list[float | None], interval_ms: int
) -> None:
    short = Fleet(target(interval_ms=interval_ms))
    long = Fleet(target(interval_ms=interval_ms))
    for ms in times:
        for fleet in (short, long):
            fleet.wait(5_000)
        found = short.result("a", connect_ms=ms)
        short.append([found])
        # An empty record moves the clock and the offset, then the result goes the long way.
        apply(long.state, Record(len(long.log), long.now, [], None))
        long.log.append(long.log[-1])
        take(long.state, long.state.targets["db"], found)
    assert window(short) == window(long)


def test_a_restart_keeps_them() -> None:
    fleet = answers(answers(Fleet(target()), 2.0, 3.0, 90.0), 0.5, 7.0, region="c")
    restored = decoder.decode(decoder.encode(fleet.state), 0, 1)
    for name in "ac":
        entry = restored.targets["db"]
        assert restored.window(entry, entry.policy.positions[name]) == window(fleet, name)


def test_a_region_takes_them_along_and_another_place_begins_anew() -> None:
    fleet = answers(Fleet(target()), 2.0)
    fleet.control(TargetSet(target(regions="c a", version=2)))
    assert kept_ms(fleet) == (2.0, 2.0)
    fleet.control(TargetSet(target(regions="c a", port=6000, version=3)))
    answers(fleet, 50.0)
    assert kept_ms(fleet) == (50.0, 50.0)
    assert fleet.state.now > START


def test_a_target_that_got_slow_before_it_fell_was_overloaded() -> None:
    fleet = Fleet(target(interval_ms=30_000))
    for region in "abc":
        answers(fleet, *[2.0] * 10, region=region)
    for _ in range(3):
        for region in "abc":
            answers(fleet, 900.0, region=region)
    fleet.wait(1_000).down("a", "b", "c", reason="timed_out")
    opened = next(event for event in fleet.events if event.event == "opened")
    assert "overload rather than a cut cable" in opened.summary
    assert "answers usually took about" in opened.summary


def test_one_that_fell_at_once_was_not() -> None:
    fleet = Fleet(target())
    for region in "abc":
        answers(fleet, 2.0, 2.1, 2.0, region=region)
    fleet.wait(1_000).down("a", "b", "c", reason="timed_out")
    opened = next(event for event in fleet.events if event.event == "opened")
    assert "overload" not in opened.summary
