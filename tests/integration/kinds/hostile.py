"""A server that answers each connection with given bytes, and the check of it: never our fault."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator

import structlog

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from tests.integration.kinds.checking import measured

TIMEOUT_S = 1.0
SLACK_S = 10.0

Speech = Callable[[bytes], bytes]
"""The whole answer, from the beginning of what the client has sent."""


@contextlib.contextmanager
def nothing_logged_as_error() -> Iterator[None]:
    with structlog.testing.capture_logs() as logged:
        yield
    assert [entry for entry in logged if entry["log_level"] == "error"] == []


@contextlib.asynccontextmanager
async def answered(
    speech: Speech, *, until: bytes = b"", then: str = "held", one_by_one: bool = False
) -> AsyncIterator[int]:
    """A server that reads up to `until`, or once, and says its speech.

    `then` the connection is "held", "closed" or "reset".
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            asked = await (reader.readuntil(until) if until else reader.read(65_536))
            data = speech(asked)
            for at in range(0, len(data), 1) if one_by_one else (0,):
                writer.write(data[at : at + 1] if one_by_one else data)
                await writer.drain()
                await asyncio.sleep(0)
            if then == "held":
                while await reader.read(65_536):
                    pass
            if then == "reset":
                linger = struct.pack("ii", 1, 0)
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def checked(
    kind: str, port: int, timeout_s: float = TIMEOUT_S, **probe: object
) -> CheckOutcome:
    """The outcome, which comes in time and is no fault of ours."""
    found = probe_of(kind, probe, port)

    async def once() -> CheckOutcome:
        async with asyncio.timeout(timeout_s + SLACK_S):
            return await check_once("127.0.0.1", port, kind, timeout_s, probe=found)

    with nothing_logged_as_error():
        outcome = await measured(once)
    assert outcome.reason != "prober_error", outcome
    for text in (outcome.detail, outcome.banner):
        assert text is None or (text.isprintable() and len(text) <= 300)
    return outcome
