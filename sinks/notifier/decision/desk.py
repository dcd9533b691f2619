"""The notifier's decisions: of events, routes and outcomes come records, deliveries and rows.

The order of calls is `take` (or `finished`), `changes`, and when the broker has confirmed what
`changes` returned, `due`: a subject with changes that were not asked for is not sent. What `due`
returned may be sent when the broker has confirmed what `changes` returned after it: that it is
under way. Times are UTC ms by the caller's clock.
"""

from collections.abc import Callable, Collection
from typing import Final

from msgspec import Struct

from schemas.incident import Event, TargetsEvent
from schemas.notification import Notification
from schemas.notifier_state import ChannelPace, EventMark, Subject
from sinks.notifier.decision import audience, outcomes, progress, rows, unwatched
from sinks.notifier.decision.abandoned_incidents import AbandonedIncidents
from sinks.notifier.decision.drills import Drills
from sinks.notifier.decision.escalations import Escalations
from sinks.notifier.decision.fallbacks import Fallbacks
from sinks.notifier.decision.mass import MassOutages
from sinks.notifier.decision.membership import Membership
from sinks.notifier.decision.reviewer import Reviewer
from sinks.notifier.decision.subject_timers import is_over
from sinks.notifier.decision.subjects import (
    CHANNEL,
    TARGETS,
    OpenSubject,
    recorded,
    restored,
)
from sinks.notifier.decision.transitions import OPENINGS
from sinks.notifier.model import Channel, ChannelClass, Delivery, News, SendOutcome, TargetFacts
from sinks.notifier.routing import Routes

CLOCK_MS: Final = 1_000
"""A clock that goes back by less than this was slewed."""


def _no_facts(_: str) -> TargetFacts | None:
    return None


def _no_targets() -> int:
    return 0


class RemovedSubject(Struct, frozen=True):
    """A subject that is over and need not be kept."""

    key: str


class RemovedPace(Struct, frozen=True):
    """The pace of a channel that means nothing any more."""

    id: str


Change = Subject | RemovedSubject | ChannelPace | RemovedPace
"""What is to be written to [notifier-state]."""


class Desk:
    """All that is open, and who is to be told of it."""

    def __init__(
        self,
        *,
        group_wait_ms: int,
        class_of: Callable[[Channel], ChannelClass],
        needs_refresh: Callable[[Channel], bool],
        seed: int = 0,
        facts_of: Callable[[str], TargetFacts | None] = _no_facts,
        targets_total: Callable[[], int] = _no_targets,
        group_interval_ms: int = 0,
        mass_share: float = 0.0,
    ) -> None:
        """`group_wait_ms` is the wait for further news of a host, for people.

        `group_interval_ms` is the least time from a message to people to the digest after it
        (0: each host has its own message, at once). `mass_share` is the share of all targets that
        go down together from which on this is told as one event (0: never).

        `class_of` and `needs_refresh` are pure and are asked once for each channel. `seed` is that
        of the jitter. `facts_of` gives what is known of a target by its id, None if nothing is;
        `targets_total` the number of all targets on hosts, 0 if that is not known.
        """
        self._routes = Routes()
        self._core = Reviewer(
            group_wait_ms=group_wait_ms,
            group_interval_ms=group_interval_ms,
            class_of=class_of,
            needs_refresh=needs_refresh,
            seed=seed,
            facts_of=facts_of,
        )
        self._subjects = self._core.subjects
        self._membership = Membership(self._core)
        self._fallbacks = Fallbacks(self._core, self._membership)
        self._abandoned = AbandonedIncidents(self._core)
        self._escalations = Escalations(self._core, self._membership)
        self._mass = MassOutages(self._core, self._membership, mass_share, targets_total)
        self._drills = Drills(self._core, self._membership)
        self._now: int | None = None
        self._repair_all = False
        self._routes_change_at: int | None = None

    # What comes in.

    def restore(self, subject: Subject) -> None:
        """Takes a record of [notifier-state], in any order, before the first event.

        Raises:
            msgspec.DecodeError: its event is none of this version; nothing was taken.
        """
        one = restored(subject)
        self._core.restore(one)
        self._abandoned.note(one)
        self._mass.restore(one)

    def restore_pace(self, pace: ChannelPace) -> None:
        """Takes the pace of a channel from [notifier-state], before the first event."""
        self._core.dispatcher.paces.restore(pace)

    def set_routes(self, routes: Routes, now: int) -> None:
        """Puts the routes of the moment into force, and repairs the audience of what is open."""
        changed = routes != self._routes
        # What was restored is held against these routes, not against none.
        self._routes = routes
        others_held = changed and self._core.set_routes(routes)
        self._look_at_clock(now)
        self._drills.set_routes(routes, now)
        if not changed:
            return
        self._routes_change_at = routes.next_change(now)
        timed = self._core.timers.in_time
        for subject in list(self._subjects.values()):
            if subject.kept:
                continue
            if subject.key.startswith(CHANNEL):
                self._fallbacks.end_if_gone(subject, now)
            else:
                self._membership.repair(subject, now)
            if others_held:
                self._core.review(subject, now)
            if timed and subject.key in self._subjects:
                self._core.timers.set(subject)

    def facts_changed(self, target_id: str, now: int) -> None:
        """What `facts_of` says of this target has changed: what is held is looked at again."""
        self._look_at_clock(now)
        for subject in self._core.holding.touched_by_facts(target_id):
            self._core.review(subject, now)

    def take(self, event: Event, now: int) -> None:
        """Takes an event of [incidents], in the order of its partition.

        An event that was taken before changes nothing.
        """
        self._take(event, (), now)

    def adopt(self, event: Event, confirmed: Collection[Channel], now: int) -> None:
        """Takes an event that version 0.1 handled; the channels `confirmed` know what it says."""
        self._take(event, confirmed, now)

    def begun(self, delivery: Delivery, at: int) -> None:
        """The request of a delivery that is under way went out at `at` (UTC ms).

        From then on counts the time to the next message of its channel.
        """
        dispatcher = self._core.dispatcher
        queue = dispatcher.queue(delivery.channel)
        dispatcher.paces.begun(queue, delivery, at)
        dispatcher.wake(queue)

    def finished(self, delivery: Delivery, outcome: SendOutcome, now: int) -> None:
        """Takes the outcome of a delivery, also of one that another `Desk` began."""
        self._look_at_clock(now)
        core = self._core
        queue = core.dispatcher.queue(delivery.channel)
        core.dispatcher.landed(queue, delivery, outcome, now)
        confirmed = outcome.kind == "confirmed"
        for news in delivery.news:
            self._land(news, delivery, outcome, now)
        if confirmed:
            self._fallbacks.works(delivery.channel, now)
        core.dispatcher.wake(queue)

    def forget_in_flight(self) -> None:
        """Nothing is in flight: another notifier was active meanwhile.

        Systems that forget are told again at once of what is open.
        """
        self._core.forget_in_flight()
        self._repair_all = True

    # What goes out.

    def changes(self) -> list[Change]:
        """What changed since the last call, each as it is now; `term` is 0."""
        self._mass.refresh()
        found: list[Change] = [
            RemovedPace(identity) if pace is None else pace
            for identity, pace in self._core.dispatcher.paces.taken()
        ]
        for key in self._core.dispatcher.release():
            subject = self._subjects.get(key)
            found.append(RemovedSubject(key) if subject is None else recorded(subject))
        return found

    def rows(self) -> list[Notification]:
        """The rows of the send log since the last call, in their order."""
        return self._core.said.taken()

    def due(self, now: int) -> list[Delivery]:
        """The deliveries that may start now, after `changes`; they are in flight until `finished`.

        Limits in time are looked at here, too: subjects that change by them, and those whose
        changes were not asked for, go after the next `changes`.
        """
        self._look_at_clock(now)
        self._look_at_hours(now)
        self._mass.look(now)
        self._drills.look(now)
        for key in self._core.timers.due(now):
            subject = self._subjects.get(key)
            if subject is not None:
                self._timer(subject, now)
        self._core.dispatcher.paces.end(now)
        found = self._core.dispatcher.start(now)
        self._core.review_overtaken(now)
        return found

    def next_due(self, now: int) -> int | None:
        """When `due` may have something next; None if only an event or an outcome changes that."""
        dispatcher = self._core.dispatcher
        if dispatcher.changed or dispatcher.paces.changed or (self._now or 0) - now > CLOCK_MS:
            return now + 1
        times = (
            self._core.timers.next_at(),
            dispatcher.next_at(),
            dispatcher.paces.next_end(),
            self._routes_change_at,
            self._drills.next_at(),
        )
        return min((at for at in times if at is not None), default=None)

    # Events.

    def _take(self, event: Event, confirmed: Collection[Channel], now: int) -> None:
        self._look_at_clock(now)
        key = progress.key_of(event)
        if key is None:
            return
        if isinstance(event, TargetsEvent):
            self._leave_other_causes(event, now)
        subject = self._subjects.get(key)
        if subject is None:
            subject = self._subjects[key] = progress.begin(key, event, now)
            subject.repaired = self._core.routes_number
        elif progress.known(subject, event):
            return
        self._advance(subject, event, confirmed, now)

    def _advance(
        self, subject: OpenSubject, event: Event, confirmed: Collection[Channel], now: int
    ) -> None:
        core = self._core
        first = subject.episode == 0
        pending = [one for one in subject.listeners.values() if one.due_at or one.next_due_at]
        routed = progress.routed_by(subject.event)
        step = progress.advance(subject, event, now)
        if step.reopened:
            core.open_again(subject)
        core.said.superseded(subject, step.replaced, pending, event.event, now)
        if step.begins:
            core.new_outage(subject)
            if first:
                self._abandoned.go_on(subject, event, now)
            self._membership.invite(subject, event, step.mark, now)
        if not first and progress.routed_by(subject.event) != routed:
            self._membership.repair(subject, now)
        if confirmed:
            self._adopt(subject, confirmed, now)
        if step.mark is not None:
            core.news_came(subject, now)
            self._tell_if_nobody_listens(subject, event, step.mark, begins=step.begins, now=now)
        elif step.nothing_new:
            mark = EventMark(event_id=event.event_id, event=event.event, at=event.at)
            core.said.add(rows.not_sent(event, mark, None, step.nothing_new, now))
        core.review(subject, now)
        core.mark_changed(subject)
        if step.mark is not None:
            core.said.not_for_these(subject, step.mark, now)
        self._abandoned.note(subject)
        self._mass.note(subject, now)

    def _tell_if_nobody_listens(
        self, subject: OpenSubject, event: Event, mark: EventMark, *, begins: bool, now: int
    ) -> None:
        if subject.listeners:
            return
        why = rows.NO_ROUTE if begins else rows.NOT_TOLD
        if begins and self._routes.knows_no_region_of(event):
            why = rows.NO_REGION
        self._core.said.add(rows.not_sent(event, mark, None, why, now))

    def _leave_other_causes(self, event: TargetsEvent, now: int) -> None:
        """A partition speaks of one cause at a time: its part in all others is over."""
        for subject in list(self._subjects.values()) if event.count else []:
            if not subject.key.startswith(TARGETS) or subject.key == TARGETS + event.cause_id:
                continue
            part = subject.parts.get(event.partition)
            if part is not None and part.count and part.at <= event.at:
                self._advance(subject, unwatched.taken_over(part, event), (), now)

    def _adopt(self, subject: OpenSubject, confirmed: Collection[Channel], now: int) -> None:
        audience.join(subject, [(one.id, one) for one in confirmed], now)
        for channel in confirmed:
            listener = subject.listeners.get(channel.id)
            if listener is not None:
                self._core.knows(subject, listener)

    # Outcomes.

    def _land(self, news: News, delivery: Delivery, outcome: SendOutcome, now: int) -> None:
        core = self._core
        subject = self._subjects.get(news.entry)
        listener = None
        if subject is not None:
            listener = subject.listeners.get(core.dispatcher.queue(delivery.channel).id)
        if listener is not None and listener.in_flight == delivery.id:
            listener.in_flight = listener.flight_action = listener.flight_key = ""
            listener.under_way = False
        if delivery.action == "refresh" or outcome.kind == "not_attempted":
            if subject is not None and listener is not None:
                if delivery.action != "refresh":
                    core.mark_changed(subject)
                self._repair(subject, now)
                core.review(subject, now, listener)
            return
        core.said.attempted(subject, listener, news, delivery, outcome, now)
        if subject is None or listener is None:
            return
        heard = subject.somebody_heard
        if outcome.kind == "confirmed":
            outcomes.confirm(listener, delivery, news, now)
        else:
            outcomes.fail(listener, delivery, news, outcome, now)
            if listener.uncertain and news.marks[-1:] != subject.marks[-1:]:
                listener.not_before = 0  # it is not what is told next
            self._repair(subject, now)
        core.mark_changed(subject)
        everybody = subject.phase == "closed" and (
            heard != subject.somebody_heard or outcomes.acting(delivery, news) in OPENINGS
        )
        core.review(subject, now, None if everybody else listener)

    def _repair(self, subject: OpenSubject, now: int) -> None:
        """Makes up for a repair that could not touch who had a delivery under way."""
        if subject.repaired != self._core.routes_number and not subject.kept:
            self._membership.repair(subject, now)

    # What time changes.

    def _timer(self, subject: OpenSubject, now: int) -> None:
        core = self._core
        if subject.kept:
            if is_over(subject, now):
                core.remove(subject)
            else:
                core.timers.set(subject)
            return
        core.give_up(subject, now)
        for listener in core.timers.without_answer(subject, now):
            self._fallbacks.ask(subject, listener, now)
        self._escalations.take_steps(subject, now)
        core.review(subject, now)

    def _look_at_hours(self, now: int) -> None:
        """Where the hours of a route, or a shift, have begun or ended, audiences are repaired."""
        if self._routes_change_at is None or now < self._routes_change_at:
            return
        self._routes_change_at = self._routes.next_change(now)
        self._core.routes_changed()
        for subject in list(self._subjects.values()):
            self._repair(subject, now)

    def _look_at_clock(self, now: int) -> None:
        if self._now is None or now < self._now - CLOCK_MS:
            self._core.clock_was_set(now)
            self._routes_change_at = self._routes.next_change(now)
            if self._now is not None and self._routes_change_at is not None:
                self._core.routes_changed()  # other hours than before
                self._repair_all = True
        self._now = self._core.now = now
        if self._repair_all:
            self._repair_all = False
            for subject in list(self._subjects.values()):
                self._repair(subject, now)
