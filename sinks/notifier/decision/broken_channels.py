"""The subject of a channel that has failed for long, told once to its fallback. Pure."""

import uuid
from typing import Final

from schemas.incident import NAMESPACE
from schemas.notifier_state import EventMark
from sinks.notifier.decision.stored_events import encode_stored
from sinks.notifier.decision.subjects import CHANNEL, OpenSubject, group_of
from sinks.notifier.model import Channel, ChannelEvent

GONE: Final = "no route has this channel any more"


def key_of(channel_id: str) -> str:
    """The key of the subject of a channel."""
    return CHANNEL + channel_id


def broken(
    channel: Channel, before: OpenSubject | None, *, since: int, error: str, waiting: int, now: int
) -> OpenSubject:
    """The subject of a channel that has not confirmed since `since`."""
    event = ChannelEvent(
        event_id=str(uuid.uuid5(NAMESPACE, f"{channel.url}|channel.broken|{since}|{now}")),
        event="channel.broken",
        channel=channel.name,
        since=since,
        at=now,
        error=error,
        waiting=waiting,
    )
    subject = OpenSubject(
        key=key_of(channel.id),
        event=event,
        raw=encode_stored(event),
        phase="down",
        episode=1 if before is None else before.episode + 1,
        began_at=now,
        changed_at=now,
        group=group_of(event),
        marks=(_mark(event),),
    )
    if before is not None:
        subject.listeners = {
            one.id: one for one in before.listeners.values() if one.told_phase != "closed"
        }
        for one in subject.listeners.values():
            one.maybe |= bool(one.open_key)  # it may be resolved there
    return subject


def works(subject: OpenSubject, now: int, error: str = "") -> EventMark | None:
    """The channel works again, or (`error`) is no longer wanted; returns the mark it replaces."""
    old = subject.event
    if not isinstance(old, ChannelEvent) or subject.phase == "closed":
        return None
    event = ChannelEvent(
        event_id=str(uuid.uuid5(NAMESPACE, f"{old.event_id}|channel.works")),
        event="channel.works",
        channel=old.channel,
        since=old.since,
        at=now,
        error=error,
        waiting=0,
    )
    replaced = subject.marks[-1] if subject.marks else _mark(old)
    subject.event, subject.raw = event, encode_stored(event)
    subject.phase, subject.changed_at = "closed", now
    subject.marks = (_mark(event),)
    return replaced


def _mark(event: ChannelEvent) -> EventMark:
    return EventMark(event_id=event.event_id, event=event.event, at=event.at)
