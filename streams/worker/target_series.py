"""What the stream says of each target, as series for Prometheus.

The states are read in the thread of the metrics while the rules change them: a value may be of just
before or just after a result, and a target that goes meanwhile has none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from foundation.target_series import SeriesFamily, TargetSample
from schemas.plain_text import one_line
from streams.rules.consensus import status
from streams.state.partition_state import PartitionState
from streams.state.target_details import unpack
from streams.state.target_state import TargetState

UP: Final = "portquorum_target_up"
OPEN: Final = "portquorum_target_incident_open"
INFO: Final = "portquorum_target_info"

FAMILIES: Final[Mapping[str, SeriesFamily]] = {
    UP: SeriesFamily(
        "1 if the quorum sees the target as it should be, 0 if not; absent while nobody can judge.",
        ("target",),
    ),
    OPEN: SeriesFamily("1 for each open incident.", ("target", "type")),
    INFO: SeriesFamily(
        "1, with what the inventory says of the target.",
        ("target", "name", "kind", "host", "port", "team", "criticality"),
    ),
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
        return [name for state in self._states() for name in list(state.targets)]

    def samples(self, targets: Iterable[str]) -> Iterator[TargetSample]:
        """What the rules say of some targets."""
        wanted = set(targets)
        self._infos = {name: kept for name, kept in self._infos.items() if name in wanted}
        for state in self._states():
            for name in wanted.intersection(list(state.targets)):
                entry = state.targets.get(name)
                if entry is not None:
                    yield from self._of(state, entry)

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

    def _info(self, entry: TargetState) -> tuple[str, ...]:
        definition, labels = self._infos.get(entry.id, (b"", ()))
        if definition is not entry.definition:
            known = unpack(entry.definition)
            labels = (
                entry.id,
                one_line(known.name),
                entry.kind,
                entry.host or "",
                "" if entry.port is None else str(entry.port),
                one_line(known.team or ""),
                known.criticality,
            )
            self._infos[entry.id] = entry.definition, labels
        return labels
