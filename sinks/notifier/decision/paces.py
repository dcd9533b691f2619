"""The paces of all channels for people, by the routes of the moment. Pure."""

from schemas.notifier_state import ChannelPace
from sinks.notifier.decision.channel_queue import ChannelQueue
from sinks.notifier.decision.pace import (
    Full,
    Pace,
    PaceRules,
    RouteLimit,
    recorded_pace,
    restored_pace,
)
from sinks.notifier.decision.wakeups import Wakeups
from sinks.notifier.model import Channel, Delivery, SendOutcome
from sinks.notifier.routing import Routes


class Paces:
    """What each channel for people may be sent, and when. An on-call system has no pace."""

    def __init__(self, interval_ms: int) -> None:
        self._default = PaceRules(interval_ms)
        self._rules: dict[str, PaceRules] = {}
        self._paces: dict[str, Pace] = {}
        self._ends: Wakeups[str] = Wakeups()
        self.changed: dict[str, None] = {}
        """Ids of channels whose pace changed since the last `taken`."""

    def set_routes(self, routes: Routes) -> bool:
        """The routes of the moment; True if the rules of a channel are others now."""
        rules: dict[str, PaceRules] = {}
        for name, route in sorted(routes.routes.items()):
            own = route.group_interval_ms
            limit = route.limit
            its = PaceRules(
                self._default.interval_ms if own is None else own,
                () if limit is None else (RouteLimit(name, limit.messages, limit.per_ms),),
            )
            for url in routes.urls(name):
                known = rules.get(url)
                rules[url] = its if known is None else known.stricter(its)
        found = {Channel("", url).id: one for url, one in rules.items() if one != self._default}
        changed, self._rules = found != self._rules, found
        for identity, pace in self._paces.items():
            pace.rules_changed(self._rules_of(identity))
        if changed:
            for identity in self._paces:
                self._ends.forget(identity)
                self._note_end(identity)
        return changed

    def rules(self, queue: ChannelQueue) -> PaceRules | None:
        """What holds for a channel; None if it is told without any pace."""
        if queue.kind != "people":
            return None
        rules = self._rules.get(queue.id, self._default)
        return rules if rules.on else None

    def next_at(self, queue: ChannelQueue) -> int:
        """From when the next message may go, but for what goes at once; 0 without a pace."""
        pace = self._paces.get(queue.id)
        if pace is None:
            return 0
        rules = self.rules(queue)
        return 0 if rules is None or not rules.interval_ms else pace.next_at

    def free_at(self, queue: ChannelQueue) -> int:
        """From when a message may go that waits for nothing; 0 without a pace."""
        pace = self._paces.get(queue.id)
        return 0 if pace is None or self.rules(queue) is None else pace.free_at()

    def every(self, queue: ChannelQueue, now: int) -> tuple[int, int]:
        """Until when the pace held what was due, and by which interval; zeros: it did not."""
        pace = self._paces.get(queue.id)
        if pace is None or pace.next_at > now:
            return 0, 0
        return self.next_at(queue), pace.interval_ms

    def full(self, queue: ChannelQueue, now: int) -> Full | None:
        """The limit that lets nothing through now."""
        pace, rules = self._paces.get(queue.id), self.rules(queue)
        return None if pace is None or rules is None else pace.full(rules, now)

    def sent(
        self, queue: ChannelQueue, delivery: Delivery, now: int, *, at_once: bool = False
    ) -> None:
        """A message to this channel starts; `at_once`: it has what waits for nothing."""
        rules = self.rules(queue)
        if rules is not None:
            self._paces.setdefault(queue.id, Pace()).sent(delivery.id, rules, now, at_once=at_once)
            self._note_end(queue.id)
            self.changed[queue.id] = None

    def begun(self, queue: ChannelQueue, delivery: Delivery, at: int) -> None:
        """The request of a message went out at `at` (UTC ms), later than it was decided."""
        pace, rules = self._paces.get(queue.id), self.rules(queue)
        if pace is not None and rules is not None and pace.begun(delivery.id, at):
            self._note_end(queue.id)
            self.changed[queue.id] = None

    def landed(self, queue: ChannelQueue, delivery: Delivery, outcome: SendOutcome) -> None:
        """A message has ended; one that did not arrive does not count."""
        pace = self._paces.get(queue.id)
        if pace is None:
            return
        if outcome.kind in {"confirmed", "uncertain"}:
            pace.arrived(delivery.id)
        elif pace.undone(delivery.id):
            self._note_end(queue.id)
            self.changed[queue.id] = None

    def forget_in_flight(self) -> None:
        """What was on its way may have arrived."""
        for pace in self._paces.values():
            pace.flights.clear()

    def clock_was_set(self, now: int) -> None:
        """Nothing lies further ahead than it may."""
        for identity, pace in self._paces.items():
            pace.clock_was_set(now)
            self._ends.forget(identity)
            self._note_end(identity)

    # Records.

    def restore(self, record: ChannelPace) -> None:
        """Takes a record of [notifier-state]."""
        self._paces[record.id] = restored_pace(record)
        self._note_end(record.id)

    def taken(self) -> list[tuple[str, ChannelPace | None]]:
        """The paces that changed since the last call, by id; None: it means nothing any more."""
        changed, self.changed = self.changed, {}
        found: list[tuple[str, ChannelPace | None]] = []
        for identity in changed:
            pace = self._paces.get(identity)
            found.append((identity, None if pace is None else recorded_pace(identity, pace)))
        return found

    def next_end(self) -> int | None:
        """When a pace means nothing any more."""
        return self._ends.next_at()

    def end(self, now: int) -> None:
        """Forgets the paces that mean nothing any more."""
        for identity in list(self._ends.due(now)):
            pace = self._paces.get(identity)
            if pace is None:
                continue
            if pace.ends_at(self._rules_of(identity)) > now:
                self._note_end(identity)
                continue
            del self._paces[identity]
            self.changed[identity] = None

    def _note_end(self, identity: str) -> None:
        self._ends.ask(identity, self._paces[identity].ends_at(self._rules_of(identity)))

    def _rules_of(self, identity: str) -> PaceRules:
        return self._rules.get(identity, self._default)
