"""The queues of all channels, and the deliveries that may start. Pure."""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from schemas.policy import Templates
from sinks.notifier.decision import deliveries
from sinks.notifier.decision.channel_condition import ChannelCondition
from sinks.notifier.decision.channel_queue import (
    REFRESH_MS,
    ChannelQueue,
    waits_for_nothing,
)
from sinks.notifier.decision.deliveries import Waiting
from sinks.notifier.decision.outcomes import LONGEST_ALONE_MS, acting
from sinks.notifier.decision.pace import Full
from sinks.notifier.decision.paces import Paces
from sinks.notifier.decision.subjects import MOST_NEWS, Listener, OpenSubject
from sinks.notifier.decision.transitions import OPENINGS
from sinks.notifier.decision.wakeups import Wakeups
from sinks.notifier.model import Action, Channel, ChannelClass, Delivery, SendOutcome

MOST_REFRESHED: Final = 1_000
"""Open keys in one refresh."""

Needed = Callable[[OpenSubject, Listener, ChannelQueue], Action | None]
Limited = Callable[[OpenSubject, Listener, Full, int], None]


class Dispatcher:
    """Holds a queue for each channel, and starts what is ready and was recorded.

    `changed` are the subjects with changes that were not asked for; they are held back.
    """

    def __init__(
        self,
        *,
        class_of: Callable[[Channel], ChannelClass],
        needs_refresh: Callable[[Channel], bool],
        seed: int,
        subjects: dict[str, OpenSubject],
        needed: Needed,
        limited: Limited,
        paces: Paces,
    ) -> None:
        """`limited` is told of news that a limit holds from now on."""
        self._class_of = class_of
        self._needs_refresh = needs_refresh
        self._seed = seed
        self._subjects = subjects
        self._needed = needed
        self._limited = limited
        self.paces = paces
        self.templates: dict[str, Templates] = {}
        """The templates of routes that have some."""
        self._by_url: dict[str, ChannelQueue] = {}
        self._by_id: dict[str, ChannelQueue] = {}
        self._wakeups: Wakeups[str] = Wakeups()
        self.changed: dict[str, None] = {}
        self._began_now: dict[str, None] = {}
        self._held: list[tuple[ChannelQueue, str, str]] = []

    def queue(self, channel: Channel) -> ChannelQueue:
        """The queue of a channel, whatever its route."""
        found = self._by_url.get(channel.url)
        if found is None:
            kind = self._class_of(channel)
            found = ChannelQueue(
                channel,
                kind,
                ChannelCondition(seed=f"{self._seed}|{channel.id}"),
                refreshes=kind == "on_call" and self._needs_refresh(channel),
            )
            self._by_url[channel.url] = self._by_id[found.id] = found
        return found

    def queues(self) -> list[ChannelQueue]:
        """All queues."""
        return list(self._by_url.values())

    def put(self, queue: ChannelQueue, group: str, key: str, ready_at: int) -> None:
        """Lets a subject wait for a channel."""
        queue.add(group, key, ready_at)
        self.wake(queue)

    def wake(self, queue: ChannelQueue) -> None:
        """Looks at a queue when it has something to do, if one more delivery may start then."""
        if queue.condition.has_room:
            at = queue.next_at(self.paces.next_at(queue), self.paces.free_at(queue))
            if at is not None:
                self._wakeups.ask(queue.id, at)

    def next_at(self) -> int | None:
        """When a queue has something to do."""
        return self._wakeups.next_at()

    def release(self) -> list[str]:
        """The subjects that changed since the last call; from now on they may be sent."""
        found, self.changed = list(self.changed), {}
        held, self._held = self._held, []
        for queue, group, key in held:
            self.put(queue, group, key, 0)
        return found

    def start(self, now: int) -> list[Delivery]:
        """The deliveries that start now."""
        found: list[Delivery] = []
        self._began_now = {}
        for identity in list(self._wakeups.due(now)):
            queue = self._by_id[identity]
            self._start(queue, now, found)
            self.wake(queue)
        self.changed |= self._began_now
        return found

    def landed(
        self, queue: ChannelQueue, delivery: Delivery, outcome: SendOutcome, now: int
    ) -> None:
        """A delivery has ended: what that says of the channel."""
        if delivery.id in queue.flights:
            queue.flights.remove(delivery.id)
            queue.condition.in_flight -= 1
        self.paces.landed(queue, delivery, outcome)
        match outcome.kind:
            case "confirmed" | "refused":
                queue.condition.worked(now)
            case "uncertain" | "unreachable" | "misconfigured":
                queue.condition.failed(outcome, now)
                queue.refresh_first = delivery.action != "refresh"
            case "not_attempted":
                pass

    def forget_in_flight(self) -> None:
        """Nothing is on its way, and systems that forget are told again at once."""
        self.paces.forget_in_flight()
        for queue in self._by_url.values():
            queue.flights.clear()
            queue.condition.in_flight = 0
            queue.refresh_at = 0
            queue.refreshing = []

    def rules_changed(self) -> None:
        """The paces of channels have other rules: what waits is looked at anew."""
        for queue in self._by_url.values():
            for group, key in queue.waiting_in_groups():
                subject = self._subjects.get(key)
                listener = None if subject is None else subject.listeners.get(queue.id)
                if listener is not None and listener.limited_until:
                    queue.add(group, key, _ready_at(listener))
            self.wake(queue)

    def clock_was_set(self, now: int, latest: int) -> None:
        """Nothing waits for longer than until `latest` (UTC ms)."""
        self.paces.clock_was_set(now)
        for queue in self._by_url.values():
            queue.not_later_than(latest)
            self.wake(queue)

    def _start(self, queue: ChannelQueue, now: int, found: list[Delivery]) -> None:
        later: list[tuple[str, str, int]] = []
        if queue.refreshes and (queue.refresh_first or not queue.condition.failures):
            # A burst of news, or one that the system can't take, must not hold it back for long.
            self._refresh(queue, now, found)
        paced = self.paces.rules(queue) is not None
        if paced:
            self._start_paced(queue, now, found, later)
        while not paced and queue.condition.may_start(now):
            group = queue.take(now)
            if group is None:
                break
            self._start_group(queue, *group, now, found, later)
        if queue.refreshes:
            self._refresh(queue, now, found)
        for name, key, ready_at in later:
            queue.add(name, key, ready_at)

    def _start_group(  # noqa: PLR0917 - the group, and where what comes of it goes
        self,
        queue: ChannelQueue,
        group: str,
        keys: list[str],
        now: int,
        found: list[Delivery],
        later: list[tuple[str, str, int]],
    ) -> None:
        messages: dict[tuple[str, ...], tuple[Action, list[Waiting]]] = {}
        for action, (subject, listener) in self._sifted(queue, group, keys, now, later):
            alone = queue.kind == "on_call" or listener.refusals > 1
            message = (action, str(listener.plain), subject.key if alone else "")
            messages.setdefault(message, (action, []))[1].append((subject, listener))
        for action, waiting in messages.values():
            if not queue.condition.may_start(now):
                later += [(group, subject.key, now) for subject, _ in waiting]
                continue
            later += [(group, subject.key, now) for subject, _ in waiting[MOST_NEWS:]]
            delivery = deliveries.message(action, waiting[:MOST_NEWS], now)
            self._began(queue, delivery, waiting[:MOST_NEWS])
            found.append(self._written(delivery) if queue.kind == "people" else delivery)

    def _start_paced(
        self,
        queue: ChannelQueue,
        now: int,
        found: list[Delivery],
        later: list[tuple[str, str, int]],
    ) -> None:
        """One message of all that is ready, if it is time for one and the limits have room.

        Before that, one of what goes at once.
        """
        if not queue.condition.may_start(now):
            return
        free_at = self.paces.free_at(queue)
        ready = self._taken(queue, now, later, at_once=True) if free_at <= now else []
        if self.paces.next_at(queue) <= now:
            paced = self._taken(queue, now, later)
            full = self.paces.full(queue, now) if paced else None
            if full is None:
                ready += paced
            else:
                for _, (subject, listener) in paced:
                    until = full.until
                    if waits_for_nothing(subject.group):
                        until = min(until, free_at)
                    later.append((subject.group, subject.key, until))
                    if listener.limited_until < full.until:
                        self._limited(subject, listener, full, now)
        if not ready:
            return
        now_told, rest = _first_message(ready)
        later += [(subject.group, subject.key, now) for _, (subject, _) in rest]
        delivery = deliveries.digest(now_told, now, self.paces.every(queue, now))
        self._began(queue, delivery, [one for _, one in now_told])
        at_once = any(waits_for_nothing(subject.group) for _, (subject, _) in now_told)
        self.paces.sent(queue, delivery, now, at_once=at_once)
        found.append(self._written(delivery))

    def _written(self, delivery: Delivery) -> Delivery:
        """The message with the templates of its route."""
        templates = self.templates.get(delivery.channel.route)
        return delivery if templates is None else replace(delivery, templates=templates)

    def _taken(
        self,
        queue: ChannelQueue,
        now: int,
        later: list[tuple[str, str, int]],
        *,
        at_once: bool = False,
    ) -> list[tuple[Action, Waiting]]:
        found: list[tuple[Action, Waiting]] = []
        while (group := queue.take(now, at_once=at_once)) is not None:
            found += self._sifted(queue, *group, now, later)
        return found

    def _sifted(
        self,
        queue: ChannelQueue,
        group: str,
        keys: list[str],
        now: int,
        later: list[tuple[str, str, int]],
    ) -> list[tuple[Action, Waiting]]:
        """What can be told now of a group that was ready, each with its action."""
        found: list[tuple[Action, Waiting]] = []
        for key in keys:
            subject = self._subjects.get(key)
            listener = None if subject is None else subject.listeners.get(queue.id)
            if subject is None or listener is None or listener.in_flight:
                continue
            if key in self.changed:
                self._held.append((queue, group, key))
                continue
            if now < listener.not_before <= now + LONGEST_ALONE_MS:
                later.append((group, key, listener.not_before))
                continue
            action = self._needed(subject, listener, queue)
            if action is None or (action == "missed" and _opening_in_flight(subject)):
                continue  # the review at the end of that delivery puts it here again
            found.append((action, (subject, listener)))
        return found

    def _began(self, queue: ChannelQueue, delivery: Delivery, waiting: list[Waiting]) -> None:
        queue.flights.add(delivery.id)
        queue.condition.in_flight += 1
        for (subject, listener), news in zip(waiting, delivery.news, strict=True):
            listener.flight_marks = frozenset(mark.event_id for mark in news.marks)
            action = acting(delivery, news)
            listener.flight_key = news.key if action == "trigger" else ""
            if action in OPENINGS:
                listener.under_way = True
                self._began_now[subject.key] = None
            listener.in_flight = delivery.id
            listener.flight_action = action
            listener.next_due_at = 0

    def _refresh(self, queue: ChannelQueue, now: int, found: list[Delivery]) -> None:
        due = queue.refresh_at <= now or queue.refresh_at > now + REFRESH_MS
        if due and queue.condition.may_start(now):
            # Not before it may go: what opens meanwhile belongs to it, what ends does not.
            queue.refreshing = list(queue.open_keys)
            queue.refresh_at = now + REFRESH_MS
        while queue.refreshing and queue.condition.may_start(now):
            keys, queue.refreshing = (
                queue.refreshing[:MOST_REFRESHED],
                queue.refreshing[MOST_REFRESHED:],
            )
            waiting: list[Waiting] = []
            for key in keys:
                if key not in queue.open_keys:
                    continue  # it ended while this refresh waited for its channel
                subject = self._subjects.get(key)
                listener = None if subject is None else subject.listeners.get(queue.id)
                if subject is None or listener is None:
                    queue.open_keys.pop(key, None)
                elif not listener.in_flight:
                    waiting.append((subject, listener))
            if waiting:
                delivery = deliveries.refresh(queue.channel, waiting, now)
                self._began(queue, delivery, waiting)
                found.append(delivery)


def _opening_in_flight(subject: OpenSubject) -> bool:
    return any(one.flight_action in OPENINGS for one in subject.listeners.values())


def _ready_at(listener: Listener) -> int:
    return max(listener.due_at, listener.not_before, listener.failed_at)


Ready = list[tuple[Action, Waiting]]


def _first_message(ready: Ready) -> tuple[Ready, Ready]:
    """What goes in one message, and the rest.

    What was refused as one plain line, too, goes apart from the others, with half as many as
    before: so what the channel can't take is found, and holds up nothing else for long.
    """
    most = ready[0][1][1].company  # what has waited longest decides whose turn it is
    fitting = [one for one in ready if one[1][1].company == most]
    rest = [one for one in ready if one[1][1].company != most]
    most = min(most, MOST_NEWS)
    return fitting[:most], fitting[most:] + rest
