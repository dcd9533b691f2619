"""One request over HTTP/2 (RFC 9113) by the library h2: HPACK, streams and flow control are its.

What comes is cut into frames here, before h2 sees them, for three causes. A server of another
protocol is known by its first bytes, and its words belong in the detail. The number of frames, and
so the processor time, is bounded. And h2 takes GOAWAY for the end, where a server that is about to
stop only says that it takes no new requests (RFC 9113, section 6.8): it still answers ours.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import Final

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.kinds.check_context import CheckContext
from producers.kinds.connection import Connection
from producers.kinds.tls_errors import ClientCertificateError, RefusedCertificateError
from producers.kinds.tls_records import answers_in_tls
from schemas.result import Reason

MOST_FRAMES: Final = 2_000
"""The most frames of an answer: each takes some 50 µs of h2's."""

MOST_BLOCKS: Final = 32
"""The most blocks of fields, informational answers included. A byte of one may stand for a field of
4 kB, so that a block takes some 3 ms of h2's (measured)."""

MOST_BYTES: Final = 32_768
"""The most bytes of the answer's data."""

Headers = list[tuple[str, str]]

_SHOWN: Final = 4_096
"""The most bytes of a page that is no answer of gRPC: its beginning is for the detail."""

_SETTINGS_OF_OURS: Final[dict[SettingCodes, int]] = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.MAX_HEADER_LIST_SIZE: 65_536,
}

_HEADER: Final = 9
_LENGTH: Final = 3
_HEADERS: Final = 1
_SETTINGS: Final = 4
_GOAWAY: Final = 7
_ACK: Final = 1
_AT_ONCE_S: Final = 0.005
"""After so much time others have their turn."""

_MOST_FRAME: Final = 16_384
"""RFC 9113, section 6.5.2: what a peer may send that was told nothing else."""

_OURS: Final = 1
"""The stream of our request."""


class Answer:
    """The answer as it comes: `fields` and `trailers` in lower case, `ended` at its end.

    Of an answer that is not of gRPC only the beginning of `data` is read.
    """

    def __init__(self) -> None:
        self.fields: dict[str, str] | None = None
        self.trailers: dict[str, str] = {}
        self.data = bytearray()
        self.ended = False

    @property
    def foreign(self) -> bool:
        """Whether it can't be one of gRPC."""
        fields = self.fields or {}
        kind = fields.get("content-type", "")
        return not kind.startswith("application/grpc") and "grpc-status" not in fields


async def call(context: CheckContext, stream: Connection, headers: Headers, body: bytes) -> Answer:
    """The whole answer to one POST; then goodbye.

    Raises:
        CheckFailedError: `protocol_mismatch`: the server does not speak HTTP/2;
            `unexpected_response`: it broke the request off, or does not hold to HTTP/2.
    """
    talk = _Call(context, stream)
    await talk.send(headers, body)
    while not talk.answer.ended:
        await talk.receive()
    await talk.bye()
    return talk.answer


class _Call:
    def __init__(self, context: CheckContext, stream: Connection) -> None:
        self._context = context
        self._stream = stream
        self._h2 = H2Connection(H2Configuration())
        self._h2.local_settings = Settings(client=True, initial_values=_SETTINGS_OF_OURS)
        self._buffer = bytearray()
        self._frames = 0
        self._blocks = 0
        self._broken: CheckFailedError | None = None
        self._goes = ""
        self.answer = Answer()

    async def send(self, headers: Headers, body: bytes) -> None:
        context = self._context
        context.silence, context.waiting_for = "no_answer", "SETTINGS of HTTP/2"
        self._h2.initiate_connection()
        fields = [(name.encode("ascii"), value.encode()) for name, value in headers]
        try:
            self._h2.send_headers(_OURS, fields)
        except H2Error as error:
            text = f"the request can't be sent over HTTP/2: {error}"
            raise CheckFailedError("prober_error", text) from error
        self._h2.send_data(_OURS, body, end_stream=True)
        await self._flush()

    async def receive(self) -> None:
        try:
            data = await self._stream.receive()
        except (ClientCertificateError, RefusedCertificateError):
            raise
        except CheckFailedError as error:
            raise self._ended(self._broken or error) from error
        if not data:
            reason: Reason = "unexpected_response" if self._frames else "protocol_mismatch"
            raise self._ended(CheckFailedError(reason, "closed by the server"))
        self._buffer += data
        until = time.monotonic() + _AT_ONCE_S
        while (frame := self._next_frame()) is not None:
            self._frames += 1
            if self._frames > MOST_FRAMES:
                text = f"the server sent more than {MOST_FRAMES} frames of HTTP/2"
                raise CheckFailedError("unexpected_response", text)
            if time.monotonic() > until:
                await self._flush()
                await asyncio.sleep(0)
                until = time.monotonic() + _AT_ONCE_S
            self._heed(frame)
            if self.answer.ended:
                return
        await self._flush()

    async def bye(self) -> None:
        """GOAWAY without an error: the server closes, or we do."""
        self._h2.close_connection()
        await self._flush()

    async def _flush(self) -> None:
        """Sends what h2 has to say. The error is kept: the server may have explained itself."""
        data = self._h2.data_to_send()
        if not data or self._broken is not None:
            return
        try:
            await self._stream.send(data)
        except (ClientCertificateError, RefusedCertificateError):
            raise
        except CheckFailedError as error:
            self._broken = error

    def _next_frame(self) -> bytes | None:
        """The next whole frame.

        Raises:
            CheckFailedError: it is none that a server may send.
        """
        buffer = self._buffer
        if not self._frames:
            self._check_beginning()
        if len(buffer) < _HEADER:
            return None
        length = int.from_bytes(buffer[:_LENGTH])
        if length > _MOST_FRAME:
            text = f"a frame of {length} bytes, where {_MOST_FRAME} are the most (RFC 9113)"
            raise CheckFailedError("unexpected_response", text)
        if len(buffer) < _HEADER + length:
            return None
        frame = bytes(buffer[: _HEADER + length])
        del buffer[: _HEADER + length]
        return frame

    def _check_beginning(self) -> None:
        """Refuses what does not begin with SETTINGS of an allowed size (RFC 9113, section 3.4)."""
        begun = bytes(self._buffer[:256])
        kind, flags, stream = begun[3:4], begun[4:5], begun[5:_HEADER]
        length = int.from_bytes(begun[:_LENGTH])
        fits = begun[:1] in {b"", b"\0"} and (len(begun) < _LENGTH or length <= _MOST_FRAME)
        fits = fits and kind in {b"", bytes([_SETTINGS])} and flags in {b"", b"\0"}
        if fits and not stream.strip(b"\0"):
            if begun:
                self._context.silence = "protocol_mismatch"
                self._context.came = lambda: f"only {shown(bytes(self._buffer[:256]))!r} came"
            return
        text = f"expected SETTINGS of HTTP/2, found {shown(begun)!r}"
        if answers_in_tls(begun):
            text += ": the server speaks TLS there (tls: true)"
        elif begun.startswith(b"HTTP/1"):
            text += ": the server speaks HTTP/1 there"
        raise CheckFailedError("protocol_mismatch", text)

    def _heed(self, frame: bytes) -> None:
        context = self._context
        if self._frames == 1:
            context.came = None
            context.silence, context.waiting_for = "unexpected_response", "whole answer"
        self._blocks += frame[3] == _HEADERS
        if self._blocks > MOST_BLOCKS:
            text = f"the server sent more than {MOST_BLOCKS} blocks of fields"
            raise CheckFailedError("unexpected_response", text)
        if frame[3] == _GOAWAY:
            self._heed_goaway(frame[_HEADER:])
            return
        try:
            happened = self._h2.receive_data(frame)
        except (H2Error, ValueError, IndexError, OverflowError) as error:
            text = f"the server does not hold to HTTP/2: {type(error).__name__}: {error}"
            raise CheckFailedError("unexpected_response", shown(text.encode())) from error
        for event in happened:
            self._take(event)

    def _heed_goaway(self, payload: bytes) -> None:
        """RFC 9113, section 6.8: the last stream that is answered, an error, and words."""
        if len(payload) < 8:
            text = f"a GOAWAY of {len(payload)} bytes, where 8 are the least"
            raise CheckFailedError("unexpected_response", text)
        last = int.from_bytes(payload[:4]) & 0x7FFF_FFFF
        code = int.from_bytes(payload[4:8])
        words = f": {shown(payload[8:264])!r}" if len(payload) > 8 else ""
        said = f"GOAWAY ({_name(code)}{words})"
        if code != ErrorCodes.NO_ERROR or last < _OURS:
            raise CheckFailedError(
                "unexpected_response", f"the server ended the connection: {said}"
            )
        self._goes = f" after {said}"

    def _take(self, event: events.Event) -> None:
        answer = self.answer
        if isinstance(event, events.ResponseReceived):
            answer.fields = _fields(event.headers)
            status = answer.fields.get(":status", "no status")
            self._context.came = lambda: f"the HTTP status {status} came"
        elif isinstance(event, events.TrailersReceived):
            answer.trailers = _fields(event.headers)
        elif isinstance(event, events.DataReceived):
            answer.data += event.data
            if answer.foreign:
                answer.ended = len(answer.data) >= _SHOWN
            elif len(answer.data) > MOST_BYTES:
                text = f"an answer of more than {MOST_BYTES} bytes"
                raise CheckFailedError("unexpected_response", text)
        elif isinstance(event, events.StreamEnded):
            answer.ended = True
        elif isinstance(event, events.StreamReset):
            text = f"the server broke the request off: RST_STREAM ({_name(int(event.error_code))})"
            raise CheckFailedError("unexpected_response", text)

    def _ended(self, error: CheckFailedError) -> CheckFailedError:
        """The error of a connection that ended before the answer did."""
        text = f"{error.detail}{self._goes}"
        if not self._frames:
            came = f" after {shown(bytes(self._buffer[:256]))!r}" if self._buffer else ""
            hint = "" if came or self._stream.tls else ": it may speak TLS there (tls: true)"
            return CheckFailedError(error.reason, f"{text}{came} without HTTP/2{hint}")
        part = "within its answer" if self.answer.fields is not None else "without an answer"
        return CheckFailedError(error.reason, f"{text} {part}")


def _fields(headers: Iterable[tuple[bytes, bytes]] | None) -> dict[str, str]:
    """Of a repeated field all values, joined (RFC 9110, section 5.3)."""
    found: dict[str, str] = {}
    for raw_name, raw_value in headers or ():
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _name(code: int) -> str:
    try:
        return ErrorCodes(code).name
    except ValueError:
        return f"error {code}"
