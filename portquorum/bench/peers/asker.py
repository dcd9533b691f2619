"""Asks a blackbox_exporter for checks: `python -m portquorum.bench.peers.asker PORT RATE PORT...`.

The first port is its own, the others are checked, in turn, on many addresses of loopback. Ends with
standard input, and prints `Answers` as JSON.
"""

import asyncio
import os
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from portquorum.bench.listener import address_of

CONNECTIONS: Final = 64
TARGETS: Final = 10_000

_ROUND_S: Final = 0.002
_LAST_S: Final = 2.0
_END: Final = b"\r\n\r\n"


class Answers(Struct, frozen=True):
    """Number of requested and of answered checks, and of successes among these."""

    asked: int
    succeeded: int


class Asking(asyncio.Protocol):
    """A persistent connection; one request at a time."""

    def __init__(self, idle: "deque[Asking]") -> None:
        self._idle = idle
        self._read = b""
        self.asked = 0
        self.answered = 0
        self.succeeded = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a connection gives
        self._transport = transport
        self._idle.append(self)

    def data_received(self, data: bytes) -> None:
        self._read += data
        if not _complete(self._read):
            return
        self.answered += 1
        self.succeeded += b"\nprobe_success 1\n" in self._read
        self._read = b""
        self._idle.append(self)

    def ask(self, question: bytes) -> None:
        """Sends the request."""
        self.asked += 1
        self._transport.write(question)


def _complete(answer: bytes) -> bool:
    """True if an HTTP/1.1 response is complete (RFC 9112, sections 6.2 and 7.1)."""
    head, found, body = answer.partition(_END)
    if not found:
        return False
    _, has_length, rest = head.lower().partition(b"\r\ncontent-length:")
    if has_length:
        return len(body) >= int(rest.partition(b"\r\n")[0])
    return body.endswith(b"0\r\n\r\n")


def questions(ports: Sequence[int]) -> list[bytes]:
    """The requests, in turn."""
    return [
        (
            f"GET /probe?module=tcp_connect&target={address_of(n)}:{ports[n % len(ports)]} "
            "HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/plain\r\n\r\n"
        ).encode()
        for n in range(TARGETS)
    ]


async def ask(port: int, rate: float, ports: Sequence[int]) -> Answers:
    """Sends requests until standard input ends; a request waits for a free connection."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(0, lambda: over.set() if not os.read(0, 1) else None)
    idle: deque[Asking] = deque()
    all_of_them = [await _connect(port, idle) for _ in range(CONNECTIONS)]
    said, count, start = questions(ports), 0, time.monotonic()
    while not over.is_set():
        due = (time.monotonic() - start) * rate
        while count < due and idle:
            idle.popleft().ask(said[count % len(said)])
            count += 1
        # What could not be asked in time is not made up for: that would be a herd.
        if count < due - rate * 0.1:
            start += (due - count) / rate
        await asyncio.sleep(_ROUND_S)
    loop.remove_reader(0)
    # What is on its way has as long as it takes to be asked and answered once.
    await asyncio.sleep(_LAST_S)
    return Answers(
        asked=sum(one.asked for one in all_of_them),
        succeeded=sum(one.succeeded for one in all_of_them),
    )


async def _connect(port: int, idle: "deque[Asking]") -> Asking:
    """A connection, as soon as somebody listens."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(15):
        while True:
            try:
                _, asking = await loop.create_connection(lambda: Asking(idle), "127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                return asking


if __name__ == "__main__":
    own, rate_text, *checked = sys.argv[1:]
    done = asyncio.run(ask(int(own), float(rate_text), [int(each) for each in checked]))
    sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")
