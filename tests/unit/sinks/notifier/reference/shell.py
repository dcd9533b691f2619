"""A notifier around a decision, without Kafka: its topics, its channels and its clock are values.

It does what the notifier's loop does (take, write, start what is due, take outcomes in), may crash
between any two of these, and shows all of it to the judge.
"""

import random
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from schemas import notifier_state
from schemas.incident import Event
from schemas.notification import Notification
from schemas.notifier_state import ChannelPace, Subject
from schemas.policy import Route
from sinks.notifier.model import Channel, ChannelClass, Delivery, OutcomeKind, SendOutcome
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.reference.memory import Memory
from tests.unit.sinks.notifier.reference.subject import HOUR, subject_key
from tests.unit.sinks.notifier.reference.wrong import Wrong

GROUP_WAIT_MS: Final = 2_000
BEGAN_AT: Final = 1_796_090_400_000
READ_LIMIT_MS: Final = 30_000
MOST_STEPS: Final = 20_000
"""Steps of one advance: more means that the decision never waits."""
ON_CALL_SCHEMES: Final = ("pager", "alert")


def class_of(channel: Channel) -> ChannelClass:
    return "on_call" if channel.url.startswith(ON_CALL_SCHEMES) else "people"


def needs_refresh(channel: Channel) -> bool:
    return channel.url.startswith("alert")


class Decision(Protocol):
    """What the notifier's shell calls (sinks/notifier/decision)."""

    def restore(self, subject: Subject) -> None: ...
    def restore_pace(self, pace: ChannelPace) -> None: ...
    def set_routes(self, routes: Routes, now: int) -> None: ...
    def take(self, event: Event, now: int) -> None: ...
    def adopt(self, event: Event, confirmed: Collection[Channel], now: int) -> None: ...
    def changes(self) -> Sequence[Any]: ...
    def rows(self) -> Sequence[Notification]: ...
    def due(self, now: int) -> Sequence[Delivery]: ...
    def next_due(self, now: int) -> int | None: ...
    def finished(self, delivery: Delivery, outcome: SendOutcome, now: int) -> None: ...
    def forget_in_flight(self) -> None: ...
    def facts_changed(self, target_id: str, now: int) -> None: ...


@dataclass
class Mode:
    """What a channel does with a message.

    `once`: only with the next one. `hangs`: no answer until somebody ends it.
    """

    kind: OutcomeKind = "confirmed"
    arrives: bool = True
    retry_after_s: float | None = None
    plain_only: bool = False
    once: bool = False
    hangs: bool = False

    def outcome(self, delivery: Delivery) -> tuple[SendOutcome, bool]:
        if self.plain_only and not delivery.plain:
            return SendOutcome(kind="refused", error="400 Bad Request: too long"), False
        if self.plain_only or self.kind == "confirmed":
            return SendOutcome(kind="confirmed", subject="Subject"), True
        outcome = SendOutcome(
            kind=self.kind, error=f"it is {self.kind}", retry_after_s=self.retry_after_s
        )
        return outcome, self.kind == "uncertain" and self.arrives


HEALTHY: Final = Mode()


@dataclass
class Crash:
    """Where a notifier ends.

    `before`: what was taken is not written. `cut`: a part of it is. `announced`: all is written,
    and a part of what is under way; no send was started. `in_flight`: sends were started.
    `unwritten`: some of them had their answer, which is not written.
    `arrives`: for each send, whether it arrived all the same.
    """

    where: str
    cut: int = 0
    arrives: tuple[bool, ...] = (False,)
    down_ms: int = 0
    order: int = 0


class World(Protocol):
    """What a decision asks for: what is known of targets, and how many there are."""

    def facts_of(self, target: str) -> Any: ...
    def targets_total(self) -> int: ...


@dataclass
class Shell:
    """`usual_ms` and `mass_share` are the decision's settings."""

    make: Callable[[World], Decision]
    now: int = BEGAN_AT
    routes: Routes = field(default_factory=Routes)
    usual_ms: int = 0
    mass_share: float = 0.0

    def __post_init__(self) -> None:
        self.log: list[Event] = []
        self.read = 0
        self.handled = 0
        """The recorded offset: everything before it is decided."""
        self.state: dict[str, bytes] = {}
        self.modes: dict[str, Mode] = {}
        self.flying: list[Delivery] = []
        self.sent: list[tuple[int, Delivery]] = []
        self.facts: dict[str, Any] = {}
        self.total = 0
        self.paces: dict[str, bytes] = {}
        self.judge = Memory(
            GROUP_WAIT_MS,
            class_of,
            needs_refresh,
            facts_of=self.facts_of,
            usual_ms=self.usual_ms,
            share=self.mass_share,
            total=self.targets_total,
        )
        self.history: deque[str] = deque(maxlen=4_000)
        self.desk = self.make(self)
        self.set_routes(self.routes)

    def facts_of(self, target: str) -> Any:
        return self.facts.get(target)

    def targets_total(self) -> int:
        return self.total

    def note(self, what: str) -> None:
        self.history.append(f"{self.now - BEGAN_AT:>12}  {what}")

    # What comes in

    def set_routes(self, routes: Routes) -> None:
        self.routes = routes
        self.note(f"routes {describe(routes)}")
        self.judge.routes_set(routes, self.now)
        self.desk.set_routes(routes, self.now)

    def publish(self, event: Event) -> None:
        self.log.append(event)
        self.take_all()

    def adopt(self, event: Event, urls: Sequence[str]) -> None:
        """An event that version 0.1 handled; the channels with these URLs know it, if routed."""
        routed = {
            url: Channel(route.name, url)
            for route in self.routes.routes.values()
            for url in route.urls
        }
        confirmed = [routed[url] for url in urls if url in routed]
        names = ", ".join(one.url for one in confirmed)
        self.note(f"adopt {event.event} {event.event_id} of {subject_key(event)}: {names}")
        self.log.append(event)
        self.read += 1
        self.judge.adopted(event, confirmed, self.now)
        self.desk.adopt(event, confirmed, self.now)

    def take_all(self) -> None:
        while self.read < len(self.log):
            self.take(self.log[self.read])
            self.read += 1

    def take(self, event: Event) -> None:
        self.note(f"take {event.event} {event.event_id} of {subject_key(event)}")
        self.judge.taken(event, self.now)
        self.desk.take(event, self.now)

    # The loop

    def write(self) -> bool:
        """Writes what changed; true if something did."""
        changes, rows = list(self.desk.changes()), list(self.desk.rows())
        self.judge.channels_seen(changes, self.now)
        self._put(changes)
        self.handled = self.read
        self.judge.wrote(changes, (), rows, self.now, whole=True)
        return bool(changes or rows)

    def _put(self, changes: Iterable[Any]) -> None:
        for change in changes:
            if isinstance(change, Subject):
                self.state[change.key] = notifier_state.encode(change)
            elif isinstance(change, ChannelPace):
                self.paces[change.id] = notifier_state.encode(change)
            elif hasattr(change, "id"):
                self.paces.pop(change.id, None)
            else:
                self.state.pop(change.key, None)

    def start(self) -> list[Delivery]:
        """Starts what is due; returns it."""
        self.judge.fallbacks(self.now)
        due = list(self.desk.due(self.now))
        for delivery in due:
            self.note(f"start {told(delivery)}")
            self.sent.append((self.now, delivery))
            self.judge.started(delivery, self.now)
        return due

    def pump(self) -> None:
        """The loop until nothing is to be done at this time."""
        for _ in range(MOST_STEPS):
            changed = self.write()
            due = self.start()
            # What is under way is written down before it goes out.
            changed |= self.write()
            for delivery in due:
                self._send(delivery)
            if not due and not changed:
                break
        else:
            raise Wrong("the loop never comes to an end")
        after = self.desk.next_due(self.now)
        if after is not None and after <= self.now:
            raise Wrong(f"nothing is due, and next_due is {after - self.now} ms from now")
        self.judge.late(self.now, after=True)

    def _send(self, delivery: Delivery) -> None:
        url = delivery.channel.url
        mode = self.modes.get(url, HEALTHY)
        if mode.hangs:
            self.flying.append(delivery)
            return
        if mode.once:
            self.modes[url] = HEALTHY
        self.finish(delivery, *mode.outcome(delivery))

    def finish(self, delivery: Delivery, outcome: SendOutcome, arrived: bool) -> None:
        self.note(f"{outcome.kind}{' (arrived)' if arrived else ''} {told(delivery)}")
        self.judge.finished(delivery, outcome, arrived, self.now)
        self.desk.finished(delivery, outcome, self.now)

    def end_hanging(self, url: str, mode: Mode) -> None:
        """What hangs on a channel gets its answer; later messages find the channel well."""
        ending = [one for one in self.flying if one.channel.url == url]
        self.flying = [one for one in self.flying if one.channel.url != url]
        self.modes[url] = HEALTHY
        for delivery in ending:
            self.finish(delivery, *mode.outcome(delivery))

    # Time

    def advance(self, ms: int) -> None:
        """Time passes; the loop runs whenever the decision says so."""
        until = self.now + ms
        self.pump()
        for _ in range(MOST_STEPS):
            after = self.desk.next_due(self.now)
            if self.now >= until:
                return
            ends = [one.at + READ_LIMIT_MS for one in self.flying]
            # The judge looks for itself whether something began or ended.
            look = self.judge.next_look(self.now)
            ends += [] if look is None else [look]
            self.now = min([until, *ends] if after is None else [after, until, *ends])
            self.end_overdue()
            self.judge.fallbacks(self.now)
            self.judge.late(self.now, after=False)
            self.pump()
        raise Wrong("the decision never waits")

    def end_overdue(self) -> None:
        """What had no answer within the read limit ends without one."""
        overdue = [one for one in self.flying if one.at + READ_LIMIT_MS <= self.now]
        self.flying = [one for one in self.flying if one not in overdue]
        for delivery in overdue:
            self.finish(delivery, SendOutcome(kind="uncertain", error="no answer"), True)

    def suspend(self, ms: int) -> None:
        """Time passes, and the process does not run."""
        self.note(f"suspended for {ms} ms")
        self.now += ms
        self.judge.fallbacks(self.now)
        self.end_overdue()
        self.pump()

    def set_clock_back(self, ms: int) -> None:
        self.note(f"the clock is set back by {ms} ms")
        self.now -= ms
        ending, self.flying = self.flying, []
        for delivery in ending:
            self.finish(delivery, SendOutcome(kind="uncertain", error="no answer"), True)
        self.judge.clock_set_back(self.now)
        self.pump()

    # Failover

    def crash(self, crash: Crash) -> None:
        self.note(f"crash {crash}")
        flying, announced = list(self.flying), list[Delivery]()
        if crash.where == "cut":
            self._write_a_part(crash.cut)
        elif crash.where == "announced":
            self.write()
            announced = self.start()
            self._write_a_part(crash.cut)
        elif crash.where in ("in_flight", "unwritten"):
            self.write()
            started = self.start()
            self.write()
            for number, delivery in enumerate(started):
                mode = self.modes.get(delivery.channel.url, HEALTHY)
                if crash.where == "unwritten" and number % 2 == 0 and not mode.hangs:
                    self.finish(delivery, *mode.outcome(delivery))
                else:
                    flying.append(delivery)
        self.now += crash.down_ms
        arrivals = [
            (one, crash.arrives[number % len(crash.arrives)]) for number, one in enumerate(flying)
        ]
        for one, arrived in arrivals:
            self.note(f"in flight{' (arrived)' if arrived else ''} {told(one)}")
        self.flying = []
        self.judge.crashed(arrivals, self.now, announced)
        self.take_over(crash.order)

    def take_over(self, order: int) -> None:
        """A notifier that knows only what is written; it reads again from the recorded offset."""
        self.desk = self.make(self)
        keys = sorted(self.state)
        random.Random(order).shuffle(keys)  # noqa: S311 - any order will do
        for key in keys:
            subject = notifier_state.decode(self.state[key])
            assert isinstance(subject, Subject)
            self.desk.restore(subject)
        for value in self.paces.values():
            pace = notifier_state.decode(value)
            assert isinstance(pace, ChannelPace)
            self.desk.restore_pace(pace)
        self.desk.forget_in_flight()
        self.set_routes(self.routes)
        self.read = self.handled
        self.take_all()

    def _write_a_part(self, cut: int) -> None:
        """The first `cut` of what is to be written: subjects, offsets, then removals."""
        changes = list(self.desk.changes())
        self.judge.channels_seen(changes, self.now)
        records = (Subject, ChannelPace)
        puts = [one for one in changes if isinstance(one, records)]
        removals = [one for one in changes if not isinstance(one, records)]
        cut %= len(changes) + 2
        done: list[Any] = [*puts[:cut], *removals[: max(0, cut - len(puts) - 1)]]
        self._put(done)
        if cut > len(puts):
            self.handled = self.read
        missing = {named(one) for one in changes} - {named(one) for one in done}
        self.judge.wrote(changes, missing, (), self.now, whole=False)

    # The end

    def rest(self) -> None:
        """All channels work again; everything has the time that it needs."""
        self.note("all channels work again")
        for url in sorted({one.channel.url for one in self.flying}):
            self.end_hanging(url, HEALTHY)
        self.modes.clear()
        self.take_all()
        self.advance(5_000)
        self.advance(2 * HOUR)
        self.judge.at_rest(self.now)

    def much_later(self, ahead: int) -> None:
        """A day after all of it, by a clock that may have been this much ahead then."""
        self.advance(26 * HOUR + ahead)
        self.judge.at_rest(self.now)
        self.judge.forgotten()


def named(change: Any) -> str:
    """The key of a change; that of a pace is none of a subject."""
    return str(change.key) if hasattr(change, "key") else f"pace/{change.id}"


def told(delivery: Delivery) -> str:
    what = ", ".join(
        f"{one.action or ''} {one.key}={one.entry}:{one.event.event_id}".strip()
        for one in delivery.news
    )
    plain = " plain" if delivery.plain else ""
    return f"{delivery.action} to {delivery.channel.url} #{delivery.attempt}{plain}: {what}"


PLAIN: Final = Route(name="plain")
MORE_FIELDS: Final = (
    "teams",
    "when",
    "stop",
    "default",
    "operators",
    "rotation",
    "quiet",
    "group_interval_ms",
    "remind_every_ms",
    "escalate",
    "limit",
)


def describe(routes: Routes) -> str:
    listed = [
        f"{one.name}={','.join(one.urls)}"
        + (
            f" fallback {','.join(one.fallback)} after {one.fallback_after_ms}"
            if one.fallback
            else ""
        )
        + (f" {','.join(one.severities)}" if one.severities else "")
        + (f" tags {','.join(one.tags)}" if one.tags else "")
        + (" drop" if one.missed == "drop" else "")
        + "".join(
            f" {name} {getattr(one, name)}"
            for name in MORE_FIELDS
            if getattr(one, name) != getattr(PLAIN, name)
        )
        for one in routes.routes.values()
    ]
    teams = [f"{one.name}:{','.join(one.routes)}" for one in routes.teams.values()]
    return f"[{'; '.join(listed)}] teams [{'; '.join(teams)}] regions {sorted(routes.regions)}"
