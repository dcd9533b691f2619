"""The small TCP service that the demo watches, closes and opens again."""

import asyncio
import contextlib
import random
from typing import Final, Self

HOST: Final = "127.0.0.1"

# Below the ephemeral ports of Linux: while it is closed, no connection takes it as its own end.
_PORTS: Final = range(20_000, 32_000)


class DemoService:
    """Greets each connection; it keeps its port across `close` and `open`."""

    def __init__(self, port: int) -> None:
        """The port is not open before `start`."""
        self.port = port
        self._server: asyncio.Server | None = None

    @classmethod
    async def start(cls) -> Self:
        """Listens on a free port.

        Raises:
            OSError: none of a hundred was free.
        """
        ports = random.sample(_PORTS, 100)
        for port in ports[:-1]:
            service = cls(port)
            with contextlib.suppress(OSError):
                await service.open()
                return service
        service = cls(ports[-1])
        await service.open()
        return service

    async def open(self) -> None:
        """Listens (again).

        Raises:
            OSError: the port is taken.
        """
        self._server = await asyncio.start_server(_greet, HOST, self.port)

    async def close(self) -> None:
        """Closes the port; on return nothing listens on it."""
        if self._server:
            self._server.close()
            self._server = None
            await asyncio.sleep(0)


async def _greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.write(b"hello from the demo\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
