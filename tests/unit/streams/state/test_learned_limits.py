"""Rule 7, learned limits: what is usual, unusual and rising; numbers worked out from the text."""

from collections.abc import Sequence
from math import exp, pi, sin
from random import Random
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.control import Resolved, TargetSet
from schemas.incident import IncidentEvent
from schemas.result import CheckResult
from schemas.target import LatencyLimit, Target
from streams.checkpoint import decoder
from streams.rules.apply import apply
from streams.rules.record import Record
from streams.rules.results import take
from streams.state import latency_levels
from streams.state.partition_state import new_state
from streams.state.windows import Window
from tests.unit.streams.rules.fleet import START, Fleet, target

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
IDLE: Final = 15_000
UNUSUAL: Final = LatencyLimit(times_usual=3, for_results=1)
AHEAD: Final = LatencyLimit(max_ms=250, warn_ahead_ms=DAY, for_results=1)

# 2^p × (1 + f) ms has the level 1024 × (p + 10) + 1024 × f.
MS_6: Final = 12 * 1024 + 512
MS_20: Final = 14 * 1024 + 256
MS_48: Final = 15 * 1024 + 512
MS_250: Final = 17 * 1024 + 976


def watched(limit: LatencyLimit | None, regions: str = "a", **changes: object) -> Fleet:
    return Fleet(target(regions=regions, latency=limit, **changes))


def answer(fleet: Fleet, *times: float, regions: str = "a", apart: int = 1000) -> Fleet:
    for connect_ms in times:
        fleet.wait(apart)
        for region in regions.split():
            fleet.append([fleet.result(region, connect_ms=connect_ms)])
    return fleet


def pause(fleet: Fleet, ms: int) -> Fleet:
    """Time passes, and no gap is in it."""
    while ms > 0:
        fleet.now += min(ms, IDLE)
        ms -= IDLE
        fleet.tick()
    return fleet


def window(fleet: Fleet, region: int = 0) -> Window:
    found = fleet.windows()[region]
    assert found is not None
    return found


def is_slow(fleet: Fleet) -> bool:
    return window(fleet).slow


def learned(fleet: Fleet, usual: int, daily: int | None = None) -> Fleet:
    """Sets what is usual in every region (and `daily`, in levels), as if it had been learned."""
    entry = fleet.state.targets["db"]
    for at in range(entry.slot, entry.slot + len(entry.policy.regions)):
        fleet.state.columns.usual[at] = usual
        if daily is not None:
            fleet.state.columns.daily[at] = daily * 4096
    return fleet


def known_for(limit: LatencyLimit, ms: int, usual: int, daily: int | None = None) -> Fleet:
    """One region, up for `ms`, with what it has learned."""
    fleet = answer(watched(limit), 6.0)
    return learned(pause(fleet, ms), usual, daily)


def detail(event: IncidentEvent) -> str | None:
    return event.regions["a"].detail


# Unusual


def test_more_than_so_many_times_the_usual_time_is_slow() -> None:
    fleet = known_for(UNUSUAL, HOUR, MS_6)
    assert not is_slow(answer(fleet, 18.0, apart=0))
    assert not is_slow(learned(answer(fleet, 18.0), MS_6))
    assert is_slow(answer(fleet, 18.001))


def test_and_at_least_ten_milliseconds_more() -> None:
    limit = LatencyLimit(times_usual=1.5, for_results=1)
    fleet = known_for(limit, HOUR, MS_6)
    assert not is_slow(answer(fleet, 15.999, apart=0))
    assert is_slow(answer(learned(fleet, MS_6), 16.0))


def test_nothing_is_unusual_before_the_region_has_been_up_for_an_hour() -> None:
    assert not is_slow(answer(known_for(UNUSUAL, HOUR - 1, MS_6), 48.0, apart=0))
    assert is_slow(answer(known_for(UNUSUAL, HOUR, MS_6), 48.0, apart=0))


def test_nor_for_an_hour_after_an_outage() -> None:
    fleet = known_for(UNUSUAL, HOUR, MS_6)
    fleet.down("a")
    answer(fleet, 6.0)
    assert not is_slow(answer(learned(fleet, MS_6), 48.0, 48.0))
    pause(fleet, HOUR)
    assert is_slow(answer(learned(fleet, MS_6), 48.0))


def test_one_row_may_have_slow_ones_of_every_sort() -> None:
    limit = LatencyLimit(max_ms=100, times_usual=3, for_results=3)
    fleet = known_for(limit, HOUR, MS_6)
    assert not is_slow(answer(fleet, 48.0, 300.0))
    assert is_slow(answer(fleet, 48.0))


def test_the_event_says_what_it_took_and_what_is_usual() -> None:
    fleet = known_for(UNUSUAL, HOUR, MS_6)
    answer(fleet, 48.0)
    (opened,) = fleet.events
    assert (opened.event, opened.incident_type) == ("opened", "slow")
    assert detail(opened) == "48 ms, usually 6 ms"
    assert opened.summary.startswith(
        "db1.example.com:5432 is slow from 1 of 1 regions (above usual"
    )
    assert "It is slower than usual from everywhere" in opened.summary


def test_above_the_limit_goes_before_unusual() -> None:
    limit = LatencyLimit(max_ms=40, times_usual=3, for_results=1)
    fleet = answer(known_for(limit, HOUR, MS_6), 48.0)
    assert detail(fleet.events[0]) == "48 ms, limit 40 ms"


# What is usual


def test_what_is_slow_does_not_become_usual() -> None:
    fleet = known_for(UNUSUAL, HOUR, MS_6)
    answer(fleet, *[48.0] * 200)
    assert window(fleet).usual == MS_6
    assert window(fleet).lately == pytest.approx(MS_48, abs=3)
    assert is_slow(fleet)
    assert not is_slow(answer(fleet, 6.0))
    assert fleet.told == ["opened", "closed"]


def test_what_is_above_a_fixed_limit_does_not_either() -> None:
    fleet = answer(watched(LatencyLimit(max_ms=100, for_results=1)), 6.0)
    answer(fleet, *[300.0] * 200)
    assert window(fleet).usual == MS_6


def test_who_resolves_it_accepts_what_it_takes_now_in_every_region() -> None:
    limit = LatencyLimit(max_ms=250, times_usual=3, warn_ahead_ms=DAY, for_results=1)
    fleet = answer(watched(limit, "a b"), 6.0, regions="a b")
    learned(pause(fleet, HOUR), MS_6, MS_6)
    answer(fleet, *[48.0] * 30, regions="a b")
    (opened,) = [event for event in fleet.events if event.event == "opened"]
    fleet.control(Resolved(target="db", incident_id=opened.incident_id, by="ann"))
    for region in (0, 1):
        found = window(fleet, region)
        assert (found.usual, found.daily) == (found.lately, found.lately * 4096)
        assert found.lately == pytest.approx(MS_48, abs=3)
    answer(fleet, 48.0, 48.0, regions="a b")
    assert fleet.told[-1] == "closed"
    assert fleet.state.targets["db"].trouble is None


# Rising


def rising(
    usual: int, daily: int, *, ahead: int = DAY, up_for: int = DAY, ms: float = 48.0
) -> Fleet:
    limit = LatencyLimit(max_ms=250, warn_ahead_ms=ahead, for_results=1)
    return answer(known_for(limit, up_for, usual, daily), ms, apart=0)


def test_it_is_slow_when_the_limit_is_reached_in_time_if_it_goes_on_like_this() -> None:
    left = MS_250 - MS_48
    assert left == 2512
    assert is_slow(rising(MS_48, MS_48 - left))
    assert not is_slow(rising(MS_48, MS_48 - left + 1))
    assert is_slow(rising(MS_48, MS_48 - left // 2, ahead=2 * DAY))
    assert not is_slow(rising(MS_48, MS_48 - left // 2, ahead=2 * DAY - 1))


def test_a_rise_is_at_least_a_quarter_of_a_doubling_a_day() -> None:
    assert is_slow(rising(MS_48, MS_48 - 256, ahead=30 * DAY))
    assert not is_slow(rising(MS_48, MS_48 - 255, ahead=30 * DAY))


def test_nothing_rises_before_the_region_has_been_up_for_a_day() -> None:
    assert not is_slow(rising(MS_48, MS_6, up_for=DAY - 1))
    assert is_slow(rising(MS_48, MS_6, up_for=DAY))


def test_a_success_is_slow_by_the_rise_whatever_it_took_itself() -> None:
    assert is_slow(rising(MS_48, MS_6, ms=6.0))


@pytest.mark.parametrize(
    ("daily", "ahead", "said"),
    [
        (MS_48 - 2512, DAY, "rising: 250 ms in about 24 h"),
        (MS_48 - 5024, DAY, "rising: 250 ms in about 12 h"),
        (MS_48 - 256, 30 * DAY, "rising: 250 ms in about 10 d"),  # 235.5 h
    ],
)
def test_the_event_says_when_the_limit_would_be_reached(daily: int, ahead: int, said: str) -> None:
    (opened,) = rising(MS_48, daily, ahead=ahead).events
    assert detail(opened) == said
    assert "(rising to 250 ms). It takes longer and longer from everywhere" in opened.summary


def test_a_rise_is_followed_and_ends_by_itself() -> None:
    fleet = rising(MS_48, MS_6)
    assert fleet.told == ["opened"]
    for _ in range(24 * 2):
        answer(fleet, *[20.0] * 10)
        pause(fleet, HOUR // 2)
    assert fleet.told[-1] == "closed"
    assert window(fleet).usual == pytest.approx(MS_20, abs=30)


# The day


def test_daily_is_usual_for_an_hour_and_then_follows_over_a_day() -> None:
    # Once an hour: usual moves a quarter of the way, daily 2^-5 of it.
    fleet = answer(watched(AHEAD, interval_ms=HOUR), 20.0)
    assert window(fleet).daily == MS_20 * 4096
    answer(pause(fleet, HOUR - 2), 40.0, apart=1)
    usual = MS_20 + 256
    assert (window(fleet).usual, window(fleet).daily) == (usual, usual * 4096)
    answer(fleet, 80.0, apart=1)
    assert window(fleet).usual == usual + (2048 - 256) // 4
    assert window(fleet).daily == usual * 4096 + (2048 - 256) * 4096 // 32


@pytest.mark.parametrize(
    ("interval_s", "shift"), [(1, 16), (10, 13), (30, 12), (60, 11), (300, 8), (3600, 5)]
)
def test_daily_follows_over_about_a_day(interval_s: int, shift: int) -> None:
    assert latency_levels.daily_shift(interval_s * 1000) == shift


def test_without_warn_ahead_there_is_none() -> None:
    fleet = answer(watched(LatencyLimit(max_ms=250, times_usual=3)), 20.0, 30.0)
    assert window(fleet).daily == latency_levels.NONE


def test_a_warning_that_was_taken_away_and_comes_back_learns_anew() -> None:
    fleet = known_for(AHEAD, DAY, MS_48, MS_48)
    fleet.control(TargetSet(target(regions="a", latency=LatencyLimit(max_ms=250), version=2)))
    assert window(fleet).daily == latency_levels.NONE
    learned(fleet, MS_48)
    fleet.control(TargetSet(target(regions="a", latency=AHEAD, version=3)))
    assert not is_slow(answer(fleet, 48.0))
    assert window(fleet).daily == window(fleet).usual * 4096


def test_another_limit_beside_it_keeps_what_was_learned() -> None:
    fleet = known_for(AHEAD, HOUR, MS_48, MS_20)
    other = LatencyLimit(max_ms=300, warn_ahead_ms=2 * DAY)
    fleet.control(TargetSet(target(regions="a b", latency=other, version=2)))
    assert window(fleet).daily == MS_20 * 4096


def test_a_restart_keeps_it_all() -> None:
    fleet = rising(MS_48, MS_6)
    restored = decoder.decode(decoder.encode(fleet.state), 0, 1)
    assert restored.windows(restored.targets["db"]) == fleet.windows()
    assert window(fleet).pace is not None


@given(
    st.lists(st.none() | st.sampled_from((5.0, 14.0, 20.0, 45.0, 300.0)), max_size=40),
    st.sampled_from((UNUSUAL, AHEAD, LatencyLimit(max_ms=250, times_usual=2, warn_ahead_ms=DAY))),
    st.sampled_from((HOUR, DAY)),
)
def test_the_short_way_of_calm_results_does_the_same(
    times: list[float | None], limit: LatencyLimit, up_for: int
) -> None:
    short, long = watched(limit), watched(limit)
    for fleet in (short, long):
        answer(fleet, 5.0)
        fleet.wait(up_for, broker_away=True).tick()
        fleet.wait(14_000)
    for ms in times:
        found = short.result("a", connect_ms=ms)
        short.append([found])
        apply(long.state, Record(len(long.log), long.now, [], None))
        long.log.append(long.log[-1])
        take(long.state, long.state.targets["db"], found)
        long.state.note_heat(long.state.targets["db"], 0)
        for fleet in (short, long):
            fleet.wait(5_000)
    assert window(short) == window(long)


# Days of a fleet

SLOTS: Final = 20


class Days:
    """Targets of one region that are checked every five minutes, for days."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self.state = new_state(0, 1)
        self.targets = targets
        self.now = START
        self.events: list[IncidentEvent] = []
        for one in targets:
            self._append([], TargetSet(one))

    def live(self, until_ms: int, took_ms: "list[Sequence[float]]") -> None:
        """Until so long after the start; each target has a time for each round of five minutes."""
        step = (self.now - START) // IDLE
        while self.now - START < until_ms:
            self.now += IDLE
            due = range(step % SLOTS, len(self.targets), SLOTS)
            number = step // SLOTS
            self._append([self._result(self.targets[one], took_ms[one][number]) for one in due])
            step += 1

    def _append(self, results: list[CheckResult], control: TargetSet | None = None) -> None:
        record = Record(self.state.offset + 1, self.now, results, control)
        found = apply(self.state, record)
        self.events += [out for out in found if isinstance(out, IncidentEvent)]

    def _result(self, one: Target, took_ms: float) -> CheckResult:
        return CheckResult(
            target=one.id,
            kind=one.kind,
            host=one.host,
            port=one.port,
            region="a",
            prober="a-1",
            scheduled_at=self.now,
            started_at=self.now,
            status="up",
            reason=None,
            attempt=0,
            cause="schedule",
            target_version=1,
            connect_ms=took_ms,
        )


def fleet_of(count: int, limit: LatencyLimit) -> Days:
    return Days(
        [
            target(f"t{one}", "a", host=f"h{one}.example.com", interval_ms=300_000, latency=limit)
            for one in range(count)
        ]
    )


ROUNDS_A_DAY: Final = 288


def test_a_latency_that_doubles_every_six_hours_is_told_before_it_is_above_the_limit() -> None:
    days = fleet_of(1, LatencyLimit(max_ms=250, warn_ahead_ms=DAY))
    calm = 2 * ROUNDS_A_DAY
    times = [20.0] * calm + [20.0 * 2 ** (number / 72) for number in range(ROUNDS_A_DAY)]
    too_slow_at = START + next(at for at, ms in enumerate(times) if ms > 250) * 300_000
    days.live(2 * DAY, [times])
    assert days.events == []
    days.live(3 * DAY, [times])
    opened = days.events[0]
    assert (opened.event, opened.incident_type) == ("opened", "slow")
    assert str(detail(opened)).startswith("rising: 250 ms in about ")
    assert too_slow_at - opened.at > 6 * HOUR


def noisy(seed: int, days: int, sigma: float) -> list[float]:
    """20 ms, twice as much by day as by night, with a logarithmic normal noise."""
    random = Random(seed)  # noqa: S311 - the same numbers each time
    return [
        20.0 * 2 ** (0.5 * sin(2 * pi * number / ROUNDS_A_DAY)) * exp(random.gauss(0, sigma))
        for number in range(days * ROUNDS_A_DAY + 1)
    ]


def test_days_and_nights_and_noise_are_no_rise_within_a_day() -> None:
    days = fleet_of(50, LatencyLimit(max_ms=250, warn_ahead_ms=DAY))
    days.live(30 * DAY, [noisy(seed, 30, 0.3) for seed in range(50)])
    assert days.events == []


def test_days_and_nights_are_a_rise_to_whoever_looks_a_month_ahead() -> None:
    """What docs/rules.md warns of: it keeps the test above from being one that can't fail."""
    days = fleet_of(1, LatencyLimit(max_ms=250, warn_ahead_ms=30 * DAY))
    days.live(4 * DAY, [noisy(0, 4, 0.0)])
    assert {str(detail(event)).split(":")[0] for event in days.events} >= {"rising"}
