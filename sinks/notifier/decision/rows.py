"""The rows of the send log: what became of each event on each channel, and why not. Pure."""

from datetime import UTC, datetime
from typing import Final

from msgspec import UNSET

from schemas.duration import duration_text
from schemas.incident import IncidentEvent, RegionEvent, TargetsEvent
from schemas.incident import subject as subject_of
from schemas.notification import MOST_ATTEMPTS, Notification, NotificationStatus
from schemas.notifier_state import EventMark
from sinks.notifier.decision.pace import RouteLimit
from sinks.notifier.decision.stored_events import AnyEvent
from sinks.notifier.decision.subjects import Listener, OpenSubject
from sinks.notifier.matching import severity
from sinks.notifier.model import (
    Channel,
    ChannelEvent,
    Delivery,
    DrillEvent,
    MassEvent,
    News,
    SendOutcome,
)

NO_ROUTE: Final = "no route takes it"
NO_REGION: Final = "its region is not in the policy"
NOT_TOLD: Final = "not told of the outage"
DROP: Final = "missed: drop"
LEFT_ROUTE: Final = "the route no longer has this channel"
NOT_ON: Final = "the route is not on any more, and others are"
HANDED_OVER: Final = "the route has somebody else on duty now"
TAKEN: Final = "a route takes it now"
TOO_MANY: Final = "the audience is too large to be remembered"
STAYS_OPEN: Final = "abandoned: its key stays open for a day"
NO_IMPROVEMENT: Final = "an on-call system is not told of an improvement"
KNOWN: Final = "the channel knows it already"
ACKNOWLEDGED: Final = "acknowledged before its escalation was told"

ALL_TARGETS: Final = "(mass)"
"""The `target` of rows on an outage of many targets at once."""

DRILLS: Final = "(drill)"
"""The `target` of rows on fire drills."""

_TEXT_LENGTH: Final = 10_000
_NAME_LENGTH: Final = 255


def no_escalation(route: str, gone: str) -> str:
    """The reason why nobody more is told: a step of escalation names a route that is none."""
    return f"escalation of route {route}: there is no route {gone}"


def limited(limit: RouteLimit, until: int) -> str:
    """The reason of news that a limit holds."""
    moment = datetime.fromtimestamp(until / 1000, tz=UTC).strftime("%H:%M")
    span = duration_text(limit.per_ms)
    return f"limit of route {limit.route}: {limit.messages} in {span}, told at {moment} UTC"


def superseded(by: str) -> str:
    """The reason of an event in whose place a newer one came."""
    return f"superseded by {by} before the channel could take it"


def not_sent(
    event: AnyEvent,
    mark: EventMark,
    channel: Channel | None,
    why: str,
    now: int,
    *,
    listener: Listener | None = None,
) -> Notification:
    """The row of an event of which nothing is sent: to a channel, or (None) to nobody.

    `listener` gives the number of attempts and the error, if it was tried.
    """
    attempt = 1 if listener is None else max(listener.attempts, 1)
    error = None if listener is None else listener.error or None
    return _row(
        event,
        mark,
        channel,
        "not_sent",
        now,
        attempt=attempt,
        error=error,
        group=mark.event_id,
        why=why,
    )


def attempted(  # noqa: PLR0917 - what a row has
    news: News,
    mark: EventMark,
    channel: Channel,
    delivery: Delivery,
    outcome: SendOutcome,
    why: str,
    now: int,
) -> Notification:
    """The row of one event in one attempt; `why` it is not tried again, if so."""
    status: NotificationStatus = "sent" if outcome.kind == "confirmed" else "retrying"
    return _row(
        news.event,
        mark,
        channel,
        "not_sent" if why else status,
        now,
        attempt=delivery.attempt,
        error=outcome.error,
        group=delivery.id,
        subject=outcome.subject,
        action=news.action or delivery.action,
        why=why,
    )


def dead(subject: OpenSubject, listener: Listener, action: str, now: int) -> list[Notification]:
    """The rows of an end that a channel never confirmed, one for each mark."""
    return [
        _row(
            subject.event,
            mark,
            listener.channel,
            "dead",
            now,
            attempt=max(listener.attempts, 1),
            error=listener.error or "the channel did not confirm in time",
            group=mark.event_id,
            action=action,
        )
        for mark in subject.marks
    ]


def _row(
    event: AnyEvent,
    mark: EventMark,
    channel: Channel | None,
    status: NotificationStatus,
    now: int,
    *,
    attempt: int,
    error: str | None,
    group: str,
    subject: str = "",
    action: str = "",
    why: str = "",
) -> Notification:
    match event:
        case IncidentEvent():
            incident_id, target, team = event.incident_id, event.target, event.team
        case RegionEvent() | TargetsEvent():
            incident_id, target, team = mark.event_id, subject_of(event), None
        case ChannelEvent():
            incident_id, target, team = mark.event_id, event.channel[:_NAME_LENGTH], None
        case MassEvent():
            incident_id, target, team = mark.event_id, ALL_TARGETS, None
        case DrillEvent():
            incident_id, target, team = mark.event_id, DRILLS, None
    return Notification(
        event_id=mark.event_id,
        incident_id=incident_id,
        event=mark.event,
        target=target,
        team=team,
        route="" if channel is None else channel.route,
        channel="" if channel is None else channel.name[:_TEXT_LENGTH],
        severity=severity(event),
        status=status,
        attempt=min(attempt, MOST_ATTEMPTS),
        at=now,
        event_at=mark.at,
        subject=subject[:_TEXT_LENGTH],
        group=group,
        error=None if error is None else error[:_TEXT_LENGTH],
        why=why or UNSET,
        action=action or UNSET,
    )
