"""The notifier's memory: the values of [notifier-state].

The keys are `term`, `offsets`, `silences`, `subject/KEY` and `pace/CHANNEL`; a null value removes
a key. One notifier
writes at a time. Each value has the `term` of its writer: a record with a lower term than the
newest `Term` before it in the log comes from a notifier that is no longer active, and readers
ignore it.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from schemas._types import Count, LogOffset, Millis, Name, Names, Text
from schemas.json_decoder import JsonDecoder

TERM_KEY: Final = b"term"
OFFSETS_KEY: Final = b"offsets"
SUBJECT_PREFIX: Final = b"subject/"
PACE_PREFIX: Final = b"pace/"
SILENCES_KEY: Final = b"silences"

Phase = Literal["down", "improved", "closed"]
Episode = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Term(Struct, frozen=True, gc=False, kw_only=True, tag_field="state", tag="term"):
    """The beginning of a notifier's activity; `owner` is unique to it.

    Of two records with the same term, the first in the log counts.
    """

    term: Count
    owner: Name
    at: Millis


class HandledOffsets(Struct, frozen=True, gc=False, kw_only=True, tag_field="state", tag="offsets"):
    """The next offset of each partition of [incidents]: every event before it is decided."""

    term: Count
    offsets: Annotated[dict[Name, LogOffset], Meta(max_length=100_000)]
    at: Millis


class EventMark(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """An event that people can be told of; `revision` is its subject's when it came."""

    event_id: Name
    event: Name
    at: Millis
    revision: Count = 0
    part: Count = 0
    """The partition, of unwatched targets."""


class AudienceMember(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One channel of a subject's audience, and what it knows.

    `url` is as written in the inventory. `told_episode` and `told_phase` are the newest state that
    the channel confirmed (0, None: nothing yet). `maybe`: an attempt ended without an answer, so it
    may have been told. `open_key` is the key that is open in an on-call system, empty without one;
    `acknowledged`: the system was told of the acknowledgement. `due_at` is the time from which the
    news that waits should have been told, 0 if none waits; `attempts` and `error` are those of this
    news. `plain`: the full text was refused. `fallback_for` is the id of the channel for which this
    one stands in. `told_event` is the id of the newest event that the channel confirmed.
    `under_way`: it was being told of the outage when this was recorded; a reader that finds it so
    does not know whether it was. `told_at` is the time of its last confirmation. `held`: why it is
    not told now of what is true (maintenance, dependency, silence, quiet hours), empty if nothing
    spares it; `held_until` is when that is looked at next, 0 if only another event changes it.
    `escalated_from` is the route whose escalation brought this channel. `limited` is the route
    whose limit holds the news that waits, and `limited_until` when there is room again.
    `opening_due_at` is the first time at which the outage of this episode was due here, `reminders`
    the number of reminders of it.
    """

    route: Name
    url: Text
    since: Millis
    told_episode: Episode = 0
    told_phase: Phase | None = None
    told_revision: Count = 0
    maybe: bool = False
    open_key: Text = ""
    acknowledged: bool = False
    due_at: Millis = 0
    attempts: Count = 0
    error: Text = ""
    plain: bool = False
    fallback_for: Name = ""
    told_event: Name = ""
    under_way: bool = False
    told_at: Millis = 0
    held: Text = ""
    held_until: Millis = 0
    escalated_from: Name = ""
    limited: Name = ""
    limited_until: Millis = 0
    opening_due_at: Millis = 0
    reminders: Count = 0
    held_before: Text = ""
    """What spared it from the news until that became due; empty: nothing did."""


class KnownAs(Struct, frozen=True, gc=False, kw_only=True):
    """What an incident was called when it opened; the inventory may call it otherwise later.

    A system without keys (Alertmanager) knows an alert by these.
    """

    name: Name
    team: Name
    severity: Name


class Subject(Struct, frozen=True, gc=False, kw_only=True, tag_field="state", tag="subject"):
    """An incident, a condition of a region, a cause of unwatched targets, or a broken channel.

    `event` is its newest event; of unwatched targets `events` has the newest of each partition.
    `revision` counts the growth of unwatched targets. `began_at` is the time of its first event
    here. `marks` are the newest events that people can be told of: one, of unwatched targets one of
    each partition. `seen` are ids of earlier events with the time of the newest, which is how an
    event that is read again is known. `continues` is the on-call key of an earlier, abandoned
    incident of the same target, which the first episode uses. `known_as` is what an incident was
    called when it opened. `escalated` are the steps of escalation that were taken in this episode
    (`route/number`).

    The event is cut where it is long (lists, texts), so that a subject fits into one message.
    """

    term: Count
    key: Text
    event: Raw
    phase: Phase
    episode: Episode
    began_at: Millis
    changed_at: Millis
    audience: Annotated[tuple[AudienceMember, ...], Meta(max_length=100_000)] = ()
    events: Annotated[dict[Name, Raw], Meta(max_length=100_000)] = {}
    revision: Count = 0
    acknowledged: bool = False
    marks: Annotated[tuple[EventMark, ...], Meta(max_length=100_000)] = ()
    seen: Names = ()
    continues: Text = ""
    known_as: KnownAs | None = None
    escalated: Names = ()


class ChannelPace(Struct, frozen=True, gc=False, kw_only=True, tag_field="state", tag="pace"):
    """How much a channel for people was told lately.

    `id` is the channel's. `sent_at` are the times of its messages within the route's limit (or the
    last one). `next_at` is the earliest time of the next one, and `interval_ms` the interval that
    led to it.
    """

    term: Count
    id: Name
    sent_at: Annotated[tuple[Millis, ...], Meta(max_length=1_000)]
    interval_ms: Count
    next_at: Millis = 0


class SilencesInForce(
    Struct, frozen=True, gc=False, kw_only=True, tag_field="state", tag="silences"
):
    """The silences that the active notifier heeds: by id the `ends_at` that it knows."""

    term: Count
    silences: Annotated[dict[Name, Millis], Meta(max_length=100_000)]


NotifierState = Term | HandledOffsets | Subject | ChannelPace | SilencesInForce

_decoder: JsonDecoder[NotifierState] = JsonDecoder(NotifierState)


def subject_key(key: str) -> bytes:
    """The message key of a subject."""
    return SUBJECT_PREFIX + key.encode()


def pace_key(channel_id: str) -> bytes:
    """The message key of the pace of a channel."""
    return PACE_PREFIX + channel_id.encode()


def encode(state: NotifierState) -> bytes:
    """The message value of a state."""
    return msgspec.json.encode(state)


def decode(value: bytes) -> NotifierState:
    """Decodes a value of [notifier-state].

    Raises:
        msgspec.DecodeError: not a state.
    """
    return _decoder.decode(value)
