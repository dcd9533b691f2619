"""Rule 3, of dependencies: their hosts are checked, too, when a dependent begins to fail.

A gateway that is looked at every 5 minutes is known to be down within seconds after the first
target behind it has failed. The hosts may lie in other partitions, of which nothing is read here:
all that is known of them are the requests of this partition.
"""

from schemas.recheck import RecheckRequest
from schemas.result import CheckResult
from streams.rules import rechecks
from streams.rules.rechecks import Because
from streams.rules.results import Change
from streams.state.partition_state import DependencyRecheck, PartitionState
from streams.state.target_details import unpack
from streams.state.target_state import TargetState


def reason_to_ask(entry: TargetState, change: Change) -> Because | None:
    """The reason to request rechecks of an entry's dependencies after `change`; None if none.

    They follow the first failure of a region, and the first success of one during an incident: the
    dependency may be back, too.
    """
    if entry.policy.closed:
        return None  # no outage of another host opens a port
    if change == "first_failure":
        return "failure"
    return "recovery" if change == "recovered" and entry.incident is not None else None


def ask(
    state: PartitionState, entry: TargetState, result: CheckResult, because: Because
) -> list[RecheckRequest]:
    """Requests for the hosts of an entry's dependencies that go now; others are queued (`due`)."""
    requests = []
    for host in unpack(entry.definition).depends_on_hosts:
        if host == entry.host_key:
            continue  # it is asked for anyway
        in_turn = _in_turn(state, host)
        if in_turn and rechecks.affordable(state):
            requests.append(_request(state, host, entry.id, because))
        elif in_turn or result.cause != "recheck":
            # What a recheck finds is no news of the dependency: it was asked for with the recheck.
            _queue(state, host, entry.id)
    return requests


def due(state: PartitionState) -> list[RecheckRequest]:
    """Requests that are due, the longest waiting first; drops hosts without a request."""
    requests = []
    for host, last in list(state.dependency_rechecks.items()):
        if last.waits_for is None:
            if _is_over(state, last.asked_at):
                del state.dependency_rechecks[host]
        elif _in_turn(state, host):
            if not rechecks.affordable(state):
                break
            requests.append(_request(state, host, last.waits_for, _why(state, last.waits_for)))
    return requests


def _is_over(state: PartitionState, asked_at: int | None) -> bool:
    return asked_at is None or state.running - asked_at >= rechecks.EVERY_MS


def _in_turn(state: PartitionState, host: str) -> bool:
    """True if this partition has not asked for the host lately, for whatever reason."""
    other, own = state.dependency_rechecks.get(host), state.rechecks.get(host)
    return (other is None or _is_over(state, other.asked_at)) and (
        own is None or _is_over(state, own.asked_at)
    )


def _queue(state: PartitionState, host: str, target_id: str) -> None:
    last = state.dependency_rechecks.get(host)
    if last is None:
        last = DependencyRecheck(None)
    if last.waits_for is None:
        state.dependency_rechecks.pop(host, None)  # to the end: who waits longest stands first
    state.dependency_rechecks[host] = DependencyRecheck(last.asked_at, target_id)


def _why(state: PartitionState, target_id: str) -> Because:
    entry = state.targets.get(target_id)
    recovers = entry is not None and (entry.trouble is None or not entry.trouble.failing)
    return "recovery" if recovers else "failure"


def _request(state: PartitionState, host: str, target_id: str, because: Because) -> RecheckRequest:
    state.dependency_rechecks.pop(host, None)
    state.dependency_rechecks[host] = DependencyRecheck(state.running)
    # How many targets the host has is not known: its partition may be another.
    return rechecks.request(state, host, target_id, because, checks=1)
