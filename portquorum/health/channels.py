"""What the notifier's topics say of its channels, as facts. Pure."""

from collections.abc import Iterable
from typing import Final

from portquorum.delivery.memory import NotifierMemory
from portquorum.delivery.names import channel_of, short_names
from portquorum.health.facts import FailingChannel, NotifierFacts
from schemas.notification import Notification

_MOST: Final = 100
"""Channels that are listed."""


def notifier_facts(memory: NotifierMemory, last_hour: Iterable[Notification]) -> NotifierFacts:
    """The facts of the notifier's memory and of the send log of the last hour.

    A channel fails if an attempt failed and the news of it still waits.
    """
    since: dict[str, int] = {}
    waiting: dict[str, int] = {}
    errors: dict[str, str] = {}
    news = 0
    for subject in memory.subjects.values():
        for member in subject.audience:
            if not member.due_at:
                continue
            news += 1
            if member.attempts:
                name = channel_of(member).name
                since[name] = min(since.get(name, member.due_at), member.due_at)
                waiting[name] = waiting.get(name, 0) + 1
                errors[name] = member.error or errors.get(name, "")
    names = short_names(since)
    failing = [
        FailingChannel(
            channel=name,
            short_name=names[name],
            since=at,
            waiting=waiting[name],
            error=errors[name],
        )
        for name, at in sorted(since.items(), key=lambda item: item[1])
    ]
    dead = {(row.event_id, row.channel) for row in last_hour if row.status == "dead"}
    term = memory.term
    return NotifierFacts(
        term=None if term is None else term.term,
        active_since=None if term is None else term.at,
        owner=None if term is None else term.owner,
        open=sum(subject.phase != "closed" for subject in memory.subjects.values()),
        waiting=news,
        failing=tuple(failing[:_MOST]),
        given_up=len(dead),
        unreadable=memory.unreadable,
    )
