"""Messages of what waits: a subject's news to one channel, those of a host in one message. Pure."""

import uuid
from collections.abc import Iterable
from typing import Final, cast

from msgspec.structs import replace

from schemas.duration import duration_text
from schemas.incident import NAMESPACE
from schemas.notifier_state import EventMark
from sinks.notifier.decision.subjects import Listener, OpenSubject
from sinks.notifier.decision.transitions import key_for
from sinks.notifier.model import Action, Channel, Delivery, News, NewsAction

Waiting = tuple[OpenSubject, Listener]


def news_of(subject: OpenSubject, listener: Listener, action: Action) -> News:
    """What is true of the subject now, for this channel."""
    failed = subject.listeners.get(listener.fallback_for)
    return News(
        entry=subject.key,
        event=subject.event,
        key=key_for(subject, listener, action),
        episode=subject.episode,
        due_at=listener.due_at,
        told_before=listener.told_episode > 0,
        maybe_told=listener.maybe,
        stands_in_for=listener.fallback_for if failed is None else failed.channel.name,
        known_as=subject.known_as,
        phase=subject.phase,
        revision=subject.revision,
        marks=_marks(subject, listener, action),
        escalated_from=listener.escalated_from,
        reminders=listener.reminders if action == "reminder" else 0,
        held=f"limit of route {listener.limited}" if listener.limited else listener.held_before,
    )


PACED_MS: Final = 60_000
"""So late because of the channel's pace that an ordinary message says why."""


def digest(
    waiting: list[tuple[Action, Waiting]], now: int, paced: tuple[int, int] = (0, 0)
) -> Delivery:
    """One delivery of all that waits for a channel for people.

    It is the ordinary message if all is of one group and one action; that says if the pace of the
    channel delayed it: `paced` is until when, and the interval.
    """
    actions = {action for action, _ in waiting}
    groups = {subject.group for _, (subject, _) in waiting}
    if len(actions) == 1 and len(groups) == 1:
        found = message(actions.pop(), [one for _, one in waiting], now)
        until, interval_ms = paced
        if interval_ms and not any(one.attempts for _, (_, one) in waiting):
            why = f"messages of this channel come at most every {duration_text(interval_ms)}"
            news = tuple(
                replace(one, held=why)
                if not one.held and one.due_at < until and now - one.due_at >= PACED_MS
                else one
                for one in found.news
            )
            found = replace(found, news=news)
        return found
    channel = waiting[0][1][1].channel
    news = tuple(
        replace(news_of(subject, listener, action), action=cast("NewsAction", action))
        for action, (subject, listener) in waiting
    )
    listeners = [listener for _, (_, listener) in waiting]
    return Delivery(
        id=_identity(channel, "digest", news, listeners),
        channel=channel,
        action="digest",
        news=news,
        attempt=1 + max(one.attempts for one in listeners),
        plain=any(one.plain for one in listeners),
        at=now,
    )


def message(action: Action, waiting: list[Waiting], now: int) -> Delivery:
    """One delivery of what waits for one channel, with the next number of attempt."""
    channel = waiting[0][1].channel
    news = tuple(news_of(subject, listener, action) for subject, listener in waiting)
    return Delivery(
        id=_identity(channel, action, news, [listener for _, listener in waiting]),
        channel=channel,
        action=action,
        news=news,
        attempt=1 + max(listener.attempts for _, listener in waiting),
        plain=any(listener.plain for _, listener in waiting),
        at=now,
    )


def refresh(channel: Channel, waiting: list[Waiting], now: int) -> Delivery:
    """One delivery that repeats what is open in a system that forgets."""
    news = tuple(news_of(subject, listener, "refresh") for subject, listener in waiting)
    return Delivery(
        id=str(uuid.uuid5(NAMESPACE, f"{channel.url}|refresh|{now}|{waiting[0][0].key}")),
        channel=channel,
        action="refresh",
        news=news,
        attempt=1,
        plain=False,
        at=now,
    )


def _marks(subject: OpenSubject, listener: Listener, action: Action) -> tuple[EventMark, ...]:
    """The events that the message is about: all that the channel was not told of."""
    if action == "acknowledge":
        event = subject.event
        return (EventMark(event_id=event.event_id, event=event.event, at=event.at),)
    if len(subject.marks) <= 1 or listener.told_episode < subject.episode:
        return subject.marks
    unknown = tuple(one for one in subject.marks if one.revision > listener.told_revision)
    return unknown or subject.marks[-1:]


def _identity(
    channel: Channel, action: Action, news: Iterable[News], listeners: Iterable[Listener]
) -> str:
    parts = sorted(
        f"{one.entry}/{one.episode}/{one.key}/{one.marks[-1].event_id if one.marks else ''}"
        + ("" if one.action is None else f"/{one.action}")
        # Each reminder is a message of its own.
        + (f"/{listener.told_at}" if (one.action or action) == "reminder" else "")
        for one, listener in zip(news, listeners, strict=True)
    )
    return str(uuid.uuid5(NAMESPACE, "|".join((channel.url, action, *parts))))
