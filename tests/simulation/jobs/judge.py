"""What was told, held against what the jobs truly did."""

from collections import Counter
from typing import Final

from msgspec import Struct, field

from schemas.incident import IncidentEvent, RegionEvent
from schemas.result import RECEIVER, Reason
from tests.simulation.jobs.fleet import SLACK_MS, Planned, Run, Scenario
from tests.simulation.jobs.simulation import Delivered, JobSimulation, Outcome
from tests.simulation.worker import Divergence
from tests.unit.streams.rules.job_accounts import MINUTE

TOLD_WITHIN_MS: Final = 8_000
"""After a deadline: until the next beat of a receiver, and until deadlines are looked at."""

FAR_MS: Final = 10**15


class Verdict(Struct, frozen=True):
    """What a job is said to be from `at` on; `reason` None: well."""

    at: int
    reason: Reason | None
    began: int


class Found(Struct, kw_only=True):
    """Counts for a report, and whatever is not as it should be."""

    simulations: int = 0
    hours: float = 0.0
    jobs: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    must: int = 0
    reports: int = 0
    lost: int = 0
    messages: int = 0
    crashes: int = 0
    seconds: float = 0.0
    divergences: list[tuple[Scenario, Divergence]] = field(default_factory=list)

    def add(self, other: "Found") -> None:
        for name in ("simulations", "hours", "jobs", "must", "reports", "lost", "messages"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.crashes += other.crashes
        self.seconds += other.seconds
        self.runs += other.runs
        self.told += other.told
        self.divergences += other.divergences

    def lines(self) -> list[str]:
        return [
            f"{self.simulations:,} simulations of {self.hours:,.1f} hours: {self.seconds:,.1f} s",
            f"jobs: {self.jobs:,}",
            f"runs: {dict(self.runs)}",
            f"reports delivered: {self.reports:,}, lost: {self.lost:,}",
            f"messages: {self.messages:,}, workers restored: {self.crashes:,}",
            f"told: {dict(self.told)}; had to be told: {self.must:,}",
            f"divergences: {len(self.divergences)}",
            *(
                f"  seed {scenario.seed}: {one.what}: {one.target} at {one.at:.0f} {one.detail}"
                for scenario, one in self.divergences[:20]
            ),
        ]


def simulate(scenario: Scenario) -> Found:
    return judge(JobSimulation(scenario).run())


def judge(outcome: Outcome) -> Found:
    found = Found(
        simulations=1,
        hours=outcome.scenario.hours,
        jobs=len(outcome.jobs),
        reports=len(outcome.delivered),
        lost=outcome.lost,
        messages=outcome.messages,
        crashes=outcome.crashes,
        seconds=outcome.seconds,
    )
    found.divergences = [(outcome.scenario, one) for one in outcome.divergences]
    events: dict[str, list[IncidentEvent]] = {}
    for _, event in outcome.events:
        if isinstance(event, IncidentEvent):
            events.setdefault(event.target, []).append(event)
    delivered: dict[str, list[Delivered]] = {}
    for one in outcome.delivered:
        delivered.setdefault(one.target, []).append(one)
    for job in outcome.jobs:
        name = job.target.id
        _Judge(outcome.scenario, job, events.get(name, []), delivered.get(name, []), found).look()
    _silences(outcome, found)
    return found


def _silences(outcome: Outcome, found: Found) -> None:
    """Each time in which all receivers are away is told once, and when it ends."""
    told = [event for _, event in outcome.events if isinstance(event, RegionEvent)]
    expected = [
        name for _ in outcome.scenario.deaf for name in ("region.silent", "region.returned")
    ]
    found.told.update(event.event for event in told)
    if [event.event for event in told] != expected or any(one.region != RECEIVER for one in told):
        detail = str([(event.event, event.region, event.at) for event in told])
        wrong = Divergence(what="not told who was silent", target=RECEIVER, at=0, detail=detail)
        found.divergences.append((outcome.scenario, wrong))


class _Judge:
    """Of one job."""

    def __init__(
        self,
        scenario: Scenario,
        job: Planned,
        events: list[IncidentEvent],
        delivered: list[Delivered],
        found: Found,
    ) -> None:
        self._scenario = scenario
        self._job = job
        self._delivered = delivered
        self._found = found
        self._verdicts = [
            Verdict(event.at, None if event.event == "closed" else _reason(event), _began(event))
            for event in events
        ]
        self._flaps = [event.at for event in events if event.incident_type == "flapping"]
        self._away = scenario.away(margin_ms=SLACK_MS)
        found.runs.update(run.outcome for run in job.runs)
        found.told.update(
            f"{event.event} {event.incident_type} {_reason(event)}"
            for event in events
            if event.event != "closed"
        )

    def look(self) -> None:
        before: Verdict | None = None
        for verdict in self._verdicts:
            goes_on = before is not None and before.at == verdict.at  # after flapping
            if (
                verdict.reason is not None
                and not goes_on
                and (before is None or before.reason != verdict.reason)
            ):
                self._was_it_so(verdict, opened=before is None or before.reason is None)
            before = verdict
        for run in self._job.runs:
            self._must_be_told(run)
        self._closes()

    def _wrong(self, what: str, at: float, detail: str = "") -> None:
        one = Divergence(what=what, target=self._job.target.id, at=at, detail=detail)
        self._found.divergences.append((self._scenario, one))

    # Nothing else is told

    def _was_it_so(self, verdict: Verdict, *, opened: bool) -> None:
        if verdict.reason == "job_failed":
            so = any(one.signal == "fail" and one.at <= verdict.at for one in self._delivered)
        elif verdict.reason == "job_overran":
            so = any(self._overran(run, verdict) for run in self._job.runs)
        else:
            so = any(self._missed(run, verdict, opened=opened) for run in self._job.runs)
        if not so:
            self._wrong(f"said to be {verdict.reason}, and was not", verdict.at, str(verdict))

    def _overran(self, run: Run, verdict: Verdict) -> bool:
        most = self._job.probe.max_runtime_ms or FAR_MS
        ended = run.ends if run.reports else FAR_MS
        begins = run.begins
        return begins + most <= verdict.at and ended > begins + most

    def _missed(self, run: Run, verdict: Verdict, *, opened: bool) -> bool:
        """No report truly came of what was planned, be it by this run or by another one."""
        interval = self._job.probe.interval_ms
        if interval is not None and not any(one.at < verdict.at for one in self._delivered):
            # Due an interval after the definition, whenever the job runs.
            return not self._reported(verdict.began - interval + SLACK_MS, verdict.began)
        deadline = run.planned + self._job.probe.grace_ms
        if deadline > verdict.at + SLACK_MS:
            return False
        if opened and abs(run.planned - verdict.began) > self._jitter_ms():
            return False
        return not self._reported(run.planned - MINUTE, deadline - SLACK_MS)

    def _jitter_ms(self) -> int:
        """A scheduled time is exact; an interval counts from the arrival of the last report."""
        return 0 if self._job.probe.schedule is not None else SLACK_MS + 15_000

    def _reported(self, begin: int, end: int) -> bool:
        return any(run.reports and begin < run.ends <= end for run in self._job.runs)

    # What must be told

    def _must_be_told(self, run: Run) -> None:
        due = {
            "failed": self._failed_by,
            "overran": self._overran_by,
            "killed": self._overran_by,
            "late": self._missed_by,
            "left out": self._missed_by,
        }.get(run.outcome)
        by = None if due is None else due(run)
        if by is None or by > self._scenario.end or self._down_at(by):
            return
        self._wrong(f"{run.outcome} was not told", by, str(run))

    def _is_down(self, begin: int, end: int) -> bool:
        """Whether nothing that was away comes into it, nor a report that ended it."""
        away = any(begin < until and end > since for since, until in self._away)
        ended = any(
            one.signal in {"success", "fail"} and begin < one.at <= end for one in self._delivered
        )
        return not away and not ended

    def _failed_by(self, run: Run) -> int | None:
        at = next(
            (one.at for one in self._delivered if one.run is run and one.signal == "fail"), None
        )
        if at is not None:
            self._found.must += 1
        return at

    def _overran_by(self, run: Run) -> int | None:
        most = self._job.probe.max_runtime_ms
        started = [one.at for one in self._delivered if one.run is run and one.signal == "start"]
        if most is None or not started:
            return None
        by = started[0] + most + TOLD_WITHIN_MS
        if not self._is_down(started[0], by):
            return None
        self._found.must += 1
        return by

    def _missed_by(self, run: Run) -> int | None:
        grace = self._job.probe.grace_ms
        jitter = self._jitter_ms()
        if jitter and not any(one.at < run.planned for one in self._delivered):
            return None  # it is due an interval after the definition, whenever the job runs
        by = run.planned + grace + jitter
        for other in self._job.runs:
            # A start moves the deadline.
            if self._job.wrapped and other.starts and run.planned - 3_600_000 < other.begins < by:
                moved = self._job.probe.max_runtime_ms or grace
                by = max(by, other.begins + SLACK_MS + moved)
        by += TOLD_WITHIN_MS
        if not self._is_down(run.planned - max(grace, 75_000) - jitter, by):
            return None
        self._found.must += 1
        return by

    def _down_at(self, at: int) -> bool:
        last = [verdict for verdict in self._verdicts if verdict.at <= at]
        return bool(last) and (last[-1].reason is not None or bool(self._flaps))

    def _closes(self) -> None:
        """A success that came closes; a job that flaps is told otherwise."""
        if self._flaps:
            return
        for one in self._delivered:
            last = [verdict for verdict in self._verdicts if verdict.at <= one.at]
            if one.signal == "success" and last and last[-1].reason is not None:
                self._wrong("a success did not close it", one.at)


def _reason(event: IncidentEvent) -> Reason | None:
    return event.regions[RECEIVER].reason


def _began(event: IncidentEvent) -> int:
    return event.first_failed_at
