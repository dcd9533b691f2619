"""Messages of gRPC and of its health service in bytes.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md (a message has its length before it)
and https://github.com/grpc/grpc/blob/master/doc/health-checking.md (grpc.health.v1). Both messages
have one field, so that the wire format is written here and needs no library of Protocol Buffers
(https://protobuf.dev/programming-guides/encoding/).
"""

import zlib
from typing import Final

from producers.checks.os_errors import shown

MOST_BYTES: Final = 65_536
"""The longest message, unpacked; one of the health service has 2 bytes."""

SERVING: Final = 1
STATUSES: Final = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}

_PREFIX: Final = 5
_WINDOW_BITS: Final = {"gzip": 31, "deflate": 15}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIELD: Final = 1
_MOST_VARINT: Final = 10


class NotGrpcError(ValueError):
    """The data is no such message; the text says what was expected and found."""


def request(service: str) -> bytes:
    """A HealthCheckRequest, with its length before it."""
    name = service.encode()
    message = bytes([_FIELD << 3 | _BYTES]) + _varint(len(name)) + name if name else b""
    return b"\0" + len(message).to_bytes(4) + message


def health(data: bytes, encoding: str) -> int:
    """The status in the HealthCheckResponse of a whole answer; 0 (UNKNOWN) if it has none.

    `encoding` is that of `grpc-encoding`.

    Raises:
        NotGrpcError: there is not exactly one message, or it is another.
    """
    return _status(_message(data, encoding))


def _message(data: bytes, encoding: str) -> bytes:
    if not data:
        raise NotGrpcError("expected one message, found none")
    length = int.from_bytes(data[1:_PREFIX])
    if len(data) < _PREFIX or data[0] > 1:
        raise NotGrpcError(f"expected a message of gRPC, found {shown(data)!r}")
    if length != len(data) - _PREFIX:
        more = len(data) - _PREFIX
        raise NotGrpcError(f"expected one message of {length} bytes, found {more} bytes")
    message = data[_PREFIX:]
    return _unpacked(message, encoding) if data[0] else message


def _unpacked(message: bytes, encoding: str) -> bytes:
    bits = _WINDOW_BITS.get(encoding)
    if bits is None:
        raise NotGrpcError(f"expected a message packed by gzip or deflate, found {encoding!r}")
    unpacker = zlib.decompressobj(bits)
    try:
        found = unpacker.decompress(message, MOST_BYTES)
    except zlib.error as error:
        raise NotGrpcError(f"expected a message packed by {encoding}: {error}") from error
    if not unpacker.eof:
        text = f"expected at most {MOST_BYTES} bytes packed by {encoding}, found more, or a part"
        raise NotGrpcError(text)
    return found


def _status(message: bytes) -> int:
    status = at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _read_varint(message, at)
            if key >> 3 == _FIELD:
                status = value
            continue
        if key >> 3 == _FIELD:
            raise _no_health(message)
        if kind == _BYTES:
            length, at = _read_varint(message, at)
            at += length
        elif kind in {_FIXED64, _FIXED32}:
            at += 8 if kind == _FIXED64 else 4
        else:
            raise _no_health(message)
        if at > len(message):
            raise _no_health(message)
    return status


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for position, byte in enumerate(message[at : at + _MOST_VARINT]):
        value |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            return value, at + position + 1
    raise _no_health(message)


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def _no_health(message: bytes) -> NotGrpcError:
    return NotGrpcError(f"expected a HealthCheckResponse, found {shown(message)!r}")
