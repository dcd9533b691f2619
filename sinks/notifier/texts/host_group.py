"""The message of several incidents of one host."""

from collections import Counter
from typing import Final, get_args

from schemas.incident import IncidentEvent
from schemas.target import Criticality
from sinks.notifier.model import Delivery
from sinks.notifier.texts import incident, words
from sinks.notifier.texts.layout import TIMES, Draft, Heading, Passage, listing
from sinks.notifier.texts.outside import SUMMARY_LENGTH, link, said
from sinks.notifier.texts.telling import about_itself

_CRITICALITY: Final = get_args(Criticality)
_DETAILED: Final = 5
"""Incidents that are told at length, too. Of more than these a line each says more."""

_KINDS: Final = 3
_MOST_LINES: Final = 1000
_REGIONS: Final = 10


def draft(events: list[IncidentEvent], delivery: Delivery) -> Draft:
    """The message of several incidents of one host, without limits; the most critical first."""
    events = sorted(events, key=_order)
    over = all(event.event == "closed" for event in events)
    at = max(map(incident.ended_at, events)) if over else min(map(incident.since, events))
    known = min(map(incident.known_at, events))
    head = [*about_itself(delivery, at, at if over else None, known)]
    if delivery.action == "reminder":
        head.append(incident.reminder_line(delivery, events))
    if delivery.action == "missed":
        head.append("They began and ended before anybody could be told.")
    head.append(said(_sentence(events, over=over), SUMMARY_LENGTH))
    what, brief = _what(events, delivery)
    return Draft(
        heading=Heading(
            what,
            "",
            f"{len(events)} {_things(events)} of {said(events[0].host or events[0].target, 253)}",
            brief=brief,
        ),
        passages=(
            Passage(0, tuple(head)),
            Passage(TIMES, (f"{'Ended' if over else 'Since'}: {words.time_text(at)}",)),
            listing(1, f"{_things(events).capitalize()}:", _lines(events, delivery), len(events)),
            *incident.steps(events),
            *_others(events),
            *_details(events, delivery),
        ),
        why=" / ".join(dict.fromkeys(filter(None, map(words.reasons, events)))),
        since=f"{'ended' if over else 'since'} {words.clock_text(at, delivery.at)}",
    )


def _things(events: list[IncidentEvent]) -> str:
    """What they are: several targets of one port, such as pages of a web server, are no ports."""
    if all(map(words.of_job, events)):
        return "incidents"
    return "ports" if len({event.port for event in events}) == len(events) else "targets"


def _order(event: IncidentEvent) -> tuple[int, int, str]:
    known = event.criticality in _CRITICALITY
    critical = _CRITICALITY.index(event.criticality) if known else len(_CRITICALITY)
    return critical, event.port or 0, event.target


def _what(events: list[IncidentEvent], delivery: Delivery) -> tuple[str, str]:
    """What happened, in full and in brief."""
    kinds = list(dict.fromkeys(words.what(event, delivery.action) for event in events))
    more = f" / {len(kinds) - _KINDS} kinds more" if len(kinds) > _KINDS else ""
    brief = f"{kinds[0].partition(', ')[0]} / {len(kinds) - 1} more" if len(kinds) > 1 else ""
    return " / ".join(kinds[:_KINDS]) + more, brief


def _sentence(events: list[IncidentEvent], *, over: bool) -> str:
    """What they have in common: the reasons, and the diagnosis of most of them."""
    if over:
        longest = max(incident.ended_at(event) - event.first_failed_at for event in events)
        length = words.length_text(longest)
        return f"These {len(events)} incidents are closed. The longest took {length}."
    found = Counter(words.reasons(event) or "no reason known" for event in events)
    if len(found) == 1:
        reasons = f"All {len(events)}: {next(iter(found))}."
    else:
        reasons = ", ".join(f"{n} \N{MULTIPLICATION SIGN} {why}" for why, n in found.most_common(5))
        reasons += "."
    causes = Counter(map(_cause, events))
    cause, count = causes.most_common(1)[0]
    return f"{reasons} {cause}" if count * 2 > len(events) else reasons


def _cause(event: IncidentEvent) -> str:
    """The diagnosis in a summary: `<place> is unreachable from … (…). <diagnosis>`.

    A job that failed may be quoted before it, with full stops and without quotation marks.
    """
    if words.of_job(event) and '". ' in event.summary:
        return event.summary.rpartition('". ')[2]
    return event.summary.partition(". ")[2]


def _lines(events: list[IncidentEvent], delivery: Delivery) -> list[str]:
    """A line an incident: what (if they differ), name, place, why, and who has it."""
    many = len({words.what(event, delivery.action) for event in events}) > 1
    lines = []
    for event in events[:_MOST_LINES]:
        what = f"{words.what(event, delivery.action)}: " if many else ""
        place = said(words.place(event))
        line = f"  {what}{said(event.name, 100)} ({place}): {said(incident.why(event), 200)}"
        if len(events) > _DETAILED and (people := incident.people(event)):
            line += f". {'. '.join(people)}"
        lines.append(line)
    return lines


def _others(events: list[IncidentEvent]) -> list[Passage]:
    """The targets of the host that are not in this message."""
    told = {event.target for event in events}
    newest = max(events, key=lambda event: event.at)
    others = [other for other in newest.host_targets[:_MOST_LINES] if other.target not in told]
    lines = incident.other_lines(others)
    more = max(0, len(newest.host_targets) - _MOST_LINES)
    return [listing(6, "Others on this host:", lines, len(lines) + more)] if lines else []


def _details(events: list[IncidentEvent], delivery: Delivery) -> list[Passage]:
    """Each of a few incidents at length."""
    if len(events) > _DETAILED:
        return []
    return [
        Passage(10 + number, tuple(_detail(event, delivery)), cut="whole")
        for number, event in enumerate(events)
    ]


def _detail(event: IncidentEvent, delivery: Delivery) -> list[str]:
    lines = [incident.heading(event, words.what(event, delivery.action)).text]
    lines += [f"  {line}" for line in incident.opening_lines(event, delivery)]
    lines += [f"  {line}" for line in incident.times(event, delivery.at)]
    lines += [f"  {line}" for line in incident.people(event)]
    regions = incident.by_region(event)
    lines += regions[:_REGIONS]
    if len(regions) > _REGIONS:
        lines.append(f"  and {len(regions) - _REGIONS} more")
    if event.runbook and not link(event.runbook):
        lines.append(f"  Runbook: {said(event.runbook)}")
    lines.append(f"  Incident: {said(event.incident_id)}")
    return lines
