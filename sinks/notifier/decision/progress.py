"""What an event changes of its subject. Pure."""

from typing import Final

from msgspec import UNSET, Struct

from schemas.incident import Event, IncidentEvent, RegionEvent, TargetsEvent
from schemas.notifier_state import EventMark, KnownAs, Phase
from sinks.notifier.decision import unwatched
from sinks.notifier.decision.stored_events import AnyEvent, cut
from sinks.notifier.decision.subjects import INCIDENT, REGION, TARGETS, OpenSubject, group_of

MOST: Final = 2**31 - 1
"""Largest number of an episode, or of a revision, in the records."""

MOST_SEEN: Final = 32
"""Remembered ids of earlier events of a region."""

_REGION: Final[dict[str, tuple[str, Phase]]] = {
    "region.silent": ("silent", "down"),
    "region.returned": ("silent", "closed"),
    "region.suspect": ("suspect", "down"),
    "region.cleared": ("suspect", "closed"),
    "region.secrets_missing": ("secrets", "down"),
    "region.secrets_found": ("secrets", "closed"),
}
_PHASES: Final[dict[str, Phase]] = {
    "opened": "down",
    "worsened": "down",
    "improved": "improved",
    "closed": "closed",
}


class Progress(Struct, frozen=True):
    """What an event changed.

    `mark` is the event if people can be told of it and it is news; `replaced` are the marks in
    whose place it came. `nothing_new` says why it is none. `begins`: a new outage, for which the
    routes of the moment join the audience. `reopened`: the subject was over.
    """

    mark: EventMark | None = None
    replaced: tuple[EventMark, ...] = ()
    nothing_new: str = ""
    begins: bool = False
    reopened: bool = False


def key_of(event: Event) -> str | None:
    """The subject's key, None if people are told nothing of such events."""
    match event:
        case IncidentEvent():
            return INCIDENT + event.incident_id
        case RegionEvent():
            known = _REGION.get(event.event)
            return None if known is None else f"{REGION}{event.region}/{known[0]}"
        case TargetsEvent():
            return TARGETS + event.cause_id


def routed_by(event: AnyEvent) -> object:
    """The fields of an incident by which routes are chosen; None of other events."""
    if not isinstance(event, IncidentEvent):
        return None
    return event.team, event.tags, event.severity, event.kind


def known(subject: OpenSubject, event: Event) -> bool:
    """True if the event was taken before, or an event after it."""
    newest = subject.event
    if event.event_id in subject.seen or event.event_id == newest.event_id:
        return True
    if isinstance(event, TargetsEvent):
        part = subject.parts.get(event.partition)
        return part is not None and (part.event_id == event.event_id or event.at < part.at)
    if isinstance(event, IncidentEvent) and subject.phase == "closed":
        return True
    return event.at < newest.at


def begin(key: str, event: Event, now: int) -> OpenSubject:
    """A subject of its first event here; `advance` follows."""
    return OpenSubject(
        key=key,
        event=event,
        raw=b"",
        phase="closed",
        episode=0,
        began_at=now,
        changed_at=now,
        group=group_of(event),
        known_as=_known_as(event),
    )


def _known_as(event: Event) -> KnownAs | None:
    if not isinstance(event, IncidentEvent):
        return None
    return KnownAs(name=event.name, team=event.team or "", severity=event.severity)


def advance(subject: OpenSubject, event: Event, now: int) -> Progress:
    """Takes an event that is not `known` into its subject."""
    first = not subject.marks and subject.episode == 0
    _remember(subject, event)
    match event:
        case IncidentEvent():
            return _incident(subject, event, now, first=first)
        case RegionEvent():
            return _region(subject, event, now)
        case TargetsEvent():
            return _targets(subject, event, now)


def _remember(subject: OpenSubject, event: Event) -> None:
    newest = subject.event
    if isinstance(event, TargetsEvent) or newest.event_id == event.event_id:
        return
    if isinstance(event, RegionEvent) or newest.at == event.at:
        subject.seen = (*subject.seen, newest.event_id)[-MOST_SEEN:]
    else:
        subject.seen = ()


def _incident(subject: OpenSubject, event: IncidentEvent, now: int, *, first: bool) -> Progress:
    subject.event, subject.raw = cut(event)
    subject.acknowledged = event.acknowledged_by is not None
    old_phase, old_episode = subject.phase, subject.episode
    episode = event.episode if event.episode is not UNSET else max(old_episode, 1)
    if event.event == "worsened" and event.episode is UNSET and not first:
        episode = old_episode + 1
    subject.episode = min(max(old_episode, episode), MOST)
    phase = _PHASES.get(event.event, "down" if first else old_phase)
    if subject.episode > old_episode and phase == "improved" and event.event == "updated":
        phase = "down"
    _enter(subject, phase, now)
    if event.event not in _PHASES and not first and subject.episode == old_episode:
        return Progress()
    begins = phase != "closed" and (first or subject.episode > old_episode)
    return _marked(subject, _mark(subject, event), begins=begins)


def _region(subject: OpenSubject, event: RegionEvent, now: int) -> Progress:
    phase = _REGION[event.event][1]
    old_phase, first = subject.phase, subject.episode == 0
    more = event.event == "region.secrets_missing"  # each of them names other variables
    if not first and phase == old_phase and not more:
        return Progress(nothing_new=f"nothing new: {event.region} was so already")
    subject.event, subject.raw = cut(event)
    begins = phase == "down" and (first or old_phase == "closed")
    if begins or first:
        subject.episode += 1
    else:
        subject.revision = min(subject.revision + more, MOST)
    _enter(subject, phase, now)
    mark = _mark(subject, event)
    return _marked(subject, mark, begins=begins, reopened=begins and not first)


def _targets(subject: OpenSubject, event: TargetsEvent, now: int) -> Progress:
    before, critical = unwatched.total(subject.parts), unwatched.critical(subject.parts)
    first, old_phase = subject.episode == 0, subject.phase
    if not unwatched.put(subject.parts, event):
        return Progress(nothing_new="too many partitions have unwatched targets")
    after = unwatched.total(subject.parts)
    subject.event, subject.raw = cut(unwatched.together(subject.parts, event))
    phase: Phase = "down" if after else "closed"
    begins = phase == "down" and old_phase == "closed"
    if begins or first:
        subject.episode += 1
    grew = after > before or (unwatched.critical(subject.parts) and not critical)
    if grew:
        subject.revision = min(subject.revision + 1, MOST)
    _enter(subject, phase, now)
    if not grew and phase == old_phase and not first:
        others = "other partitions still have unwatched targets"
        return Progress(nothing_new="no more targets than before" if event.count else others)
    over = phase == "closed"
    mark = _mark(subject, event, part=event.partition)
    return _marked(subject, mark, begins=begins, reopened=begins and not first, over=over)


def _enter(subject: OpenSubject, phase: Phase, now: int) -> None:
    if subject.phase != phase:
        subject.phase, subject.changed_at = phase, now


def _mark(subject: OpenSubject, event: Event, part: int = 0) -> EventMark:
    return EventMark(
        event_id=event.event_id,
        event=event.event,
        at=event.at,
        revision=subject.revision,
        part=part,
    )


def _marked(
    subject: OpenSubject,
    mark: EventMark,
    *,
    begins: bool,
    reopened: bool = False,
    over: bool = False,
) -> Progress:
    """Puts the mark in the place of the one before it.

    Of unwatched targets that is the one of its partition, and all when they are `over`.
    """
    replaced = tuple(one for one in subject.marks if over or one.part == mark.part)
    kept = [one for one in subject.marks if one not in replaced]
    subject.marks = (*kept, mark)
    return Progress(mark, replaced, begins=begins, reopened=reopened)
