"""What one channel is to be told: what is true now, held against what the channel confirmed. Pure.

Decisions are level-triggered: there is no queue of events. A channel that was away is told once
what is true when it is back.
"""

from typing import Literal

from sinks.notifier.decision.subjects import Listener, OpenSubject
from sinks.notifier.model import Action, ChannelClass, OnCallAction, PeopleAction

Missed = Literal["tell", "drop"]

OPENINGS: frozenset[Action] = frozenset({"opened", "worsened", "trigger"})
"""Actions that tell of an outage: without an answer, the channel may know of it."""


def needed(
    subject: OpenSubject,
    listener: Listener,
    channel_class: ChannelClass,
    missed: Missed,
    *,
    somebody_heard: bool,
) -> Action | None:
    """The next action for the channel, None if it knows what it should know.

    `somebody_heard`: a channel of the audience was told of the outage, or may have been. After the
    action is confirmed, another one may be needed.
    """
    if channel_class == "on_call":
        return _on_call(subject, listener)
    return _people(subject, listener, missed, somebody_heard=somebody_heard)


def _people(
    subject: OpenSubject, listener: Listener, missed: Missed, *, somebody_heard: bool
) -> PeopleAction | None:
    if not listener.knows_outage(subject.episode):
        return _first_word(subject, listener, missed, somebody_heard=somebody_heard)
    if subject.phase == "closed":
        return None if listener.told_phase == "closed" else "closed"
    if listener.told_episode < subject.episode:
        return "worsened"
    if subject.phase == "improved" and listener.told_phase == "down":
        return "improved"
    if listener.told_revision < subject.revision:
        return "updated"
    return "reminder" if listener.reminding else None


def _first_word(
    subject: OpenSubject, listener: Listener, missed: Missed, *, somebody_heard: bool
) -> PeopleAction | None:
    if subject.phase != "closed":
        return "opened"
    if knows_missed(subject, listener):
        return None
    if listener.maybe:
        return "closed"
    return "missed" if missed == "tell" and not somebody_heard else None


def knows_missed(subject: OpenSubject, listener: Listener) -> bool:
    """True if the channel was told of the whole outage at its end, by `missed`."""
    by_missed = listener.told_phase == "closed" and listener.told_episode == 0
    return by_missed and bool(subject.marks) and listener.told_event == subject.marks[-1].event_id


def _on_call(subject: OpenSubject, listener: Listener) -> OnCallAction | None:
    key = subject.open_key
    if subject.phase == "closed":
        if subject.abandoned:
            return None
        return "resolve" if listener.open_key or listener.maybe else None
    if not listener.open_key:
        return "trigger"
    if listener.open_key != key:
        return "resolve"
    if listener.maybe:
        return "trigger"
    return "acknowledge" if subject.acknowledged and not listener.acknowledged else None


def key_for(subject: OpenSubject, listener: Listener, action: Action) -> str:
    """The key that an action has: `resolve` ends what is open, the others are about the present."""
    return listener.open_key if action == "resolve" and listener.open_key else subject.open_key
