"""Rule 3: ask every region at once, before anybody is woken."""

from typing import Final, Literal

from schemas.recheck import RecheckRequest
from schemas.result import CheckResult
from streams.state import HostRecheck, PartitionState
from streams.target_state import TargetState

EVERY_MS: Final = 5_000
"""At most one request a host in this time."""

EXPIRES_AFTER_MS: Final = 10_000
"""A prober that reads a request later than this ignores it: the schedule has come by."""

Because = Literal["failure", "recovery"]


def ask_for_failure(
    state: PartitionState, entry: TargetState, result: CheckResult
) -> RecheckRequest | None:
    """A region began to fail for this target with `result`."""
    return _ask(state, entry, result, "failure")


def ask_for_recovery(
    state: PartitionState, entry: TargetState, result: CheckResult
) -> RecheckRequest | None:
    """A region recovered with `result`; the first one during an incident asks the others."""
    incident = entry.incident
    if incident is None or incident.recovery_asked:
        return None
    incident.recovery_asked = True
    return _ask(state, entry, result, "recovery")


def due(state: PartitionState) -> list[RecheckRequest]:
    """The requests whose turn has come; forgets hosts for which none waits."""
    requests = []
    for host in sorted(state.rechecks):
        last = state.rechecks[host]
        if state.running - last.asked_at < EVERY_MS:
            continue
        del state.rechecks[host]
        entry = _unheard(state, host, last.waiting_since)
        if entry is not None:
            because: Because = "failure" if entry.incident is None else "recovery"
            requests.append(_request(state, host, entry, because))
    return requests


def _ask(
    state: PartitionState, entry: TargetState, result: CheckResult, because: Because
) -> RecheckRequest | None:
    """Asks now, or lets the request wait for its turn (`due`).

    What a recheck itself finds always waits: the other regions were just asked, and whoever has
    spoken by then need not be asked again.
    """
    host = entry.host_key
    last = state.rechecks.get(host)
    if last is None and result.cause == "recheck":
        last = state.rechecks[host] = HostRecheck(state.running)
    if last is not None and (state.running - last.asked_at < EVERY_MS or result.cause == "recheck"):
        effective = min(result.started_at, state.now)
        last.waiting_since = max(last.waiting_since or 0, effective)
        return None
    return _request(state, host, entry, because)


def _unheard(state: PartitionState, host: str, since: int | None) -> TargetState | None:
    """A troubled target of `host` of which some region has said nothing since `since`."""
    if since is None:
        return None
    for target_id in state.on_host(host):
        entry = state.targets[target_id]
        if entry.hot and any(
            window is None or window.newest < since for window in state.windows(entry)
        ):
            return entry
    return None


def _request(
    state: PartitionState, host: str, entry: TargetState, because: Because
) -> RecheckRequest:
    state.rechecks[host] = HostRecheck(state.running)
    return RecheckRequest(
        host=host,
        target=entry.id,
        because=because,
        requested_at=state.now,
        expires_at=state.now + EXPIRES_AFTER_MS,
    )
