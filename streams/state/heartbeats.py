"""Jobs that report themselves, and who hears them (rule 16). All times are log time, UTC ms."""

from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Final

import msgspec
from msgspec import Struct

from schemas.probe import HeartbeatProbe
from schemas.result import Reason
from schemas.target import Target
from streams.state.target_state import OpenIncident

KIND: Final = "heartbeat"
MOST_RUNS: Final = 16
MOST_COUNTED: Final = 16
MOST_DEAF: Final = 100

NEVER: Final = 2**62
"""A time that does not come."""

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Target).decode


class Run(Struct, frozen=True, gc=False, array_like=True):
    """A run that was begun; `overran`: that was said of it, and is not said again."""

    name: str | None
    began: int
    overran: bool = False


class Report(Struct, frozen=True, gc=False, array_like=True):
    """The newest success or failure of a job; `began` is when its run began, None: unknown.

    `started_at` is the time of the receiver that took it.
    """

    at: int
    failed: bool
    exit_code: int | None = None
    began: int | None = None
    started_at: int = 0


class Down(Struct, frozen=True, gc=False, array_like=True):
    """Why a job is down.

    `since`: when it failed, when its report was due, or when its run should have ended. `began` is
    when the run began that did not end, `exit_code` that of a failure, and `words` are what the job
    said of it, on one line.
    """

    reason: Reason
    since: int
    exit_code: int | None = None
    began: int | None = None
    words: str | None = None


def run_ms(probe: HeartbeatProbe) -> int:
    """The time that a run may take: its limit, or the grace where there is none."""
    return probe.max_runtime_ms or probe.grace_ms


class JobState(Struct, gc=False, array_like=True):
    """A job, what is expected of it, and what is open.

    `probe` is that of its definition (`definition`: the target, msgpack). `since` is what its due
    time follows from: the newest report, the definition, or the time up to which its deadlines were
    looked at; then `after` is the due time before (None: there is none). `due` is None when nothing
    is due any more. `held_until`: a start has moved the deadline to then, if it would come sooner.
    `reported` is the time of its newest report since its definition. Signals that started at
    `floor` or before are of its pause. `runs` are those under way, the first one first. `counted`
    are the newest signals that counted: prober, start, attempt. Every field but `incident` is
    replaced and never changed in place.
    """

    id: str
    definition: bytes
    probe: HeartbeatProbe
    since: int
    due: int | None
    after: int | None = None
    held_until: int = 0
    reported: int = 0
    floor: int = 0
    runs: tuple[Run, ...] = ()
    counted: tuple[tuple[str, int, int], ...] = ()
    last: Report | None = None
    down: Down | None = None
    incident: OpenIncident | None = None

    @property
    def target(self) -> Target:
        """The definition, decoded."""
        return unpack_definition(self.definition)

    @property
    def deadline(self) -> int:
        """When the next report is missed; `NEVER` if none is due.

        A run moves it by its own length at most: a job that begins again and again is missed.
        """
        if self.due is None:
            return NEVER
        latest = self.due + self.probe.grace_ms
        return max(latest, min(self.held_until, latest + run_ms(self.probe)))

    @property
    def next_deadline(self) -> int:
        """The first deadline of its report and its runs."""
        limit = self.probe.max_runtime_ms
        if not self.runs or limit is None:
            return self.deadline
        ends = [run.began + limit for run in self.runs if not run.overran]
        return min([self.deadline, *ends])


class Receivers(Struct, gc=False, array_like=True):
    """Who hears the jobs: all receivers together.

    `newest_beat`: 0 before the first one. `name_jobs`: it named jobs. `deaf` are the times in which
    nobody could be heard, the oldest first: begin and end.
    """

    newest_beat: int = 0
    name_jobs: bool = False
    deaf: tuple[tuple[int, int], ...] = ()

    def deaf_until(self, begin: int, end: int) -> int | None:
        """The end of the last deaf time between the two; None if there is none."""
        found = [until for since, until in self.deaf if since < end and until > begin]
        return max(found, default=None)


class JobIndex:
    """Which job is to be looked at when, and which have open incidents: an index, not saved.

    A job has one entry in the heap that counts, at its next deadline or before: an entry that comes
    too early is put back.
    """

    __slots__ = ("_at", "_heap", "flapping", "troubled")

    def __init__(self) -> None:
        self.troubled: set[str] = set()
        self.flapping: set[str] = set()
        self._heap: list[tuple[int, str]] = []
        self._at: dict[str, int] = {}

    def note(self, job: JobState) -> None:
        """Brings the index up to date after a change of a job."""
        incident = job.incident
        if incident is None:
            self.troubled.discard(job.id)
            self.flapping.discard(job.id)
        else:
            self.troubled.add(job.id)
            keep = incident.incident_type == "flapping"
            (self.flapping.add if keep else self.flapping.discard)(job.id)
        at = job.next_deadline
        if at < self._at.get(job.id, NEVER):
            self._at[job.id] = at
            heappush(self._heap, (at, job.id))

    def forget(self, job_id: str) -> None:
        """Removes a job."""
        self.troubled.discard(job_id)
        self.flapping.discard(job_id)
        self._at.pop(job_id, None)

    def take_due(
        self, jobs: Mapping[str, JobState], until: int, most: int
    ) -> tuple[list[JobState], bool]:
        """Takes out at most `most` jobs with a deadline at `until` or before, the first one first.

        Each must be noted again. Second: whether there are more.
        """
        found: list[JobState] = []
        while len(found) < most:
            job = self._take(jobs, until)
            if job is None:
                return found, False
            found.append(job)
        another = self._take(jobs, until)
        if another is not None:
            self.note(another)
        return found, another is not None

    def _take(self, jobs: Mapping[str, JobState], until: int) -> JobState | None:
        heap = self._heap
        while heap and heap[0][0] <= until:
            at, job_id = heappop(heap)
            if self._at.get(job_id) != at:
                continue
            del self._at[job_id]
            job = jobs[job_id]
            if job.next_deadline <= at:
                return job
            self.note(job)
        return None

    def clear(self) -> None:
        """Forgets everything."""
        self.troubled.clear()
        self.flapping.clear()
        self._heap.clear()
        self._at.clear()


def pack_definition(target: Target) -> bytes:
    """The encoded definition for a `JobState`."""
    return _encode(target)


def unpack_definition(packed: bytes) -> Target:
    """The inverse of `pack_definition`."""
    return _decode(packed)
