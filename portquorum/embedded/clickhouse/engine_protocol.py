"""The protocol between the HTTP side and the engine's process, over Unix socket pairs.

One socket pair for the process and one for each session; a frame is a length (4 bytes, big-endian)
and a Struct in msgpack. One request, one reply, in turn. The end of a socket ends what it stands
for, so neither side outlives the other.
"""

import os
import socket
from typing import Final

import msgspec

DATA: Final = "data"
INSERTS: Final = "inserts"
TEMPORARY: Final = "tmp"
"""Folders inside of the service's folder; all that the engine's process can write."""

MOST_FRAME_BYTES: Final = 1 << 30
_LENGTH_BYTES: Final = 4
_MARK: Final = b"+"
"""The byte that accompanies a descriptor, which can't be sent alone."""


class GoneError(Exception):
    """The other side has closed the socket."""


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """First message of the process: the engine has opened its folder."""

    without_walls: str | None
    """The reason why the process has no sandbox (`sandbox.enter`); None if it has."""


class OpenFailed(msgspec.Struct, frozen=True, tag="failed"):
    """First and last message of the process: the engine can't open its folder."""

    message: str


class OpenSession(msgspec.Struct, frozen=True, tag="open_session"):
    """Opens a connection on the socket that comes with this message."""


class RunStatement(msgspec.Struct, frozen=True, tag="run"):
    """Runs a statement."""

    sql: str
    format: str
    params: dict[str, str]
    into: bool = False
    """The result goes to the descriptor that comes with this: `INTO OUTFILE` follows `sql`."""
    rest: str = ""
    """The text after INTO OUTFILE: FORMAT, SETTINGS."""


class Classify(msgspec.Struct, frozen=True, tag="classify"):
    """Classifies a statement without running it."""

    sql: str


class StatementResult(msgspec.Struct, frozen=True, tag="result"):
    """The result of a statement."""

    data: bytes
    rows: int
    read_rows: int
    read_bytes: int
    written_rows: int
    written_bytes: int


class Class(msgspec.Struct, frozen=True, tag="class"):
    """The class of a text."""

    statements: int
    reads: bool
    """True if it returns a result and changes nothing."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The engine's error."""

    message: str


Hello = Opened | OpenFailed
Request = RunStatement | Classify
Reply = StatementResult | Class | Refused


def send(to: socket.socket, message: msgspec.Struct, descriptor: int | None = None) -> None:
    """Sends a message, followed by a descriptor if given; the sender keeps its own copy.

    Raises:
        GoneError: the other side has closed.
    """
    body = msgspec.msgpack.encode(message)
    try:
        to.sendall(len(body).to_bytes(_LENGTH_BYTES, "big") + body)
        if descriptor is not None:
            socket.send_fds(to, [_MARK], [descriptor])
    except OSError as error:
        raise GoneError(str(error)) from error


def receive(source: socket.socket) -> bytes:
    """The next message, not decoded yet.

    Raises:
        GoneError: the other side has closed.
    """
    size = int.from_bytes(_exactly(source, _LENGTH_BYTES), "big")
    if size > MOST_FRAME_BYTES:
        raise GoneError(f"a frame of {size} bytes")
    return bytes(_exactly(source, size))


def receive_descriptor(source: socket.socket) -> int:
    """The descriptor that follows a message, now owned by this process (and not inherited).

    Raises:
        GoneError: the other side has closed.
    """
    try:
        mark, descriptors, _, _ = socket.recv_fds(source, 1, 1)
    except OSError as error:
        raise GoneError(str(error)) from error
    if mark != _MARK or len(descriptors) != 1:
        for descriptor in descriptors:
            os.close(descriptor)
        raise GoneError("no descriptor came")
    os.set_inheritable(descriptors[0], False)
    return descriptors[0]


def _exactly(source: socket.socket, size: int) -> bytearray:
    found = bytearray(size)
    view = memoryview(found)
    while view:
        try:
            count = source.recv_into(view)
        except OSError as error:
            raise GoneError(str(error)) from error
        if not count:
            raise GoneError("closed")
        view = view[count:]
    return found
