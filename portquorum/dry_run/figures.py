"""What a dry run says: who would have got how many messages, when, and who was spared. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from portquorum.dry_run.simulation import SimulatedTelling
from schemas.duration import HOUR_MS
from schemas.incident import IncidentEvent
from schemas.notification import Notification
from sinks.notifier.model import Channel, ChannelClass, Delivery, News
from sinks.notifier.routing import CONSOLE

ToldKind = Literal["openings", "recoveries", "digests", "reminders", "escalations", "others"]

_KINDS: Final[Mapping[str, ToldKind]] = {
    "opened": "openings",
    "worsened": "openings",
    "trigger": "openings",
    "closed": "recoveries",
    "improved": "recoveries",
    "missed": "recoveries",
    "resolve": "recoveries",
    "digest": "digests",
    "reminder": "reminders",
}
_UNTIL: Final = (" until ", " (until ", ", told at ")
"""What follows in a reason is a time, and differs from event to event."""

NIGHT: Final = (22, 7)
"""The first and the end of the hours that are counted as night."""


class ReceiverFigures(Struct, frozen=True, kw_only=True):
    """One channel: how many messages of which kind it would have got, and when.

    Escalations are counted as that alone. `sent` is the number of messages that the send log has
    for it in that time, None if nothing is known of it. `busiest` is the hour of the clock with the
    most messages (its beginning, UTC ms).
    """

    route: str
    id: str
    scheme: str
    channel_class: ChannelClass
    messages: int
    openings: int = 0
    recoveries: int = 0
    digests: int = 0
    reminders: int = 0
    escalations: int = 0
    others: int = 0
    at_night: int = 0
    busiest: int | None = None
    in_busiest: int = 0
    sent: int | None = None


class SparedFigures(Struct, frozen=True, kw_only=True):
    """A reason for which events were not sent, how often, and some of their targets."""

    why: str
    times: int
    targets: tuple[str, ...]


class DryRunFigures(Struct, frozen=True, kw_only=True):
    """The answer of a dry run. Times are UTC ms; `by_hour` has a row a weekday from Monday on.

    `console` are the targets (or regions) whose events no route took, with their number.
    `left_out` counts incidents that had begun before `since`.
    """

    since: int
    until: int
    zone: str
    incidents: int
    events: int
    left_out: int
    messages: int
    receivers: tuple[ReceiverFigures, ...]
    by_hour: tuple[tuple[int, ...], ...]
    busiest: int | None
    in_busiest: int
    spared: tuple[SparedFigures, ...]
    console: dict[str, int]
    sent: int | None


class DryRunAbout(Struct, frozen=True, kw_only=True):
    """What a dry run is about."""

    since: int
    until: int
    zone: str
    incidents: int
    events: int
    left_out: int


def figures(
    about: DryRunAbout,
    told: SimulatedTelling,
    classes: Mapping[str, ChannelClass],
    sent: Sequence[Notification] | None,
) -> DryRunFigures:
    """Counts.

    Args:
        about: time and number of events.
        told: what would have been said.
        classes: the class of each channel by its id.
        sent: the send log of the same time; None: not known.
    """
    zone = ZoneInfo(about.zone)
    by_channel: dict[Channel, list[Delivery]] = defaultdict(list)
    console: Counter[str] = Counter()
    for delivery in told.deliveries:
        if delivery.channel.route == CONSOLE.name:
            console.update(_about(news) for news in delivery.news)
        else:
            by_channel[delivery.channel].append(delivery)
    messages = [one for those in by_channel.values() for one in those]
    known = None if sent is None else _sent(sent)
    receivers = [
        _receiver(channel, those, classes.get(channel.id, "people"), zone, known)
        for channel, those in by_channel.items()
    ]
    busiest, in_busiest = _busiest(messages, zone)
    return DryRunFigures(
        since=about.since,
        until=about.until,
        zone=about.zone,
        incidents=about.incidents,
        events=about.events,
        left_out=about.left_out,
        messages=len(messages),
        receivers=tuple(sorted(receivers, key=lambda one: (-one.messages, one.route, one.id))),
        by_hour=_by_hour(messages, zone),
        busiest=busiest,
        in_busiest=in_busiest,
        spared=_spared(told.not_sent),
        console=dict(console.most_common()),
        sent=None if known is None else sum(known.values()),
    )


def _receiver(
    channel: Channel,
    those: Sequence[Delivery],
    channel_class: ChannelClass,
    zone: ZoneInfo,
    sent: Mapping[str, int] | None,
) -> ReceiverFigures:
    kinds = Counter(_kind(one) for one in those)
    busiest, in_busiest = _busiest(those, zone)
    begins, ends = NIGHT
    hours = [datetime.fromtimestamp(one.at / 1000, zone).hour for one in those]
    return ReceiverFigures(
        route=channel.route,
        id=channel.id,
        scheme=channel.scheme,
        channel_class=channel_class,
        messages=len(those),
        openings=kinds["openings"],
        recoveries=kinds["recoveries"],
        digests=kinds["digests"],
        reminders=kinds["reminders"],
        escalations=kinds["escalations"],
        others=kinds["others"],
        at_night=sum(hour >= begins or hour < ends for hour in hours),
        busiest=busiest,
        in_busiest=in_busiest,
        sent=None if sent is None else sent.get(channel.name, 0),
    )


def _kind(delivery: Delivery) -> ToldKind:
    if any(news.escalated_from for news in delivery.news) and _opens(delivery):
        return "escalations"
    return _KINDS.get(delivery.action, "others")


def _opens(delivery: Delivery) -> bool:
    return _KINDS.get(delivery.action) in {"openings", "digests"}


def _about(news: News) -> str:
    event = news.event
    if isinstance(event, IncidentEvent):
        return event.target
    return news.entry


def _busiest(those: Iterable[Delivery], zone: ZoneInfo) -> tuple[int | None, int]:
    """The hour of the clock with the most messages, the first of several."""
    hours = Counter(_hour(one.at, zone) for one in those)
    if not hours:
        return None, 0
    at, number = min(hours.items(), key=lambda one: (-one[1], one[0]))
    return at, number


def _hour(at: int, zone: ZoneInfo) -> int:
    """The beginning of an hour of the zone's clock: some zones differ by 30 min."""
    shift = datetime.fromtimestamp(at / 1000, zone).utcoffset()
    offset = 0 if shift is None else round(shift.total_seconds() * 1000)
    return (at + offset) // HOUR_MS * HOUR_MS - offset


def _by_hour(those: Iterable[Delivery], zone: ZoneInfo) -> tuple[tuple[int, ...], ...]:
    found = [[0] * 24 for _ in range(7)]
    for one in those:
        moment = datetime.fromtimestamp(one.at / 1000, UTC).astimezone(zone)
        found[moment.weekday()][moment.hour] += 1
    return tuple(tuple(row) for row in found)


def _spared(rows: Iterable[Notification]) -> tuple[SparedFigures, ...]:
    """By the reason without its time, the most frequent first."""
    targets: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        targets[_reason(row.why or "")][row.target] += 1
    found = [
        SparedFigures(why=why, times=counted.total(), targets=tuple(sorted(counted)))
        for why, counted in targets.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.times, one.why)))


def _reason(why: str) -> str:
    for word in _UNTIL:
        why = why.partition(word)[0]
    return why


def _sent(rows: Iterable[Notification]) -> Mapping[str, int]:
    """The number of messages by the names of channels; events of one message share its group."""
    messages = {(row.channel, row.group or row.event_id) for row in rows if row.status == "sent"}
    return Counter(channel for channel, _ in messages)
