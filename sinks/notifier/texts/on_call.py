"""What on-call systems show of an incident: a summary of one line, and fields beside it."""

from typing import Final

from msgspec import structs

from schemas.incident import IncidentEvent, RegionEvent, TargetsEvent
from sinks.notifier.model import Channel, ChannelEvent, Delivery, DrillEvent, MassEvent, News
from sinks.notifier.texts import drill, incident, short, words
from sinks.notifier.texts.markup import Pen
from sinks.notifier.texts.outside import link, said
from sinks.notifier.texts.render import draft_of

_FIELD_LENGTH: Final = 600
"""All fields of an incident together stay below 8,000 characters, the limit of Opsgenie."""


def summary_line(news: News, limit: int) -> str:
    """What, where, why and since when in one line of plain text, at most `limit` characters.

    Never raises.
    """
    pen = Pen("plain", "characters")
    try:
        return short.one_line(draft_of(_alone(news)), pen, limit)
    except Exception:  # noqa: BLE001 - a message with a poor text beats none
        return pen.fit(f"Port monitor: {said(news.key)}", limit)


def details(news: News) -> dict[str, str]:
    """The fields of an on-call system: names in lower case, values of at most 600 characters.

    Empty values are left out. The longest of all possible results has less than 8,000 characters.
    Never raises.
    """
    try:
        found = _fields(news)
    except Exception as error:  # noqa: BLE001 - a message with poor fields beats none
        found = {"problem": f"the fields could not be made: {type(error).__name__}"}
    pen = Pen("plain", "characters")
    return {
        name: value if name == "runbook" else pen.fit(value, _FIELD_LENGTH)
        for name, value in found.items()
        if value
    }


def _alone(news: News) -> Delivery:
    """One subject as a message: no attempts, never late."""
    event = news.event
    return Delivery(
        id="",
        channel=Channel("", ""),
        action="trigger",
        news=(structs.replace(news, due_at=0, maybe_told=False),),
        attempt=1,
        plain=False,
        at=event.at,
    )


def _fields(news: News) -> dict[str, str]:
    event = news.event
    match event:
        case IncidentEvent():
            return _of_incident(event)
        case RegionEvent():
            heard = event.last_beat_at
            return {
                "summary": said(event.summary, _FIELD_LENGTH),
                "region": said(event.region),
                "at": words.time_text(event.at),
                "last_heard": "" if heard is None else words.time_text(heard),
            }
        case TargetsEvent():
            most = [one.name for one in event.most_critical]
            return {
                "summary": said(event.summary, _FIELD_LENGTH),
                "targets": str(event.count),
                "most_critical": words.listed(most),
                "silent_regions": words.listed(list(event.silent_regions)),
                "severity": event.severity,
                "since": words.time_text(event.since),
                "cause": said(event.cause_id),
            }
        case ChannelEvent():
            return {
                "channel": said(event.channel),
                "error": said(event.error),
                "since": words.time_text(event.since),
                "waiting": str(event.waiting),
            }
        case MassEvent():
            return {
                "down": str(event.down),
                "total": str(event.total),
                "hosts": words.listed(list(event.hosts), 20),
                "severity": event.severity,
                "since": words.time_text(event.since),
                "ended": words.time_text(event.at) if event.event == "mass.over" else "",
            }
        case DrillEvent():
            return {
                "summary": drill.summary(event),
                "every": drill.every(event),
                "last": "" if event.last_at is None else words.time_text(event.last_at),
                "stage": said(event.stage),
                "severity": event.severity,
                "since": words.time_text(event.since),
                "ended": "" if event.event == "drill.overdue" else words.time_text(event.at),
            }


def _of_incident(event: IncidentEvent) -> dict[str, str]:
    said_by = incident.by_region(event)
    regions = [line.strip() for line in said_by[:10]]
    more = len(said_by) - len(regions)
    book = link(event.runbook)
    ended = event.closed_at
    return {
        "summary": said(event.summary, _FIELD_LENGTH),
        "target": said(event.target),
        "name": said(event.name),
        "place": "" if words.of_job(event) else said(words.place(event)),
        "kind": said(event.kind),
        "severity": event.severity,
        "since": words.time_text(incident.since(event)),
        "ended": "" if ended is None else words.time_text(ended),
        "regions": "; ".join(regions) + (f"; and {more} more" if more > 0 else ""),
        "first_steps": " / ".join(map(said, event.first_steps[:5])),
        "runbook": book or said(event.runbook or ""),
        "team": said(event.team or ""),
        "tags": words.listed(list(event.tags), 20),
        "acknowledged_by": said(event.acknowledged_by or ""),
        "incident": said(event.incident_id),
    }
