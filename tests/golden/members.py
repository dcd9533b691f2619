"""What a golden log has of each enumeration in `schemas`: what occurs, and what there is."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct

from producers.kinds.registry import KINDS
from schemas import batch, control, incident, notification, policy, probe, recheck, result, target
from schemas.incident import IncidentEvent, RegionEvent
from tests.golden.container import Message

Occurring = dict[str, set[str]]
"""The members by the name of their enumeration."""

ABSENT: Final[dict[tuple[str, str], str]] = {}
"""Members that the newest golden log does not have, and why; (enumeration, member).

What a version adds stands here ("new in 0.3") until its log is recorded.
"""


def declared() -> Occurring:
    """All members of all enumerations, as `schemas` declares them today."""
    literals = {
        "result status": result.Status,
        "result cause": result.Cause,
        "result reason": result.Reason,
        "signal": result.Signal,
        "verdict": incident.Verdict,
        "incident type": incident.IncidentType,
        "severity": incident.Severity,
        "target status": incident.TargetStatus,
        "region event": incident.RegionEventKind,
        "targets event": incident.TargetsEventKind,
        "event": incident.EventKind,
        "closed because": incident.ClosedBecause,
        "criticality": target.Criticality,
        "notification status": notification.NotificationStatus,
        "removed because": control.TargetRemoved.__annotations__["because"],
        "recheck because": recheck.RecheckRequest.__annotations__["because"],
        "apply mark": policy.ApplyMark.__annotations__["state"],
    }
    found = {name: set(get_args(literal)) for name, literal in literals.items()}
    found["control"] = {_tag(kind) for kind in get_args(control.Control)}
    found["policy"] = {_tag(kind) for kind in get_args(policy.Policy)}
    found["kind"] = set(KINDS)
    found["consensus"] = {"quorum", "unanimous", "fraction"}
    found["probe"] = {_tag(kind) for kind in get_args(probe.Probe)}
    return found


def occurring(logs: dict[str, list[Message]]) -> Occurring:
    """Those that occur in the messages of the topics, by name without prefix."""
    found: Occurring = {name: set() for name in declared()}
    pairs = (
        pair
        for name, of in (
            ("results", _of_results),
            ("incidents", _of_incidents),
            ("rechecks", _of_rechecks),
            ("targets", _of_targets),
            ("policy", _of_policy),
            ("notifications", _of_notifications),
        )
        for pair in of(logs[name])
    )
    for name, member in pairs:
        if member is not None:
            found[name].add(member)
    return found


def _tag(kind: type[Struct]) -> str:
    return str(kind.__struct_config__.tag)


Pairs = Iterator[tuple[str, str | None]]


def _of_results(messages: Iterable[Message]) -> Pairs:
    for one in messages:
        for line in batch.decode(one.value or b"")[0]:
            yield "result status", line.status
            yield "result cause", line.cause
            yield "result reason", line.reason
            yield "signal", line.signal
        body = control.body(one.headers)
        if body is None or one.value:
            continue
        try:
            record = control.decode(body)
        except msgspec.DecodeError:
            continue
        yield "control", _tag(type(record))
        if isinstance(record, control.TargetRemoved):
            yield "removed because", record.because


def _of_incidents(messages: Iterable[Message]) -> Pairs:
    for one in messages:
        event = incident.decode(one.value or b"")
        if not isinstance(event, IncidentEvent):
            of = "region event" if isinstance(event, RegionEvent) else "targets event"
            yield of, event.event
            continue
        yield "event", event.event
        yield "incident type", event.incident_type
        yield "severity", event.severity
        yield "closed because", event.closed_because
        for said in event.regions.values():
            yield "verdict", said.verdict
        for other in event.host_targets:
            yield "target status", other.status


def _of_rechecks(messages: Iterable[Message]) -> Pairs:
    for one in messages:
        yield "recheck because", recheck.decode(one.value or b"").because


def _of_targets(messages: Iterable[Message]) -> Pairs:
    for one in messages:
        if one.value is None:
            continue
        known: Any = target.decode(one.value)
        yield "kind", known.kind
        yield "criticality", known.criticality
        consensus = known.consensus
        yield "consensus", consensus if isinstance(consensus, str) else "fraction"
        yield "probe", None if known.probe is None else _tag(type(known.probe))


def _of_policy(messages: Iterable[Message]) -> Pairs:
    for one in messages:
        if one.value is None:
            continue
        entry = policy.decode(one.value)
        yield "policy", _tag(type(entry))
        if isinstance(entry, policy.ApplyMark):
            yield "apply mark", entry.state


def _of_notifications(messages: Iterable[Message]) -> Pairs:
    for one in messages:
        yield "notification status", notification.decode(one.value or b"").status
