"""Requests at a fixed rate, each with the time from when it was due to its answer."""

import asyncio
import time
from collections.abc import Callable, Sequence

from msgspec import Struct


class Load(Struct, frozen=True, kw_only=True):
    """`rate` requests a second for `seconds`, to all `ports` in turn.

    `reuses`: connections stay open for the next request; otherwise each has one of its own.
    """

    ports: tuple[int, ...]
    rate: float
    seconds: float
    reuses: bool


class Answers(Struct, frozen=True, kw_only=True):
    """`ms` of each answered request, from when it was due; `failed`: those without 200."""

    ms: list[float]
    failed: int
    seconds: float


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Client:
    """Connections to the ports."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._open: dict[int, list[_Connection]] = {port: [] for port in load.ports}

    async def ask(self, number: int, request: bytes) -> bool:
        """Sends a request to the port whose turn it is; whether the answer was 200."""
        port = self._load.ports[number % len(self._load.ports)]
        kept = self._open[port]
        connection = kept.pop() if kept else await asyncio.open_connection("127.0.0.1", port)
        reader, writer = connection
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        at = lowered.index(b"content-length:") + 15
        await reader.readexactly(int(lowered[at : lowered.index(b"\r\n", at)]))
        if self._load.reuses:
            kept.append(connection)
        else:
            writer.close()
        return head.startswith(b"HTTP/1.1 200")

    def close(self) -> None:
        """Closes what is open."""
        for kept in self._open.values():
            for _, writer in kept:
                writer.close()


async def put(load: Load, path: Callable[[int], str], body: bytes = b"") -> Answers:
    """Puts the load; `path` gives the path of each request by its number.

    Requests are due whether earlier ones were answered or not: a server that stands still makes
    all of them late.
    """
    client = _Client(load)
    ms: list[float] = []
    failed = 0

    async def one(number: int, due: float) -> None:
        nonlocal failed
        try:
            is_fine = await client.ask(number, _request(path(number), body, reuses=load.reuses))
        except (OSError, ValueError, asyncio.IncompleteReadError):
            is_fine = False
        if is_fine:
            ms.append((time.perf_counter() - due) * 1000)
        else:
            failed += 1

    began = time.perf_counter()
    tasks: set[asyncio.Task[None]] = set()
    for number in range(round(load.rate * load.seconds)):
        due = began + number / load.rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(one(number, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if tasks:
        await asyncio.wait(tasks)
    client.close()
    return Answers(ms=ms, failed=failed, seconds=time.perf_counter() - began)


def _request(path: str, body: bytes, *, reuses: bool) -> bytes:
    ending = "" if reuses else "Connection: close\r\n"
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\n{ending}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def share_of(values: Sequence[float], part: float) -> float:
    """The value below which `part` of the values lie; 0 if there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0
