"""One connection to a broker, step by step, so that the step at which it fails is known.

aiokafka (0.14) makes the same steps and hands on the last one's error as "Unable to bootstrap".
"""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

from msgspec import Struct

STEP_S: Final = 5.0
"""Longest time of one step of one connection, in s."""

IS_TRYING: Final[ContextVar[bool]] = ContextVar("IS_TRYING", default=False)
"""True in the tasks of a try: what aiokafka logs there is said by the try's result."""

API_VERSIONS: Final = 18
SASL_HANDSHAKE: Final = 17
METADATA: Final = 3

UNSUPPORTED_SASL_MECHANISM: Final = 33
ILLEGAL_SASL_STATE: Final = 34

_LARGEST_ANSWER: Final = 64 * 1024
_CLIENT_ID: Final = b"portquorum"
_CORRELATION: Final = 7
_ALERT: Final = b"\x15\x03"
"""The first bytes of an alert of TLS, which a listener with TLS sends to whoever speaks without."""

Value = TypeVar("Value")


class TooLateError(Exception):
    """A step took longer than `seconds`."""

    def __init__(self, step: str, seconds: float) -> None:
        super().__init__(f"no {step} within {seconds:g} s")
        self.step = step
        self.seconds = seconds


class NotKafkaError(Exception):
    """What was read is no answer of a broker; `is_tls`: it is the beginning of TLS."""

    def __init__(self, *, is_tls: bool = False) -> None:
        super().__init__("no answer of a broker")
        self.is_tls = is_tls


class Handshake(Struct, frozen=True):
    """A broker's answer to SaslHandshake: 0 or an error of Kafka, and the mechanisms it offers."""

    error: int
    offered: tuple[str, ...]


class Connection(Struct, frozen=True):
    """An open connection, as a pair of streams."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def certificate(self) -> bytes | None:
        """The other side's certificate (DER), None without TLS."""
        tls = self.writer.get_extra_info("ssl_object")
        return None if tls is None else tls.getpeercert(binary_form=True)


async def in_time(step: str, work: Awaitable[Value], seconds: float = STEP_S) -> Value:
    """What `work` returns.

    Raises:
        TooLateError: it is not there in time.
    """
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise TooLateError(step, seconds) from error


async def resolve(host: str, port: int) -> list[tuple[str, int]]:
    """The addresses of a name, without duplicates.

    In a thread that no one waits for: a resolver may take half a minute, and asyncio's own would
    hold up the end of the loop.

    Raises:
        OSError: `socket.gaierror` if the name is not known.
        TooLateError: no answer within `STEP_S`.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[tuple[str, int]]] = loop.create_future()

    def done(addresses: list[tuple[str, int]] | None, error: OSError | None) -> None:
        if found.done():
            return
        if error is not None:
            found.set_exception(error)
        else:
            found.set_result(addresses or [])

    def look() -> None:
        addresses: list[tuple[str, int]] | None = None
        failed: OSError | None = None
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys((str(one[4][0]), port) for one in entries))
        except UnicodeError as error:  # a name that IDNA refuses
            failed = socket.gaierror(socket.EAI_NONAME, str(error))
        except OSError as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(done, addresses, failed)

    threading.Thread(target=look, name="resolve", daemon=True).start()
    return await in_time("answer of the resolver for its name", found)


@asynccontextmanager
async def connected(
    address: tuple[str, int], context: ssl.SSLContext | None, host: str
) -> AsyncIterator[Connection]:
    """A connection to one address, with TLS if there is a `context`; `host` is the name for it.

    Raises:
        OSError: no connection; `ssl.SSLError` is one.
        TooLateError: TCP or TLS took longer than `STEP_S`.
    """
    # Two steps of one call: the other side may take connections and say nothing.
    reader, writer = await in_time("connection", asyncio.open_connection(*address))
    try:
        if context is not None:
            await in_time("TLS handshake", writer.start_tls(context, server_hostname=host))
        yield Connection(reader, writer)
    finally:
        writer.transport.abort()


async def api_versions(connection: Connection) -> frozenset[int]:
    """The keys of the requests that this listener takes.

    Raises:
        NotKafkaError: no broker answers.
        OSError, EOFError: the connection has ended.
        TooLateError: no answer within `STEP_S`.
    """
    answer = await _asked(connection, API_VERSIONS, 0, b"")
    try:
        _error, count = struct.unpack_from(">hi", answer)
        if not 0 < count <= 1000:
            raise NotKafkaError
        return frozenset(
            struct.unpack_from(">h", answer, 6 + 6 * number)[0] for number in range(count)
        )
    except struct.error as error:
        raise NotKafkaError from error


async def sasl_handshake(connection: Connection, mechanism: str) -> Handshake:
    """Asks for a mechanism of SASL.

    Raises:
        NotKafkaError, OSError, EOFError, TooLateError: as `api_versions`.
    """
    name = mechanism.encode()
    answer = await _asked(connection, SASL_HANDSHAKE, 1, struct.pack(">h", len(name)) + name)
    try:
        error, count = struct.unpack_from(">hi", answer)
        place, offered = 6, []
        for _ in range(min(count, 100)):
            (length,) = struct.unpack_from(">h", answer, place)
            offered.append(answer[place + 2 : place + 2 + length].decode("utf-8", "replace"))
            place += 2 + length
    except struct.error as failed:
        raise NotKafkaError from failed
    return Handshake(error, tuple(offered))


async def _asked(connection: Connection, key: int, version: int, body: bytes) -> bytes:
    """The body of the answer to one request (Kafka's protocol, request header v1)."""
    header = struct.pack(">hhih", key, version, _CORRELATION, len(_CLIENT_ID)) + _CLIENT_ID
    message = header + body
    connection.writer.write(struct.pack(">i", len(message)) + message)
    return await in_time("answer", _answer(connection.reader))


async def _answer(reader: asyncio.StreamReader) -> bytes:
    first = await reader.readexactly(4)
    (size,) = struct.unpack(">i", first)
    if first.startswith(_ALERT):
        raise NotKafkaError(is_tls=True)
    if not 4 <= size <= _LARGEST_ANSWER:
        raise NotKafkaError
    answer = await reader.readexactly(size)
    if struct.unpack_from(">i", answer)[0] != _CORRELATION:
        raise NotKafkaError
    return answer[4:]
