"""The other targets of a host: their statuses, and the hosts whose statuses changed.

The diagnosis of an incident rests on the other targets of its host. A look at all of them for each
result would be quadratic when a host with many ports fails. Therefore the host view is cached while
it is valid, and a host's incidents are checked again together with the deadlines.
"""

from typing import Final

from msgspec import UNSET

from schemas.incident import HostTarget, TargetStatus
from streams.rules.consensus import counts, status
from streams.rules.expiring import DOMAIN
from streams.state.host_view import Neighbours
from streams.state.partition_state import PartitionState
from streams.state.target_details import unpack
from streams.state.target_state import TargetState

_NEVER: Final = 2**62


def look_around(state: PartitionState, entry: TargetState) -> Neighbours:
    """The host view of `entry` at the state's moment, from the cache if valid."""
    key = entry.host_key
    around = state.around.get(key)
    if around is not None and state.running < around.until:
        return around
    around = _look(state, key)
    # While nothing is in trouble, what calm targets say is not followed (`rules`): no longer true.
    if state.hot and len(around.statuses) > 1:
        state.around[key] = around
    return around


def status_of(state: PartitionState, entry: TargetState) -> TargetStatus:
    """How `entry` itself is."""
    if state.around:  # mostly not: only hosts with several targets are kept
        around = state.around.get(entry.host_key)
        if around is not None and state.running < around.until:
            return around.statuses[entry.id]
    return status(state, entry)


def note_heard(state: PartitionState, entry: TargetState, region: str) -> None:
    """A result of `region` counted: what was seen is true until that is stale, at most."""
    if not state.around:
        return
    around = state.around.get(entry.host_key)
    if around is not None:
        at = entry.slot + entry.policy.positions[region]
        around.until = min(around.until, state.columns.fresh_until[at] + 1)


def note_status(state: PartitionState, entry: TargetState, said: TargetStatus) -> None:
    """Notes a changed status of a target, which is news for the incidents of its host."""
    key = entry.host_key
    if isinstance(state.hosts[key], str):
        return
    state.news[key] = None
    if entry.policy.closed or entry.kind == DOMAIN:
        state.around.pop(key, None)
        return
    around = state.around.get(key)
    if around is not None:
        around.turn(entry.id, said)


def note_answer(state: PartitionState, entry: TargetState) -> None:
    """Notes that a port which must be closed says something else of its host than before.

    It may be what the incidents of other targets rest on: whether the host is up.
    """
    key = entry.host_key
    if isinstance(state.hosts[key], str):
        return
    state.around.pop(key, None)
    if state.hot:
        state.news[key] = None


def host_targets(
    state: PartitionState, entry: TargetState, around: Neighbours
) -> tuple[HostTarget, ...]:
    """The other targets of the host in the form of events, sorted by id."""
    if len(around.statuses) == 1:
        return ()
    if not around.listed:
        around.listed = [
            _list(state.targets[target_id], said) for target_id, said in around.statuses.items()
        ]
        around.places = {target_id: place for place, target_id in enumerate(around.statuses)}
    own = around.places[entry.id]
    return (*around.listed[:own], *around.listed[own + 1 :])


def _look(state: PartitionState, key: str) -> Neighbours:
    columns, running = state.columns, state.running
    statuses: dict[str, TargetStatus] = {}
    numbers: dict[TargetStatus, int] = {}
    kinds: dict[str, list[str]] = {}
    closed: dict[str, TargetStatus | None] = {}
    until = _NEVER
    for target_id in state.on_host(key):
        other = state.targets[target_id]
        said = statuses[target_id] = status(state, other)
        if other.kind == DOMAIN:
            closed[target_id] = None  # a registry is no part of the host
        elif other.policy.closed:
            tells = closed[target_id] = _tells(state, other)
            if tells is not None:
                numbers[tells] = numbers.get(tells, 0) + 1
        else:
            numbers[said] = numbers.get(said, 0) + 1
            kinds.setdefault(other.kind, []).append(target_id)
        for at in columns.fresh_until[other.slot : other.slot + len(other.policy.regions)]:
            if running <= at < until:
                until = at + 1
    return Neighbours(statuses, numbers, kinds, until, closed)


def _tells(state: PartitionState, entry: TargetState) -> TargetStatus | None:
    """What a port that must be closed tells of its host: it is up; None: nothing.

    A port that is open is a host that answers, and so is one that refuses. Silence is what is
    wanted of it, and no sign of an outage.
    """
    for region, position in entry.policy.by_name:
        window = state.window(entry, position)
        if window is None or not counts(state, region, window):
            continue
        if window.failing is not None or window.lately:
            return "up"
    return None


def _list(entry: TargetState, said: TargetStatus) -> HostTarget:
    return HostTarget(
        target=entry.id,
        name=unpack(entry.definition).name,
        kind=entry.kind,
        port=entry.port,
        status=said,
        expect="closed" if entry.policy.closed else UNSET,
    )
