"""Dependencies: what can't be reached because another target is down is not told. Pure."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from schemas.incident import IncidentEvent
from schemas.notifier_state import Phase
from sinks.notifier.model import TargetFacts
from sinks.notifier.sparing.model import SETTLE_MS, Outage, Spared, latest

DOWN: Final = frozenset({"unreachable", "flapping"})
"""Types of incidents in which a target is of no use to what depends on it."""

MOST_FOLLOWED: Final = 1_000
"""Targets that are looked through for a circle."""


class _DependencyIncident(Struct):
    """An incident of a target on which others may depend.

    `ended_at` is the log's time of its end (or improvement), None while it is down; `seen_at` is
    the notifier's time of that. `more_ms`: so much longer it counts.
    """

    name: str
    place: str
    depends_on: tuple[str, ...]
    began: int
    ended_at: int | None
    seen_at: int
    more_ms: int


class Dependencies:
    """Which targets are down, and who depends on them.

    A change of one target costs no more than the number of its dependents. `pauses` has the ends
    (UTC ms) of pauses by target id, None: until it is resumed.
    """

    def __init__(self, facts_of: Callable[[str], TargetFacts | None]) -> None:
        self._facts_of = facts_of
        self.pauses: Mapping[str, int | None] = {}
        self._incidents: dict[str, dict[str, _DependencyIncident]] = {}
        self._dependents: dict[str, dict[str, None]] = {}
        self._on: dict[str, tuple[str, ...]] = {}

    def note(self, key: str, event: IncidentEvent, phase: Phase, changed_at: int) -> bool:
        """Takes in the incident `key` as it is now; True if that may change who is spared."""
        if event.incident_type not in DOWN or event.expect == "closed":
            return False  # a port that is open, and must be closed, is no outage
        known = self._incidents.setdefault(event.target, {})
        before = known.get(key)
        ended_at, seen_at = None, changed_at
        if phase != "down":
            ended_at = event.at
            if before is not None and before.ended_at is not None:
                # It was better before it was over: that was its end.
                ended_at, seen_at = before.ended_at, min(before.seen_at, changed_at)
        facts = self._facts_of(event.target)
        abandoned = event.closed_because == "abandoned"
        now = _DependencyIncident(
            name=event.name,
            place=_place(event),
            depends_on=event.depends_on or (before.depends_on if before is not None else ()),
            began=event.first_failed_at,
            ended_at=ended_at,
            seen_at=seen_at,
            more_ms=(SETTLE_MS if facts is None else facts.settle_ms) if abandoned else 0,
        )
        known[key] = now
        return before is None or _spares_by(before) != _spares_by(now)

    def forget(self, key: str, target: str) -> None:
        """The incident `key` is no longer known."""
        known = self._incidents.get(target, {})
        known.pop(key, None)
        if not known:
            self._incidents.pop(target, None)

    def watch(self, key: str, depends_on: tuple[str, ...]) -> None:
        """The subject `key` depends on these targets now; empty: on none."""
        before = self._on.get(key, ())
        if before == depends_on:
            return
        for target in before:
            watchers = self._dependents[target]
            watchers.pop(key, None)
            if not watchers:
                del self._dependents[target]
        for target in dict.fromkeys(depends_on):
            self._dependents.setdefault(target, {})[key] = None
        if depends_on:
            self._on[key] = tuple(dict.fromkeys(depends_on))
        else:
            self._on.pop(key, None)

    def dependents(self, target: str) -> list[str]:
        """The subjects that depend on a target."""
        return list(self._dependents.get(target, ()))

    def spared(self, outage: Outage, at: int, *, closed: bool = False) -> Spared | None:
        """The dependency that spares an outage at `at` (UTC ms): the first one that is down.

        After its end it spares what began before that until the target's next results are in, which
        is reckoned from the time at which the notifier learnt of it; of an outage that was `closed`
        at `at` all times are the log's.
        """
        ended: list[Spared] = []
        for target in outage.depends_on:
            for one in self._incidents.get(target, {}).values():
                if target == outage.target or (closed and one.began > at):
                    continue
                if one.ended_at is not None:
                    if outage.began >= one.ended_at:
                        continue
                    end = one.ended_at if closed else one.seen_at
                    until = end + outage.settle_ms + one.more_ms
                    if at < until:
                        ended.append(Spared("dependency", _why(one), until))
                elif not self._leads_to(target, outage.target):
                    return Spared("dependency", _why(one))
        return None if not ended else latest(ended)

    def answer_ms(self, depends_on: tuple[str, ...], target: str, at: int) -> int:
        """The longest time until a recheck of one of them has an answer; 0 if none will be.

        Of one that is not known, or is paused at `at` (UTC ms), nobody waits for an answer.
        """
        known = [
            self._facts_of(one) for one in depends_on if one != target and not self._paused(one, at)
        ]
        return max((facts.answer_ms for facts in known if facts is not None), default=0)

    def _paused(self, target: str, at: int) -> bool:
        if target not in self.pauses:
            return False
        until = self.pauses[target]
        return until is None or until > at

    def circle(self, target: str) -> set[str]:
        """The targets on which it depends, at any distance, if it is one of them; otherwise none.

        In a circle each would wait for the other one, and nobody would be told of any: there nobody
        spares the next one. The inventory refuses circles; several inventories may make one.
        """
        found = self._followed(target)
        return found if target in found else set()

    def _leads_to(self, dependency: str, target: str) -> bool:
        found = self._followed(dependency)
        return target in found or len(found) > MOST_FOLLOWED

    def _followed(self, begin: str) -> set[str]:
        """What `begin` depends on, at any distance, up to `MOST_FOLLOWED`."""
        found: set[str] = set()
        following = [begin]
        while following and len(found) <= MOST_FOLLOWED:
            one = following.pop()
            fresh = [
                other
                for other in self._depends_on(one)
                if other != one and other not in found  # on itself: that is nothing
            ]
            found.update(fresh)
            following += fresh
        return found

    def _depends_on(self, target: str) -> tuple[str, ...]:
        facts = self._facts_of(target)
        if facts is not None:
            return facts.depends_on
        return next(
            (one.depends_on for one in self._incidents.get(target, {}).values() if one.depends_on),
            (),
        )


def _spares_by(one: _DependencyIncident) -> object:
    return one.ended_at, one.seen_at, one.more_ms


def _why(one: _DependencyIncident) -> str:
    return f"dependency: {one.name} ({one.place}) is down"


def _place(event: IncidentEvent) -> str:
    """`host:port`, IPv6 in brackets; the id of a target without a host."""
    if event.host is None:
        return event.target
    host = f"[{event.host}]" if ":" in event.host else event.host
    return host if event.port is None else f"{host}:{event.port}"
