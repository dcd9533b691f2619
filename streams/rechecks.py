"""Rule 3: ask every region at once, before anybody is woken."""

from typing import Final

from schemas.partition import host_key
from schemas.recheck import RecheckRequest
from streams.state import HostRecheck, PartitionState, TargetState

EVERY_MS: Final = 5_000
"""At most one request a host in this time."""

EXPIRES_AFTER_MS: Final = 10_000
"""A prober that reads a request later than this ignores it: the schedule has come by."""


def ask_for_failure(
    state: PartitionState, entry: TargetState, *, alone: bool
) -> RecheckRequest | None:
    """A region began to fail for this target; `alone`: no other region did before.

    Within `EVERY_MS` of the host's last request a first failure waits for its turn (`due`); a
    further region adds nothing, since all were asked about this target already.
    """
    host = host_key(entry.target.host, entry.target.id)
    last = state.rechecks.get(host)
    if last is not None and state.running - last.asked_at < EVERY_MS:
        if alone and last.waiting_target is None:
            last.waiting_target = entry.target.id
        return None
    state.rechecks[host] = HostRecheck(state.running)
    return _request(state, host, entry.target.id, "failure")


def ask_for_recovery(state: PartitionState, entry: TargetState) -> RecheckRequest | None:
    """The first success during an incident: ask the others, to close it soon."""
    incident = entry.incident
    if incident is None or incident.recovery_asked:
        return None
    incident.recovery_asked = True
    host = host_key(entry.target.host, entry.target.id)
    last = state.rechecks.get(host)
    if last is not None and state.running - last.asked_at < EVERY_MS:
        if last.waiting_target is None:
            last.waiting_target = entry.target.id
        return None
    state.rechecks[host] = HostRecheck(state.running)
    return _request(state, host, entry.target.id, "recovery")


def due(state: PartitionState) -> list[RecheckRequest]:
    """The requests whose turn has come; forgets hosts that nothing is to be known of."""
    requests = []
    for host in sorted(state.rechecks):
        last = state.rechecks[host]
        if state.running - last.asked_at < EVERY_MS:
            continue
        del state.rechecks[host]
        waiting = last.waiting_target and state.targets.get(last.waiting_target)
        if waiting and waiting.hot:
            state.rechecks[host] = HostRecheck(state.running)
            because = "recovery" if waiting.incident else "failure"
            requests.append(_request(state, host, waiting.target.id, because))
    return requests


def _request(state: PartitionState, host: str, target: str, because: str) -> RecheckRequest:
    return RecheckRequest(
        host=host,
        target=target,
        because="recovery" if because == "recovery" else "failure",
        requested_at=state.now,
        expires_at=state.now + EXPIRES_AFTER_MS,
    )
