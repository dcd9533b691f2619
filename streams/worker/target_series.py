"""What the stream says of each target, as series for Prometheus.

The states are read in the thread of the metrics while the rules change them: a value may be of just
before or just after a result, and a target that goes meanwhile has none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from foundation.target_series import SeriesFamily, TargetSample
from schemas.plain_text import one_line
from streams.rules.consensus import status
from streams.state.heartbeats import NEVER, JobState
from streams.state.partition_state import PartitionState
from streams.state.target_state import TargetState

UP: Final = "portquorum_target_up"
OPEN: Final = "portquorum_target_incident_open"
INFO: Final = "portquorum_target_info"
REPORTED: Final = "portquorum_job_last_report_timestamp_seconds"
FAILED: Final = "portquorum_job_last_report_failed"
LASTED: Final = "portquorum_job_last_run_seconds"
DEADLINE: Final = "portquorum_job_deadline_timestamp_seconds"
RUNS: Final = "portquorum_job_runs"

FAMILIES: Final[Mapping[str, SeriesFamily]] = {
    UP: SeriesFamily(
        "1 if the quorum sees the target as it should be (a job: it is not down), 0 if not; absent "
        "while nobody can judge.",
        ("target",),
    ),
    OPEN: SeriesFamily("1 for each open incident.", ("target", "type")),
    INFO: SeriesFamily(
        "1, with what the inventory says of the target.",
        ("target", "name", "kind", "host", "port", "team", "criticality"),
    ),
    REPORTED: SeriesFamily("When the newest success or failure of the job came.", ("target",)),
    FAILED: SeriesFamily("1 if that was a failure, else 0.", ("target",)),
    LASTED: SeriesFamily("How long that run took; absent if its start is unknown.", ("target",)),
    DEADLINE: SeriesFamily("When the next report of the job counts as missed.", ("target",)),
    RUNS: SeriesFamily("Runs of the job that have begun and not ended.", ("target",)),
}
_VALUES: Final = {"up": 1.0, "slow": 1.0, "down": 0.0}


class StreamTargets:
    """The targets of all partitions of a worker."""

    def __init__(self, states: Callable[[], Iterable[PartitionState]]) -> None:
        """`states` gives the states of the worker's partitions."""
        self._states = states
        self._infos: dict[str, tuple[bytes, tuple[str, ...]]] = {}

    @property
    def families(self) -> Mapping[str, SeriesFamily]:
        """All families by name."""
        return FAMILIES

    def targets(self) -> Sequence[str]:
        """The ids of all targets; those that are paused are none."""
        return [
            name for state in self._states() for name in (*list(state.targets), *list(state.jobs))
        ]

    def samples(self, targets: Iterable[str]) -> Iterator[TargetSample]:
        """What the rules say of some targets."""
        wanted = set(targets)
        self._infos = {name: kept for name, kept in self._infos.items() if name in wanted}
        for state in self._states():
            for name in wanted.intersection(list(state.targets)):
                entry = state.targets.get(name)
                if entry is not None:
                    yield from self._of(state, entry)
            for name in wanted.intersection(list(state.jobs)):
                job = state.jobs.get(name)
                if job is not None:
                    yield from self._of_job(job)

    def _of(self, state: PartitionState, entry: TargetState) -> Iterator[TargetSample]:
        name = entry.id
        value = _VALUES.get(status(state, entry))
        incidents = entry.incidents
        if state.targets.get(name) is not entry:
            return  # its place may have been another target's
        yield TargetSample(INFO, self._info(entry), 1.0)
        if value is not None:
            yield TargetSample(UP, (name,), value)
        for one in incidents:
            yield TargetSample(OPEN, (name, one.incident_type), 1.0)

    def _of_job(self, job: JobState) -> Iterator[TargetSample]:
        labels, last = (job.id,), job.last
        yield TargetSample(INFO, self._info(job), 1.0)
        if last is not None or job.down is not None:
            yield TargetSample(UP, labels, float(job.down is None))
        if last is not None:
            yield TargetSample(REPORTED, labels, last.at / 1000)
            yield TargetSample(FAILED, labels, float(last.failed))
            if last.began is not None:
                yield TargetSample(LASTED, labels, (last.at - last.began) / 1000)
        if job.deadline != NEVER:
            yield TargetSample(DEADLINE, labels, job.deadline / 1000)
        yield TargetSample(RUNS, labels, float(len(job.runs)))
        if job.incident is not None:
            yield TargetSample(OPEN, (job.id, job.incident.incident_type), 1.0)

    def _info(self, entry: TargetState | JobState) -> tuple[str, ...]:
        definition, labels = self._infos.get(entry.id, (b"", ()))
        if definition is not entry.definition:
            whole = entry.target
            labels = (
                whole.id,
                one_line(whole.name),
                whole.kind,
                whole.host or "",
                "" if whole.port is None else str(whole.port),
                one_line(whole.team or ""),
                whole.criticality,
            )
            self._infos[entry.id] = entry.definition, labels
        return labels
