"""What a reconnecting producer does without a broker; with one: tests/integration/foundation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka.errors import KafkaError

from foundation.kafka.reconnecting_producer import KeyedMessage, ReconnectingProducer
from foundation.settings import Settings

DEADLINE_S = 100
NOBODY = Settings(kafka="127.0.0.1:1", topic_prefix="t")
MESSAGES = [KeyedMessage(b"k", b"v")]


class SilentBroker:
    """Accepts connections and never answers."""

    def __init__(self, port: int, accepted: "asyncio.Queue[asyncio.StreamReader]") -> None:
        self.settings = Settings(kafka=f"127.0.0.1:{port}", topic_prefix="t")
        self.accepted = accepted


@asynccontextmanager
async def silent_broker() -> AsyncIterator[SilentBroker]:
    accepted: asyncio.Queue[asyncio.StreamReader] = asyncio.Queue()
    held: list[asyncio.StreamWriter] = []

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        accepted.put_nowait(reader)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield SilentBroker(server.sockets[0].getsockname()[1], accepted)
    finally:
        server.close()
        for writer in held:
            writer.close()


async def test_a_broker_that_is_away_fails_the_try_and_the_next_one() -> None:
    producer = ReconnectingProducer(NOBODY)
    async with asyncio.timeout(DEADLINE_S):
        for _ in range(2):
            with pytest.raises((KafkaError, OSError)):
                await producer.connect()
            with pytest.raises((KafkaError, OSError)):
                await producer.write("t.results", MESSAGES)
        await producer.close(1.0)


async def test_a_send_does_not_connect() -> None:
    producer = ReconnectingProducer(NOBODY)
    with pytest.raises(KafkaError, match="the connection is being made"):
        await producer.send("t.results", b"", partition=0)
    await producer.give_up()
    await producer.close(1.0)


async def test_a_broker_that_does_not_answer_is_given_up_after_the_start_limit() -> None:
    async with silent_broker() as broker, asyncio.timeout(DEADLINE_S):
        producer = ReconnectingProducer(broker.settings, start_s=0.1)
        with pytest.raises((KafkaError, OSError)):
            await producer.connect()
        await producer.close(1.0)


async def test_a_connect_that_is_cancelled_leaves_no_connection() -> None:
    async with silent_broker() as broker, asyncio.timeout(DEADLINE_S):
        producer = ReconnectingProducer(broker.settings)
        connecting = asyncio.create_task(producer.connect())
        connection = await broker.accepted.get()
        connecting.cancel()
        await asyncio.wait({connecting})
        assert connecting.cancelled()
        await producer.close(1.0)
        await connection.read()  # returns at the connection's end


async def test_after_its_end_it_connects_no_more() -> None:
    producer = ReconnectingProducer(NOBODY)
    await producer.close(1.0)
    with pytest.raises(KafkaError, match="closed"):
        await producer.write("t.results", MESSAGES)
