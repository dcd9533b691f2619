"""Silences: people want to hear nothing of what they match, until a time. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from schemas.incident import IncidentEvent
from schemas.policy import Silence
from sinks.notifier.matching import Matchable, Matcher
from sinks.notifier.sparing.model import Outage, Spared, day_and_time, latest

_NAMING: Final = ("targets", "tags", "teams")
"""Fields by whose names a silence is found, the one with the fewest targets first."""


class _Ending(Struct):
    """Some silences in the order of their ends: their numbers, and the ends."""

    numbers: list[int] = []
    ends: list[int] = []


class SilencesOfMoment:
    """The silences of the policy, also those that have ended.

    An outage is held against those that name its target, one of its tags or its team, and against
    those that name none; not against all.
    """

    def __init__(self, silences: Iterable[Silence]) -> None:
        self._silences = sorted(silences, key=lambda one: (one.ends_at, one.name))
        self._matchers: dict[int, Matcher] = {}
        self._naming: dict[tuple[str, str], _Ending] = {}
        for number, one in enumerate(self._silences):
            for place in _places(one):
                ending = self._naming.setdefault(place, _Ending())
                ending.numbers.append(number)
                ending.ends.append(one.ends_at)

    def spared(self, outage: Outage, at: int) -> Spared | None:
        """The silence that spares an outage at `at` (UTC ms); of several the one that ends last.

        After its end it spares what began before that until the target's next results are in.
        """
        found = [self._silences[one] for one in sorted(set(self._sparing(outage, at)))]
        return latest(
            [Spared("silence", _why(one), one.ends_at + outage.settle_ms) for one in found]
        )

    def _sparing(self, outage: Outage, at: int) -> Iterator[int]:
        for place in _names(outage.event):
            ending = self._naming.get(place)
            if ending is None:
                continue
            for number in ending.numbers[bisect_right(ending.ends, at - outage.settle_ms) :]:
                one = self._silences[number]
                on = one.begins_at <= at and (at < one.ends_at or outage.began < one.ends_at)
                if on and self._matcher(number).differs(outage.event) is None:
                    yield number

    def _matcher(self, number: int) -> Matcher:
        found = self._matchers.get(number)
        if found is None:
            found = self._matchers[number] = Matcher(self._silences[number])
        return found


_EVERYWHERE: Final = ("", "")


def _places(silence: Silence) -> Iterable[tuple[str, str]]:
    """The names by which a silence is found; one place if it has none, or only such with `*`."""
    for field in _NAMING:
        names = getattr(silence, field)
        if names and not any("*" in name for name in names):
            return {(field, name) for name in names}
    return (_EVERYWHERE,)


def _names(event: Matchable) -> Iterator[tuple[str, str]]:
    yield _EVERYWHERE
    if isinstance(event, IncidentEvent):
        yield "targets", event.target
        yield "teams", event.team or ""
        for tag in event.tags:
            yield "tags", tag


def _why(one: Silence) -> str:
    until = day_and_time(one.ends_at, None)
    return f"silence {one.name} by {one.by}: {one.reason} (until {until})"
