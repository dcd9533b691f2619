"""Many targets that fail, and what the people who are told of them read."""

from collections import Counter
from collections.abc import Iterable

from schemas.incident import IncidentEvent
from schemas.policy import Route
from tests.unit.sinks.notifier.decision.office import MINUTE, SECOND, Answer, Office
from tests.unit.sinks.notifier.events import AT, incident_event

INTERVAL_MS = 30 * SECOND
A = "json://a"


def opened(number: int, at: int = AT, **fields: object) -> IncidentEvent:
    values = {
        "incident_id": f"i{number}",
        "event_id": f"o{number}",
        "target": f"t{number}",
        "host": f"h{number}",
        "at": at,
        "opened_at": at,
    }
    return incident_event(**(values | fields))


def closed(number: int, at: int, **fields: object) -> IncidentEvent:
    values = {"event": "closed", "event_id": f"c{number}", "closed_because": "recovered"}
    return opened(number, at, **(values | fields))


def crowd_office(*urls: str, **fields: object) -> Office:
    """An office with digests; `fields` are those of its only route."""
    route = Route(name="all", urls=urls or (A,), **fields)  # type: ignore[arg-type]
    return Office(route, group_interval_ms=INTERVAL_MS)


def arrive(there: Office, events: Iterable[tuple[int, IncidentEvent]]) -> None:
    """Takes each event at its time; those of one time come together."""
    later: dict[int, list[IncidentEvent]] = {}
    for at, event in events:
        later.setdefault(at, []).append(event)
    for at in sorted(later):
        there.wait(at - there.now)
        there.take(*later[at])


def times(there: Office, url: str = A) -> list[int]:
    """When a channel got its messages, in seconds since the beginning."""
    return [(one.at - AT) // SECOND for one in there.sent if one.channel.url == url]


def most_within(found: list[int], seconds: int = 600) -> int:
    """The largest number of messages within so many seconds."""
    return max(
        (sum(1 for at in found if first <= at < first + seconds) for first in found), default=0
    )


def named(there: Office, url: str, action: str) -> Counter[str]:
    """How often each subject was named with this action."""
    return Counter(
        news.entry
        for one in there.sent
        if one.channel.url == url
        for news in one.news
        if (news.action or one.action) == action
    )


def actions(there: Office, url: str = A) -> list[list[str]]:
    """Of each message the actions of its news."""
    return [
        [news.action or one.action for news in one.news]
        for one in there.sent
        if one.channel.url == url
    ]


def sent_rows(there: Office) -> Counter[tuple[str, str]]:
    """How many rows say `sent` of each event on each channel."""
    return Counter((row.event_id, row.channel) for row in there.rows if row.status == "sent")


__all__ = [
    "AT",
    "INTERVAL_MS",
    "MINUTE",
    "SECOND",
    "A",
    "Answer",
    "actions",
    "arrive",
    "closed",
    "crowd_office",
    "most_within",
    "named",
    "opened",
    "sent_rows",
    "times",
]
