"""Audiences as the routes of the moment have them, with the rows of who is left out. Pure."""

from collections.abc import Iterable

from schemas.incident import Event
from schemas.notifier_state import EventMark
from sinks.notifier.decision import audience, rows
from sinks.notifier.decision.audience import AudienceChange
from sinks.notifier.decision.reviewer import Reviewer
from sinks.notifier.decision.subjects import OpenSubject
from sinks.notifier.model import Channel, ChannelEvent, DrillEvent, MassEvent
from sinks.notifier.routing import CONSOLE, is_stand_in


class Membership:
    """Invites channels to subjects, and repairs audiences when routes have changed."""

    def __init__(self, core: Reviewer) -> None:
        self._core = core

    def invite(
        self,
        subject: OpenSubject,
        event: Event | MassEvent | DrillEvent,
        mark: EventMark | None,
        now: int,
    ) -> None:
        """The channels of the moment join; those without room get a row on the mark.

        A channel that listens already by a route that lost it listens by the route that has it now.
        """
        channels = self._channels(event, now)
        for identity, channel in channels:
            one = subject.listeners.get(identity)
            if one and channel.url not in self._core.routes.urls(one.channel.route):
                one.channel = channel
        change = audience.join(subject, channels, now)
        self._say(subject, subject.marks if mark is None else (mark,), change, now)

    def repair(self, subject: OpenSubject, now: int) -> None:
        """Holds the audience of a subject against the routes of the moment."""
        event = subject.event
        if isinstance(event, ChannelEvent):
            return
        if not any(one.in_flight for one in subject.listeners.values()):
            subject.repaired = self._core.routes_number
        if _all_settled(subject):
            return
        channels = self._channels(event, now)
        if subject.phase == "closed":
            channels = [one for one in channels if self._core.tells_missed(one[1])]
        change = audience.repair(subject, self._core.routes, channels, now)
        for one in change.presumed:
            self._core.said.not_sent(subject, one, rows.LEFT_ROUTE, now)
        if change.any:
            self._say(subject, subject.marks, change, now)
            self._core.mark_changed(subject)
            self._core.review(subject, now)

    def stand_in(
        self, subject: OpenSubject, channels: list[tuple[str, Channel]], now: int, for_: str
    ) -> None:
        """Channels join in the place of the channel with the id `for_` (empty: of none)."""
        change = audience.join(subject, channels, now, fallback_for=for_)
        self._say(subject, subject.marks, change, now)
        if change.joined:
            self._core.mark_changed(subject)

    def escalate(
        self, subject: OpenSubject, channels: Iterable[Channel], route: str, now: int
    ) -> None:
        """Channels join because nobody has acknowledged what the route `route` was told."""
        named = [(self._core.dispatcher.queue(one).id, one) for one in channels]
        change = audience.join(subject, named, now, escalated_from=route)
        self._say(subject, subject.marks, change, now)

    def _channels(
        self, event: Event | MassEvent | DrillEvent, now: int
    ) -> list[tuple[str, Channel]]:
        core = self._core
        return [(core.dispatcher.queue(one).id, one) for one in core.routes.channels(event, now)]

    def _say(
        self,
        subject: OpenSubject,
        marks: tuple[EventMark, ...],
        change: AudienceChange,
        now: int,
    ) -> None:
        self._core.said.add(
            *(
                rows.not_sent(subject.event, mark, channel, rows.TOO_MANY, now)
                for mark in marks
                for channel in change.refused
            )
        )
        for one in change.dropped:
            why = rows.TAKEN if is_stand_in(one.channel) else rows.LEFT_ROUTE
            self._core.dropped(subject, one, why, now)
        for one in change.relieved:
            on = self._core.routes.is_on(one.channel.route, now)
            self._core.dropped(subject, one, rows.HANDED_OVER if on else rows.NOT_ON, now)


def _all_settled(subject: OpenSubject) -> bool:
    """True if somebody listens, and everybody confirmed; the console that stands in is nobody."""
    anybody = False
    for one in subject.listeners.values():
        if one.channel.route == CONSOLE.name and is_stand_in(one.channel):
            continue
        if not one.settled:
            return False
        anybody = True
    return anybody
