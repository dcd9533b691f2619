"""What a template can say: the variables of a message, each a text that may be shown."""

from collections.abc import Iterable
from typing import Final, Self, get_args

from msgspec import Struct

from schemas.incident import IncidentEvent, RegionEvent, TargetsEvent
from schemas.target import Criticality
from sinks.notifier.model import ChannelEvent, Delivery, DrillEvent, MassEvent, News
from sinks.notifier.texts import drill, incident, words
from sinks.notifier.texts.outside import SUMMARY_LENGTH, link, said
from sinks.notifier.texts.telling import action_of

_CRITICALITY: Final = get_args(Criticality)
_SEVERITY: Final = ("critical", "warning", "info")
_OVER: Final = frozenset({"closed", "missed"})
_MOST: Final = 100


class Url(str):
    """A URL that stays a link in the message; empty if there is none."""

    __slots__ = ()


class Told(str):  # noqa: SLOT000 - it has a field
    """A usual text: `written` is how it stands in the message of this channel."""

    written: str

    def __new__(cls, text: str, written: str) -> Self:
        """`text` for what a template makes of it, `written` for what it shows as it is."""
        made = super().__new__(cls, text)
        made.written = written
        return made


class UsualTexts(Struct, frozen=True):
    """The texts without templates: what portquorum would send by itself.

    `text` has no subject line. `html` is what the document of a mail says below its heading.
    """

    subject: Told
    text: Told
    short: Told
    html: Told


class SubjectValues(Struct, frozen=True):
    """One incident, region, cause of unwatched targets, broken channel or mass outage.

    What it does not have is empty. Times are UTC, to the second.
    """

    action: str
    what: str
    name: str
    over: bool
    severity: str
    since: str
    ended: str = ""
    length: str = ""
    summary: str = ""
    target: str = ""
    host: str = ""
    port: str = ""
    place: str = ""
    kind: str = ""
    type: str = ""
    criticality: str = ""
    team: str = ""
    tags: tuple[str, ...] = ()
    reason: str = ""
    failing: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    runbook: Url = Url()
    acknowledged_by: str = ""
    incident: str = ""
    link: Url = Url()
    held: str = ""
    escalated_from: str = ""


class MessageValues(Struct, frozen=True):
    """A message: what all its subjects have together.

    `subjects` are its incidents and so on, those that are not over first, of these the most
    critical. `first` is the first of them. Where there is no room for all, `subjects` are the first
    ones, and `more` is the number of the others.
    """

    action: str
    severity: str
    count: int
    open: int
    over: int
    hosts: tuple[str, ...]
    since: str
    now: str
    attempt: int
    route: str
    more: int
    subjects: tuple[SubjectValues, ...]
    first: SubjectValues


def values_of(delivery: Delivery) -> MessageValues:
    """The variables of a message."""
    both = [(_rank(news), subject_values(news, delivery)) for news in delivery.news]
    both.sort(key=lambda one: (one[1].over, one[0]))
    subjects = tuple(subject for _, subject in both)
    over = sum(subject.over for subject in subjects)
    return MessageValues(
        action=delivery.action,
        severity=_gravest(subject.severity for subject in subjects),
        count=len(subjects),
        open=len(subjects) - over,
        over=over,
        hosts=tuple(dict.fromkeys(subject.host for subject in subjects if subject.host)),
        since=min(subject.since for subject in subjects),
        now=words.time_text(delivery.at),
        attempt=delivery.attempt,
        route=said(delivery.channel.route),
        more=0,
        subjects=subjects,
        first=subjects[0],
    )


def subject_values(news: News, delivery: Delivery) -> SubjectValues:
    """The variables of one subject."""
    event = news.event
    match event:
        case IncidentEvent():
            return _incident(event, news, delivery)
        case RegionEvent():
            over = event.event in {"region.returned", "region.cleared", "region.secrets_found"}
            return _other(
                news,
                delivery,
                what=f"Region {event.event.partition('.')[2].replace('_', ' ').capitalize()}",
                name=said(event.region),
                over=over,
                since=event.at,
                ended=event.at if over else None,
                summary=said(event.summary, SUMMARY_LENGTH),
            )
        case TargetsEvent():
            over = event.event == "targets.watched"
            return _other(
                news,
                delivery,
                what="Targets Watched Again" if over else "Targets Not Watched",
                name=str(event.count),
                over=over,
                since=event.since,
                ended=event.at if over else None,
                severity=event.severity,
                summary=said(event.summary, SUMMARY_LENGTH),
            )
        case ChannelEvent():
            over = event.event == "channel.works"
            return _other(
                news,
                delivery,
                what=f"Notification Channel {'Works Again' if over else 'Broken'}",
                name=words.channel_text(event.channel),
                over=over,
                since=event.since,
                ended=event.at if over else None,
                summary=said(event.error, SUMMARY_LENGTH),
            )
        case MassEvent():
            over = event.event == "mass.over"
            return _other(
                news,
                delivery,
                what=f"Mass Outage{' Over' if over else ''}",
                name=f"{event.down:,} of {event.total:,} targets",
                over=over,
                since=event.since,
                ended=event.at if over else None,
                severity=event.severity,
                summary=words.listed(list(event.hosts)),
            )
        case DrillEvent():
            over = event.event != "drill.overdue"
            return _other(
                news,
                delivery,
                what=drill.what(event),
                name=drill.name(event),
                over=over,
                since=event.since,
                ended=event.at if over else None,
                summary=drill.summary(event),
            )


def _incident(event: IncidentEvent, news: News, delivery: Delivery) -> SubjectValues:
    action = action_of(news, delivery)
    over = event.event == "closed" or action in _OVER
    ended = incident.ended_at(event)
    length = ended - event.first_failed_at if over else delivery.at - incident.since(event)
    return SubjectValues(
        action=action,
        what=words.what(event, action),
        name=said(event.name, 255),
        over=over,
        severity=event.severity,
        since=words.time_text(incident.since(event)),
        ended=words.time_text(ended) if over else "",
        length=words.length_text(max(0, length)),
        summary=said(event.summary, SUMMARY_LENGTH),
        target=said(event.target),
        host=said(event.host or ""),
        port="" if event.port is None else str(event.port),
        place=said(words.place(event)),
        kind=said(event.kind),
        type=said(event.incident_type),
        criticality=said(event.criticality),
        team=said(event.team or ""),
        tags=tuple(map(said, event.tags[:_MOST])),
        reason=said(words.reasons(event)),
        failing=tuple(said(name) for name in words.failing(event)),
        regions=tuple(line.strip() for line in incident.by_region(event)[:_MOST]),
        steps=tuple(map(said, event.first_steps[:_MOST])),
        runbook=Url(link(event.runbook) or ""),
        acknowledged_by=said(event.acknowledged_by or ""),
        incident=said(event.incident_id),
        link=Url(link(news.link) or ""),
        held=said(news.held),
        escalated_from=said(news.escalated_from),
    )


def _other(
    news: News,
    delivery: Delivery,
    *,
    what: str,
    name: str,
    over: bool,
    since: int,
    ended: int | None,
    summary: str,
    severity: str = "warning",
) -> SubjectValues:
    until = delivery.at if ended is None else ended
    return SubjectValues(
        action=action_of(news, delivery),
        what=what,
        name=name,
        over=over,
        severity=severity,
        since=words.time_text(since),
        ended="" if ended is None else words.time_text(ended),
        length=words.length_text(max(0, until - since)),
        summary=summary,
        link=Url(link(news.link) or ""),
        held=said(news.held),
        escalated_from=said(news.escalated_from),
    )


def _rank(news: News) -> int:
    event = news.event
    if isinstance(event, IncidentEvent) and event.criticality in _CRITICALITY:
        return _CRITICALITY.index(event.criticality)
    return len(_CRITICALITY) if isinstance(event, IncidentEvent) else 0


def _gravest(severities: Iterable[str]) -> str:
    found = set(severities)
    return next((one for one in _SEVERITY if one in found), "info")
