"""The texts that people read: subject and body of events; pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, get_args

from msgspec import UNSET, Struct

from schemas.duration import WHOLE_SECONDS, duration_text
from schemas.incident import Event, IncidentEvent, RegionEvent, RegionVerdict, TargetsEvent
from schemas.plain_text import one_line
from schemas.result import REASON_TEXT
from schemas.target import Criticality

_OPENED: Final = {
    "unreachable": "Unreachable",
    "slow": "Slow",
    "flapping": "Flapping",
    "expiring": "Certificate Ends Soon",
}
_CLOSED: Final = {
    "unreachable": "Reachable Again",
    "slow": "Fast Again",
    "flapping": "Steady Again",
    "expiring": "Certificate Renewed",
}
_ENDED: Final = {
    "resolved": "Incident Resolved By Hand",
    "target_removed": "No Longer Watched",
    "target_changed": "Changed, Watched Anew",
    "policy_changed": "No Longer Watched For This",
    "steady": "No Longer Flapping, Down For Good",
    "flapping": "Down And Up Again And Again, Told As Flapping From Here On",
    "abandoned": "Not Looked At Any More, Not Known To Be Over",
}
_REGION: Final = {
    "region.silent": "Region Silent",
    "region.returned": "Region Returned",
    "region.suspect": "Region Set Aside",
    "region.cleared": "Region Counts Again",
}
_CRITICALITY: Final = get_args(Criticality)
_MOST_CRITICAL: Final = 3
_HEARD: Final = (
    "All their regions are heard, but their results do not come, or do not count: look at the logs "
    "and the clocks of their probers."
)
SUBJECT_LENGTH: Final = 250


class Text(Struct, frozen=True):
    """A message: one line of subject, and the body."""

    subject: str
    body: str


def compose(events: Sequence[Event]) -> Text:
    """The message for events of one host, region or cause with the same meaning (all opened, …).

    Args:
        events: at least one, in the order in which they happened.
    """
    first = events[0]
    if isinstance(first, RegionEvent):
        subject = f"{_REGION.get(first.event, first.event)}: {first.region}"
        return _text(_line(subject), _region_lines(events))
    if isinstance(first, TargetsEvent):
        return _of_targets([event for event in events if isinstance(event, TargetsEvent)])
    incidents = [event for event in events if isinstance(event, IncidentEvent)]
    if len(incidents) == 1:
        return _text(subject_of(first), _body_lines(first))
    return _text(_group_subject(incidents), _group_lines(incidents))


def subject_of(event: IncidentEvent) -> str:
    """`TCP Port Unreachable: <name> (<host>:<port>)` and similar."""
    return _line(f"{_what(event)}: {event.name} ({place(event)})")


def place(event: IncidentEvent) -> str:
    """`host:port`; IPv6 in brackets; the target's id when there is no host."""
    if event.host is None:
        return event.target
    host = f"[{event.host}]" if ":" in event.host else event.host
    return host if event.port is None else f"{host}:{event.port}"


def time_text(at: int) -> str:
    """UTC, to the second."""
    return datetime.fromtimestamp(at / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _line(text: str) -> str:
    """A single line, for a subject (a line break would start another header in a mail)."""
    return " ".join(one_line(text).split())[:SUBJECT_LENGTH]


def _text(subject: str, lines: Sequence[str]) -> Text:
    """The message of a subject and lines, without line breaks inside of them."""
    return Text(subject, "\n".join(map(one_line, lines)))


def _thing(kind: str) -> str:
    return "TCP Port" if kind == "tcp" else kind.upper()


def _what(event: IncidentEvent) -> str:
    ended = _ENDED.get(event.closed_because or "")
    if event.event == "opened":
        happened = _OPENED[event.incident_type]
    elif event.event == "worsened":
        happened = f"{_OPENED[event.incident_type]} Again"
    elif event.event != "closed":
        happened = "Incident Goes On"
    else:
        happened = ended or _CLOSED[event.incident_type]
    if event.incident_type != "expiring":
        return f"{_thing(event.kind)} {happened}"
    # It is the certificate that ends, whatever is spoken on the port.
    return happened if ended is None else f"{_thing(event.kind)} Certificate: {ended}"


def _group_subject(events: Sequence[IncidentEvent]) -> str:
    kinds = list(dict.fromkeys(_what(event) for event in events))
    what = kinds[0] if len(kinds) == 1 else " / ".join(kinds)
    return _line(f"{what}: {len(events)} ports of {events[0].host or events[0].target}")


def _body_lines(event: IncidentEvent) -> list[str]:
    lines = [event.summary, ""]
    lines += [f"Target: {event.name}", f"Host: {event.host or '-'}"]
    lines.append(f"Port: {'-' if event.port is None else event.port}")
    lines += [*_times(event), *_people(event)]
    lines += ["", "By region:", *_regions(event)]
    lines += _others(event)
    lines += _steps(event)
    lines += ["", f"Severity: {event.severity}"]
    if event.team:
        lines.append(f"Team: {event.team}")
    if event.tags:
        lines.append(f"Tags: {', '.join(event.tags)}")
    lines.append(f"Incident: {event.incident_id}")
    return lines


def _times(event: IncidentEvent) -> list[str]:
    first = "First seen" if event.incident_type == "expiring" else "First failure"
    lines = [f"{first}: {time_text(event.first_failed_at)}"]
    if event.expires_at is not UNSET:
        # What closes as `recovered` was renewed: the end that was told last is that of the old one.
        whose = (
            "Old certificate ends" if event.closed_because == "recovered" else "Certificate ends"
        )
        lines.insert(0, f"{whose}: {time_text(event.expires_at)}")
    if event.event == "closed" and event.closed_at is not None:
        lines.append(f"Ended: {time_text(event.closed_at)}")
        lines.append(
            f"It lasted: {duration_text(event.closed_at - event.first_failed_at, WHOLE_SECONDS)}"
        )
        if event.episode:
            lines.append(f"Outages in this time: {event.episode}")
        if event.abandoned_regions:
            lines.append(f"Without a word from: {', '.join(event.abandoned_regions)}")
        return lines
    since, confirmed_at = event.first_failed_at, event.opened_at
    if event.event == "worsened" and event.episode_began_at is not UNSET:
        since, confirmed_at = event.episode_began_at, event.at
        lines.append(f"Down again: {time_text(since)} (outage {event.episode} of this incident)")
    lines.append(f"Confirmed: {time_text(confirmed_at)}")
    if event.incident_type != "expiring":  # How long it lasts already says nothing of its end.
        lines.append(f"For: {duration_text(event.at - since, WHOLE_SECONDS)} so far")
    return lines


def _people(event: IncidentEvent) -> list[str]:
    """Who acknowledged and who resolved it, each with the note."""
    said = (
        ("Acknowledged", event.acknowledged_by, event.acknowledged_note),
        ("Resolved", event.resolved_by, event.resolved_note),
    )
    return [
        f"{what} by: {by or 'unknown'}{f' ({note})' if note else ''}"
        for what, by, note in said
        if by or note
    ]


def _regions(event: IncidentEvent) -> list[str]:
    return [
        f"  {name}: {_verdict(verdict, event)}{' (set aside)' if verdict.set_aside else ''}"
        for name, verdict in event.regions.items()
    ]


def _verdict(verdict: RegionVerdict, event: IncidentEvent) -> str:
    if verdict.verdict == "up":
        if verdict.reason is None:
            detail = f" ({verdict.detail})" if verdict.detail else ""
            return f"reachable{detail}"
        return f"{REASON_TEXT[verdict.reason]} (not confirmed yet)"
    if verdict.verdict == "pending":
        return "not checked yet"
    text = REASON_TEXT[verdict.reason] if verdict.reason is not None else verdict.verdict
    if verdict.verdict == "stale":
        text = f"no fresh result (last: {text})" if verdict.reason else "no fresh result"
    elif verdict.detail:
        # The prober writes `address: reason`; of that only what is not said already.
        detail = verdict.detail.removesuffix(text).removesuffix(": ")
        if detail and detail != event.host:
            text += f" ({detail})"
    return text


def _others(event: IncidentEvent) -> list[str]:
    if not event.host_targets:
        return []
    listed = [
        f"  {o.name} ({'-' if o.port is None else o.port}): {o.status}" for o in event.host_targets
    ]
    return ["", "Others on this host:", *listed]


def _steps(event: IncidentEvent) -> list[str]:
    lines: list[str] = []
    if event.event != "closed" and event.first_steps:
        lines += ["", "First steps:"]
        lines += [f"  {n}. {step}" for n, step in enumerate(event.first_steps, 1)]
    if event.runbook:
        lines += ["", f"Runbook: {event.runbook}"]
    return lines


def _group_lines(events: Sequence[IncidentEvent]) -> list[str]:
    lines: list[str] = []
    for event in events:
        lines.append(f"{subject_of(event)}")
        lines.append(f"  {event.summary}")
        lines += [f"  {line}" for line in (*_times(event), *_people(event))]
        lines += [f"  {line}" for line in _regions(event)]
        if event.runbook:
            lines.append(f"  Runbook: {event.runbook}")
        lines += [f"  Incident: {event.incident_id}", ""]
    steps = dict.fromkeys(step for event in events for step in event.first_steps)
    if events[0].event != "closed" and steps:
        lines.append("First steps:")
        lines += [f"  {n}. {step}" for n, step in enumerate(steps, 1)]
    return lines


def _of_targets(events: Sequence[TargetsEvent]) -> Text:
    """The message for events of one cause: the targets of all partitions are added up."""
    newest = {event.partition: event for event in events}.values()
    if events[0].event == "targets.watched":
        partitions = ", ".join(str(number) for number in sorted(one.partition for one in newest))
        few = "partition" if len(newest) == 1 else "partitions"
        lines = [*(event.summary for event in newest), "", f"Cause: {events[0].cause_id}"]
        return _text(_line(f"Targets Watched Again ({few} {partitions})"), lines)
    count = sum(event.count for event in newest)
    silent = {name: at for event in newest for name, at in sorted(event.silent_regions.items())}
    its = "its" if count == 1 else "their"
    about = f"no word from {', '.join(silent)}" if silent else f"all of {its} regions are heard"
    lines = [
        (
            f"{count} {'target is' if count == 1 else 'targets are'} not watched: too few of "
            f"{its} regions have results. An outage would not be told."
        ),
        "",
        f"Since: {time_text(min(event.since for event in newest))}",
        *(
            f"Region {name}: {'never heard' if at is None else f'last heard {time_text(at)}'}"
            for name, at in silent.items()
        ),
        *([] if silent else [_HEARD]),
        "",
        "The most critical:",
    ]
    listed = [target for event in newest for target in event.most_critical]
    listed.sort(key=lambda target: (_CRITICALITY.index(target.criticality), target.target))
    lines += [f"  {one.name} ({one.criticality})" for one in listed[:_MOST_CRITICAL]]
    lines += ["", f"Severity: {'critical' if _any_critical(newest) else 'warning'}"]
    lines.append(f"Cause: {events[0].cause_id}")
    return _text(_line(f"Targets Not Watched: {count}, {about}"), lines)


def _any_critical(events: Iterable[TargetsEvent]) -> bool:
    return any(event.severity == "critical" for event in events)


def _region_lines(events: Sequence[Event]) -> list[str]:
    lines = []
    # Of a region that was never heard each partition speaks, with one id.
    for event in {event.event_id: event for event in events}.values():
        if isinstance(event, RegionEvent):
            lines.append(event.summary)
            if event.last_beat_at is not None:
                back = event.event == "region.returned"
                since = "Silent since" if back else "Last sign of life"
                lines.append(f"{since}: {time_text(event.last_beat_at)}")
    return lines
