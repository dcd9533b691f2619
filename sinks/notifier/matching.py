"""What an event must have so that a route takes it, or a silence covers it. Pure.

In `targets`, `kinds`, `tags` and `teams` the character `*` stands for any characters, also none;
nothing else is special, and letters are compared as they are.
"""

from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from typing import Final

from msgspec import Struct

from schemas.incident import Event, IncidentEvent, RegionEvent, Severity, TargetsEvent
from schemas.policy import Match
from sinks.notifier.model import ChannelEvent, DrillEvent, MassEvent

Matchable = Event | ChannelEvent | MassEvent | DrillEvent
"""Whatever somebody is told of."""

_Check = Callable[[IncidentEvent], bool]

_NEVER_BUT_INCIDENTS: Final = ("teams", "tags", "targets", "kinds", "incident_types")
_CACHED: Final = 10_000


def matches(match: Match, event: Matchable) -> bool:
    """True if `event` has everything that `match` asks for."""
    return matcher(match).differs(event) is None


def severity(event: Matchable) -> Severity:
    """The severity of an event; `warning` for one of a region or of a channel."""
    return "warning" if isinstance(event, RegionEvent | ChannelEvent) else event.severity


class Matcher:
    """A `Match` prepared for many events."""

    def __init__(self, match: Match) -> None:
        self._severities = frozenset(match.severities)
        self._regions = frozenset(match.regions)
        self._targets = Patterns.of(match.targets) if match.targets else None
        self._checks = tuple(_checks(match))
        self.looks_closer = bool(match.targets or match.regions)
        fields = (*_NEVER_BUT_INCIDENTS, "criticalities")
        self._of_incidents = next((name for name in fields if getattr(match, name)), None)

    def differs(self, event: Matchable) -> str | None:
        """The name of a field that the event does not have; None: it matches.

        Only an incident has more than a severity and regions: a field for anything else differs
        from every other event.
        """
        if isinstance(event, IncidentEvent):
            found = self.differs_in_common(event)
            if found is not None:
                return found
            return self.differs_alone(event)
        if self._severities and severity(event) not in self._severities:
            return "severities"
        if self._of_incidents is not None:
            return self._of_incidents
        if self._regions and self._regions.isdisjoint(regions(event)):
            return "regions"
        return None

    def differs_alone(self, event: IncidentEvent) -> str | None:
        """As `differs`, by the fields that each event has for itself: its target and regions."""
        if self._targets is not None and not self._targets.fit(event.target):
            return "targets"
        if self._regions and self._regions.isdisjoint(regions(event)):
            return "regions"
        return None

    def differs_in_common(self, event: IncidentEvent) -> str | None:
        """As `differs`, by the fields that many targets have in common."""
        if self._severities and event.severity not in self._severities:
            return "severities"
        return next((name for name, fits in self._checks if not fits(event)), None)


matcher = lru_cache(maxsize=_CACHED)(Matcher)
"""The matcher of a `Match`; equal ones share it."""


def regions(event: Matchable) -> Collection[str]:
    """The regions that an event is about.

    Those of an incident are the regions that see it down (of the type `slow`: slow or down). Where
    none does, because it is over or because it is about a certificate, it is every region whose
    verdict counts.
    """
    match event:
        case RegionEvent():
            return (event.region,)
        case TargetsEvent():
            return event.silent_regions.keys()
        case IncidentEvent():
            return _seeing(event)
        case _:
            return ()


def _seeing(event: IncidentEvent) -> list[str]:
    bad = {"slow", "down"} if event.incident_type == "slow" else {"down"}
    counted = {name: one for name, one in event.regions.items() if not one.set_aside}
    seeing = [name for name, one in counted.items() if one.verdict in bad]
    if event.incident_type == "expiring" or not seeing:
        return list(counted)
    return seeing


def _checks(match: Match) -> Iterable[tuple[str, _Check]]:
    """The fields that many targets have in common, as far as they are not empty."""
    types, criticalities = frozenset(match.incident_types), frozenset(match.criticalities)
    if types:
        yield "incident_types", lambda event: event.incident_type in types
    if criticalities:
        yield "criticalities", lambda event: event.criticality in criticalities
    if match.kinds:
        kinds = Patterns.of(match.kinds)
        yield "kinds", lambda event: kinds.fit(event.kind)
    if match.teams:
        teams = Patterns.of(match.teams)
        yield "teams", lambda event: teams.fit(event.team or "")
    if match.tags:
        tags = Patterns.of(match.tags)
        yield "tags", lambda event: any(tags.fit(tag) for tag in event.tags)


class Patterns(Struct, frozen=True):
    """Names, and names with `*`, of which one is enough."""

    names: frozenset[str]
    globs: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, patterns: Iterable[str]) -> "Patterns":
        """The patterns as they are written."""
        found = list(patterns)
        return cls(
            frozenset(one for one in found if "*" not in one),
            tuple(tuple(one.split("*")) for one in found if "*" in one),
        )

    def fit(self, text: str) -> bool:
        """True if one of them is the text."""
        return text in self.names or any(_fits(glob, text) for glob in self.globs)


def _fits(parts: tuple[str, ...], text: str) -> bool:
    """True if the parts occur in the text in their order, the first and the last at its ends.

    Each part is taken as early as possible, so that the time is bounded by pattern times text: a
    regular expression with many stars takes powers of it.
    """
    head, *middle, tail = parts
    at, end = len(head), len(text) - len(tail)
    if end < at or not text.startswith(head) or not text.endswith(tail):
        return False
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
