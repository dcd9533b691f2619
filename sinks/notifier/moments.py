"""Which routes are on at a time, and whom their rotations have on duty. Pure."""

from collections.abc import Mapping

from msgspec import Struct

from schemas import hours
from schemas.policy import Route
from sinks.notifier.model import Channel


def urls_of(route: Route) -> tuple[str, ...]:
    """All URLs of a route, those of everybody in its rotation too; each once."""
    people = () if route.rotation is None else route.rotation.people
    return tuple(dict.fromkeys((*route.urls, *(url for one in people for url in one.urls))))


class Moment(Struct, frozen=True):
    """What is true from `begin` (UTC ms) until before `end` (None: for ever).

    `channels` are those of each route of the moment, without regard to its hours; `on` are the
    routes whose hours it is.
    """

    begin: int
    end: int | None
    channels: dict[str, tuple[Channel, ...]]
    on: frozenset[str]

    def has(self, at: int) -> bool:
        """True if it is this moment at `at`."""
        return self.begin <= at and (self.end is None or at < self.end)


class RoutesInTime:
    """The routes of a policy; keeps the moment that was asked for last."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self._routes = routes
        self._in_quiet = [one for one in routes.values() if one.quiet is not None]
        self._last: Moment | None = None

    def moment(self, now: int) -> Moment:
        """The moment that `now` belongs to."""
        last = self._last
        if last is None or not last.has(now):
            last = self._last = self._look(now)
        return last

    def _look(self, now: int) -> Moment:
        routes = self._routes.values()
        changes = [hours.next_change(one.when, one.timezone, now) for one in routes if one.when] + [
            hours.next_handover(one.rotation, one.timezone, now)
            for one in routes
            if one.rotation is not None
        ]
        return Moment(
            begin=now,
            end=min((at for at in changes if at is not None), default=None),
            channels={one.name: _channels(one, now) for one in routes},
            on=frozenset(one.name for one in routes if hours.is_on(one.when, one.timezone, now)),
        )

    def next_change(self, now: int) -> int | None:
        """The next time after `now` at which hours, a shift or quiet hours begin or end."""
        quiet = (
            hours.next_change(one.quiet.hours, one.timezone, now)
            for one in self._in_quiet
            if one.quiet is not None
        )
        return min((at for at in (self.moment(now).end, *quiet) if at is not None), default=None)


def _channels(route: Route, now: int) -> tuple[Channel, ...]:
    urls = route.urls
    if route.rotation is not None:
        urls = (*urls, *hours.on_duty(route.rotation, route.timezone, now).urls)
    return tuple(Channel(route.name, url) for url in dict.fromkeys(urls))
