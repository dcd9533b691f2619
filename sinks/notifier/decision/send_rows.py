"""The rows of the send log that wait to be written. Pure."""

from collections.abc import Callable, Iterable

from schemas.notification import Notification
from schemas.notifier_state import EventMark
from sinks.notifier.decision import rows
from sinks.notifier.decision.subjects import Listener, OpenSubject
from sinks.notifier.model import ChannelClass, Delivery, News, SendOutcome


class SendRows:
    """Collects rows, in their order, until they are taken."""

    def __init__(self, kind_of: Callable[[Listener], ChannelClass]) -> None:
        self._kind_of = kind_of
        self._rows: list[Notification] = []

    def add(self, *found: Notification) -> None:
        """Adds rows."""
        self._rows += found

    def taken(self) -> list[Notification]:
        """Returns and removes all."""
        found, self._rows = self._rows, []
        return found

    def attempted(  # noqa: PLR0917 - the attempt, and about whom it was
        self,
        subject: OpenSubject | None,
        listener: Listener | None,
        news: News,
        delivery: Delivery,
        outcome: SendOutcome,
        now: int,
    ) -> None:
        """The rows of one attempt; an event in whose place another came is not tried again."""
        current = None if subject is None else {one.event_id for one in subject.marks}
        channel = delivery.channel if listener is None else listener.channel
        for mark in news.marks:
            over = current is None or mark.event_id not in current
            if outcome.kind != "confirmed" and over and delivery.action != "acknowledge":
                by = subject.marks[-1].event if subject is not None and subject.marks else "its end"
                why = rows.superseded(by)
            else:
                why = ""
            self.add(rows.attempted(news, mark, channel, delivery, outcome, why, now))

    def superseded(
        self,
        subject: OpenSubject,
        replaced: Iterable[EventMark],
        pending: Iterable[Listener],
        by: str,
        now: int,
    ) -> None:
        """The rows of events that these channels had not taken when a newer one came.

        What is on its way gets its rows at its end.
        """
        why = rows.superseded(by)
        for one in pending:
            for mark in replaced:
                told = one.told_event == mark.event_id
                if mark.event == "targets.unwatched":
                    told |= one.told_revision >= mark.revision
                told |= bool(one.in_flight) and mark.event_id in one.flight_marks
                if not told:
                    self.add(
                        rows.not_sent(subject.event, mark, one.channel, why, now, listener=one)
                    )

    def not_for_these(self, subject: OpenSubject, mark: EventMark, now: int) -> None:
        """The rows of news for those who are told nothing of it."""
        for one in subject.listeners.values():
            if not one.due_at and not one.in_flight and not one.held:
                self.not_for(subject, one, mark, now)

    def not_for(self, subject: OpenSubject, one: Listener, mark: EventMark, now: int) -> None:
        """The row of news of which this channel is told nothing."""
        if one.told_event != mark.event_id:
            why = rows.KNOWN
            if self._kind_of(one) == "on_call":
                why = rows.NO_IMPROVEMENT if mark.event == "improved" else why
                why = rows.STAYS_OPEN if subject.abandoned else why
            self.add(rows.not_sent(subject.event, mark, one.channel, why, now))

    def held(self, subject: OpenSubject, one: Listener, why: str, now: int) -> bool:
        """The rows of what is held for a reason, once for each event; True if there are any."""
        fresh = [mark for mark in subject.marks if mark.event_id not in one.held_said]
        one.held_said = frozenset(mark.event_id for mark in subject.marks)
        self._rows += [rows.not_sent(subject.event, mark, one.channel, why, now) for mark in fresh]
        return bool(fresh)

    def not_sent(self, subject: OpenSubject, one: Listener, why: str, now: int) -> None:
        """The rows of what the channel is not told, or not again."""
        self._rows += [
            rows.not_sent(subject.event, mark, one.channel, why, now, listener=one)
            for mark in subject.marks
        ]
