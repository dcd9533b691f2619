"""Histories of one target with learned limits, through the rules and through the reference.

The large machine reaches slowness now and then; here nothing else happens. An hour and a day pass
as gaps of the log.
"""

from typing import Final, Literal

import pytest
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import structs

from schemas.control import Resolved, TargetSet
from schemas.result import CheckResult
from schemas.target import LatencyLimit
from tests.examples import examples, minutes
from tests.unit.streams.rules.fleet import target
from tests.unit.streams.rules.reference_log import Log
from tests.unit.streams.rules.reference_speed import DAY_MS, HOUR_MS, Speed

REGIONS: Final = ("a", "b")
ofs: st.SearchStrategy[Literal["connect", "total"]] = st.sampled_from(("connect", "total"))
limits = st.builds(
    LatencyLimit,
    max_ms=st.sampled_from((100.0, 250.0)),
    for_results=st.integers(1, 3),
    times_usual=st.sampled_from((None, None, 3.0)),
    warn_ahead_ms=st.sampled_from((None, DAY_MS, 30 * DAY_MS)),
    of=ofs,
) | st.builds(LatencyLimit, for_results=st.integers(1, 2), times_usual=st.floats(1.5, 9), of=ofs)
took = st.sampled_from((None, 0.0004, 0.2, 5.0, 14.9, 15.0, 20.0, 45.0, 99.0, 100.5, 300.0))
each = st.sampled_from((("a", "b"), ("b", "a"), ("a",), ("b",)))


class Speeds(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.fleet = Log()
        self.target = target(regions="a b")

    @initialize(limit=limits, interval_s=st.sampled_from((10, 60, 300)))
    def begin(self, limit: LatencyLimit, interval_s: int) -> None:
        self.target = structs.replace(self.target, interval_ms=interval_s * 1000)
        self.give(limit)
        self.answer(REGIONS, 5.0, 5.0, 3)

    @rule(limit=limits | limits | st.none())
    def give(self, limit: LatencyLimit | None) -> None:
        version = self.target.version + 1
        self.target = structs.replace(self.target, latency=limit, version=version)
        self.fleet.control(TargetSet(self.target))

    @rule(each=each, connect_ms=took, total_ms=took, times=st.sampled_from((1, 2, 3, 8)))
    def answer(
        self,
        each: tuple[str, ...],
        connect_ms: float | None,
        total_ms: float | None,
        times: int,
    ) -> None:
        for _ in range(times):
            self.fleet.wait(1000)
            for region in each:
                found = self.fleet.result(region, connect_ms=connect_ms, total_ms=total_ms)
                self.fleet.append([found])

    @rule(each=each)
    def fail(self, each: tuple[str, ...]) -> None:
        self.fleet.wait(1000).down(*each)

    @rule(
        region=st.sampled_from(REGIONS),
        after=st.sampled_from((HOUR_MS - 1, HOUR_MS, DAY_MS - 1, DAY_MS, DAY_MS, 3 * DAY_MS)),
        each=each,
        connect_ms=took,
        times=st.sampled_from((1, 3, 12)),
    )
    def let_time_pass(
        self, region: str, after: int, *, each: tuple[str, ...], connect_ms: float, times: int
    ) -> None:
        """So long after a region turned up; two gaps stand farther apart than a result is fresh."""
        for _ in range(self.target.interval_ms * 3 // 14_000 + 1):
            self.fleet.wait(14_000, broker_away=True).tick()
        since = self.speeds()[region].since
        if since is not None and since + after > self.fleet.now:
            self.fleet.wait(since + after - self.fleet.now, broker_away=True)
        for number in range(times):
            self.fleet.wait(1 if number else 0)
            for one in each:
                self.fleet.append(self.took(one, connect_ms))

    @rule(
        each=st.sampled_from((("a", "b"), ("b", "a"))),
        connect_ms=st.sampled_from((20.0, 45.0, 99.0)),
    )
    def climb(self, each: tuple[str, ...], connect_ms: float) -> None:
        """After a day as usual it takes longer, and goes on like that."""
        self.let_time_pass("b", DAY_MS, each=each, connect_ms=5.0, times=1)
        for _ in range(12):
            self.fleet.wait(1000)
            self.fleet.append([one for region in each for one in self.took(region, connect_ms)])

    def took(self, region: str, ms: float | None) -> list[CheckResult]:
        """A success that took so long, whichever time is meant."""
        return [self.fleet.result(region, connect_ms=ms, total_ms=ms)]

    @precondition(lambda self: self.fleet.open)
    @rule(data=st.data())
    def resolve(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.fleet.open)))
        self.fleet.control(Resolved(target="db", incident_id=self.fleet.open[key], by="ann"))

    def speeds(self) -> dict[str, Speed]:
        watched = self.fleet.reference.targets["db"]
        said = watched.said(self.fleet.reference.running)
        return {region: one.speed for region, one in said.items()}

    @invariant()
    def the_reference_learns_the_same(self) -> None:
        if "db" not in self.fleet.state.targets:
            return
        expected = self.speeds()
        for region, window in zip(REGIONS, self.fleet.windows(), strict=True):
            if window is None:
                assert region not in expected
                continue
            speed = expected[region]
            assert (window.since or None) == speed.since
            daily = None if speed.daily is None else speed.daily * 4096
            learned = (window.lately or None, window.usual or None, window.daily or None)
            assert learned == (speed.lately, speed.usual, daily)
            pace = window.pace
            assert (pace is not None and pace.slow) == (speed.slow is not None)
            if pace is not None and speed.slow is not None:
                assert (pace.since, pace.why) == (speed.slow.effective, speed.why)
                self.fleet.reached.add(f"slow: {speed.why}")

    def teardown(self) -> None:
        for name in sorted(self.fleet.reached):
            event(name)


TestSpeeds = pytest.mark.timeout(minutes(5))(Speeds.TestCase)
TestSpeeds.settings = settings(
    max_examples=examples(15),
    stateful_step_count=20,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
