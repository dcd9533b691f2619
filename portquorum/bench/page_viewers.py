"""Live viewers as a process: `python -m portquorum.bench.page_viewers PORT VIEWERS PATH`.

Each has a live stream, and reads its page anew when an event says that something changed, as
`page.js` does: on a connection that is kept, once a second at most. Writes a line once all listen;
at each line on stdin it writes what they have seen since the last one, as JSON.
"""

import asyncio
import sys
import time
from typing import Final

import msgspec
from msgspec import Struct

from portquorum.web.fleet.position import decode

AGAIN_S: Final = 1.0
"""Longest wait of a viewer between two times that it reads its page; see `page.js`."""

LISTENS_S: Final = 30.0


class Seen(Struct, frozen=True, kw_only=True):
    """What viewers saw. `frames`: viewer, offset of [incidents] behind the event, monotonic s.

    `reads`: ms that each reading of the page took. `bytes`: of all of them.
    """

    frames: list[tuple[int, int, float]]
    reads: list[float]
    bytes: int


class Viewers:
    """All of them, in one event loop."""

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._path = path
        self._frames: list[tuple[int, int, float]] = []
        self._reads: list[float] = []
        self._bytes = 0
        self._offsets: dict[bytes, int] = {}

    def taken(self) -> Seen:
        """What was seen since the last time."""
        seen = Seen(frames=self._frames, reads=self._reads, bytes=self._bytes)
        self._frames, self._reads, self._bytes = [], [], 0
        return seen

    async def watch(self, number: int, listens: asyncio.Event) -> None:
        """One viewer, without end."""
        changed = asyncio.Event()
        reading = asyncio.create_task(self._read_when(changed))
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"retry: ")
        listens.set()
        kind = b""
        try:
            while line := await reader.readline():
                at = time.monotonic()
                if line.startswith(b"event: "):
                    kind = line[7:].strip()
                elif line.startswith(b"id: "):
                    self._frames.append((number, self._offset(line[4:].strip()), at))
                elif line.startswith(b"data: ") and kind != b"freshness":
                    changed.set()
        finally:
            reading.cancel()
            writer.close()

    async def _read_when(self, changed: asyncio.Event) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        request = (
            f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n"
            "Accept-Encoding: gzip, deflate, br, zstd\r\n\r\n"
        ).encode()
        try:
            while True:
                await changed.wait()
                changed.clear()
                began = time.monotonic()
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200 "):
                    raise RuntimeError(head.decode())
                body = await reader.readexactly(_length_of(head))
                self._reads.append((time.monotonic() - began) * 1000)
                self._bytes += len(body)
                await asyncio.sleep(max(0.0, began + AGAIN_S - time.monotonic()))
        finally:
            writer.close()

    def _offset(self, position: bytes) -> int:
        found = self._offsets.get(position)
        if found is None:
            known = decode(position.decode())
            found = 0 if known is None else known.incidents.get(0, 0)
            self._offsets[position] = found
        return found


def _length_of(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise RuntimeError(f"expected a Content-Length, found {head.decode()}")


async def main() -> None:
    """Watches until stdin ends."""
    port, count, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    viewers = Viewers(port, path)
    ready = [asyncio.Event() for _ in range(count)]
    watching = [asyncio.create_task(viewers.watch(n, one)) for n, one in enumerate(ready)]
    for one in ready:
        await asyncio.wait_for(one.wait(), LISTENS_S)
    print("all listen", flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    while await lines.readline():
        ended = [one for one in watching if one.done()]
        if ended:
            ended[0].result()
            raise RuntimeError(f"{len(ended)} live streams have ended")
        print(msgspec.json.encode(viewers.taken()).decode(), flush=True)
    for task in watching:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
