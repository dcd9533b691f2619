"""Answers PING as Redis does, on loopback.

`python -m portquorum.bench.responder`, until standard input ends.

Prints its port; for each line that comes in, how many connections it has had.
"""

import asyncio
import os
import sys
from typing import Final

from portquorum.bench.listener import loopback_server

_BACKLOG: Final = 4096


class _Counter:
    count = 0


class _Answers(asyncio.Protocol):
    def __init__(self, counter: _Counter) -> None:
        self._counter = counter

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a server gives
        self._transport = transport
        self._counter.count += 1

    def data_received(self, data: bytes) -> None:
        if b"PING" in data:
            self._transport.write(b"+PONG\r\n")
        else:
            self._transport.close()


async def serve() -> None:
    """Answers and counts until standard input ends."""
    loop = asyncio.get_running_loop()
    counter, over = _Counter(), asyncio.Event()

    def told() -> None:
        if os.read(0, 1):
            print(counter.count, flush=True)
        else:
            over.set()

    server = loopback_server(_BACKLOG)
    async with await loop.create_server(lambda: _Answers(counter), sock=server, backlog=_BACKLOG):
        loop.add_reader(0, told)
        print(server.getsockname()[1], flush=True)
        await over.wait()
    loop.remove_reader(0)


if __name__ == "__main__":
    asyncio.run(serve())
    sys.exit(0)
