"""An open subject and those who listen to it, in memory; and their records in [notifier-state]."""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from schemas.incident import IncidentEvent, RegionEvent, TargetsEvent
from schemas.notifier_state import AudienceMember, EventMark, KnownAs, Phase, Subject
from schemas.partition import host_key
from sinks.notifier.decision.stored_events import AnyEvent, decode_stored, encode_stored
from sinks.notifier.model import Channel, ChannelEvent, DrillEvent, MassEvent
from sinks.notifier.sparing.model import kind_of, shortened

LARGEST_SUBJECT: Final = 850_000
"""Bytes of a subject from which the errors of its members are left out (a message has 1 MB)."""

AUDIENCE_BYTES: Final = 560_000
"""Largest size of an audience without its errors, in bytes: more channels are not remembered."""

MEMBER_BYTES: Final = 440
"""What a member needs beside its URL, route and key."""

MOST_NEWS: Final = 1_000
"""Subjects in one message to people; texts name fewer."""

INCIDENT: Final = "incident/"
REGION: Final = "region/"
TARGETS: Final = "targets/"
CHANNEL: Final = "channel/"
MASS: Final = "mass/"
DRILL: Final = "drill/"


_PREFIXES: Final[dict[type[AnyEvent], str]] = {
    IncidentEvent: INCIDENT,
    RegionEvent: REGION,
    TargetsEvent: TARGETS,
    ChannelEvent: CHANNEL,
    MassEvent: MASS,
    DrillEvent: DRILL,
}

CHANNEL_GROUP: Final = "channel:"
MASS_GROUP: Final = "mass:"


class Listener(Struct, kw_only=True):
    """One channel of an audience: the fields of `AudienceMember`, and what need not be kept.

    `in_flight` is the id of the delivery with this subject that is on its way, `flight_action` its
    action, `flight_marks` the ids of its events, `flight_key` a trigger's key; `next_due_at` is
    when what came meanwhile is due (UTC ms). `not_before` is the wait of this news alone after
    refusals, or after attempts that may have arrived, of which `uncertain` is the number.
    `failed_at` is the time of its last failure: it goes behind what has waited since
    before. `company` is the number of news with which this may share a message, itself included:
    half as many after each refusal of a plain line. `reminding`: it is time to tell it again of
    what nobody acknowledged. `held_said` are the ids of the events of which a row says
    why they are held.
    """

    channel: Channel
    id: str
    since: int
    told_episode: int = 0
    told_phase: Phase | None = None
    told_revision: int = 0
    maybe: bool = False
    open_key: str = ""
    acknowledged: bool = False
    due_at: int = 0
    attempts: int = 0
    error: str = ""
    plain: bool = False
    fallback_for: str = ""
    told_event: str = ""
    under_way: bool = False
    told_at: int = 0
    escalated_from: str = ""
    limited: str = ""
    limited_until: int = 0
    opening_due_at: int = 0
    reminders: int = 0
    in_flight: str = ""
    flight_action: str = ""
    flight_marks: frozenset[str] = frozenset()
    flight_key: str = ""
    next_due_at: int = 0
    not_before: int = 0
    uncertain: int = 0
    failed_at: int = 0
    refusals: int = 0
    company: int = MOST_NEWS
    reminding: bool = False
    fallback_asked: bool = False
    fallback_not_before: int = 0
    held: str = ""
    held_until: int = 0
    held_before: str = ""
    held_said: frozenset[str] = frozenset()

    @property
    def held_by_quiet(self) -> bool:
        """True if quiet hours of its route hold the news, or held it until it became due."""
        return "quiet" in {kind_of(self.held), kind_of(self.held_before)}

    @property
    def confirmed(self) -> bool:
        """True if the channel confirmed anything of this subject, or may have been told."""
        return self.told_phase is not None or self.maybe or bool(self.open_key)

    @property
    def settled(self) -> bool:
        """True if the channel confirmed, so that a change of its route changes nothing."""
        return self.confirmed and not self.presumable

    @property
    def presumable(self) -> bool:
        """True if it may have been told of the outage, and confirmed nothing."""
        return self.maybe and self.told_phase is None

    def knows_outage(self, episode: int) -> bool:
        """True if it confirmed an outage whose end, if it came, belongs to episode `episode`."""
        if self.told_phase is None or self.told_episode == 0:
            return False
        return self.told_phase != "closed" or self.told_episode >= episode

    @property
    def heard_of_outage(self) -> bool:
        """True if it was told, or may have been, that the subject was down (not by `missed`)."""
        return self.maybe or bool(self.open_key) or self.told_episode > 0

    @property
    def size(self) -> int:
        """Its size in the record, in bytes, at most."""
        texts = (self.channel.url, self.channel.route, self.open_key)
        return MEMBER_BYTES + sum(len(msgspec.json.encode(text)) for text in texts)


class OpenSubject(Struct, kw_only=True):
    """A subject in memory; the fields are those of `Subject`.

    `group` is the key of subjects that may share a message. `raw` is the encoded event. `kept`: it
    is over, and kept for a day only to be recognized. `repaired` is the number of the routes that
    its audience was held against.
    """

    key: str
    event: AnyEvent
    raw: bytes
    phase: Phase
    episode: int
    began_at: int
    changed_at: int
    group: str
    listeners: dict[str, Listener] = {}
    parts: dict[int, TargetsEvent] = {}
    revision: int = 0
    acknowledged: bool = False
    marks: tuple[EventMark, ...] = ()
    seen: tuple[str, ...] = ()
    continues: str = ""
    known_as: KnownAs | None = None
    escalated: tuple[str, ...] = ()
    kept: bool = False
    repaired: int = 0

    @property
    def open_key(self) -> str:
        """The key for on-call systems, of the present episode."""
        if self.key.startswith(INCIDENT):
            if self.continues and self.episode == 1:
                return self.continues
            return f"{self.key.removeprefix(INCIDENT)}/{self.episode}"
        if self.key.startswith(REGION):
            return "region:" + self.key.removeprefix(REGION).removesuffix("/silent")
        return self.key.replace("/", ":", 1)

    @property
    def awaits_first_drill(self) -> bool:
        """True if it keeps the time from which the first fire drill is awaited."""
        event = self.event
        return isinstance(event, DrillEvent) and event.every_ms > 0 and event.last_at is None

    @property
    def abandoned(self) -> bool:
        """True if it is closed because nobody looks any more, which is no recovery."""
        return (
            self.phase == "closed"
            and isinstance(self.event, IncidentEvent)
            and self.event.closed_because == "abandoned"
        )

    @property
    def somebody_heard(self) -> bool:
        """True if a channel was told, or may have been, that it was down."""
        return any(one.heard_of_outage for one in self.listeners.values())


def group_of(event: AnyEvent) -> str:
    """The key of subjects that may share a message: those of a host, a region, or a cause."""
    match event:
        case IncidentEvent():
            return f"host:{host_key(event.host, event.target)}"
        case RegionEvent():
            return f"region:{event.region}"
        case TargetsEvent():
            return f"targets:{event.cause_id}"
        case ChannelEvent():
            return f"{CHANNEL_GROUP}{event.channel}"
        case MassEvent():
            return f"{MASS_GROUP}{event.since}"
        case DrillEvent():
            return "drill"


def recorded(subject: OpenSubject) -> Subject:
    """The record of a subject; its term is 0.

    If it does not fit into a message, the errors of its members are left out, and of the reasons
    that spare them all but the kind.
    """
    record = _record(subject, errors=True)
    if len(subject.listeners) < 100 or len(msgspec.json.encode(record)) <= LARGEST_SUBJECT:
        return record
    return _record(subject, errors=False)


def _record(subject: OpenSubject, *, errors: bool) -> Subject:
    return Subject(
        term=0,
        key=subject.key,
        event=Raw(subject.raw),
        phase=subject.phase,
        episode=subject.episode,
        began_at=subject.began_at,
        changed_at=subject.changed_at,
        audience=tuple(
            AudienceMember(
                route=one.channel.route,
                url=one.channel.url,
                since=one.since,
                told_episode=one.told_episode,
                told_phase=one.told_phase,
                told_revision=one.told_revision,
                maybe=one.maybe,
                # A trigger that is under way may open its key.
                open_key=one.open_key or one.flight_key,
                acknowledged=one.acknowledged,
                due_at=one.due_at,
                attempts=one.attempts,
                error=one.error if errors else "",
                plain=one.plain,
                fallback_for=one.fallback_for,
                told_event=one.told_event,
                under_way=one.under_way,
                told_at=one.told_at,
                escalated_from=one.escalated_from,
                limited=one.limited,
                limited_until=one.limited_until,
                opening_due_at=one.opening_due_at,
                reminders=one.reminders,
                held=one.held if errors else shortened(one.held),
                held_until=one.held_until,
                held_before=one.held_before if errors else shortened(one.held_before),
            )
            for one in subject.listeners.values()
        ),
        events={str(part): Raw(encode_stored(one)) for part, one in subject.parts.items()},
        revision=subject.revision,
        acknowledged=subject.acknowledged,
        marks=subject.marks,
        seen=subject.seen,
        continues=subject.continues,
        known_as=subject.known_as,
        escalated=subject.escalated,
    )


def restored(record: Subject) -> OpenSubject:
    """The subject of a record.

    Raises:
        msgspec.DecodeError: its event is none of this version, or its key is none of such an event:
            a system that is to be told of the key `` would be told without end.
    """
    event = decode_stored(bytes(record.event))
    prefix = _PREFIXES[type(event)]
    if not record.key.startswith(prefix):
        raise msgspec.DecodeError(
            f"expected a key that begins with {prefix!r}, found {record.key[:100]!r}"
        )
    said = frozenset(mark.event_id for mark in record.marks)
    listeners = {}
    for one in record.audience:
        channel = Channel(one.route, one.url)
        identity = channel.id
        listeners[identity] = Listener(
            channel=channel,
            id=identity,
            since=one.since,
            told_episode=one.told_episode,
            told_phase=one.told_phase,
            told_revision=one.told_revision,
            maybe=one.maybe,
            open_key=one.open_key,
            acknowledged=one.acknowledged,
            due_at=one.due_at,
            attempts=one.attempts,
            error=one.error,
            plain=one.plain,
            fallback_for=one.fallback_for,
            told_event=one.told_event,
            under_way=one.under_way,
            told_at=one.told_at,
            escalated_from=one.escalated_from,
            limited=one.limited,
            limited_until=one.limited_until,
            opening_due_at=one.opening_due_at,
            reminders=one.reminders,
            held=one.held,
            held_until=one.held_until,
            held_before=one.held_before,
            held_said=said if one.held else frozenset(),
        )
    parts = {}
    for part, raw in record.events.items():
        found = decode_stored(bytes(raw))
        if isinstance(found, TargetsEvent) and part.isdecimal():
            parts[int(part)] = found
    return OpenSubject(
        key=record.key,
        event=event,
        raw=bytes(record.event),
        phase=record.phase,
        episode=record.episode,
        began_at=record.began_at,
        changed_at=record.changed_at,
        group=group_of(event),
        listeners=listeners,
        parts=parts,
        revision=record.revision,
        acknowledged=record.acknowledged,
        marks=record.marks,
        seen=record.seen,
        continues=record.continues,
        known_as=record.known_as,
        escalated=record.escalated,
    )
