"""What the HTTP side and the engine's process say to each other, over Unix socket pairs.

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
"""Travels with a descriptor, which can't travel alone."""


class GoneError(Exception):
    """The other side has closed the socket."""


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """First words of the process: the engine has its folder open."""

    without_walls: str | None
    """Why the process has no walls (`sandbox.enter`); None when they stand."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """First and last words of the process: the engine can't open its folder."""

    message: str


class OpenSession(msgspec.Struct, frozen=True, tag="open_session"):
    """A connection of its own, on the socket that comes with this."""


class Run(msgspec.Struct, frozen=True, tag="run"):
    """Run a statement."""

    sql: str
    format: str
    params: dict[str, str]
    into: bool = False
    """The answer goes to the descriptor that comes with this: `INTO OUTFILE` follows `sql`."""
    rest: str = ""
    """What comes after INTO OUTFILE: FORMAT, SETTINGS."""


class Classify(msgspec.Struct, frozen=True, tag="classify"):
    """Look at a statement, and run nothing."""

    sql: str


class Result(msgspec.Struct, frozen=True, tag="result"):
    """What a statement gave."""

    data: bytes
    rows: int
    read_rows: int
    read_bytes: int
    written_rows: int
    written_bytes: int


class Class(msgspec.Struct, frozen=True, tag="class"):
    """What a text is."""

    statements: int
    reads: bool
    """It gives a result and changes nothing."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The engine's error."""

    message: str


Hello = Opened | Failed
Request = Run | Classify
Reply = Result | Class | Refused


def send(to: socket.socket, message: msgspec.Struct, descriptor: int | None = None) -> None:
    """Sends a message, and a descriptor behind it; the sender keeps its own copy of that.

    Raises:
        GoneError: nobody reads any more.
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
    """The descriptor behind a message, now this process's own (and no program's that it starts).

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
