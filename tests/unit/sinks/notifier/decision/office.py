"""A desk with channels that answer as a test says, a log of its records, and a clock."""

from collections.abc import Callable
from typing import Any

import msgspec

from schemas import notifier_state
from schemas.incident import Event, RegionEvent
from schemas.notification import Notification
from schemas.notifier_state import ChannelPace, Subject
from schemas.policy import Policy
from sinks.notifier.decision.desk import Desk, RemovedPace, RemovedSubject
from sinks.notifier.model import Channel, ChannelClass, Delivery, SendOutcome, TargetFacts
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.events import AT

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WAIT_MS = 2_000

Answer = str | SendOutcome | Callable[[Delivery], "Answer"]
"""`confirmed` and so on; `hangs`: the delivery stays on its way until `land`."""


def class_of(channel: Channel) -> ChannelClass:
    return "on_call" if channel.scheme in {"pagerduty", "alertmanager"} else "people"


def needs_refresh(channel: Channel) -> bool:
    return channel.scheme == "alertmanager"


def region_event(kind: str, **fields: Any) -> RegionEvent:
    values = {"event_id": f"{kind}-{fields.get('at', AT)}", "region": "eu", "at": AT}
    return RegionEvent(event=kind, **({"summary": "s"} | values | fields))  # type: ignore[arg-type]


class Office:
    """Runs a desk in a time of its own, in the order of calls that the shell has."""

    def __init__(
        self,
        *policy: Policy,
        group_wait_ms: int = WAIT_MS,
        group_interval_ms: int = 0,
        mass_share: float = 0.0,
        targets: int = 0,
    ) -> None:
        self.group_wait_ms = group_wait_ms
        self.group_interval_ms = group_interval_ms
        self.mass_share = mass_share
        self.targets = targets
        self.now = AT
        self.answers: dict[str, Answer] = {}
        self.facts: dict[str, TargetFacts] = {}
        self.sent: list[Delivery] = []
        self.hanging: list[Delivery] = []
        self.rows: list[Notification] = []
        self.log: dict[str, bytes] = {}
        self.paces: dict[str, bytes] = {}
        self.desk = self._desk()
        self.route(*policy)

    def _desk(self) -> Desk:
        return Desk(
            group_wait_ms=self.group_wait_ms,
            class_of=class_of,
            needs_refresh=needs_refresh,
            group_interval_ms=self.group_interval_ms,
            mass_share=self.mass_share,
            targets_total=lambda: self.targets,
            facts_of=self.facts.get,
        )

    def route(self, *policy: Policy) -> None:
        """Puts these routes into force."""
        self.routes = Routes.of(policy)
        self.desk.set_routes(self.routes, self.now)
        self.turn()

    def take(self, *events: Event) -> None:
        """Takes events, and sends what is due at once."""
        for event in events:
            self.desk.take(event, self.now)
        self.turn()

    def turn(self) -> None:
        """Records and sends until nothing more is due."""
        for _ in range(10_000):
            self.record()
            due = self.desk.due(self.now)
            next_at = self.desk.next_due(self.now)
            assert due or next_at is None or next_at > self.now
            self.record()
            next_at = self.desk.next_due(self.now)
            if not due and (next_at is None or next_at > self.now):
                return
            for delivery in due:
                self._send(delivery)
        raise AssertionError("it never comes to rest")

    def record(self) -> None:
        """Writes what changed, as the shell does."""
        for change in self.desk.changes():
            match change:
                case RemovedSubject():
                    self.log.pop(change.key, None)
                case RemovedPace():
                    self.paces.pop(change.id, None)
                case ChannelPace():
                    self.paces[change.id] = notifier_state.encode(change)
                case Subject():
                    self.log[change.key] = notifier_state.encode(change)
        self.rows += self.desk.rows()

    def _send(self, delivery: Delivery) -> None:
        answer = self.answers.get(delivery.channel.url, "confirmed")
        while callable(answer):
            answer = answer(delivery)
        self.sent.append(delivery)
        if answer == "hangs":
            self.hanging.append(delivery)
            return
        self.land(delivery, answer)

    def land(self, delivery: Delivery, answer: Answer = "confirmed") -> None:
        """The answer to a delivery comes."""
        if delivery in self.hanging:
            self.hanging.remove(delivery)
        if not isinstance(answer, SendOutcome):
            error = None if answer == "confirmed" else f"it was {answer}"
            answer = SendOutcome(kind=answer, error=error)  # type: ignore[arg-type]
        self.desk.finished(delivery, answer, self.now)

    def land_all(self, answer: Answer = "confirmed") -> None:
        """The answers to all that hangs come."""
        for delivery in list(self.hanging):
            self.land(delivery, answer)
        self.turn()

    def wait(self, ms: int) -> None:
        """Lets so much time pass, and does in time what is due."""
        until = self.now + ms
        while True:
            next_at = self.desk.next_due(self.now)
            if next_at is None or next_at > until:
                break
            self.now = max(next_at, self.now + 1)
            self.turn()
        self.now = until
        self.turn()

    def restart(self, *, dies: bool = False, calm: bool = True) -> None:
        """Another notifier takes over from the log; `dies`: what was under way is lost.

        If it is `calm` and nothing is under way, to restore must change nothing.
        """
        if not dies:
            self.record()
        calm = calm and not self.hanging
        self.hanging.clear()
        self.desk = self._desk()
        for value in self.log.values():
            subject = notifier_state.decode(value)
            assert isinstance(subject, Subject)
            self.desk.restore(subject)
        for value in self.paces.values():
            pace = notifier_state.decode(value)
            assert isinstance(pace, ChannelPace)
            self.desk.restore_pace(pace)
        self.desk.set_routes(self.routes, self.now)
        changes = self.desk.changes()
        assert not (calm and changes), "to restore is no change, but for what was under way"
        for change in changes:
            assert isinstance(change, Subject)
            self.log[change.key] = notifier_state.encode(change)
        self.turn()

    def told(self, url: str = "") -> list[str]:
        """The actions that were sent, `ACTION` of one channel, otherwise `ACTION URL`."""
        return [
            one.action if url else f"{one.action} {one.channel.url}"
            for one in self.sent
            if url in {"", one.channel.url} and one.action != "refresh"
        ]

    def whys(self, event: str, url: str = "") -> list[str]:
        """The reasons of the rows on events of this kind of which nothing was sent."""
        identity = Channel("", url).id if url else ""
        return [
            str(row.why)
            for row in self.rows
            if row.event == event and row.status == "not_sent" and identity in row.channel
        ]

    def subject(self, key: str) -> Subject:
        """The record of a subject."""
        found = notifier_state.decode(self.log[key])
        assert isinstance(found, Subject)
        return found

    def encoded_size(self, key: str) -> int:
        """The size of a record in bytes."""
        return len(msgspec.json.encode(self.subject(key)))
