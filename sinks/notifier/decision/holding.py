"""Subjects of which somebody is not told now: why, for how long, and what that touches. Pure."""

from collections.abc import Callable, Iterator
from typing import Final

from schemas._types import MAX_MILLIS
from schemas.incident import IncidentEvent
from sinks.notifier.decision.flapping_ends import FlappingEnds
from sinks.notifier.decision.subjects import Listener, OpenSubject
from sinks.notifier.decision.transitions import OPENINGS
from sinks.notifier.model import Action, ChannelClass, TargetFacts
from sinks.notifier.routing import Routes
from sinks.notifier.sparing.model import (
    SHOWN_LENGTH,
    Outage,
    Spared,
    kind_of,
    outage_of,
    same_reason,
)
from sinks.notifier.sparing.quiet_hours import quiet
from sinks.notifier.sparing.reasons import Reasons

LONGEST_ANSWER_MS: Final = 15_000
"""The longest wait of an opening for the answer of its dependencies."""

_NEWS: Final[frozenset[Action]] = OPENINGS | {"updated", "improved", "reminder"}
"""Actions that tell of an outage that goes on; a recovery goes to whoever was told."""


class Holding:
    """Which news is held, and which subjects a change of a target touches."""

    def __init__(
        self,
        subjects: dict[str, OpenSubject],
        facts_of: Callable[[str], TargetFacts | None],
    ) -> None:
        self._subjects = subjects
        self._facts_of = facts_of
        self._reasons = Reasons(facts_of)
        self._routes = Routes()
        self._of_target: dict[str, dict[str, None]] = {}
        self._flapping = FlappingEnds(subjects)

    def set_routes(self, routes: Routes) -> bool:
        """The policy of the moment; True if another outage may be spared now."""
        before, self._routes = self._routes, routes
        self._reasons.set_policy(before, routes)
        return _sparing_parts(before) != _sparing_parts(routes)

    # What a change touches.

    def note(self, subject: OpenSubject) -> Iterator[OpenSubject]:
        """Takes in a subject as it is now; yields the others that may be spared otherwise now."""
        event = subject.event
        if not isinstance(event, IncidentEvent):
            return
        target, key = event.target, subject.key
        self._of_target.setdefault(target, {})[key] = None
        dependencies = self._reasons.dependencies
        depends_on = () if subject.kept else self._outage(subject).depends_on
        dependencies.watch(key, tuple(one for one in depends_on if one != target))
        touched: dict[str, None] = {}
        if dependencies.note(key, event, subject.phase, subject.changed_at):
            for one in (target, *sorted(dependencies.circle(target))):
                touched |= dict.fromkeys(dependencies.dependents(one))
        touched |= dict.fromkeys(self._flapping.note(subject))
        for one in touched:
            other = self._subjects.get(one)
            if other is not None and one != key and not other.kept:
                yield other

    def forget(self, subject: OpenSubject) -> None:
        """The subject is no longer known."""
        event = subject.event
        if not isinstance(event, IncidentEvent):
            return
        self._reasons.dependencies.watch(subject.key, ())
        self._reasons.dependencies.forget(subject.key, event.target)
        self._flapping.forget(subject)
        known = self._of_target.get(event.target, {})
        known.pop(subject.key, None)
        if not known:
            self._of_target.pop(event.target, None)

    def touched_by_facts(self, target_id: str) -> list[OpenSubject]:
        """The subjects for which the facts of a target count: its own, and those of its circle."""
        keys = dict.fromkeys(self._of_target.get(target_id, ()))
        for one in sorted(self._reasons.dependencies.circle(target_id)):
            keys |= dict.fromkeys(self._reasons.dependencies.dependents(one))
        found = [self._subjects.get(key) for key in keys]
        return [one for one in found if one is not None and not one.kept]

    # Who is spared.

    def for_everybody(self, subject: OpenSubject, now: int) -> Spared | None:
        """The reason not to tell of it, whoever would be told.

        Of an outage that is over the time is that of its end: what opened and closed inside is not
        told, also if the notifier learns of it later.
        """
        outage = self._outage(subject)
        if subject.phase != "closed":
            return self._reasons.of(outage, now)
        return self._reasons.of(outage, min(subject.event.at, now), closed=True)

    def for_listener(
        self,
        subject: OpenSubject,
        one: Listener,
        kind: ChannelClass,
        action: Action,
        now: int,
        *,
        everybody: Callable[[], Spared | None],
    ) -> Spared | None:
        """The reason not to tell this channel now; `everybody` gives the one for all channels."""
        if action == "missed":
            held = kind_of(one.held)
            if held in {"silence", "maintenance", "dependency"}:
                return Spared(held, one.held)
            found = everybody() or self._flapping.told_in_its_place(subject, one)
        elif action in _NEWS or rekeys(subject, action):
            found = everybody()
        elif kind == "people" and action == "closed":
            found = self._flapping.told_in_its_place(subject, one)
        else:
            return None
        if found is not None or (kind == "on_call" and action not in {"trigger", "resolve"}):
            return found
        return quiet(
            self._routes.routes.get(one.channel.route), self._outage(subject).severity, now
        )

    def is_final(self, subject: OpenSubject, one: Listener, action: Action, spared: Spared) -> bool:
        """True if the news is not told later either.

        It opened and closed inside of what spares it, the channel knows of the flapping that took
        its place, or the quiet hours never end.
        """
        if spared.kind == "flapping":
            return self._flapping.knows(subject, one)
        if subject.phase != "closed":
            return False
        return spared.until is None if spared.kind == "quiet" else action == "missed"

    def answer_at(self, subject: OpenSubject) -> int:
        """The time (UTC ms) until which an opening waits for its dependencies, 0 if for none."""
        if subject.phase == "closed" or not isinstance(subject.event, IncidentEvent):
            return 0
        outage = self._outage(subject)
        answer_ms = self._reasons.dependencies.answer_ms(
            outage.depends_on, outage.target, subject.changed_at
        )
        if not answer_ms:
            return 0
        since = subject.changed_at
        if subject.phase == "improved":
            since = min(since, subject.began_at)  # that it is better is no reason to wait longer
        return since + min(answer_ms, LONGEST_ANSWER_MS)

    def _outage(self, subject: OpenSubject) -> Outage:
        event = subject.event
        facts = self._facts_of(event.target) if isinstance(event, IncidentEvent) else None
        return outage_of(event, facts)


def rekeys(subject: OpenSubject, action: Action) -> bool:
    """True for the end of an old key before the trigger of a new one: the outage goes on."""
    return action == "resolve" and subject.phase != "closed"


def hold(one: Listener, spared: Spared) -> bool:
    """Notes the reason; True if that is a change."""
    until = min(spared.until or 0, MAX_MILLIS)  # of what never ends, too, a record can be read
    if same_reason(one.held, spared.why):
        changed, one.held_until = one.held_until != until, until
        return changed
    one.held, one.held_until = spared.why[:SHOWN_LENGTH], until
    one.held_before, one.held_said = "", frozenset()
    return True


def release(one: Listener) -> bool:
    """Nothing spares the channel any more; True if something did. What did is told with it."""
    if not one.held:
        return False
    one.held_before = one.held
    one.held, one.held_until, one.held_said = "", 0, frozenset()
    return True


def _sparing_parts(routes: Routes) -> object:
    quiet_hours = {
        name: (one.quiet, one.timezone)
        for name, one in routes.routes.items()
        if one.quiet is not None
    }
    return routes.silences, routes.maintenance, quiet_hours
