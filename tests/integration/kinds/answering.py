"""An HTTP server that says what it is told to, and a check of it."""

import asyncio
import contextlib
import fcntl
import socket
import ssl
import struct
import sys
import termios
import time
from collections.abc import AsyncIterator
from typing import Any

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from tests.integration.kinds.certificates import Pair
from tests.integration.kinds.checking import measured


@contextlib.asynccontextmanager
async def answering(
    *pieces: bytes, held: bool = False, reset: bool = False, pair: Pair | None = None
) -> AsyncIterator[int]:
    """A server that sends the pieces after each request, and then closes, or holds the line.

    `reset`: it closes with a reset, after the peer has taken all. With the certificate of `pair`
    in TLS.
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
            if reset:
                connection = writer.get_extra_info("socket")
                deadline = time.monotonic() + 10
                # SIOCOUTQ: what the peer's kernel has not acknowledged.
                while _unsent(connection) and time.monotonic() < deadline:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1]


def _unsent(connection: socket.socket) -> int:
    buffer = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(buffer, sys.byteorder)


async def http(port: int, timeout_s: float = 10, **probe: Any) -> CheckOutcome:
    found = probe_of("http", probe, port)
    return await measured(lambda: check_once("127.0.0.1", port, "http", timeout_s, probe=found))
