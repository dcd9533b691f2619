"""What each channel of a subject is to be told next, and the rows that say so. Pure."""

from collections.abc import Callable

from schemas.duration import DAY_MS
from schemas.incident import IncidentEvent
from sinks.notifier.decision import deadlines, outcomes, rows
from sinks.notifier.decision.channel_queue import REFRESH_MS, ChannelQueue
from sinks.notifier.decision.dispatcher import Dispatcher
from sinks.notifier.decision.flapping_ends import WAIT_MS, ends_in_flapping
from sinks.notifier.decision.holding import Holding, hold, release
from sinks.notifier.decision.pace import Full
from sinks.notifier.decision.paces import Paces
from sinks.notifier.decision.reminders import reminder_at
from sinks.notifier.decision.send_rows import SendRows
from sinks.notifier.decision.stored_events import bare, encode_stored
from sinks.notifier.decision.subject_timers import SubjectTimers
from sinks.notifier.decision.subjects import Listener, OpenSubject
from sinks.notifier.decision.transitions import OPENINGS, Missed, knows_missed, needed
from sinks.notifier.model import Action, Channel, ChannelClass, MassEvent, TargetFacts
from sinks.notifier.routing import Routes
from sinks.notifier.sparing.model import Spared, kind_of


class Reviewer:
    """The open subjects. `review` holds one against what its channels know."""

    def __init__(
        self,
        *,
        group_wait_ms: int,
        group_interval_ms: int,
        class_of: Callable[[Channel], ChannelClass],
        needs_refresh: Callable[[Channel], bool],
        seed: int,
        facts_of: Callable[[str], TargetFacts | None],
    ) -> None:
        self._group_wait_ms = group_wait_ms
        self.now = 0
        self.subjects: dict[str, OpenSubject] = {}
        self.holding = Holding(self.subjects, facts_of)
        self._overtaken: dict[str, None] = {}
        self.routes = Routes()
        self.routes_number = 0
        self.said = SendRows(lambda one: self.queue_of(one).kind)
        self.timers = SubjectTimers(queue_of=self.queue_of, needed=self._needed)
        self._restored: list[OpenSubject] = []
        self.dispatcher = Dispatcher(
            class_of=class_of,
            needs_refresh=needs_refresh,
            seed=seed,
            subjects=self.subjects,
            needed=self._needed,
            limited=self._limit_holds,
            paces=Paces(group_interval_ms),
        )

    def queue_of(self, listener: Listener) -> ChannelQueue:
        """The queue of a listener's channel."""
        return self.dispatcher.queue(listener.channel)

    def set_routes(self, routes: Routes) -> bool:
        """The routes of the moment; True if other news may be held now."""
        self.routes = routes
        self.routes_changed()
        self.timers.set_routes(routes)
        self.dispatcher.templates = {
            name: route.templates
            for name, route in routes.routes.items()
            if route.templates is not None
        }
        if self.dispatcher.paces.set_routes(routes):
            self.dispatcher.rules_changed()
        return self.holding.set_routes(routes)

    def routes_changed(self) -> None:
        """The audiences of before are to be held against the routes once more."""
        self.routes_number += 1

    def mark_changed(self, subject: OpenSubject) -> None:
        """The subject must be recorded before anything of it is sent."""
        self.dispatcher.changed[subject.key] = None

    def restore(self, subject: OpenSubject) -> None:
        """Takes a subject from its record; it is reviewed when the time is known."""
        self.subjects[subject.key] = subject
        for one in subject.listeners.values():
            outcomes.lost(one)
        self._restored.append(subject)
        for _ in self.holding.note(subject):
            pass  # all are reviewed when the time is known

    def clock_was_set(self, now: int) -> None:
        """The first time, or a time before the last one: nothing lies further ahead than it may."""
        self.now = now
        last = now + self._group_wait_ms
        for subject in list(self.subjects.values()):
            subject.changed_at = min(subject.changed_at, now)
            latest = now + self._group_wait_ms
            if any(one.due_at > latest for one in subject.listeners.values()):
                latest = max(latest, self.holding.answer_at(subject))
                last = max(last, latest)
            for one in subject.listeners.values():
                _not_later(one, now, latest)
        self.dispatcher.clock_was_set(now, last)
        fresh, self._restored = self._restored, []
        for subject in fresh:
            if self.subjects.get(subject.key) is subject:
                self.review(subject, now, restored=True)
        for subject in list(self.subjects.values()):
            if any(one.held for one in subject.listeners.values()):
                self.review(subject, now)
        self.timers.clock_was_set(self.subjects)

    def forget_in_flight(self) -> None:
        """Nothing is on its way: what was waits again."""
        self.dispatcher.forget_in_flight()
        for subject in list(self.subjects.values()):
            for one in list(subject.listeners.values()):
                if one.in_flight:
                    one.in_flight = one.flight_action = ""
                    outcomes.lost(one)
                    self.mark_changed(subject)
                    self.dispatcher.put(self.queue_of(one), subject.group, subject.key, one.due_at)
        for queue in self.dispatcher.queues():
            self.dispatcher.wake(queue)

    # A subject held against what its channels know.

    def review(
        self,
        subject: OpenSubject,
        now: int,
        only: Listener | None = None,
        *,
        restored: bool = False,
    ) -> None:
        """Puts what each channel (or `only` one) needs into its queue, and ends what is over."""
        closed = subject.phase == "closed"
        heard = closed and subject.somebody_heard
        everybody = self._for_everybody(subject, now)
        for one in [only] if only is not None else list(subject.listeners.values()):
            queue = self.queue_of(one)
            if queue.refreshes:
                self._note_key(subject, one, queue, now, restored=restored)
            if not one.in_flight:
                self._review(subject, one, queue, now, heard=heard, everybody=everybody)
        if closed and not subject.kept:
            self.settle(subject)
        self.timers.set(subject)
        for other in self.holding.note(subject):
            self.review(other, now)

    def _for_everybody(self, subject: OpenSubject, now: int) -> Callable[[], Spared | None]:
        """The reason not to tell anybody of a subject, found when it is first asked for."""
        found: list[Spared | None] = []

        def ask() -> Spared | None:
            if not found:
                found.append(self.holding.for_everybody(subject, now))
            return found[0]

        return ask

    def _review(
        self,
        subject: OpenSubject,
        one: Listener,
        queue: ChannelQueue,
        now: int,
        *,
        heard: bool,
        everybody: Callable[[], Spared | None],
    ) -> None:
        if one.escalated_from and subject.acknowledged and not one.confirmed:
            self.dropped(subject, one, rows.ACKNOWLEDGED, now)
            return
        if self.timers.any_reminder:
            reminder = reminder_at(subject, one, self.routes)
            one.reminding = reminder is not None and reminder <= now
        action = self._wanted(subject, one, queue, heard=heard)
        if action is not None:
            spared = self.holding.for_listener(
                subject, one, queue.kind, action, now, everybody=everybody
            )
            if spared is not None:
                self._hold(subject, one, queue, action, spared, now)
                return
        was_held, was_tried = one.held, one.attempts > 0
        if release(one):
            self.mark_changed(subject)
        if action is None:
            one.held_before = ""
            if one.due_at:
                outcomes.begin_anew(one)
                queue.discard(subject.group, subject.key)
                self.mark_changed(subject)
            if one.next_due_at and subject.marks:
                self.said.not_for(subject, one, subject.marks[-1], now)
            one.next_due_at = 0
            if subject.phase == "closed":
                inside = None if was_held or was_tried else everybody()
                why = was_held or (rows.NOT_TOLD if inside is None else inside.why)
                self._ended(subject, one, queue, now, heard=heard, why=why)
            return
        self._let_wait(subject, one, queue, action, now)
        # A message that its channel can't take must not hold up those behind it.
        ready_at = max(one.due_at, one.not_before, one.failed_at)
        self.dispatcher.put(queue, subject.group, subject.key, ready_at)

    def _let_wait(
        self, subject: OpenSubject, one: Listener, queue: ChannelQueue, action: Action, now: int
    ) -> None:
        """Sets when the news of a channel is due: after further news, and what may spare it."""
        answer_at = self.holding.answer_at(subject) if action in OPENINGS else 0
        if not one.due_at:
            wait_ms = 0 if isinstance(subject.event, MassEvent) else self._wait_ms(queue)
            one.due_at = max(one.next_due_at or now + wait_ms, answer_at)
            if action == "closed" and ends_in_flapping(subject):
                one.due_at = max(one.due_at, now + WAIT_MS)
            one.next_due_at = 0
            self.mark_changed(subject)
        if action in OPENINGS and not one.opening_due_at:
            one.opening_due_at = max(one.due_at, subject.changed_at)
            self.mark_changed(subject)
        if not one.attempts and subject.phase != "closed":
            one.not_before = answer_at  # others of its host may be ready earlier

    def _hold(  # noqa: PLR0917 - whom, what and why
        self,
        subject: OpenSubject,
        one: Listener,
        queue: ChannelQueue,
        action: Action,
        spared: Spared,
        now: int,
    ) -> None:
        """Queues nothing, and says why; ends what will not be told later either."""
        changed = bool(one.due_at)
        if one.due_at:
            outcomes.begin_anew(one)
            queue.discard(subject.group, subject.key)
        one.next_due_at = 0
        changed |= hold(one, spared)
        changed |= self.said.held(subject, one, spared.why, now)
        if changed:
            self.mark_changed(subject)
        if self.holding.is_final(subject, one, action, spared):
            self._drop(subject, one)

    def _ended(
        self,
        subject: OpenSubject,
        one: Listener,
        queue: ChannelQueue,
        now: int,
        *,
        heard: bool,
        why: str,
    ) -> None:
        """The subject is closed and the channel is told nothing more of it."""
        if queue.kind == "on_call":
            done = bool(one.open_key) or one.told_phase == "closed"
        else:
            ended = one.told_phase == "closed" and one.told_episode == subject.episode
            done = ended or knows_missed(subject, one)
        if done:
            return
        drop = queue.kind == "people" and self._missed(one.channel) == "drop" and not heard
        if drop and (why == rows.NOT_TOLD or kind_of(why) == "quiet"):
            why = rows.DROP
        self.dropped(subject, one, why, now)
        self.mark_changed(subject)

    def settle(self, subject: OpenSubject) -> None:
        """If nobody is to be told anything more, only what is needed to know it again is kept."""
        if any(one.due_at or one.in_flight or one.held for one in subject.listeners.values()):
            return
        subject.kept = True
        holders = {
            one.id: one for one in subject.listeners.values() if one.open_key and subject.abandoned
        }
        event = subject.event
        if isinstance(event, IncidentEvent) and not holders:
            event = bare(event)
        marks = subject.marks[-1:]
        if (event, holders.keys(), marks) != (
            subject.event,
            subject.listeners.keys(),
            subject.marks,
        ):
            subject.event, subject.raw = event, encode_stored(event)
            subject.listeners, subject.marks = holders, marks
            self.mark_changed(subject)
        self.timers.set(subject)

    def open_again(self, subject: OpenSubject) -> None:
        """A condition that was over is back: who was told of the end is chosen anew.

        A key that is still open here may be resolved there: its resolve may have been under way.
        """
        subject.kept = False
        subject.listeners = {
            one.id: one
            for one in subject.listeners.values()
            if one.told_phase != "closed" or one.in_flight
        }
        for one in subject.listeners.values():
            one.maybe |= bool(one.open_key)

    def new_outage(self, subject: OpenSubject) -> None:
        """An episode begins: its escalation begins anew."""
        subject.escalated = ()
        for one in subject.listeners.values():
            one.opening_due_at = one.reminders = 0

    def news_came(self, subject: OpenSubject, now: int) -> None:
        """News for channels that a delivery is on its way to is due in its own time."""
        for one in subject.listeners.values():
            one.limited, one.limited_until = "", 0
            if one.uncertain:
                one.not_before = 0  # what may have arrived is no longer what is told
            if one.in_flight and not one.next_due_at:
                one.next_due_at = now + self._wait_ms(self.queue_of(one))

    def knows(self, subject: OpenSubject, one: Listener) -> None:
        """The channel confirmed what is true now, to version 0.1."""
        one.told_episode, one.told_phase = subject.episode, subject.phase
        one.told_revision = subject.revision
        one.told_event = subject.marks[-1].event_id if subject.marks else ""
        if self.queue_of(one).kind == "on_call":
            one.open_key = "" if subject.phase == "closed" else subject.open_key
            one.acknowledged = subject.acknowledged
        outcomes.begin_anew(one)

    def remove(self, subject: OpenSubject) -> None:
        """Forgets a subject."""
        for one in subject.listeners.values():
            queue = self.queue_of(one)
            queue.open_keys.pop(subject.key, None)
            queue.discard(subject.group, subject.key)
        self.holding.forget(subject)
        del self.subjects[subject.key]
        self.mark_changed(subject)

    def give_up(self, subject: OpenSubject, now: int) -> None:
        """Ends what was tried for as long as it is worth."""
        for one, action in self.timers.given_up(subject, now):
            self.said.add(*rows.dead(subject, one, action, now))
            self._drop(subject, one)

    def dropped(self, subject: OpenSubject, one: Listener, why: str, now: int) -> None:
        """Removes a channel that is told nothing more, with its rows."""
        self.said.not_sent(subject, one, why, now)
        self._drop(subject, one)

    def _limit_holds(self, subject: OpenSubject, one: Listener, full: Full, now: int) -> None:
        """A limit holds news: that is said once of each."""
        if one.limited != full.limit.route:
            self.said.not_sent(subject, one, rows.limited(full.limit, full.until), now)
            self.mark_changed(subject)
        one.limited, one.limited_until = full.limit.route, full.until

    def _drop(self, subject: OpenSubject, one: Listener) -> None:
        subject.listeners.pop(one.id, None)
        queue = self.queue_of(one)
        queue.discard(subject.group, subject.key)
        queue.open_keys.pop(subject.key, None)
        self.mark_changed(subject)

    # What is asked again and again.

    def _needed(self, subject: OpenSubject, one: Listener, queue: ChannelQueue) -> Action | None:
        """The action, None also if something spares the channel since the last review."""
        heard = subject.phase == "closed" and subject.somebody_heard
        action = self._wanted(subject, one, queue, heard=heard)
        if action is None:
            return None
        everybody = self._for_everybody(subject, self.now)
        spared = self.holding.for_listener(
            subject, one, queue.kind, action, self.now, everybody=everybody
        )
        if spared is None:
            return action
        self._overtaken[subject.key] = None
        return None

    def _wanted(
        self, subject: OpenSubject, one: Listener, queue: ChannelQueue, *, heard: bool
    ) -> Action | None:
        """The action, whether or not something spares the channel.

        Who was held by quiet hours is told at their end, whoever else was told in the night.
        """
        heard = heard and not one.held_by_quiet
        return needed(subject, one, queue.kind, self._missed(one.channel), somebody_heard=heard)

    def review_overtaken(self, now: int) -> None:
        """Looks again at what was spared when its turn came."""
        while self._overtaken:
            subject = self.subjects.get(self._overtaken.popitem()[0])
            if subject is not None:
                self.review(subject, now)

    def tells_missed(self, channel: Channel) -> bool:
        """True if the channel is told of an outage that nobody was told of before its end."""
        people = self.dispatcher.queue(channel).kind == "people"
        return people and self._missed(channel) == "tell"

    def _missed(self, channel: Channel) -> Missed:
        route = self.routes.routes.get(channel.route)
        return "tell" if route is None else route.missed

    def _wait_ms(self, queue: ChannelQueue) -> int:
        return self._group_wait_ms if queue.kind == "people" else 0

    def _note_key(
        self,
        subject: OpenSubject,
        one: Listener,
        queue: ChannelQueue,
        now: int,
        *,
        restored: bool,
    ) -> None:
        """Notes whether the key is to be told again, to a system that forgets."""
        stays = subject.phase != "closed" or subject.abandoned
        if one.open_key and one.open_key == subject.open_key and stays:
            if not queue.open_keys:
                queue.refresh_at = 0 if restored else now + REFRESH_MS
            queue.open_keys[subject.key] = None
            self.dispatcher.wake(queue)
        else:
            queue.open_keys.pop(subject.key, None)


def _not_later(one: Listener, now: int, latest: int) -> None:
    """The clock was set back: no time of a channel lies further ahead than it may."""
    one.due_at = min(one.due_at, latest)
    one.next_due_at = min(one.next_due_at, latest)
    alone = now + outcomes.LONGEST_ALONE_MS if one.attempts else latest
    one.not_before = min(one.not_before, alone)
    one.failed_at = min(one.failed_at, now)
    # Reminders, escalation and fallback are reckoned from these.
    one.told_at = min(one.told_at, now)
    one.opening_due_at = min(one.opening_due_at, latest)
    one.fallback_not_before = min(one.fallback_not_before, now + deadlines.FALLBACK_AGAIN_MS)
    if one.limited_until > now + DAY_MS:  # no limit is longer
        one.limited_until = 0
