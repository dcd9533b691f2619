"""How often a channel for people is told: its pace, and the limits of its routes. Pure.

After a message the next one goes an interval later, as a digest of all that is ready then. The
interval doubles with each message that followed at once, so that an outage that trickles in is a
few messages, too.
"""

from bisect import insort
from typing import Final

from msgspec import Struct

from schemas.notifier_state import ChannelPace

LONGEST: Final = 10
"""The longest interval, in group intervals."""

AT_ONCE: Final = 2
AT_ONCE_WITHIN_MS: Final = 300_000
"""So many messages that wait for nothing go within so long; a further one keeps the pace."""

_MOST_TIMES: Final = 1_000


class RouteLimit(Struct, frozen=True):
    """The limit of a route: so many messages within any `per_ms`."""

    route: str
    messages: int
    per_ms: int


class PaceRules(Struct, frozen=True):
    """What holds for one channel: a group interval (0: none), and the limits of all its routes."""

    interval_ms: int = 0
    limits: tuple[RouteLimit, ...] = ()

    @property
    def on(self) -> bool:
        """True if any of it is set."""
        return self.interval_ms > 0 or bool(self.limits)

    def stricter(self, other: "PaceRules") -> "PaceRules":
        """The rules of a URL that two routes have: the longer interval, all limits."""
        return PaceRules(max(self.interval_ms, other.interval_ms), self.limits + other.limits)


class Full(Struct, frozen=True):
    """A limit is reached: there is room again at `until` (UTC ms)."""

    limit: RouteLimit
    until: int


class _Sent(Struct, frozen=True):
    """One message: when, and the pace before and after it."""

    at: int
    before: tuple[int, int]
    after: tuple[int, int]


class Pace(Struct, kw_only=True):
    """The pace of one channel; the fields are those of `ChannelPace`.

    `flights` are the messages whose outcome is not known, by the id of the delivery; `at_once_at`
    are the times of the last ones that waited for nothing. Neither is recorded.
    """

    sent_at: list[int] = []
    interval_ms: int = 0
    next_at: int = 0
    flights: dict[str, _Sent] = {}
    at_once_at: list[int] = []

    def free_at(self) -> int:
        """From when a message may go that waits for nothing; 0 if there was no other lately.

        An outage of many that comes and goes, or many channels that break one after the other,
        would else be a storm that passes the pace and every limit.
        """
        if len(self.at_once_at) < AT_ONCE:
            return 0
        return self.at_once_at[-AT_ONCE] + AT_ONCE_WITHIN_MS

    def rules_changed(self, rules: PaceRules) -> None:
        """The next message waits no longer than the longest interval of these rules."""
        excess = self.interval_ms - LONGEST * rules.interval_ms
        if excess > 0:
            self.interval_ms -= excess
            self.next_at -= excess

    def full(self, rules: PaceRules, now: int) -> Full | None:
        """The limit that is reached; of several, the one that lasts longest."""
        found: Full | None = None
        for limit in rules.limits:
            if len(self.sent_at) >= limit.messages:
                until = self.sent_at[-limit.messages] + limit.per_ms
                if until > now and (found is None or until > found.until):
                    found = Full(limit, until)
        return found

    def sent(self, delivery_id: str, rules: PaceRules, now: int, *, at_once: bool = False) -> None:
        """A message starts now; `at_once`: it has something that waits for nothing.

        After one that did not wait for its time the next one waits for a group interval, and for
        its own time.
        """
        before = self.interval_ms, self.next_at
        base = rules.interval_ms
        if base:
            follows = self.interval_ms > 0 and now < self.next_at + base
            self.interval_ms = min(2 * self.interval_ms, LONGEST * base) if follows else base
            early = follows and now < self.next_at
            self.next_at = max(self.next_at, now + (base if early else self.interval_ms))
        else:
            self.interval_ms, self.next_at = 0, now
        since = now - max((limit.per_ms for limit in rules.limits), default=0)
        most = max((limit.messages for limit in rules.limits), default=1)
        kept = [at for at in self.sent_at if at > since][-min(most, _MOST_TIMES) :]
        self.sent_at = [*kept, now][-_MOST_TIMES:]
        if at_once:
            self.at_once_at = [*self.at_once_at, now][-AT_ONCE:]
        self.flights[delivery_id] = _Sent(now, before, (self.interval_ms, self.next_at))

    def begun(self, delivery_id: str, at: int) -> bool:
        """The request of the message went out at `at`: it counts from then. True if that is later.

        What was decided at one time may wait for its record, for a thread, and for a connection.
        """
        sent = self.flights.get(delivery_id)
        if sent is None or at <= sent.at:
            return False
        interval_ms, next_at = sent.after
        if sent.at in self.sent_at:
            self.sent_at.remove(sent.at)
            insort(self.sent_at, at)
        after = interval_ms, next_at + at - sent.at
        self.next_at = max(self.next_at, after[1])
        self.flights[delivery_id] = _Sent(at, sent.before, after)
        return True

    def arrived(self, delivery_id: str) -> None:
        """The message arrived, or may have: it counts."""
        self.flights.pop(delivery_id, None)

    def undone(self, delivery_id: str) -> bool:
        """The message did not arrive: it does not count. True if that changes anything."""
        sent = self.flights.pop(delivery_id, None)
        if sent is None:
            return False
        if sent.at in self.sent_at:
            self.sent_at.remove(sent.at)
        if sent.at in self.at_once_at:
            self.at_once_at.remove(sent.at)
        if (self.interval_ms, self.next_at) == sent.after:
            self.interval_ms, self.next_at = sent.before
        return True

    def ends_at(self, rules: PaceRules) -> int:
        """When all of it means nothing any more."""
        ends = [self.next_at + rules.interval_ms]
        if self.sent_at:
            ends += [self.sent_at[-1] + limit.per_ms for limit in rules.limits]
        if self.at_once_at:
            ends.append(self.at_once_at[-1] + AT_ONCE_WITHIN_MS)
        return max(ends)

    def clock_was_set(self, now: int) -> None:
        """Nothing lies further ahead than it may."""
        self.next_at = min(self.next_at, now + self.interval_ms)
        self.sent_at = [min(at, now) for at in self.sent_at]
        self.at_once_at = [min(at, now) for at in self.at_once_at]


def recorded_pace(channel_id: str, pace: Pace) -> ChannelPace:
    """The record of a pace; its term is 0."""
    return ChannelPace(
        term=0,
        id=channel_id,
        sent_at=tuple(pace.sent_at),
        interval_ms=pace.interval_ms,
        next_at=pace.next_at,
    )


def restored_pace(record: ChannelPace) -> Pace:
    """The pace of a record."""
    return Pace(
        sent_at=sorted(record.sent_at), interval_ms=record.interval_ms, next_at=record.next_at
    )
