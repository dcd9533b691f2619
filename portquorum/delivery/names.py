"""The names of channels and subjects, as people see them. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.incident import IncidentEvent, RegionEvent, TargetsEvent
from schemas.notifier_state import AudienceMember, Subject
from sinks.notifier.decision.stored_events import AnyEvent, decode_stored
from sinks.notifier.model import Channel, ChannelEvent, DrillEvent, MassEvent

INCIDENT: Final = "incident/"
_PARTS: Final = 2
_ID_LETTERS: Final = 6


def channel_of(member: AudienceMember) -> Channel:
    """The channel of a member of an audience."""
    return Channel(member.route, member.url)


def short_name(channel: str) -> str:
    """`route (scheme)` of a channel's name `route/id/scheme`, or of 0.1's `route/position/scheme`.

    The names of routes have no `/`.
    """
    parts = channel.split("/")
    return f"{parts[0]} ({parts[-1]})" if len(parts) > _PARTS else channel


def id_of(channel: str) -> str:
    """The id in a channel's name `route/id/scheme`; of another text the text itself."""
    parts = channel.split("/")
    return parts[1] if len(parts) > _PARTS else channel


def short_names(channels: Iterable[str]) -> dict[str, str]:
    """The short name of each channel; with its id where several would have the same one."""
    found = {channel: short_name(channel) for channel in channels}
    often = Counter(found.values())
    return {
        channel: short if often[short] == 1 else _with_id(channel)
        for channel, short in found.items()
    }


def _with_id(channel: str) -> str:
    parts = channel.split("/")
    if len(parts) <= _PARTS:
        return channel
    return f"{parts[0]} ({parts[-1]} {parts[1][:_ID_LETTERS]})"


def event_of(subject: Subject) -> AnyEvent | None:
    """The newest event of a subject; None if it can't be read."""
    try:
        return decode_stored(bytes(subject.event))
    except msgspec.DecodeError:
        return None


def title(subject: Subject) -> str:
    """What a subject is about, in a few words."""
    match event_of(subject):
        case IncidentEvent() as event:
            place = event.host or event.target
            port = f":{event.port}" if event.port else ""
            return f"{event.name} ({event.kind} {place}{port}), {event.incident_type}"
        case RegionEvent() as event:
            return f"region {event.region}"
        case TargetsEvent() as event:
            return "targets that nobody can judge"
        case ChannelEvent() as event:
            return f"the channel {short_name(event.channel)}"
        case MassEvent() as event:
            return f"many targets at once, {event.down} of {event.total}"
        case event:
            return "the fire drill" if isinstance(event, DrillEvent) else subject.key
