"""The jobs of a partition in the reference: what opens and closes of them (rules 6, 9 and 16)."""

from schemas.control import Acknowledged, Resolved
from schemas.incident import IncidentType
from schemas.result import CheckResult
from schemas.target import Target
from tests.unit.streams.rules.reference_jobs import NEVER, Ears, Job, Verdict
from tests.unit.streams.rules.reference_target import Incident
from tests.unit.streams.rules.reference_words import (
    Clock,
    Closed,
    Opened,
    Paused,
    Told,
    Updated,
    Word,
    severity,
)


class Jobs:
    """`told` takes what is told; the reference empties it before each record."""

    def __init__(self, clock: Clock, told: list[Told]) -> None:
        self.clock = clock
        self.told = told
        self.known: dict[str, Job] = {}
        self.ears = Ears()

    @property
    def now(self) -> int:
        return self.clock.now

    @property
    def running(self) -> int:
        return self.clock.running(self.clock.now)

    def set_back(self, step: int) -> None:
        self.ears.set_back(step)
        for job in self.known.values():
            job.set_back(step, self.clock)

    def begin(self, target: Target, since: int, floor: int = NEVER) -> None:
        self.known[target.id] = Job(target, since, floor)

    def define(self, target: Target) -> None:
        """Of a job that is known."""
        job = self.known[target.id]
        if target.version >= job.target.version:
            job.define(target, self.now)

    def end(self, name: str, because: str, paused: Paused | None = None) -> None:
        job = self.known.pop(name)
        for of in sorted(job.incidents):
            self._close(job, of, because, paused=paused)

    def take(self, result: CheckResult) -> None:
        job = self.known[result.target]
        if not job.counts(result, self.now):
            return
        job.take(result, self.now)
        if result.signal == "fail":
            self._down(job, Verdict("job_failed", self.now))
        elif result.signal == "success":
            self._up(job)
        self._follow_flapping(job)

    def look(self) -> None:
        for _, job in sorted(self.known.items()):
            if self.ears.newest is not None:
                said = job.look(self.ears.deaf, self.ears.newest, self.now)
                if said is not None:
                    self._down(job, said)
            self._follow_flapping(job)

    def _down(self, job: Job, said: Verdict) -> None:
        before, job.down = job.down, said.reason
        name = job.target.id
        if (incident := job.incidents.get("unreachable")) is not None:
            if before != said.reason:
                self.told.append(Updated(name, "unreachable", self.now, incident.acknowledged))
        elif "flapping" in job.incidents:
            if before is None:
                job.transitions.append(self.running)
                job.outage = said.began
        else:
            job.transitions.append(self.running)
            flaps = job.flaps(self.running)
            job.outage = said.began if flaps else None
            self._open(job, "flapping" if flaps else "unreachable", said.began)

    def _up(self, job: Job) -> None:
        before, job.down = job.down, None
        if "unreachable" in job.incidents:
            self._close(job, "unreachable", "recovered")
            job.transitions.append(self.running)
        elif "flapping" in job.incidents and before is not None:
            job.outage = None
            job.incidents["flapping"].recovered_at = self.now
            job.transitions.append(self.running)

    def _follow_flapping(self, job: Job) -> None:
        if "flapping" not in job.incidents:
            return
        if self.running - job.transitions[-1] < job.quiet_ms():
            return
        if job.down is None:
            self._close(job, "flapping", "recovered")
            return
        assert job.outage is not None
        began = job.outage
        self._close(job, "flapping", "steady")
        job.transitions.append(self.running)
        self._open(job, "unreachable", began)

    def _open(self, job: Job, of: IncidentType, began: int) -> None:
        job.incidents[of] = Incident(began)
        told = severity(of, job.target)
        self.told.append(Opened(job.target.id, of, told, self.now, job.votes, began))

    def _close(
        self,
        job: Job,
        of: IncidentType,
        because: str,
        *,
        resolved: Word | None = None,
        paused: Paused | None = None,
    ) -> None:
        incident = job.incidents.pop(of)
        lasting = of == "flapping" and because in {"recovered", "steady"}
        self.told.append(
            Closed(
                job.target.id,
                of,
                self.now,
                job.votes,
                incident.first_failed_at,
                because,
                recovered_at=incident.recovered_at if lasting else None,
                acknowledged=incident.acknowledged,
                resolved=resolved,
                paused=paused,
            )
        )
        if of == "flapping":
            job.transitions = []
            job.outage = None

    def by_hand(self, control: Acknowledged | Resolved) -> None:
        job = self.known.get(control.target)
        if job is None:
            return
        for of, incident in list(job.incidents.items()):
            if incident.id != control.incident_id:
                continue
            if isinstance(control, Resolved):
                self._close(job, of, "resolved", resolved=(control.by, control.note or None))
                job.down = None
                continue
            before = incident.acknowledged
            if before is None or before[0] != control.by or control.note:
                incident.acknowledged = (control.by, control.note or None)
            self._follow_flapping(job)
            if incident.acknowledged != before and job.incidents.get(of) is incident:
                self.told.append(Updated(job.target.id, of, self.now, incident.acknowledged))
