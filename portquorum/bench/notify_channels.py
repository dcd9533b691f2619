"""Channels on loopback: they take any POST and note when it was read whole.

`python -m portquorum.bench.notify_channels`, until standard input ends.

Prints its port; for each line feed that comes in, one line of JSON: for each path, the time of the
first and the last message (UTC ms) and their number; for each `t`, the times of its first messages.
A path that begins with `/hang` is never answered.
"""

import asyncio
import json
import os
import sys
import time
from typing import Final

from portquorum.bench.listener import loopback_server

_BACKLOG: Final = 4096
_OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_LENGTH: Final = b"content-length:"
_KEPT: Final = 100
"""Times that are kept of a path."""


class _Noted:
    def __init__(self) -> None:
        self.paths: dict[str, tuple[int, int, int]] = {}
        self.times: dict[str, list[int]] = {}

    def note(self, path: str) -> None:
        now = time.time_ns() // 1_000_000
        first, _, count = self.paths.get(path, (now, now, 0))
        self.paths[path] = (first, now, count + 1)
        if count < _KEPT:
            self.times.setdefault(path, []).append(now)


class _Answers(asyncio.Protocol):
    """One connection; requests one after the other."""

    def __init__(self, noted: _Noted) -> None:
        self._noted = noted
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a server gives
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            lines = self._held[:end].split(b"\r\n")
            length = next(
                (int(line[len(_LENGTH) :]) for line in lines if line.lower().startswith(_LENGTH)), 0
            )
            if len(self._held) < end + 4 + length:
                return
            self._held = self._held[end + 4 + length :]
            path = lines[0].split(b" ")[1].partition(b"?")[0].decode("latin-1")
            self._noted.note(path)
            if not path.startswith("/hang"):
                self._transport.write(_OK)


async def serve() -> None:
    """Answers and notes until standard input ends."""
    loop = asyncio.get_running_loop()
    noted, over = _Noted(), asyncio.Event()

    def told() -> None:
        if asked := os.read(0, 1):
            print(json.dumps(noted.times if asked == b"t" else noted.paths), flush=True)
        else:
            over.set()

    server = loopback_server(_BACKLOG)
    async with await loop.create_server(lambda: _Answers(noted), sock=server, backlog=_BACKLOG):
        loop.add_reader(0, told)
        print(server.getsockname()[1], flush=True)
        await over.wait()
    loop.remove_reader(0)


if __name__ == "__main__":
    asyncio.run(serve())
    sys.exit(0)
