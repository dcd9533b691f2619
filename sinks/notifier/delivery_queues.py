"""Delivery queues: the messages of one host through one channel, one after another.

A slow or failing channel delays no other channel, and one host's messages delay no other host's; a
queue keeps its order, so that nobody reads of an end before the beginning.
"""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from foundation import telemetry
from foundation.lifecycle import set_within
from schemas.incident import NAMESPACE, Event, IncidentEvent, subject
from schemas.notification import MOST_ATTEMPTS, Notification, NotificationStatus
from sinks.notifier import metrics
from sinks.notifier.grouping import ReceivedEvent
from sinks.notifier.message import SUBJECT_LENGTH, Text, compose
from sinks.notifier.outbox import LaneKey, Outbox
from sinks.notifier.routing import Channel, severity

RETRY_DELAYS_S: Final = (2.0, 10.0, 30.0, 120.0)
"""Waits between the attempts, in s; after the last attempt a message is dead."""

FAULT_DELAYS_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Waits after a fault of our own in a queue, not of the channel, in s."""

_log = telemetry.logger(__name__)


class Message(Struct, frozen=True):
    """Events that one message to `channel` announces."""

    channel: Channel
    events: tuple[ReceivedEvent, ...]

    @property
    def group(self) -> str:
        """The message's id: the same for the same events, whatever the channel."""
        return str(uuid.uuid5(NAMESPACE, "|".join(t.event.event_id for t in self.events)))


class DeliveryQueues:
    """All delivery queues of one assignment of partitions.

    `on_handled` is called once for each event of a message that has ended (sent or dead, and
    recorded). `outbox` outlives the assignment: a queue waits for a send of its predecessor that
    was under way at the reassignment.
    """

    def __init__(
        self,
        outbox: Outbox,
        on_handled: Callable[[ReceivedEvent], None],
        retry_delays_s: Sequence[float] = RETRY_DELAYS_S,
    ) -> None:
        self._deliverer = outbox.deliverer
        self._log = outbox.log
        self._locks = outbox.locks
        self._on_handled = on_handled
        self._retry_delays_s = retry_delays_s
        self._queues: dict[LaneKey, deque[Message]] = {}
        self._tasks: dict[LaneKey, asyncio.Task[None]] = {}
        self._stop = asyncio.Event()

    def put(self, group_key: str, message: Message) -> None:
        """Appends a message to its queue."""
        key = (message.channel.name, group_key)
        self._queues.setdefault(key, deque()).append(message)
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._work(key))

    async def stop(self, within_s: float) -> None:
        """Starts no further send, and waits until the running ones are recorded.

        Sends that take longer than `within_s` go on by themselves.
        """
        self._stop.set()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=within_s)

    def cancel(self) -> None:
        """Cancels everything that is still under way."""
        for task in self._tasks.values():
            task.cancel()

    async def _work(self, key: LaneKey) -> None:
        queue = self._queues[key]
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            while queue and await self._whatever_happens(queue[0], lock):
                for taken in queue.popleft().events:
                    self._on_handled(taken)
        finally:
            del self._tasks[key]
            del self._queues[key]

    async def _whatever_happens(self, message: Message, lock: asyncio.Lock) -> bool:
        """Repeats `_to_its_end` after a fault: a queue that ended would lose its messages."""
        faults = 0
        while True:
            try:
                return await self._to_its_end(message, lock)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others wait behind
                _log.exception("a message is stuck, trying again", error=repr(error))
                await self._pause(FAULT_DELAYS_S[min(faults, len(FAULT_DELAYS_S) - 1)])
                faults += 1

    async def _to_its_end(self, message: Message, lock: asyncio.Lock) -> bool:
        """Delivers the messages to their end; False if it was stopped before."""
        channel = message.channel.name
        while not self._stop.is_set():
            async with lock:
                events = [
                    t for t in message.events if not self._log.done(t.event.event_id, channel)
                ]
                if not events:
                    return True
                tried = max(self._log.attempts(t.event.event_id, channel) for t in events)
                over = await self._attempt(message, events, min(tried + 1, MOST_ATTEMPTS))
            if over:
                return True
            await self._pause(self._retry_delays_s[min(tried, len(self._retry_delays_s) - 1)])
        return False

    async def _attempt(self, message: Message, events: list[ReceivedEvent], number: int) -> bool:
        """Makes one attempt and records it; True if it was the last."""
        text = _text(events)
        outcome = await self._deliverer.deliver(message.channel.url, text)
        # From here to the record's confirmation lies the instant in which a crash sends twice.
        status: NotificationStatus = "sent"
        if outcome.error is not None:
            last = outcome.final or number > len(self._retry_delays_s)
            status = "dead" if last else "retrying"
        attempt = _Attempt(message, number, status, text.subject, outcome.error)
        _say(attempt)
        await self._log.record([_record(attempt, taken.event) for taken in events])
        metrics.NOTIFICATIONS.labels(status, message.channel.scheme).inc(len(events))
        return status != "retrying"

    async def _pause(self, seconds: float) -> None:
        await set_within(seconds, self._stop)


class _Attempt(Struct, frozen=True):
    """The outcome of one attempt at a message; `number` counts from 1, across restarts."""

    message: Message
    number: int
    status: NotificationStatus
    subject: str
    error: str | None


def _text(events: list[ReceivedEvent]) -> Text:
    try:
        return compose([taken.event for taken in events])
    except Exception as error:  # noqa: BLE001 - a fault of the wording must not keep news back
        _log.exception("a message could not be worded", error=repr(error))
        summaries = [taken.event.summary for taken in events]
        return Text(" ".join(summaries[0].split())[:SUBJECT_LENGTH], "\n".join(summaries))


def _say(attempt: _Attempt) -> None:
    about = {"channel": attempt.message.channel.name, "subject": attempt.subject}
    if attempt.status == "sent":
        _log.info("sent", **about)
    elif attempt.status == "retrying":
        _log.warning("not sent, trying again", attempt=attempt.number, error=attempt.error, **about)
    else:
        _log.error("given up, nobody was told by this channel", error=attempt.error, **about)


def _record(attempt: _Attempt, event: Event) -> Notification:
    if isinstance(event, IncidentEvent):
        incident_id, target, team = event.incident_id, event.target, event.team
    else:
        incident_id, target, team = event.event_id, subject(event), None
    return Notification(
        event_id=event.event_id,
        incident_id=incident_id,
        event=event.event,
        target=target,
        team=team,
        route=attempt.message.channel.route,
        channel=attempt.message.channel.name,
        severity=severity(event),
        status=attempt.status,
        attempt=attempt.number,
        at=time.time_ns() // 1_000_000,
        event_at=event.at,
        subject=attempt.subject,
        group=attempt.message.group,
        error=attempt.error,
    )
