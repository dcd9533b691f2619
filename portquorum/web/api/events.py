"""Live changes: server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from portquorum.web import metrics
from portquorum.web.access.needs import needs
from portquorum.web.access.visit import visit_of
from portquorum.web.answers import Change
from portquorum.web.parts import TheEnd, TheHub
from portquorum.web.ports import Hub
from portquorum.web.problem import RETRY_AFTER, ProblemError

MOST_VIEWERS: Final = 500
"""Live streams of one process."""
KEEP_ALIVE_S: Final = 10.0
"""A comment goes out after so long without a change: a peer that is gone shows, and a proxy waits
on."""
LOOK_S: Final = 2.0
"""How often a stream looks whether its viewer is still let in."""
RETRY_MS: Final = 1000
"""How long a browser waits before it connects again."""

_COMES_S: Final = 5.0
_HELLO: Final = f"retry: {RETRY_MS}\n: portquorum\n\n".encode()
_ALIVE: Final = b": alive\n\n"
_RELOAD: Final = b"event: reload\ndata: {}\n\n"


@get(
    "/events",
    operation_id="events",
    summary="Changes, live",
    tags=["now"],
    media_type="text/event-stream",
    opt={"live": True} | needs("viewer"),
)
async def events(
    request: Request[None, None, State],
    hub: TheHub,
    closing: TheEnd,
    last_event_id: Annotated[
        str | None,
        HeaderParameter(
            name="Last-Event-ID",
            max_length=4000,
            required=False,
            description="The id of the last change that was received; of any web process.",
        ),
    ] = None,
    since: Annotated[
        str,
        QueryParameter(
            max_length=4000,
            description="A position, as `Last-Event-ID`; `freshness.position` of an answer.",
        ),
    ] = "",
) -> Stream:
    """Each change as an event: its kind, its position as id, and a `Change` as data.

    It ends within a few seconds of the session or token that opened it.

    `reload`: something is missing (the position is too old, or the reader too slow); ask for
    everything anew.
    """
    if not viewers.expects_one():
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"{MOST_VIEWERS} others watch live already",
            headers=RETRY_AFTER,
        )
    return Stream(
        stream(
            hub, last_event_id or since or None, closing, goes_on=visit_of(request.scope).goes_on
        ),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


class _Viewers:
    """The number of open streams of this process, and of those that will be open in a moment."""

    def __init__(self) -> None:
        self.now = 0
        self._expected: deque[float] = deque()
        """Until when a stream is expected that was promised: its viewer may have gone."""

    def expects_one(self) -> bool:
        """Promises a stream, if there is room for one; five hundred may ask at once."""
        now = time.monotonic()
        while self._expected and self._expected[0] < now:
            self._expected.popleft()
        if self.now + len(self._expected) >= MOST_VIEWERS:
            return False
        self._expected.append(now + _COMES_S)
        return True

    def come(self) -> None:
        """A stream begins."""
        if self._expected:
            self._expected.popleft()
        self.add(1)

    def add(self, number: int) -> None:
        """Counts streams, or those that end."""
        self.now += number
        metrics.VIEWERS.set(self.now)


viewers: Final = _Viewers()


def _always() -> bool:
    return True


async def stream(
    hub: Hub,
    since: str | None,
    closing: asyncio.Event,
    *,
    keep_alive_s: float = KEEP_ALIVE_S,
    goes_on: Callable[[], bool] = _always,
    look_s: float = LOOK_S,
) -> AsyncIterator[bytes]:
    """The bytes of one stream, until the changes end, the process closes, or not `goes_on()`.

    `goes_on` is asked before each change, and every `look_s`.
    """
    viewers.come()
    try:
        async with hub.subscribe(since) as changes:
            yield _HELLO
            said_at = time.monotonic()
            async for change in _with_pauses(changes, closing, min(look_s, keep_alive_s)):
                if not goes_on():
                    return
                if change:
                    said_at = time.monotonic()
                    yield change
                elif time.monotonic() - said_at >= keep_alive_s:
                    said_at = time.monotonic()
                    yield _ALIVE
    finally:
        viewers.add(-1)


async def _with_pauses(
    changes: AsyncIterator[Change | None], closing: asyncio.Event, pause_s: float
) -> AsyncIterator[bytes]:
    """The frames of the changes, and nothing (`b""`) whenever none comes for `pause_s`."""
    closed = asyncio.ensure_future(closing.wait())
    coming = asyncio.ensure_future(anext(changes))
    try:
        while True:
            done, _ = await asyncio.wait(
                {coming, closed}, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED
            )
            if closed in done:
                return
            if not done:
                yield b""
                continue
            try:
                change = coming.result()
            except StopAsyncIteration:
                return
            yield _RELOAD if change is None else frames.of(change)
            coming = asyncio.ensure_future(anext(changes))
    finally:
        closed.cancel()
        coming.cancel()


class _Frames:
    """The newest changes as bytes: they are the same for all viewers."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: dict[int, tuple[Change, bytes]] = {}

    def of(self, change: Change) -> bytes:
        """The bytes of a change."""
        key = id(change)
        known = self._made.get(key)
        if known is not None and known[0] is change:
            return known[1]
        made = frame(change)
        self._made[key] = (change, made)
        if len(self._made) > self._most:
            del self._made[next(iter(self._made))]
        return made


def frame(change: Change) -> bytes:
    """A change as an event; JSON has no line's end, and a position is printable ASCII."""
    data = msgspec.json.encode(change)
    named = f"id: {change.id}\n".encode() if change.id else b""
    return b"event: " + change.kind.encode() + b"\n" + named + b"data: " + data + b"\n\n"


frames: Final = _Frames(256)
