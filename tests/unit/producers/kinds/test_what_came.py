"""What came of an answer before the deadline, or before a reset, is told and counts."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from producers.engine.single_check import check_once
from schemas.probe import HandshakeProbe, Step, TcpProbe
from tests.unit.producers.answers import GREETING

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[int]:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def then_silent(said: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        while await reader.read(65_536):
            pass

    return serve


def then_reset(said: bytes) -> Serve:
    """Once something was said to it: the connection stands by then."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(said)
        await writer.drain()
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return serve


@pytest.mark.parametrize(
    ("kind", "said", "reason", "words"),
    [
        ("smtp", b"", "no_answer", "no SMTP greeting within"),
        ("redis", b"", "no_answer", "no Redis answer to PING within"),
        (
            "smtp",
            b"220-mail.example.com ESMTP\r\n",
            "unexpected_response",
            "no end of the SMTP greeting within 400 ms: only '220-mail.example.com ESMTP' came",
        ),
        ("smtp", b"220 mail.example.com", "unexpected_response", "'220 mail.example.com' came"),
        ("smtp", b"HTTP/1.1 400 Bad", "protocol_mismatch", "only 'HTTP/1.1 400 Bad' came"),
        ("smtp", b"220 mx\r\n250-mx\r\n", "unexpected_response", "only '250-mx' came"),
        # A refusal whose line never ends is one.
        ("smtp", b"421 Too many connections", "too_many_connections", "only '421 Too many"),
        ("ssh", b"Exceeded MaxStartups", "too_many_connections", "only 'Exceeded MaxStartups'"),
        ("ssh", b"220 mail.example.com\r\n", "protocol_mismatch", "only '220 mail.example.com'"),
        ("ftp", b"220-hello\r\n 220 x\r\n", "unexpected_response", "only '220-hello 220 x'"),
        ("imap", b"* OK hi\r\n* 3 EXISTS\r\n", "unexpected_response", "only '* 3 EXISTS'"),
        ("mysql", GREETING[:24], "unexpected_response", "no end of the MySQL greeting"),
        ("postgres", b"R\0\0\0\x17", "unexpected_response", "only '0x5200000017' came"),
    ],
)
async def test_what_came_is_told_at_the_deadline(
    kind: str, said: bytes, reason: str, words: str
) -> None:
    async with serving(then_silent(said)) as port:
        outcome = await check_once("127.0.0.1", port, kind, 0.4, probe=HandshakeProbe())
    assert outcome.reason == reason, outcome
    assert words in (outcome.detail or "")


@pytest.mark.parametrize(
    ("kind", "said", "reason"),
    [
        ("redis", b"-DENIED Redis is running in protected mode\r\n", None),
        ("redis", b"-ERR max number of clients reached\r\n", "too_many_connections"),
        ("memcached", b"ERROR Too many open connections\r\n", "too_many_connections"),
        ("redis", b"-ERR max number of clients reached", "too_many_connections"),
    ],
)
async def test_what_came_before_a_reset_counts(kind: str, said: bytes, reason: str | None) -> None:
    async with serving(then_reset(said)) as port:
        outcome = await check_once("127.0.0.1", port, kind, 5, probe=HandshakeProbe())
    assert outcome.reason == reason, outcome


@pytest.mark.parametrize(
    ("expect", "reason", "words"),
    [
        ("bye", None, ""),
        ("hello", "connection_reset", "step 1: expected 'hello', found 'good bye'"),
    ],
)
async def test_steps_hear_what_came_before_a_reset(
    expect: str, reason: str | None, words: str
) -> None:
    probe = TcpProbe(steps=(Step(send="x", expect=expect),))
    async with serving(then_reset(b"good bye")) as port:
        outcome = await check_once("127.0.0.1", port, "tcp", 5, probe=probe)
    assert outcome.reason == reason, outcome
    assert words in (outcome.detail or "")


async def test_a_step_finds_its_word_in_a_stream_that_never_ends() -> None:
    probe = TcpProbe(steps=(Step(expect="ready"),))
    async with serving(then_silent(b"* ready")) as port:
        outcome = await check_once("127.0.0.1", port, "tcp", 5, probe=probe)
    assert outcome.status == "up", outcome
