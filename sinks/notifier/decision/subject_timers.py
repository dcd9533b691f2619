"""What time changes of a subject: when it is looked at again, and what is late then. Pure."""

from collections.abc import Callable, Iterator, Mapping

from sinks.notifier.decision import deadlines
from sinks.notifier.decision.channel_queue import ChannelQueue
from sinks.notifier.decision.escalation import steps_ahead
from sinks.notifier.decision.reminders import reminder_at
from sinks.notifier.decision.subjects import Listener, OpenSubject
from sinks.notifier.decision.wakeups import Wakeups
from sinks.notifier.model import Action
from sinks.notifier.routing import Routes


class SubjectTimers:
    """One timer a subject, for the earliest of its limits in time.

    `any_reminder`: a route reminds of what nobody acknowledges.
    """

    def __init__(
        self,
        *,
        queue_of: Callable[[Listener], ChannelQueue],
        needed: Callable[[OpenSubject, Listener, ChannelQueue], Action | None],
    ) -> None:
        self._queue_of = queue_of
        self._needed = needed
        self._routes = Routes()
        self._timers: Wakeups[str] = Wakeups()
        self._any_fallback = False
        self._any_escalation = False
        self.any_reminder = False

    @property
    def in_time(self) -> bool:
        """True if, by the routes, something becomes due while a subject is open."""
        return self._any_fallback or self.any_reminder or self._any_escalation

    def set_routes(self, routes: Routes) -> None:
        """The routes of the moment."""
        every = routes.routes.values()
        self._routes = routes
        self._any_fallback = any(route.fallback for route in every)
        self.any_reminder = any(route.remind_every_ms for route in every)
        self._any_escalation = any(route.escalate for route in every)

    def set(self, subject: OpenSubject) -> None:
        """Looks at the subject again when a limit comes; not for what is in flight."""
        if subject.kept:
            kept_until = deadlines.kept_until(subject)
            if kept_until is not None:
                self._timers.ask(subject.key, kept_until)
            return
        times: list[int | None] = [
            one.held_until for one in subject.listeners.values() if one.held_until
        ]
        if self._any_escalation:
            times += [one.at for one in steps_ahead(subject, self._routes)]
        if self.any_reminder:
            times += [
                reminder_at(subject, one, self._routes)
                for one in subject.listeners.values()
                if not one.reminding and not one.in_flight and self._queue_of(one).kind == "people"
            ]
        if subject.phase == "closed" or self._any_fallback:
            times += [
                at
                for one, action in self._waiting(subject)
                for at in (
                    deadlines.limit(subject, action, deadlines.held_until(one)),
                    deadlines.fallback_at(one, action, self._routes),
                )
            ]
        asked = [at for at in times if at is not None]
        if asked:
            self._timers.ask(subject.key, min(asked))

    def forget(self, key: str) -> None:
        """The subject is not looked at by time."""
        self._timers.forget(key)

    def clock_was_set(self, subjects: Mapping[str, OpenSubject]) -> None:
        """All timers are set anew; those of subjects that are gone end."""
        for key in self._timers.all():
            self._timers.forget(key)
            if key in subjects:
                self.set(subjects[key])

    def next_at(self) -> int | None:
        """The earliest time (UTC ms), None if there is none."""
        return self._timers.next_at()

    def due(self, now: int) -> Iterator[str]:
        """Removes and yields the keys of subjects whose time has come, the earliest first."""
        return self._timers.due(now)

    # What is late.

    def given_up(self, subject: OpenSubject, now: int) -> list[tuple[Listener, Action]]:
        """What was tried for as long as it is worth."""
        found = []
        for one, action in self._waiting(subject):
            limit = deadlines.limit(subject, action, deadlines.held_until(one))
            if limit is not None and limit <= now:
                found.append((one, action))
        return found

    def without_answer(self, subject: OpenSubject, now: int) -> list[Listener]:
        """The channels in whose place the fallback of their route is told now.

        A channel that was not tried is not in trouble: the notifier was. It is looked at again.
        """
        found = []
        for one, action in self._waiting(subject):
            at = deadlines.fallback_at(one, action, self._routes)
            if at is None or at > now:
                continue
            if one.attempts or self._queue_of(one).condition.failures:
                one.fallback_asked = True
                found.append(one)
            else:
                again = now + deadlines.FALLBACK_AGAIN_MS
                one.fallback_not_before = max(again, one.limited_until)
        return found

    def _waiting(self, subject: OpenSubject) -> Iterator[tuple[Listener, Action]]:
        for one in subject.listeners.values():
            if one.due_at and not one.in_flight:
                action = self._needed(subject, one, self._queue_of(one))
                if action is not None:
                    yield one, action


def is_over(subject: OpenSubject, now: int) -> bool:
    """True if the subject, which is over, was kept for long enough to know its events again."""
    kept_until = deadlines.kept_until(subject)
    return kept_until is not None and now >= kept_until
