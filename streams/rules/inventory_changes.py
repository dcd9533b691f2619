"""Changes of windows and incidents after a change of the inventory."""

from itertools import takewhile

from msgspec import structs

from schemas.control import TargetRemoved
from schemas.duration import DAY_MS
from schemas.incident import ClosedBecause, IncidentEvent
from schemas.target import Target
from streams.rules import heartbeat_due, heartbeats, incidents, pauses
from streams.rules.ids import Deciding
from streams.state.freshness import LONGEST_LATE_MS
from streams.state.heartbeats import KIND
from streams.state.partition_state import PartitionState, Removed
from streams.state.policy import TargetPolicy, terms_of, warn_days_of
from streams.state.target_details import pack
from streams.state.target_state import TargetState


def set_target(state: PartitionState, target: Target, deciding: Deciding) -> list[IncidentEvent]:
    """Adds or changes a target; ignores a definition that is older than the known one.

    One that is paused, or not enabled, is not judged (`streams.rules.pauses`).

    Another kind, host, port or expected state makes it another target: its open incident closes
    (`target_changed`) and its windows restart. Otherwise the remaining regions keep their windows.
    """
    # What only reports and probers read is not kept: a new price must not look like a new one.
    target = structs.replace(
        target,
        regions=tuple(dict.fromkeys(target.regions)),
        slo=None,
        downtime_cost_per_hour=None,
        max_ms=None,
        resolver=None,
    )
    if target.id in state.paused or not target.enabled:
        return pauses.define(state, target, deciding)
    if target.kind == KIND or target.id in state.jobs:
        return _set_job(state, target, deciding)
    return _set_checked(state, target, deciding)


def _set_checked(state: PartitionState, target: Target, deciding: Deciding) -> list[IncidentEvent]:
    """As `set_target`, for a target that is checked."""
    old = state.targets.get(target.id)
    if old is None:
        removed = state.removed.get(target.id)
        state.put(target, floor=removed.floor if removed else 0)
        state.removed.pop(target.id, None)
        return []
    known = old.target
    if target.version < known.version or target == known:
        return []
    if _moved(known, target):
        events = _close_all(state, old, deciding, "target_changed")
        state.transitions.pop(target.id, None)
        state.put(target, floor=state.newest(old))
        return events
    # A region that comes back must not hear again what it said before it went.
    gone = set(known.regions) - set(target.regions)
    fewer_days = warn_days_of(target.probe) * DAY_MS < old.policy.warn_ms
    entry = state.put(target, floor=state.newest(old) if gone else old.floor, kept=old)
    _hold_at_once(state, entry, old.policy)
    if fewer_days and entry.trouble is not None and not entry.trouble.endings:
        # What is near has changed, not the certificate: no renewal.
        events = [
            incidents.close(state, entry, incident, deciding, "policy_changed")
            for incident in entry.incidents
            if incident.incident_type == "expiring"
        ]
        return events + incidents.judge(state, entry, deciding)
    return incidents.judge(state, entry, deciding)


def _set_job(state: PartitionState, target: Target, deciding: Deciding) -> list[IncidentEvent]:
    """As `set_target`, for a job that reports itself (rule 16), and for what was one."""
    job, old = state.jobs.get(target.id), state.targets.get(target.id)
    known = job.target if job is not None else None if old is None else old.target
    if known is not None and (target.version < known.version or target == known):
        return []
    if job is not None and target.kind == KIND:
        heartbeats.define(state, job, target)
        return []
    # Whatever may fail comes before the first change.
    if target.kind == KIND:
        heartbeat_due.probe_of(target)
    else:
        state.policy(terms_of(target))
        pack(target)
    events: list[IncidentEvent] = []
    if job is not None:
        events = heartbeats.remove(state, job, deciding, "target_changed")
        state.put(target)
        return events
    if old is not None:
        events = _close_all(state, old, deciding, "target_changed")
        state.transitions.pop(target.id, None)
    heartbeats.put(state, target, state.now)
    if old is not None:
        state.remove(target.id)
    state.removed.pop(target.id, None)
    return events


def _hold_at_once(state: PartitionState, entry: TargetState, old: TargetPolicy) -> None:
    """Judges what fresh regions said by the new policy, from this moment on (rule 6).

    Enough failures for fewer retries are `down`. A result is fresh for longer when the interval is
    longer, and for no longer than a new result would be from now on when it is shorter. What is
    stale stays as it is: a failure after it begins a new row.
    """
    new, columns = entry.policy, state.columns
    for region, position in new.positions.items():
        at = entry.slot + position
        if region not in old.positions or not columns.newest[at]:
            continue
        fresh_until = columns.fresh_until[at]
        if fresh_until < state.running:
            continue
        row = None if entry.trouble is None else entry.trouble.failing.get(position)
        if row is not None and row.count > new.retries:
            row.down, row.unended = True, False
        if new.span_ms >= old.span_ms:
            columns.fresh_until[at] = fresh_until + new.span_ms - old.span_ms
        else:
            columns.fresh_until[at] = min(fresh_until, state.running + new.span_ms)


def remove_target(
    state: PartitionState, removal: TargetRemoved, deciding: Deciding
) -> list[IncidentEvent]:
    """Removes a target and closes its incident; ignores a removal older than the definition."""
    if removal.target in state.paused:
        pauses.remove(state, removal)
        return []
    job = state.jobs.get(removal.target)
    if job is not None:
        return heartbeats.remove_by(state, job, removal, deciding)
    entry = state.targets.get(removal.target)
    if entry is None or removal.version < entry.target.version:
        return []
    because: ClosedBecause = "target_removed" if removal.because == "removed" else "target_changed"
    events = _close_all(state, entry, deciding, because)
    state.transitions.pop(entry.id, None)
    newest = state.newest(entry)
    state.remove(removal.target)
    state.removed[removal.target] = Removed(newest, state.running + LONGEST_LATE_MS)
    return events


def _close_all(
    state: PartitionState, entry: TargetState, deciding: Deciding, because: ClosedBecause
) -> list[IncidentEvent]:
    return [
        incidents.close(state, entry, incident, deciding, because) for incident in entry.incidents
    ]


def forget_removed(state: PartitionState) -> None:
    """Drops the remains of removed targets once their old results are stale.

    They are sorted by time of removal, because all are kept for the same time.
    """
    over = takewhile(lambda name: state.removed[name].until < state.running, state.removed)
    for name in list(over):
        del state.removed[name]


def _moved(old: Target, new: Target) -> bool:
    return (old.kind, old.host, old.port, old.expect) != (
        new.kind,
        new.host,
        new.port,
        new.expect,
    )
