"""The messages of a WebSocket connection (RFC 6455, sections 5 to 7), by the library wsproto."""

import asyncio
from collections import deque
from typing import Final

from wsproto import events
from wsproto.connection import Connection as Frames
from wsproto.connection import ConnectionState, ConnectionType

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.kinds.connection import Connection
from producers.kinds.limits import says_too_many
from schemas.result import Reason

MOST_MESSAGE_BYTES: Final = 900_000
"""The longest message, as the longest body of `http`."""

MOST_FRAMES: Final = 20_000
"""The most frames of a check, those of control and empty ones included."""

_AT_ONCE: Final = 64
_MEANINGS: Final = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1005: "without a code",
    1007: "invalid data",
    1008: "policy violation",
    1009: "message too big",
    1010: "extension missing",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
}
"""RFC 6455, section 7.4.1, and IANA's registry of close codes, as far as wsproto takes them."""


class Messages:
    """The messages of an open connection; `begun` are the bytes that came with the answer.

    Pings are answered. One reader at a time.
    """

    def __init__(self, stream: Connection, begun: bytes) -> None:
        self._stream = stream
        self._frames = Frames(ConnectionType.CLIENT)
        self._events = self._frames.events()
        self._frames.receive_data(begun)
        self._count = 0
        self._told = 0
        self._part = bytearray()
        self._whole: deque[bytes] = deque()
        self._closed: CheckFailedError | None = None

    async def send(self, data: bytes, *, text: bool) -> None:
        """Sends one message.

        Raises:
            CheckFailedError: the connection is broken.
        """
        message = events.TextMessage(data.decode()) if text else events.BytesMessage(data)
        await self._stream.send(self._frames.send(message))

    async def next(self) -> bytes:
        """The next whole message; a text in UTF-8.

        Raises:
            CheckFailedError: the server closed, or does not hold to the protocol.
        """
        while True:
            await self._take()
            if self._whole:
                self._told += 1
                if self._told % _AT_ONCE == 0:
                    await asyncio.sleep(0)  # to judge each of many takes time, too
                return self._whole.popleft()
            if self._closed is not None:
                raise self._closed
            data = await self._stream.receive()
            if not data:
                raise CheckFailedError(
                    "unexpected_response", "closed by the server without a close frame"
                )
            self._frames.receive_data(data)

    async def bye(self) -> None:
        """Says goodbye (1000), so that the server closes first and logs no error."""
        closing = {ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING}
        if self._frames.state not in closing:
            return
        try:
            await self._stream.send(self._frames.send(events.CloseConnection(code=1000)))
        except CheckFailedError:
            return  # the outcome is known
        self._stream.server_first = True

    async def _take(self) -> None:
        """Takes all whole frames that have come."""
        while self._closed is None:
            event = next(self._events, None)
            if event is None:
                self._events = self._frames.events()
                return
            self._count += 1
            if self._count > MOST_FRAMES:
                text = f"the server sent more than {MOST_FRAMES} frames"
                raise CheckFailedError("unexpected_response", text)
            if self._count % _AT_ONCE == 0:
                await asyncio.sleep(0)  # others have their turn
            await self._heed(event)

    async def _heed(self, event: events.Event) -> None:
        if isinstance(event, events.Message):
            self._part += event.data.encode() if isinstance(event.data, str) else event.data
            if len(self._part) > MOST_MESSAGE_BYTES:
                text = f"a message of more than {MOST_MESSAGE_BYTES} bytes"
                raise CheckFailedError("unexpected_response", text)
            if event.message_finished:
                self._whole.append(bytes(self._part))
                self._part.clear()
        elif isinstance(event, events.Ping):
            await self._stream.send(self._frames.send(event.response()))
        elif isinstance(event, events.CloseConnection):
            self._closed = self._failure(event)

    def _failure(self, event: events.CloseConnection) -> CheckFailedError:
        reason = event.reason or ""
        if self._frames.state is not ConnectionState.REMOTE_CLOSING:
            # So wsproto tells what no client may accept.
            text = f"the server does not hold to RFC 6455: {shown(reason.encode())}"
            return CheckFailedError("unexpected_response", text)
        code = int(event.code)
        meaning = f" ({_MEANINGS[code]})" if code in _MEANINGS else ""
        said = f": {shown(reason.encode())!r}" if reason else ""
        why: Reason = "unexpected_response"
        if says_too_many(reason.encode()):
            why = "too_many_connections"
        return CheckFailedError(why, f"closed by the server with {code}{meaning}{said}")
