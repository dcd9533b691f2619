"""Who listens to a subject: chosen when it opens, repaired while nobody confirmed. Pure."""

from collections.abc import Iterable

from msgspec import Struct

from sinks.notifier.decision.subjects import AUDIENCE_BYTES, Listener, OpenSubject
from sinks.notifier.model import Channel
from sinks.notifier.routing import Routes, is_stand_in


class AudienceChange(Struct):
    """What became of an audience.

    `moved` are channels that another route has now, `refused` those for whom there was no room.
    `presumed` are channels without a route that may have been told: they are told of the end alone.
    `relieved` were not told before others had the duty.
    """

    joined: list[Listener] = []
    moved: list[Listener] = []
    dropped: list[Listener] = []
    presumed: list[Listener] = []
    refused: list[Channel] = []
    relieved: list[Listener] = []

    @property
    def any(self) -> bool:
        """True if the audience is another one, or there was no room for somebody."""
        parts = (self.joined, self.moved, self.dropped, self.presumed, self.refused, self.relieved)
        return any(parts)


def join(
    subject: OpenSubject,
    channels: Iterable[tuple[str, Channel]],
    now: int,
    *,
    fallback_for: str = "",
    escalated_from: str = "",
) -> AudienceChange:
    """Adds channels (with their ids) that do not listen yet, as far as the record has room."""
    change = AudienceChange()
    size = -1
    for identity, channel in channels:
        if identity in subject.listeners:
            continue
        if size < 0:
            size = sum(one.size for one in subject.listeners.values())
        new = Listener(
            channel=channel,
            id=identity,
            since=now,
            fallback_for=fallback_for,
            escalated_from=escalated_from,
        )
        size += new.size
        if size > AUDIENCE_BYTES:
            size -= new.size
            change.refused.append(channel)
            continue
        subject.listeners[identity] = new
        change.joined.append(new)
    return change


def repair(
    subject: OpenSubject, routes: Routes, channels: list[tuple[str, Channel]], now: int
) -> AudienceChange:
    """Holds the audience against the routes of the moment; `channels` are those for its event.

    While nobody confirmed anything, the channels of the moment join, and channels that no route
    has any more are dropped. Otherwise, for each route: an unconfirmed channel whose URL left the
    route is dropped, and the URLs that are new in this route take its place. Who confirmed stays;
    so does, until it ends, a channel to which a delivery is on its way. A channel that may have
    been told counts as told from then on. The console where no route takes an event is nobody: it
    leaves an opening that it did not print to the routes that take it now. So does a shift that was
    not told before the next one was on.
    """
    moment = dict(channels)
    moved = [
        one
        for one in subject.listeners.values()
        if one.id in moment
        and not one.settled
        and one.channel.url not in routes.urls(one.channel.route)
    ]
    for one in moved:
        one.channel = moment[one.id]
    out = [
        one
        for one in subject.listeners.values()
        if not one.settled
        and not one.in_flight
        and one.id not in moment
        and one.channel.url not in routes.urls(one.channel.route)
    ]
    gone = [one for one in out if not one.confirmed]
    presumed = [one for one in out if one.confirmed]
    nobody = not any(
        one.confirmed and not is_stand_in(one.channel) for one in subject.listeners.values()
    )
    relieved = _relieved(subject, routes, channels, now, nobody=nobody)
    if not out and not relieved and not nobody:
        return AudienceChange(moved=moved)
    if nobody:
        dropped = [one for one in gone if one.channel.url not in routes.all_urls]
        wanted = list(channels)
    else:
        dropped = gone
        left = {one.channel.route for one in (*out, *relieved)}
        wanted = [(identity, one) for identity, one in channels if one.route in left]
        wanted += [
            (channel.id, channel)
            for one in out
            if one.fallback_for or one.escalated_from
            for channel in routes.channels_of(one.channel.route, now)
        ]
    for one in presumed:
        _presume(subject, one)
    wanted += [
        (channel.id, channel)
        for one in relieved
        if one.fallback_for or one.escalated_from
        for channel in routes.channels_of(one.channel.route, now)
    ]
    for one in (*dropped, *relieved):
        del subject.listeners[one.id]
    change = join(subject, wanted, now)
    for one in relieved:
        _go_on(one, change.joined)
    change.dropped, change.relieved = dropped, relieved
    change.moved = moved
    change.presumed = presumed
    return change


def _relieved(
    subject: OpenSubject,
    routes: Routes,
    channels: list[tuple[str, Channel]],
    now: int,
    *,
    nobody: bool,
) -> list[Listener]:
    """Who was not told of what is down, and is not on any more, while somebody else is.

    In a rotation that is who has the duty now. At the end of a route's hours these are the routes
    that take it now; if somebody was told already, they are not asked, and who was on stays.
    """
    if subject.phase == "closed":
        return []
    moment = dict(channels)
    others = nobody and any(not is_stand_in(one) for one in moment.values())
    taking = {one.route for one in moment.values()}
    found = []
    for one in subject.listeners.values():
        url, route = one.channel.url, one.channel.route
        if one.confirmed or one.in_flight or one.id in moment or url not in routes.urls(route):
            continue
        extra = bool(one.fallback_for or one.escalated_from)
        if not routes.is_on(route, now):
            if others and not extra:
                found.append(one)
            continue
        on = {channel.url for channel in routes.channels_of(route, now)}
        if on and url not in on and (extra or route in taking):
            found.append(one)
    return found


def _go_on(before: Listener, joined: list[Listener]) -> None:
    """Who has the duty now is as late as who had it: so the time to an escalation goes on."""
    for one in joined:
        if one.channel.route == before.channel.route and before.opening_due_at:
            first = one.opening_due_at or before.opening_due_at
            one.opening_due_at = min(first, before.opening_due_at)


def _presume(subject: OpenSubject, one: Listener) -> None:
    """The channel counts as told of the present episode; a key that may be open as open."""
    one.told_episode = subject.episode
    one.told_phase = "improved" if subject.phase == "improved" else "down"
    one.told_revision = subject.revision
    one.maybe = False
