"""Rule 16 a second time: jobs that report themselves, from docs/rules.md alone.

The times of schedules are cronsim's in the zone's own data: neither our reckoning nor the offsets
of the definition are asked.

What the text leaves open, and how it is read here:

- "Has passed" is true from the deadline on, "still to come" from the next millisecond on.
- A time is deaf from after the beat until before the next one: at a beat somebody listens.
- A run that has overrun is known until it ends, and is told once.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim
from msgspec import Struct

from schemas.incident import IncidentType, Votes
from schemas.probe import HeartbeatProbe
from schemas.result import RECEIVER, CheckResult, Reason
from schemas.target import Target
from tests.unit.streams.rules.reference_target import Incident, Transitions
from tests.unit.streams.rules.reference_words import Clock

NEVER: Final = -(10**15)


@lru_cache(100_000)
def scheduled_after(schedule: str, zone: str, at: int) -> int | None:
    """The first scheduled time that is later than `at` (UTC ms), None if there is none."""
    # Whole seconds do: a scheduled time is a whole minute.
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at // 1000)
    local = moment.astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
    times = (round(one.timestamp() * 1000) for one in CronSim(schedule, local))
    return next((ms for ms in times if ms > at), None)


def due_after(probe: HeartbeatProbe, report: int) -> int | None:
    """When the next report is due after one (or a definition) at `report`."""
    if probe.schedule is None:
        return None if probe.interval_ms is None else report + probe.interval_ms
    due = scheduled_after(probe.schedule, probe.zone, report)
    while due is not None:
        following = scheduled_after(probe.schedule, probe.zone, due)
        ahead = due - report
        if ahead > 60_000 or (following is not None and 4 * ahead > following - due):
            return due
        due = following
    return None


def due_later(probe: HeartbeatProbe, due: int, than: int) -> int | None:
    """The first due time after `due` that is later than `than`, too."""
    if probe.schedule is not None:
        return scheduled_after(probe.schedule, probe.zone, max(due, than))
    assert probe.interval_ms is not None
    due += probe.interval_ms
    while due <= than:
        due += probe.interval_ms
    return due


class Run(Struct):
    """`overran`: that was told, or would have been."""

    name: str | None
    began: int
    overran: bool = False


class Verdict(Struct, frozen=True):
    """That a job is down, why, and since when."""

    reason: Reason
    began: int


class Job(Transitions):
    """A job, what is expected of it, and what is open.

    `since` is what its due time follows from: its newest report, its definition, or the moment up
    to which deadlines were looked at (then `after` is the due time before that one). `reported` is
    its newest report, `report_taken` when a receiver took it. `not_before` is where a start has
    moved its deadline. `floor`: signals that started then or before are of its pause.
    """

    def __init__(self, target: Target, since: int, floor: int = NEVER) -> None:
        super().__init__()
        self.target = target
        self.floor = floor
        self.since = since
        self.after: int | None = None
        self.reported = NEVER
        self.report_taken = NEVER
        self.not_before = NEVER
        self.runs: list[Run] = []
        self.down: Reason | None = None
        self.counted: list[tuple[str, int, int]] = []
        self.incidents: dict[IncidentType, Incident] = {}
        self.due = due_after(self.probe, since)

    @property
    def probe(self) -> HeartbeatProbe:
        assert isinstance(self.target.probe, HeartbeatProbe)
        return self.target.probe

    @property
    def deadline(self) -> int | None:
        if self.due is None:
            return None
        plain = self.due + self.probe.grace_ms
        farthest = plain + (self.probe.max_runtime_ms or self.probe.grace_ms)
        return max(plain, min(self.not_before, farthest))

    @property
    def votes(self) -> Votes:
        return Votes(down=0 if self.down is None else 1, need=1, fresh=1, configured=1)

    def _expect(self) -> None:
        """Reckons anew when the next report is due."""
        if self.after is None:
            self.due = due_after(self.probe, self.since)
        elif self.probe.schedule is not None:
            self.due = due_later(self.probe, self.after, self.since)

    def define(self, target: Target, now: int) -> None:
        old = self.probe
        self.target = target
        new = self.probe
        if (old.interval_ms, old.schedule, old.zone) != (new.interval_ms, new.schedule, new.zone):
            self.since, self.after = now, None
        self._expect()

    def set_back(self, step: int, clock: Clock) -> None:
        self.since -= step
        if self.reported != NEVER:
            self.reported -= step
        self.not_before -= step
        self.floor -= step
        for run in self.runs:
            run.began -= step
        if self.after is not None:
            self.after -= step
        if self.due is not None:
            self.due -= step
        if self.probe.schedule is not None:
            self._expect()
        for incident in self.incidents.values():
            incident.first_failed_at = clock.told(incident.first_failed_at, step)
            if incident.recovered_at is not None:
                incident.recovered_at = clock.told(incident.recovered_at, step)
        if self.outage is not None:
            self.outage = clock.told(self.outage, step)

    def counts(self, result: CheckResult, now: int) -> bool:
        if result.region != RECEIVER or result.signal in {None, "log"}:
            return False
        if not -15_000 <= now - result.started_at <= 30_000:
            return False
        if result.started_at <= self.floor:
            return False
        return (result.prober, result.started_at, result.attempt) not in self.counted[-16:]

    def take(self, result: CheckResult, now: int) -> None:
        """A signal that counts; whether it says that the job is down is another matter."""
        self.counted.append((result.prober, result.started_at, result.attempt))
        if result.signal == "start":
            if result.started_at < self.report_taken <= now + 15_000:
                return  # that may have been its end
            self.runs = [one for one in self.runs if one.name != result.run]
            self.runs.append(Run(result.run, now))
            self.runs = self.runs[-16:]
            lasts = self.probe.max_runtime_ms or self.probe.grace_ms
            self.not_before = max(self.not_before, now + lasts)
            return
        names = [one.name for one in self.runs]
        known = result.run is not None and result.run in names
        self.runs = self.runs[names.index(result.run) + 1 :] if known else []
        self.since = self.reported = now
        self.report_taken = result.started_at
        self.after, self.not_before = None, NEVER
        self._expect()

    def look(self, deaf: list[tuple[int, int]], beat: int, now: int) -> Verdict | None:
        """What the deadlines say that passed until `beat`, the newest one of a receiver."""
        said = None
        while (first := self._first_deadline()) is not None and first[0] <= beat:
            _, what = first
            verdict = self._missed(deaf, now) if what is None else self._overran(what, deaf)
            said = verdict or said
        return said

    def _first_deadline(self) -> tuple[int, Run | None] | None:
        """The run whose deadline it is, None for that of the report."""
        some: list[tuple[int, Run | None]] = []
        if self.deadline is not None:
            some.append((self.deadline, None))
        if (most := self.probe.max_runtime_ms) is not None:
            some += [(run.began + most, run) for run in self.runs if not run.overran]
        return min(some, key=lambda one: one[0], default=None)

    def _missed(self, deaf: list[tuple[int, int]], now: int) -> Verdict | None:
        assert self.due is not None
        assert self.deadline is not None
        due, deadline = self.due, self.deadline
        begin = max(due - max(self.probe.grace_ms, 60_000), self.reported)
        if self.probe.schedule is None and self.reported == NEVER:
            begin = self.since
        heard_again = [end for start, end in deaf if start < deadline and end > begin]
        later_than = max(heard_again, default=now)
        self.since, self.after = later_than, due
        self.due = due_later(self.probe, due, later_than)
        return None if heard_again else Verdict("heartbeat_missed", due)

    def _overran(self, run: Run, deaf: list[tuple[int, int]]) -> Verdict | None:
        assert self.probe.max_runtime_ms is not None
        deadline = run.began + self.probe.max_runtime_ms
        if any(start < deadline and end > run.began for start, end in deaf):
            self.runs.remove(run)
            return None
        run.overran = True
        return Verdict("job_overran", deadline)


class Ears:
    """Whether the receivers listen: their newest beat, and the times in which they were deaf."""

    def __init__(self) -> None:
        self.newest: int | None = None
        self.named_jobs = False
        self.deaf: list[tuple[int, int]] = []

    def beat(self, now: int, targets: int) -> None:
        last = NEVER if self.newest is None else self.newest
        if now - last > 15_000:
            self.deaf = [*self.deaf, (last, now)][-100:]
        self.newest = now
        self.named_jobs = targets > 0

    def set_back(self, step: int) -> None:
        self.deaf = [(begin - step, end - step) for begin, end in self.deaf]
        if self.newest is not None:
            self.newest -= step
