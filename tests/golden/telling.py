"""The send log of a run of events, by the notifier's own grouping, routes, lanes and channels.

Only Kafka and the clock are told again: groups close and retries come in the events' own time. The
web hook behind the channels is a real one; it refuses what the story wants refused.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from unittest import mock
from weakref import WeakValueDictionary

from aiokafka import TopicPartition

from foundation.kafka.reconnecting_producer import KeyedMessage
from schemas import incident, notification, policy
from schemas.policy import Policy
from sinks.notifier.delivery import Deliverer
from sinks.notifier.delivery_queues import DeliveryQueues, Message
from sinks.notifier.grouping import Groups, ReceivedEvent, runs
from sinks.notifier.routing import Channel, Routes, told
from sinks.notifier.send_log import SendLog
from tests.golden import container
from tests.golden.saving import SETTINGS
from tests.integration.sinks.notifier.rig import Hook, hook

SEND_MS = 120


class Clock:
    """The notifier's clock, UTC ms."""

    def __init__(self) -> None:
        self.now = 0

    def time_ns(self) -> int:
        return self.now * 1_000_000

    @contextmanager
    def everywhere(self) -> Iterator[None]:
        with mock.patch("sinks.notifier.delivery_queues.time.time_ns", self.time_ns):
            yield


class _Lanes(DeliveryQueues):
    """Lanes that wait in the clock's time."""

    clock: Clock

    async def _pause(self, seconds: float) -> None:
        self.clock.now += round(seconds * 1000)


class _Deliverer(Deliverer):
    clock: Clock

    async def deliver(self, url: str, text: object) -> object:  # type: ignore[override]
        self.clock.now += SEND_MS
        return await super().deliver(url, text)  # type: ignore[arg-type]


class _Writer:
    """What writes to [notifications]."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.messages: list[container.Message] = []

    async def write(self, lines: list[KeyedMessage]) -> None:
        for line in lines:
            self.messages.append(
                container.Message(
                    partition=0,
                    offset=len(self.messages),
                    at=self._clock.now,
                    key=line.key,
                    headers=(),
                    value=line.value,
                )
            )


class _Outbox:
    def __init__(self, clock: Clock) -> None:
        self.deliverer = _Deliverer()
        self.deliverer.clock = clock
        self.log = SendLog(SETTINGS)
        self.writer = self.log._writer = _Writer(clock)  # type: ignore[assignment]
        self.locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()


def send_log(
    events: Iterable[container.Message],
    policies: Iterable[container.Message],
    before: Iterable[container.Message] = (),
) -> list[container.Message]:
    """What the notifier writes to [notifications] when these events come under these policies.

    `before` is what it finds there when it starts.
    """
    with hook() as server, mock.patch.dict(os.environ):
        server.refuse = _Refusing(server)
        os.environ["GOLDEN_HOOK"] = server.url.removeprefix("json://")
        os.environ.pop("GOLDEN_MISSING", None)
        return asyncio.run(_tell(list(events), list(policies), list(before)))


class _Refusing:
    """`/refuses` refuses always, `/flaky` the first two times that it hears of something."""

    def __init__(self, server: Hook) -> None:
        self._server = server
        self._heard: Counter[str] = Counter()

    def __call__(self, post: dict[str, str]) -> bool:
        if post["path"].startswith("/refuses"):
            return True
        if post["path"].startswith("/flaky"):
            self._heard[post["title"]] += 1
            return self._heard[post["title"]] <= 2
        return False


async def _tell(
    events: list[container.Message],
    policies: list[container.Message],
    before: list[container.Message],
) -> list[container.Message]:
    clock = Clock()
    outbox = _Outbox(clock)
    for one in before:
        outbox.log._remember(notification.decode(one.value or b""))
    lanes = _Lanes(outbox, lambda _: None)  # type: ignore[arg-type]
    lanes.clock = clock
    groups = Groups(SETTINGS.group_wait_s)
    with clock.everywhere():
        for one in sorted(events, key=lambda one: (one.at, one.partition, one.offset)):
            await _close(groups, one.at, lanes, policies)
            event = incident.decode(one.value or b"")
            if told(event):
                part = TopicPartition("incidents", one.partition)
                groups.add(ReceivedEvent(event, part, one.offset), one.at / 1000)
        await _close(groups, 10**13, lanes, policies)
    outbox.deliverer.close()
    return outbox.writer.messages


async def _close(
    groups: Groups, now: int, lanes: _Lanes, policies: list[container.Message]
) -> None:
    while (end := groups.next_end()) is not None and end * 1000 <= now:
        for group_key, group in groups.closed(end):
            lanes.clock.now = max(lanes.clock.now, round(end * 1000))
            await _send(group_key, group, lanes, _routes(policies, lanes.clock.now))


async def _send(group_key: str, group: list[ReceivedEvent], lanes: _Lanes, routes: Routes) -> None:
    """As `Notifier._send`; each message comes to its end before the next begins."""
    by_channel: dict[Channel, list[ReceivedEvent]] = {}
    for taken in group:
        for channel in routes.channels(taken.event):
            by_channel.setdefault(channel, []).append(taken)
    begin = lanes.clock.now
    for channel, taken_here in by_channel.items():
        lanes.clock.now = begin
        for run in runs(taken_here):
            lanes.put(group_key, Message(channel, tuple(run)))
        await asyncio.gather(*lanes._tasks.values())
    lanes.clock.now = begin


def _routes(policies: list[container.Message], now: int) -> Routes:
    entries: dict[bytes, Policy] = {}
    for one in policies:
        if one.at > now or one.key is None:
            continue
        entries.pop(one.key, None)
        if one.value:
            entries[one.key] = policy.decode(one.value)
    return Routes.of(entries.values())
