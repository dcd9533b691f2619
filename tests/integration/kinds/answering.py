"""An HTTP server that says what it is told to, and a check of it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from tests.integration.kinds.certificates import Pair
from tests.integration.kinds.checking import measured


@contextlib.asynccontextmanager
async def answering(
    *pieces: bytes, held: bool = False, pair: Pair | None = None
) -> AsyncIterator[int]:
    """A server that sends the pieces after each request, and then closes, or holds the line.

    With the certificate of `pair` in TLS.
    """
    tls: ssl.SSLContext | None = None
    if pair is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(pair.certificate, pair.key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            if held:
                await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1]


async def http(port: int, timeout_s: float = 10, **probe: Any) -> CheckOutcome:
    found = probe_of("http", probe, port)
    return await measured(lambda: check_once("127.0.0.1", port, "http", timeout_s, probe=found))
