"""A fire drill that is overdue: one event for whoever operates the place. Pure."""

import uuid
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from schemas import policy
from schemas.duration import HOUR_MS
from schemas.incident import NAMESPACE
from schemas.notifier_state import EventMark
from sinks.notifier.decision import rows
from sinks.notifier.decision.membership import Membership
from sinks.notifier.decision.reviewer import Reviewer
from sinks.notifier.decision.stored_events import encode_stored
from sinks.notifier.decision.subjects import DRILL, Listener, OpenSubject, group_of
from sinks.notifier.model import DrillEvent
from sinks.notifier.routing import Routes

KEY: Final = DRILL + policy.DRILLS
"""The key of the subject. Drills have one source, whichever inventory plans them."""

AHEAD_MS: Final = HOUR_MS
"""A drill that lies further ahead than this is none: the clock of its machine was wrong."""


class _Facts(Struct, frozen=True):
    """What the policy says of drills: the fields of `DrillEvent`."""

    every_ms: int
    last_at: int | None
    stage: str


class Drills:
    """Watches whether a drill is overdue. One subject tells of it, and is over with a good drill.

    Until there is a first drill, the subject keeps the time at which the plan was first seen.
    """

    def __init__(self, core: Reviewer, membership: Membership) -> None:
        self._core = core
        self._membership = membership
        self._routes: Routes | None = None
        self._at: int | None = None

    def set_routes(self, routes: Routes, now: int) -> None:
        """What the policy plans and has, from now on."""
        self._routes = routes
        self.look(now)

    def next_at(self) -> int | None:
        """When a drill will be overdue (UTC ms); None: it is, or none is planned."""
        return self._at

    def look(self, now: int) -> None:
        """Begins to tell that a drill is overdue, or ends it."""
        if self._routes is None:
            return
        self._at = None
        facts = _facts(self._routes, now)
        subject = self._core.subjects.get(KEY)
        event = None if subject is None else subject.event
        if subject is None or not isinstance(event, DrillEvent):
            subject = event = None
        if facts.every_ms == 0:
            self._unplanned(subject, event, now)
            return
        planned_at = _planned_at(event, facts, now)
        due_at = _due_at(facts, planned_at)
        if subject is not None and event is not None and subject.phase == "down":
            if _facts_of(event) == facts:
                return  # also if the clock of who took over is behind
            if due_at > now:
                self._end(subject, event, facts, planned_at, now)
                self._at = due_at
            else:
                self._go_on(subject, event, facts, planned_at, now)
        elif due_at <= now:
            self._begin(subject, _overdue(facts, planned_at, due_at, now), now)
        else:
            self._at = due_at
            if facts.last_at is None:
                self._plan(subject, event, facts, planned_at, now)
            elif subject is not None and subject.kept and subject.awaits_first_drill:
                self._core.remove(subject)

    def _unplanned(self, subject: OpenSubject | None, event: DrillEvent | None, now: int) -> None:
        if subject is None or event is None:
            return
        if subject.phase == "down":
            self._end(subject, event, _Facts(0, event.last_at, event.stage), 0, now)
        elif subject.kept and subject.awaits_first_drill:
            self._core.remove(subject)

    def _plan(
        self,
        subject: OpenSubject | None,
        event: DrillEvent | None,
        facts: _Facts,
        planned_at: int,
        now: int,
    ) -> None:
        """Records when the plan was first seen."""
        if event is not None and event.planned_at == planned_at and event.every_ms:
            return
        if subject is not None and not subject.kept:
            return  # the end of what was before is told first
        planned = DrillEvent(
            event_id=_identity("drill.planned", planned_at),
            event="drill.planned",
            every_ms=facts.every_ms,
            planned_at=planned_at,
            since=planned_at,
            at=now,
        )
        if subject is None:
            subject = _new(planned, now)
            subject.kept = True
            self._core.subjects[KEY] = subject
        else:
            subject.event, subject.raw = planned, encode_stored(planned)
        self._core.timers.forget(KEY)
        self._core.mark_changed(subject)

    def _begin(self, subject: OpenSubject | None, event: DrillEvent, now: int) -> None:
        core = self._core
        if subject is None:
            subject = core.subjects[KEY] = _new(event, now)
        pending = _pending(subject)
        core.open_again(subject)
        subject.repaired = core.routes_number
        subject.episode += 1
        subject.phase, subject.changed_at = "down", now
        mark = self._put(subject, event, pending, now)
        core.new_outage(subject)
        self._membership.invite(subject, event, mark, now)
        self._news(subject, event, mark, rows.NO_ROUTE, now)

    def _go_on(
        self, subject: OpenSubject, event: DrillEvent, facts: _Facts, planned_at: int, now: int
    ) -> None:
        """It is overdue as before; that another stage failed is told, too."""
        fresh = replace(
            event,
            every_ms=facts.every_ms,
            planned_at=planned_at,
            last_at=facts.last_at,
            stage=facts.stage,
        )
        if not facts.stage or facts.stage == event.stage:
            subject.event, subject.raw = fresh, encode_stored(fresh)
            self._core.mark_changed(subject)
            return
        fresh = replace(
            fresh, event_id=_identity(f"drill.overdue|{subject.episode}|{facts.stage}", now), at=now
        )
        subject.revision += 1
        mark = self._put(subject, fresh, _pending(subject), now)
        self._news(subject, fresh, mark, rows.NOT_TOLD, now)

    def _end(
        self, subject: OpenSubject, event: DrillEvent, facts: _Facts, planned_at: int, now: int
    ) -> None:
        done = replace(
            event,
            event_id=_identity(f"drill.done|{event.since}", now),
            event="drill.done",
            every_ms=facts.every_ms,
            planned_at=planned_at,
            last_at=facts.last_at,
            stage=facts.stage,
            at=now,
        )
        pending = _pending(subject)
        subject.phase, subject.changed_at = "closed", now
        mark = self._put(subject, done, pending, now)
        self._news(subject, done, mark, rows.NOT_TOLD, now)

    def _put(
        self, subject: OpenSubject, event: DrillEvent, pending: list[Listener], now: int
    ) -> EventMark:
        """Puts the event and its mark in the place of those before."""
        replaced = subject.marks
        mark = EventMark(
            event_id=event.event_id, event=event.event, at=event.at, revision=subject.revision
        )
        subject.event, subject.raw, subject.marks = event, encode_stored(event), (mark,)
        self._core.said.superseded(subject, replaced, pending, event.event, now)
        return mark

    def _news(
        self, subject: OpenSubject, event: DrillEvent, mark: EventMark, nobody: str, now: int
    ) -> None:
        core = self._core
        core.news_came(subject, now)
        if not subject.listeners:
            core.said.add(rows.not_sent(event, mark, None, nobody, now))
        core.review(subject, now)
        core.mark_changed(subject)
        core.said.not_for_these(subject, mark, now)


def _facts(routes: Routes, now: int) -> _Facts:
    last = routes.last_drill
    if last is None or last.at > now + AHEAD_MS:
        return _Facts(routes.drill_every_ms, None, "")
    return _Facts(routes.drill_every_ms, last.at, last.overdue)


def _facts_of(event: DrillEvent) -> _Facts:
    return _Facts(event.every_ms, event.last_at, event.stage)


def _planned_at(event: DrillEvent | None, facts: _Facts, now: int) -> int:
    """When the plan was first seen; 0 if there was a drill."""
    if facts.last_at is not None:
        return 0
    known = event.planned_at if event is not None and event.every_ms else 0
    return min(known or now, now)


def _due_at(facts: _Facts, planned_at: int) -> int:
    if facts.last_at is None:
        return planned_at + facts.every_ms
    return facts.last_at if facts.stage else facts.last_at + facts.every_ms


def _overdue(facts: _Facts, planned_at: int, since: int, now: int) -> DrillEvent:
    return DrillEvent(
        event_id=_identity(f"drill.overdue|{since}", now),
        event="drill.overdue",
        every_ms=facts.every_ms,
        planned_at=planned_at,
        last_at=facts.last_at,
        stage=facts.stage,
        since=since,
        at=now,
    )


def _new(event: DrillEvent, now: int) -> OpenSubject:
    return OpenSubject(
        key=KEY,
        event=event,
        raw=encode_stored(event),
        phase="closed",
        episode=0,
        began_at=now,
        changed_at=now,
        group=group_of(event),
    )


def _pending(subject: OpenSubject) -> list[Listener]:
    return [one for one in subject.listeners.values() if one.due_at or one.next_due_at]


def _identity(what: str, at: int) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{KEY}|{what}|{at}"))
