"""The notifier's own decisions on past events, with a simulated clock and channels that confirm.

Pure, and no channel is known here: a delivery is taken for told when the Desk says that it may go.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from schemas.incident import Event
from schemas.notification import Notification
from sinks.notifier.decision.desk import Desk
from sinks.notifier.model import Channel, ChannelClass, Delivery, SendOutcome, TargetFacts
from sinks.notifier.routing import Routes

_CONFIRMED = SendOutcome(kind="confirmed")


class SimulatedNotifier(Struct, frozen=True, kw_only=True):
    """What the notifier would have had: routes, targets, settings, as `Desk` has them."""

    routes: Routes
    facts: Mapping[str, TargetFacts]
    class_of: Callable[[Channel], ChannelClass]
    group_wait_ms: int
    group_interval_ms: int = 0
    mass_share: float = 0.0


class SimulatedTelling(Struct, frozen=True, kw_only=True):
    """All that would have been said: messages with their times, and what was not sent, and why."""

    deliveries: tuple[Delivery, ...]
    not_sent: tuple[Notification, ...]


def simulate(notifier: SimulatedNotifier, events: Iterable[Event], until: int) -> SimulatedTelling:
    """Lets a notifier without a past decide on `events` (by time), up to `until` (UTC ms).

    What an on-call system would only be told again (`refresh`) is left out.
    """
    on_hosts = sum(one.on_host for one in notifier.facts.values())
    desk = Desk(
        group_wait_ms=notifier.group_wait_ms,
        group_interval_ms=notifier.group_interval_ms,
        mass_share=notifier.mass_share,
        class_of=notifier.class_of,
        needs_refresh=lambda _: False,
        facts_of=notifier.facts.get,
        targets_total=lambda: on_hosts,
    )
    deliveries: list[Delivery] = []
    not_sent: list[Notification] = []
    now = None
    for event in events:
        if now is None:
            now = event.at
            # Drills are no events of the past.
            desk.set_routes(replace(notifier.routes, drill_every_ms=0), now)
        deliveries += _pass(desk, now, event.at)
        now = max(now, event.at)
        desk.take(event, now)
        not_sent += _of_nobody(desk)
    if now is not None:
        deliveries += _pass(desk, now, until)
        not_sent += _of_nobody(desk)
    return SimulatedTelling(deliveries=tuple(deliveries), not_sent=tuple(not_sent))


def _pass(desk: Desk, now: int, until: int) -> Iterator[Delivery]:
    """Lets time pass: each delivery goes when it is due, and is confirmed at once."""
    desk.changes()
    while (at := desk.next_due(now)) is not None and at <= until:
        now = max(now, at)
        started = desk.due(now)
        desk.changes()
        for delivery in started:
            desk.finished(delivery, _CONFIRMED, now)
        if started:
            desk.changes()
        yield from started


def _of_nobody(desk: Desk) -> Iterator[Notification]:
    return (row for row in desk.rows() if row.status == "not_sent")
