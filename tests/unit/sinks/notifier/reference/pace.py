"""How often one channel for people is told: the pace of digests and the limit, in bounds."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from schemas.policy import Limit, Route
from tests.unit.sinks.notifier.reference.channel_bounds import NEVER

MOST_DOUBLED: Final = 10
MOST_FREE: Final = 2
FREE_WITHIN_MS: Final = 300_000
"""Of what waits for nothing, so many messages in so long; a further one may wait as others do."""


class Message(NamedTuple):
    at: int
    id: str
    free: bool
    """It waits for nothing: a channel's trouble, or that of a large share of all targets."""


@dataclass
class Pace:
    """What was sent to a channel, whoever was active, and how long the next message waits.

    `arrived` are messages that people got or may have got, `tried` all attempts. `doubled` counts
    the messages that followed at once, at least and at most: each doubles the interval.
    """

    arrived: list[Message] = field(default_factory=list)
    tried: list[int] = field(default_factory=list)
    doubled: tuple[int, int] = (0, 0)
    shortest: int = 0
    longest: int = 0
    """The interval since the last message, by the routes that had this channel; 0: none."""
    now_shortest: int = 0
    now_longest: int = 0
    limits: tuple[Limit, ...] = ()
    limited_since: int = 0
    free_tried: list[int] = field(default_factory=list)

    def routed(self, routes: Iterable[Route], usual_ms: int, now: int) -> None:
        """These routes have the channel from now on."""
        routes = list(routes)
        intervals = [
            usual_ms if one.group_interval_ms is None else one.group_interval_ms for one in routes
        ]
        self.now_shortest, self.now_longest = min(intervals, default=0), max(intervals, default=0)
        # What was sent last may have been sent by another interval.
        before = self.tried or self.arrived
        self.shortest = min(self.shortest, self.now_shortest) if before else self.now_shortest
        self.longest = max(self.longest, self.now_longest) if before else self.now_longest
        limits = tuple(one.limit for one in routes if one.limit is not None)
        if limits != self.limits or len(limits) < len(routes):
            self.limited_since = now
        self.limits = limits

    @property
    def paced(self) -> bool:
        return bool(self.longest or self.limits)

    def interval(self, doubled: int, of: int) -> int:
        return of * min(MOST_DOUBLED, 2**doubled)

    def earliest(self, now: int) -> tuple[int, str]:
        """Before this time no further message may start, and why."""
        at, why = NEVER, ""
        if self.arrived:
            at = self.arrived[-1].at + self.interval(self.doubled[0], self.shortest)
            why = f"the last one was at {self.arrived[-1].at}"
        if self.limits:
            most = max(one.messages for one in self.limits)
            per = min(one.per_ms for one in self.limits)
            within = [
                one.at
                for one in self.arrived
                if not one.free and one.at > now - per and one.at >= self.limited_since
            ]
            if len(within) >= most and within[-most] + per > at:
                at, why = within[-most] + per, f"the limit is {most} in {per} ms"
        return at, why

    def latest(self) -> int:
        """From this time on a further message may wait for nothing of this."""
        at = NEVER
        if self.tried:
            at = self.tried[-1] + self.interval(self.doubled[1], self.longest)
        for limit in self.limits:
            if len(self.tried) >= limit.messages:
                at = max(at, self.tried[-limit.messages] + limit.per_ms)
        return at

    def free_for_certain(self, now: int) -> bool:
        """True if what waits for nothing may go now, whatever went before."""
        return sum(at > now - FREE_WITHIN_MS for at in self.free_tried) < MOST_FREE

    def began(self, now: int, identity: str, *, free: bool, waited: bool) -> None:
        """A message starts; `waited`: news for it was ready before it could start."""
        if free:
            self.free_tried = [*self.free_tried, now][-100:]
        least, most = self.doubled
        last = self.tried[-1] if self.tried else NEVER
        usual = self.interval(least, self.shortest)
        in_time = last + usual <= now <= last + usual + 1
        least = least + 1 if waited and in_time and usual else 0
        soon = now <= last + 2 * self.interval(most, self.longest) + 1
        self.doubled = (least, min(most + 1, MOST_DOUBLED) if soon else 0)
        self.shortest, self.longest = self.now_shortest, self.now_longest
        self.arrived.append(Message(now, identity, free))
        self.tried = [*self.tried, now][-2_000:]

    def did_not_arrive(self, identity: str, at: int) -> None:
        """That attempt reached nobody."""
        self.arrived = [one for one in self.arrived if (one.id, one.at) != (identity, at)]
        self.doubled = (0, self.doubled[1])

    def clock_set_back(self, now: int) -> None:
        """Nobody can say how long ago the last message was."""
        self.arrived.clear()
        self.tried = [min(at, now) for at in self.tried]
        self.free_tried = [min(at, now) for at in self.free_tried]
        self.doubled = (0, MOST_DOUBLED)

    def taken_over(self) -> None:
        """Another notifier knows what was written of it: at least that a message went."""
        self.doubled = (0, max(self.doubled[1], 1))
