"""The jobs, and what each of their runs will do: drawn before anything happens."""

from itertools import pairwise
from random import Random
from typing import Final, Literal

from msgspec import Struct

from schemas.probe import HeartbeatProbe
from schemas.target import Target
from tests.simulation.jobs import daemon
from tests.unit.streams.rules.job_accounts import DAY, HOUR, MINUTE, job

Outcome = Literal["well", "late", "left out", "failed", "overran", "killed"]
"""`killed`: it began, and is never heard of again."""

SLACK_MS: Final = 40_000
"""A report is on its way no longer than this, with all its retries."""

DEFINED_MS: Final = 5 * MINUTE
"""So long before the beginning the jobs are defined."""

QUICK: Final = ("*/5 * * * *", "*/10 * * * *", "7,37 * * * *", "*/15 * * * *")
HOURLY: Final = ("0 * * * *", "30 * * * *", "12 */2 * * *")
NIGHTLY: Final = (
    "30 0 * * *",
    "0 1 * * *",
    "30 1 * * *",
    "15 2 * * *",
    "0,30 2 * * *",
    "45 2 * * 0",
    "0 3 * * *",
    "20 3 * * 0-6",
)


class Scenario(Struct, frozen=True, kw_only=True):
    """What happens, from `begin` (UTC ms) on for `hours`.

    `troubles` is the share of runs that are not well. `deaf` are times in which all receivers are
    away, `silent` those in which the broker is (minutes after the beginning, minutes long);
    `deaths` is how often an hour a receiver is killed, `crashes` how often a worker.
    """

    seed: int
    begin: int
    jobs: int = 40
    hours: float = 6.0
    zones: tuple[str, ...] = ("UTC",)
    schedules: tuple[str, ...] = QUICK + HOURLY
    partitions: int = 2
    troubles: float = 0.05
    deaf: tuple[tuple[float, float], ...] = ()
    silent: tuple[tuple[float, float], ...] = ()
    deaths: float = 2.0
    crashes: float = 1.0
    beat_ms: int = 5_000

    @property
    def end(self) -> int:
        return self.begin + round(self.hours * HOUR)

    def away(self, margin_ms: int = 0) -> list[tuple[int, int]]:
        """When nobody can report anything; `margin_ms` longer on both sides."""
        return [
            (
                self.begin + round(minutes * MINUTE) - margin_ms,
                self.begin + round((minutes + lasts) * MINUTE) + margin_ms,
            )
            for minutes, lasts in self.deaf + self.silent
        ]


class Run(Struct, kw_only=True):
    """A run as it was planned: by the clock of cron, or by the interval of the job."""

    planned: int
    begins: int
    ends: int
    outcome: Outcome

    @property
    def reports(self) -> bool:
        return self.outcome not in {"left out", "killed"}

    @property
    def starts(self) -> bool:
        return self.outcome != "left out"


class Planned(Struct, frozen=True):
    """A job, and its runs in their order. `wrapped`: it reports its starts, too."""

    target: Target
    runs: list[Run]
    wrapped: bool

    @property
    def probe(self) -> HeartbeatProbe:
        assert isinstance(self.target.probe, HeartbeatProbe)
        return self.target.probe


def plan(scenario: Scenario, rng: Random) -> list[Planned]:
    """All jobs: three of four have a schedule, the others an interval."""
    return _Drawing(scenario, rng).all()


class _Drawing:
    def __init__(self, scenario: Scenario, rng: Random) -> None:
        self._scenario = scenario
        self._rng = rng

    def all(self) -> list[Planned]:
        scenario, rng = self._scenario, self._rng
        by_zone: dict[str, dict[int, str]] = {}
        for number in range(scenario.jobs):
            if number % 4 != 3:
                in_zone = by_zone.setdefault(rng.choice(scenario.zones), {})
                in_zone[number] = rng.choice(scenario.schedules)
        found: dict[int, Planned] = {}
        for zone, schedules in by_zone.items():
            times = self._times(zone, sorted(set(schedules.values())))
            for number, schedule in schedules.items():
                found[number] = self._scheduled(number, schedule, zone, times[schedule])
        for number in range(3, scenario.jobs, 4):
            found[number] = self._by_interval(number)
        return [found[number] for number in range(scenario.jobs)]

    def _times(self, zone: str, schedules: list[str]) -> dict[str, list[int]]:
        """When cron runs each of the schedules."""
        found: dict[str, list[int]] = {schedule: [] for schedule in schedules}
        entries = [daemon.read(one) for one in schedules]
        begin = self._scenario.begin - 6 * HOUR
        for place, at in daemon.runs(entries, zone, begin, self._scenario.end):
            # What is due within a minute after the definition is expected of nobody.
            if at > self._scenario.begin - DEFINED_MS + MINUTE:
                found[schedules[place]].append(at)
        return found

    def _scheduled(self, number: int, schedule: str, zone: str, times: list[int]) -> Planned:
        rng = self._rng
        period = min((after - at for at, after in pairwise(times)), default=DAY)
        wrapped = rng.random() < 0.5
        grace = rng.choice((1, 2)) * MINUTE + SLACK_MS if period < HOUR else 5 * MINUTE
        most = grace + MINUTE if wrapped else None
        target = job(
            f"job-{number}", schedule=schedule, zone=zone, grace_ms=grace, max_runtime_ms=most
        )
        ahead = rng.randint(-20_000, 30_000)
        return Planned(target, [self._run(at, at + ahead, grace, most) for at in times], wrapped)

    def _by_interval(self, number: int) -> Planned:
        rng = self._rng
        interval = rng.choice((5, 10, 30, 60)) * MINUTE
        grace = 2 * MINUTE
        target = job(f"job-{number}", interval_ms=interval, grace_ms=grace)
        first = self._scenario.begin + rng.randint(1_000, max(2_000, interval - 4 * MINUTE))
        runs = [
            self._run(at, at + rng.randint(-5_000, 5_000), grace, None)
            for at in range(first, self._scenario.end, interval)
        ]
        for place, run in enumerate(runs):
            if place == 0:  # the first is due by the definition, and by no run
                run.outcome, run.begins, run.ends = "well", run.planned, run.planned + 1_000
            elif run.outcome == "late":  # it would move what is due after it
                run.outcome = "left out"
        return Planned(target, runs, wrapped=False)

    def _run(self, planned: int, begins: int, grace: int, most: int | None) -> Run:
        rng = self._rng
        outcome: Outcome = "well"
        if rng.random() < self._scenario.troubles:
            sorts: list[Outcome] = ["late", "left out", "failed"]
            outcome = rng.choice([*sorts, "overran", "killed"] if most else sorts)
        takes = rng.randint(200, 10_000)
        if outcome == "late":
            begins = planned + grace + SLACK_MS + 20_000
        elif outcome == "overran":
            takes = (most or 0) + SLACK_MS + 20_000
        return Run(planned=planned, begins=begins, ends=begins + takes, outcome=outcome)
