"""Rule 3: a request to all regions to check at once, before anybody is alerted.

Those of dependencies' hosts are in `streams.rules.dependency_rechecks`; both share one budget.
"""

from typing import Final, Literal

from schemas.recheck import RecheckRequest
from schemas.result import CheckResult
from streams.rules.results import Change
from streams.state.partition_state import HostRecheck, PartitionState
from streams.state.target_state import TargetState

EVERY_MS: Final = 5_000
"""Least time between two requests for a host, in ms."""

EXPIRES_AFTER_MS: Final = 10_000
"""Time after which a prober ignores a request, in ms: the regular checks have run by then."""

CHECKS_PER_S: Final = 2_000
"""Rechecks that all partitions together may request from a region, in checks a second."""

AT_LEAST_PER_S: Final = 20
"""Least budget of one partition, whatever the number of partitions, in checks a second."""

_SECOND_US: Final = 1_000_000

Because = Literal["failure", "recovery"]


def reason_to_ask(
    state: PartitionState, entry: TargetState, position: int, change: Change
) -> Because | None:
    """The reason to request a recheck after `change` in the region at `position`; None if none.

    A recheck follows the first failure of a region, the first recovery during an incident, and each
    success during one with which its region lacks successes for the closing.
    """
    incident = entry.incident
    if change == "first_failure":
        if incident is not None:
            incident.recovery_asked = False
        return "failure"
    if incident is None or change == "failure":
        return None
    if _lacks_successes(state, entry, position):
        incident.recovery_asked = True
        return "recovery"
    if change != "recovered" or incident.recovery_asked:
        return None
    incident.recovery_asked = True
    return "recovery"


def due(state: PartitionState) -> list[RecheckRequest]:
    """Requests that are due, the longest waiting first; drops hosts without a request."""
    requests = []
    state.rechecks_wait = False
    for host, last in list(state.rechecks.items()):
        if last.asked_at is not None and state.running - last.asked_at < EVERY_MS:
            continue
        if last.waiting_since is not None and not affordable(state):
            state.rechecks_wait = True
            break
        del state.rechecks[host]
        entry = _unheard(state, host, last.waiting_since)
        if entry is not None:
            because: Because = "failure" if entry.incident is None else "recovery"
            requests.append(_request(state, host, entry, because))
    return requests


def ask(
    state: PartitionState, entry: TargetState, result: CheckResult, because: Because
) -> RecheckRequest | None:
    """Sends a request now, or queues it (`due`).

    A request that a recheck's own result causes is always queued: the other regions were just
    asked, and those that have answered by then need not be asked again.
    """
    host = entry.host_key
    last = state.rechecks.get(host)
    if last is None:
        last = HostRecheck(state.running if result.cause == "recheck" else None)
    in_turn = last.asked_at is None or state.running - last.asked_at >= EVERY_MS
    if in_turn and result.cause != "recheck":
        if not state.rechecks_wait and affordable(state):
            return _request(state, host, entry, because)
        state.rechecks_wait = True
    if last.waiting_since is None:
        state.rechecks.pop(host, None)  # to the end: who waits longest stands first
    newest = max(last.waiting_since or 0, min(result.started_at, state.now))
    state.rechecks[host] = HostRecheck(last.asked_at, newest)
    return None


def affordable(state: PartitionState) -> bool:
    """True if the budget of the present second is not used up."""
    return state.rechecks_paid_us < state.running * 1000 + _SECOND_US


def request(
    state: PartitionState, host: str, target_id: str, because: Because, *, checks: int
) -> RecheckRequest:
    """A request that goes now; its `checks` are taken from the budget."""
    _pay(state, checks)
    return RecheckRequest(
        host=host,
        target=target_id,
        because=because,
        requested_at=state.now,
        expires_at=state.now + EXPIRES_AFTER_MS,
    )


def _pay(state: PartitionState, checks: int) -> None:
    per_s = max(AT_LEAST_PER_S, CHECKS_PER_S // state.partitions)
    paid_us = max(state.rechecks_paid_us, state.running * 1000)
    state.rechecks_paid_us = paid_us - (-checks * _SECOND_US // per_s)


def _unheard(state: PartitionState, host: str, since: int | None) -> TargetState | None:
    """A troubled target of `host` without a result of some region since `since`.

    Or one that is recovering.
    """
    if since is None:
        return None
    for target_id in state.on_host(host):
        entry = state.targets[target_id]
        if _asks(entry) and (
            any(window is None or window.newest < since for window in state.windows(entry))
            or _is_recovering(state, entry)
        ):
            return entry
    return None


def _is_recovering(state: PartitionState, entry: TargetState) -> bool:
    """True if a region succeeds in an incident, but not often enough for the closing."""
    return entry.incident is not None and any(
        _lacks_successes(state, entry, position) for position in range(len(entry.policy.regions))
    )


def _lacks_successes(state: PartitionState, entry: TargetState, position: int) -> bool:
    return 0 < state.columns.successes[entry.slot + position] < entry.policy.recover_after


def _asks(entry: TargetState) -> bool:
    """True if a target has a trouble that needs rechecks; slowness needs none."""
    return entry.incident is not None or (entry.trouble is not None and bool(entry.trouble.failing))


def _request(
    state: PartitionState, host: str, entry: TargetState, because: Because
) -> RecheckRequest:
    state.rechecks.pop(host, None)
    state.rechecks[host] = HostRecheck(state.running)
    return request(state, host, entry.id, because, checks=len(state.on_host(host)))
