"""A program: the server over fakes, on a free port, until SIGTERM. Writes its port to stdout.

Each line on stdin becomes a change for those who watch live.
"""

import asyncio
import sys

from foundation.lifecycle import stop_on_signals
from foundation.loopback_listener import loopback_listener
from portquorum.serving import server
from portquorum.serving.server import BoundedConnection, serve
from portquorum.web import edge
from portquorum.web.answers import Change, Counts
from tests.unit.portquorum.web.fakes import NOW, FakeFleet, Made


async def main() -> None:
    BoundedConnection.head_s = BoundedConnection.write_s = 1.0
    edge.BODY_S = 1.0  # type: ignore[misc]
    server.SLOWEST_BYTES = 1 << 20  # type: ignore[misc]
    server.MOST_CONNECTIONS = 60  # type: ignore[misc]
    made = Made(fleet=FakeFleet(20_000))
    stop = stop_on_signals()
    listening = loopback_listener("127.0.0.1:0", "test")
    print(listening.getsockname()[1], flush=True)  # noqa: T201
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    telling = asyncio.create_task(tell(made, reader))
    await serve(made.app, listening, made.closing, stop, busy=edge.too_many)
    telling.cancel()


async def tell(made: Made, reader: asyncio.StreamReader) -> None:
    while line := (await reader.readline()).decode().strip():
        made.hub.tell(Change(kind="target", id=f"v1-{line}", at=NOW, subject=line, counts=Counts()))


if __name__ == "__main__":
    asyncio.run(main())
