"""Why Kafka can't be used, where no Kafka is."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiokafka.errors import KafkaConnectionError, NotEnoughReplicasError

from foundation.kafka.trouble import KafkaTroubleError, explained, why_not
from foundation.kafka.trouble_words import Trouble
from foundation.settings import Settings

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@asynccontextmanager
async def served(serve: Serve) -> AsyncIterator[str]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def trouble(kafka: str, within_s: float = 20.0) -> Trouble:
    found = await why_not(Settings(kafka=kafka), within_s)
    assert found is not None
    return found


async def test_refused() -> None:
    place = f"127.0.0.1:{free_port()}"
    found = await trouble(place)
    assert found.kind == "refused"
    assert found.sentence.startswith(f"Kafka can't be reached at {place}: the connection was ref")
    assert "`portquorum up`" in found.sentence


async def test_a_name_that_nobody_knows() -> None:
    found = await trouble("kafka.invalid:9092")
    assert found.kind == "name_unknown"
    assert "the name kafka.invalid is not known here" in found.sentence


async def test_a_name_that_is_none() -> None:
    found = await trouble(f"{'k' * 70}.example:9092")
    assert found.kind == "name_unknown"


async def test_who_takes_connections_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        found = await trouble(place, within_s=0.3)
    assert found.kind == "silent"
    assert found.sentence.startswith(f"Kafka can't be reached at {place}: no answer within 0.3 s")


async def test_a_web_server_is_no_kafka() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with served(serve) as place:
        assert (await trouble(place)).kind == "not_kafka"


@pytest.mark.parametrize("tls", [False, True])
async def test_who_ends_each_connection(tls: bool) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4)
        writer.close()

    async with served(serve) as place:
        settings = Settings(kafka=place, kafka_security_protocol="SSL" if tls else "PLAINTEXT")
        found = await why_not(settings)
    assert found is not None
    assert found.kind in {"closed", "tls_failed"}


async def test_the_server_that_got_furthest_is_told_and_all_that_are_alike() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4)
        writer.close()

    one, two = (f"127.0.0.1:{free_port()}" for _ in range(2))
    async with served(serve) as place:
        assert (await trouble(f"{one},{place}")).kind == "closed"
    found = await trouble(f"kafka.invalid:1,{one},{two}")
    assert found.where in {"kafka.invalid:1", f"{one}, {two}"}


async def test_an_error_that_says_what_it_is_stays() -> None:
    settings = Settings(kafka=f"127.0.0.1:{free_port()}")
    own = NotEnoughReplicasError("two are needed")
    assert "two are needed" in await explained(settings, own)
    assert await explained(settings, KafkaTroubleError("because")) == "because"
    away = KafkaConnectionError("Unable to bootstrap from [('k', 1, <AddressFamily.AF_UNSPEC>)]")
    assert "nothing listens there" in await explained(settings, away)
