"""Where it begins, while the cluster is slow to say or does not."""

import asyncio
import time
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import RequestTimedOutError

from foundation.settings import Settings
from sinks.notifier.main import again_and_again
from sinks.notifier.notifier import Notifier
from tests.integration.sinks.notifier.rig import (
    Hook,
    all_committed,
    incident_event,
    notifier,
    opened,
    publish,
    publish_policy,
    route,
    until,
)

SLOW_S = 2.0


def slow(running: Notifier) -> None:
    """Lets the consumer's question for the ends of its partitions take its time."""
    ask = running._place.consumer.end_offsets

    async def slowly(*args: Any) -> Any:
        await asyncio.sleep(SLOW_S)
        return await ask(*args)

    running._place.consumer.end_offsets = slowly


async def history(settings: Settings) -> None:
    hours_ago = time.time_ns() // 1_000_000 - 2 * 3_600_000
    await publish(settings, *[incident_event(f"o{n}") for n in range(8)], timestamp_ms=hours_ago)
    await publish(settings, *[incident_event(f"n{n}") for n in range(8)])


LAST_HOUR = {f"TCP Port Unreachable: n{n} (n{n}.example.com:5432)": 1 for n in range(8)}


async def test_history_is_not_told_by_a_first_start_that_takes_long(
    settings: Settings, channel: Hook
) -> None:
    await publish_policy(settings, route(channel))
    await history(settings)
    async with notifier(settings) as running:
        slow(running)
        await until(lambda: all_committed(settings), "all is committed")
    assert channel.counts() == LAST_HOUR


async def test_a_first_start_that_fails_is_made_again_and_tells_the_last_hour(
    settings: Settings, channel: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish_policy(settings, route(channel))
    await history(settings)
    ask = AIOKafkaConsumer.end_offsets
    failed: list[AIOKafkaConsumer] = []

    async def fails_once(consumer: AIOKafkaConsumer, *args: Any) -> Any:
        if consumer._group_id == settings.group("notify") and not failed:
            failed.append(consumer)
            raise RequestTimedOutError
        return await ask(consumer, *args)

    monkeypatch.setattr(AIOKafkaConsumer, "end_offsets", fails_once)
    stop = asyncio.Event()
    async with opened(settings) as outbox:
        role = asyncio.create_task(again_and_again(settings, outbox, stop))
        await until(lambda: len(channel.posts) == len(LAST_HOUR), "the last hour is told")
        stop.set()
        await asyncio.wait_for(role, 60)
    assert failed
    assert channel.counts() == LAST_HOUR


async def test_what_is_read_before_the_place_is_known_is_not_lost(
    settings: Settings, channel: Hook
) -> None:
    await publish_policy(settings, route(channel))
    async with notifier(settings):
        await until(lambda: all_committed(settings), "its place is kept")
    await publish(settings, *[incident_event(f"m{n}") for n in range(8)])
    async with notifier(settings) as running:
        slow(running)
        await until(lambda: len(channel.posts) >= 8, "what it missed is told")
        await until(lambda: all_committed(settings), "all is committed")
    assert len(channel.posts) == 8
    assert set(channel.counts().values()) == {1}
