"""Why a channel is not told now of what is true: maintenance, dependencies, silences, quiet hours.

Written from the definitions alone. What they leave open is `perhaps`: there it may be told and need
not be.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from schemas.incident import IncidentEvent
from schemas.policy import Route
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.reference.choice import matches, severity
from tests.unit.sinks.notifier.reference.subject import DAY, Member, Subject
from tests.unit.sinks.notifier.reference.wall_clock import (
    changes,
    every_url,
    is_quiet,
    occurrences,
)

UNKNOWN_SETTLE_MS: Final = 90_000
NEWS: Final = frozenset(
    {"opened", "worsened", "updated", "improved", "trigger", "reminder"},
)
ENDS: Final = frozenset({"closed", "missed"})
DOWN_TYPES: Final = ("unreachable", "flapping")


class Facts(Protocol):
    """What is known of a target (sinks/notifier/model.py: TargetFacts)."""

    @property
    def name(self) -> str: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def depends_on(self) -> tuple[str, ...]: ...
    @property
    def settle_ms(self) -> int: ...
    @property
    def answer_ms(self) -> int: ...


class Reason(NamedTuple):
    """`kind` is silence, maintenance, dependency, waiting or quiet; `why` begins its row's text."""

    kind: str
    why: str


class Span(NamedTuple):
    """A reason with its begin, and the bounds of its end; None: it has none yet.

    `more_ms`: so much longer than for the settle time it spares what began before its end.
    """

    reason: Reason
    begin: int
    end: tuple[int, int] | None
    more_ms: int = 0


@dataclass
class Spared:
    """`sure`: it must not be told; `perhaps`: it need not be."""

    sure: list[Reason]
    perhaps: list[Reason]

    def has(self, *kinds: str) -> bool:
        return any(one.kind in kinds for one in (*self.sure, *self.perhaps))

    def surely(self, *kinds: str) -> bool:
        return any(one.kind in kinds for one in self.sure)


NOBODY: Final = Spared([], [])


class Sparing:
    def __init__(
        self, facts_of: Callable[[str], Facts | None], subjects: Callable[[], Mapping[str, Subject]]
    ) -> None:
        self._facts_of = facts_of
        self._subjects = subjects
        self.routes = Routes()
        self._routes_of: dict[tuple[str, str], list[Route]] = {}
        self._timed: list[Route] = []
        self._windows = self._quiet_hours = False

    def routes_set(self, routes: Routes) -> None:
        """These routes, windows and silences are in force."""
        self.routes = routes
        self._routes_of = {}
        every = routes.routes.values()
        self._timed = [one for one in every if one.when or one.quiet or one.rotation]
        self._quiet_hours = any(one.quiet for one in every)
        self._windows = bool(routes.silences or routes.maintenance)

    def of(self, subject: Subject, member: Member, now: int) -> Spared:
        """All reasons that hold at `now`."""
        depends = isinstance(subject.event, IncidentEvent) and self._depends(subject.event)
        if not (self._windows or self._quiet_hours or depends):
            return NOBODY
        found = Spared([], [])
        for span in self._spans(subject):
            self._span(found, span, subject, now)
        self._waiting(found, subject, now)
        self._quiet(found, subject, member, now)
        return found

    def _depends(self, event: IncidentEvent) -> bool:
        facts = self._facts_of(event.target)
        return facts is not None and bool(facts.depends_on)

    # Spans of time, and a while after them.

    def _span(self, found: Spared, span: Span, subject: Subject, now: int) -> None:
        reason, begin, end, more_ms = span
        if now < begin:
            return
        if end is None or now < end[0]:
            found.sure.append(reason)
            return
        settle, (early, late) = self.settle_ms(subject) + more_ms, subject.opened_at
        if isinstance(subject.event, IncidentEvent):
            # It was down before anybody could know of it.
            early = min(early, subject.event.first_failed_at)
        began_before = max(late, subject.episode_at[1]) < end[0] and not subject.disturbed
        if began_before and now < end[0] + settle:
            found.sure.append(reason)
        elif early <= end[1] and now < end[1] + settle:
            found.perhaps.append(reason)

    def settle_ms(self, subject: Subject) -> int:
        event = subject.event
        facts = self._facts_of(event.target) if isinstance(event, IncidentEvent) else None
        return UNKNOWN_SETTLE_MS if facts is None else facts.settle_ms

    def _spans(self, subject: Subject) -> Iterator[Span]:
        yield from self._silent(subject)
        event = subject.event
        if isinstance(event, IncidentEvent):
            facts = self._facts_of(event.target)
            yield from self._maintained(subject, event, facts)
            yield from self._dependent(subject, () if facts is None else facts.depends_on)

    def _silent(self, subject: Subject) -> Iterator[Span]:
        for silence in self.routes.silences:
            if matches(silence, subject.event):
                why = f"silence {silence.name} by {silence.by}: {silence.reason}"
                end = (silence.ends_at, silence.ends_at)
                yield Span(Reason("silence", why), silence.begins_at, end)

    def _maintained(
        self, subject: Subject, event: IncidentEvent, facts: Facts | None
    ) -> Iterator[Span]:
        tags = event.tags if facts is None else facts.tags
        names = {event.target, *(f"tag:{tag}" for tag in tags)}
        for window in self.routes.maintenance:
            if names & set(window.targets):
                reason = Reason("maintenance", f"maintenance: {window.name} until ")
                for begin, over in occurrences(window, subject.opened_at[1]):
                    yield Span(reason, begin, (over, over))

    def _dependent(self, subject: Subject, depends_on: Iterable[str]) -> Iterator[Span]:
        for target in depends_on:
            for other in self._subjects().values():
                its = other.event
                if other is subject or not isinstance(its, IncidentEvent) or its.target != target:
                    continue
                if its.incident_type in DOWN_TYPES:
                    up = None if other.phase == "down" else other.up_at
                    # Nobody knows whether it is down: it has the time for results of its own.
                    more_ms = self.settle_ms(other) if other.abandoned else 0
                    why = Reason("dependency", "dependency: ")
                    yield Span(why, other.opened_at[0], up, more_ms)

    # The answer of what it depends on.

    def waits_ms(self, subject: Subject) -> int:
        """How long its opening waits for what it depends on; 0 if for nothing."""
        event = subject.event
        facts = self._facts_of(event.target) if isinstance(event, IncidentEvent) else None
        known = [self._facts_of(one) for one in (() if facts is None else facts.depends_on)]
        return max((one.answer_ms for one in known if one is not None), default=0)

    def _waiting(self, found: Spared, subject: Subject, now: int) -> None:
        wait = self.waits_ms(subject)
        if not wait:
            return
        early, late = subject.opened_at
        reason = Reason("waiting", "")
        plain = not subject.closed and not subject.disturbed
        first = subject.episode_at == subject.opened_at and plain
        if first and now < early + wait:
            found.sure.append(reason)
            found.perhaps.append(reason)  # of `worsened` it is left open
        elif now < max(late, subject.episode_at[1]) + wait:
            found.perhaps.append(reason)

    # Quiet hours.

    def _quiet(self, found: Spared, subject: Subject, member: Member, now: int) -> None:
        if not self._quiet_hours:
            return
        routes = self.routes_of(member)
        quiet = [one for one in routes if self._hushed(one, subject, now)]
        if quiet:
            reason = Reason("quiet", "quiet hours until ")
            (found.sure if len(quiet) == len(routes) else found.perhaps).append(reason)

    def routes_of(self, member: Member) -> list[Route]:
        """The routes by which it may listen: its own, and others that have the same URL."""
        found = self._routes_of.get((member.route, member.url))
        if found is None:
            found = self._routes_of[member.route, member.url] = [
                one
                for one in self.routes.routes.values()
                if one.name == member.route or member.url in every_url(one)
            ]
        return found

    def _hushed(self, route: Route, subject: Subject, now: int) -> bool:
        loud = route.quiet is not None and severity(subject.event) in route.quiet.unless
        return not loud and is_quiet(route, now)

    def quiet_since(self, subject: Subject, member: Member, since: int, now: int) -> int:
        """The last time from `since` to `now` at which it was quiet; `since` if it never was."""
        last = since
        if not self._quiet_hours:
            return last
        for route in self.routes_of(member):
            times = [at for at in changes(route, now) if since < at <= now]
            for begin, end in zip([since, *times], [*times, now], strict=True):
                if self._hushed(route, subject, begin):
                    last = max(last, end)
        return last

    # Times at which something of this changes.

    def next_change(self, now: int) -> int | None:
        """The next time at which a reason begins or ends, or a route takes other events."""
        times: set[int] = set()
        for route in self._timed:
            times.update(at for at in changes(route, now) if now < at <= now + DAY)
        for subject in self._subjects().values():
            if not self._windows and not (
                isinstance(subject.event, IncidentEvent) and self._depends(subject.event)
            ):
                continue
            settle = self.settle_ms(subject)
            for _, begin, end, more_ms in self._spans(subject):
                times.add(begin)
                times.update(at + wait for at in end or () for wait in (0, settle + more_ms))
            wait = self.waits_ms(subject)
            if wait:
                times.update(at + wait for at in (*subject.opened_at, *subject.episode_at))
        return min((at for at in times if at > now), default=None)
