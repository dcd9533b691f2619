"""Closing aiokafka clients within a time limit, whatever the broker does.

aiokafka (0.14) has no public way: `stop()` waits for an absent broker, and leaves tasks running
when it is cancelled. A consumer's `stop()`, and so `async with`, may raise the `CancelledError` of
one of its own tasks while a broker is away: whoever awaits it seems to be cancelled, and a task
that tries again after errors ends without a word.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from foundation.lifecycle import ends_within

ABANDON_S: Final = 1.0
CLOSE_S: Final = 5.0
"""Time for a consumer without a group to close, in s: it tells no broker."""


async def abandon(producer: AIOKafkaProducer) -> None:
    """Closes a producer within a few seconds, started or not, and drops its unsent messages.

    Unconfirmed messages may or may not be in the log; their futures may stay pending for ever.
    """
    producer._closed = True  # noqa: SLF001 - stop() would wait for all that is not confirmed
    sender = producer._sender  # noqa: SLF001
    await ends_within(ABANDON_S, sender.close())
    await ends_within(ABANDON_S, producer.client.close())


async def leave(consumer: AIOKafkaConsumer, within_s: float) -> None:
    """Closes a consumer; it leaves its group, if the broker answers within `within_s`.

    On return none of its tasks runs. A cancelled `stop()` may leave the heartbeat task: a member
    that reads nothing and keeps its partitions.
    """
    if await ends_within(within_s, consumer.stop()):
        return
    consumer._closed = True  # noqa: SLF001
    tasks = [task for task in _all_tasks(consumer) if not task.done()]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=ABANDON_S)
    await ends_within(ABANDON_S, consumer._client.close())  # noqa: SLF001


@asynccontextmanager
async def started(consumer: AIOKafkaConsumer) -> AsyncIterator[AIOKafkaConsumer]:
    """Starts a consumer without a group, and closes it within a few seconds."""
    try:
        await consumer.start()
        yield consumer
    finally:
        await leave(consumer, CLOSE_S)


def vital_tasks(consumer: AIOKafkaConsumer) -> list["asyncio.Task[Any]"]:
    """The tasks that a started consumer needs; when one has ended, the consumer reads no more.

    aiokafka does not notice the end of its fetch or metadata task: `getmany` then returns nothing
    for ever, while the heartbeat continues.
    """
    found = (
        getattr(consumer._fetcher, "_fetch_task", None),  # noqa: SLF001
        getattr(consumer._coordinator, "_coordination_task", None),  # noqa: SLF001
        getattr(consumer._client, "_sync_task", None),  # noqa: SLF001
    )
    return [task for task in found if task is not None]


def _all_tasks(consumer: AIOKafkaConsumer) -> list["asyncio.Task[Any]"]:
    coordinator, fetcher = consumer._coordinator, consumer._fetcher  # noqa: SLF001
    found = (
        getattr(coordinator, "_heartbeat_task", None),
        getattr(coordinator, "_commit_refresh_task", None),
        getattr(coordinator, "_reset_committed_task", None),
        *getattr(fetcher, "_pending_tasks", ()),
    )
    return vital_tasks(consumer) + [task for task in found if task is not None]
