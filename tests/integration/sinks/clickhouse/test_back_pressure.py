"""ClickHouse refuses or is slow: what the sink holds, how it waits, and that it stays a member."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any, Final

import pytest
from aiokafka import TopicPartition
from clickhouse_connect.driver.client import Client
from msgspec import structs

from foundation.kafka.clients import SESSION_TIMEOUT_MS
from foundation.settings import Settings
from sinks.clickhouse import partition_pipeline, sink, writer
from sinks.clickhouse.sink import Sink
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.gate import Call, Gate, Held, gate, open_to_all

MANY: Final = 4_000
"""Results: 1.4 MB of JSON."""


class Watched:
    """A sink in this process, so that one can look into it."""

    def __init__(self, running: Sink, settings: Settings) -> None:
        self._sink = running
        self._settings = settings
        self.polls = 0
        client = running._services.consumer
        poll = client.getmany

        async def counted(**options: Any) -> Any:
            self.polls += 1
            return await poll(**options)

        client.getmany = counted

    @property
    def membership(self) -> tuple[str, int]:
        """Who it is in the group; another one after each rebalance."""
        coordinator = self._sink._services.consumer._coordinator
        return coordinator.member_id, coordinator.generation

    @property
    def read(self) -> set[TopicPartition]:
        """The partitions of [results]."""
        mine = self._sink._services.consumer.assignment()
        return {part for part in mine if part.topic == self._settings.topic("results")}

    @property
    def waiting(self) -> bool:
        """Whether all of them are paused."""
        paused: set[TopicPartition] = self._sink._services.consumer.paused()
        return self.read <= paused

    @property
    def held_bytes(self) -> int:
        """What is held of them before it is decoded."""
        return sum(self._sink._lanes[part][0]._buffer.size for part in self.read)

    async def polls_on(self) -> None:
        """Returns when Kafka was asked a few times more."""
        seen = self.polls
        await rig.until(lambda: self.polls > seen + 2)


@asynccontextmanager
async def watched(settings: Settings) -> AsyncIterator[Watched]:
    running, stop = Sink(settings), asyncio.Event()
    task = asyncio.create_task(running.run(stop))
    try:
        await rig.until(lambda: running._services and running._lanes)
        found = Watched(running, settings)
        await rig.until(lambda: len(found.read) == settings.partitions)
        yield found
    finally:
        stop.set()
        await task


async def stored(client: Client, settings: Settings, rows: int) -> None:
    """Waits for so many results; asks in a thread, for the sink lives in this one."""

    async def there() -> bool:
        return await asyncio.to_thread(rig.stored, client, settings) >= rows

    await rig.until(there)


def without_memory(call: Call) -> None:
    """The engine itself refuses: there is not a byte for the insert."""
    if call.table == "results":
        call.params.update(max_memory_usage="1", max_untracked_memory="0")


async def test_a_memory_limit_is_waited_for(kafka: str, clickhouse: str) -> None:
    settings = rig.used_place(kafka, clickhouse, "memory")
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    try:
        with gate(settings.clickhouse) as there:
            way = structs.replace(settings, clickhouse=there.url)
            async with watched(way) as running:
                await rig.send_results(producer, settings, rig.results(0, 600))
                await stored(client, settings, 600)
                before = running.membership
                there.rule = without_memory
                await rig.send_results(producer, settings, rig.results(600, MANY))
                token = await rig.until(lambda: _tried(there, 4))
                assert {code for found, code in there.answered if found == token} == {"241"}
                await rig.until(lambda: running.waiting and running.held_bytes == 0)
                await running.polls_on()
                there.rule = open_to_all
                await stored(client, settings, 600 + MANY)
                assert running.membership == before
            waits = _waits(there, token)
        rig.counts_agree(client, settings, 600 + MANY)
        # Each time twice as long. What it does between two tries comes on top.
        for number, waited in enumerate(waits[:3]):
            assert waited >= partition_pipeline.BACKOFF.first_s * 2**number
    finally:
        await producer.stop()


async def test_a_slow_clickhouse_bounds_what_is_held(
    kafka: str, clickhouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A part of what a sink may hold, so that the test need not send gigabytes.
    monkeypatch.setattr(sink, "BUFFER_BYTES", 150_000)
    monkeypatch.setattr(sink, "SMALLEST_BUFFER_BYTES", 10_000)
    monkeypatch.setattr(sink, "TURN_BYTES", 200_000)
    monkeypatch.setattr(sink, "FETCH_BYTES", 10_000)
    settings = rig.used_place(kafka, clickhouse, "bytes", sink_block_rows=1_000)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    slow = _Slow()
    try:
        with gate(settings.clickhouse) as there:
            way = structs.replace(settings, clickhouse=there.url)
            async with watched(way) as running:
                await rig.send_results(producer, settings, rig.results(0, 600))
                await stored(client, settings, 600)
                before = running.membership
                there.rule = slow
                await rig.send_results(producer, settings, rig.results(600, MANY))
                # Longer than the broker waits for a member that says nothing.
                await asyncio.sleep(SESSION_TIMEOUT_MS / 1000 + 1)
                await rig.until(lambda: running.waiting)
                assert running.membership == before
                # One fetch is taken whole, decompressed; two lanes may fill a block.
                assert running.held_bytes < 150_000 + 2 * 200_000 + 3 * 10 * 10_000
                assert slow.most <= writer.THREADS
                await running.polls_on()
                slow.let_go()
                await stored(client, settings, 600 + MANY)
                assert running.membership == before
        rig.counts_agree(client, settings, 600 + MANY)
    finally:
        slow.let_go()
        await producer.stop()


async def test_an_insert_that_took_too_long_and_lands_after_its_repetition_counts_once(
    kafka: str, clickhouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "INSERT_TIMEOUT_S", 1)
    settings = rig.used_place(kafka, clickhouse, "toolate", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    held = Held()
    try:
        with gate(settings.clickhouse) as there:
            there.rule = held
            way = structs.replace(settings, clickhouse=there.url)
            async with watched(way) as running:
                before = running.membership
                await rig.send_results(producer, settings, rig.results(0, 1_000))
                await stored(client, settings, 1_000)
                assert [token for _, token in there.came].count(held.token) > 1
                held.let_go()
                landed = [(held.token, "")] * 2
                await rig.until(lambda: [f for f in there.answered if f in landed][:2] == landed)
                await rig.send_results(producer, settings, rig.results(1_000, 500))
                await stored(client, settings, 1_500)
                assert running.membership == before
        rig.counts_agree(client, settings, 1_500)
    finally:
        held.let_go()
        await producer.stop()


class _Slow(Held):
    """Holds every insert of results until it is let go; `most` of them were here at once."""

    def __init__(self) -> None:
        super().__init__()
        self._here = 0
        self.most = 0

    def __call__(self, call: Call) -> None:
        if call.table != "results":
            return
        with self._lock:
            self._here += 1
            self.most = max(self.most, self._here)
        self._free.wait(60)
        with self._lock:
            self._here -= 1


def _tried(there: Gate, times: int) -> str:
    """The token of an insert that was refused so often."""
    tokens = [token for token, code in there.answered if code]
    return next((token for token in tokens if tokens.count(token) >= times), "")


def _waits(there: Gate, token: str) -> list[float]:
    """Seconds between the tries of an insert."""
    came = [at for at, found in there.came if found == token]
    return [later - earlier for earlier, later in pairwise(came)]
