"""TCP: the three-way handshake, timed by the kernel."""

import contextlib
import select
import socket
import struct
import sys
from typing import Final

from producers.resolver import Address

# struct tcp_info, include/uapi/linux/tcp.h
_LAST_ACK_RECV: Final = 56  # u32, ms since the last ACK was received
_RTT: Final = 68  # u32, µs, smoothed; after the handshake it is the handshake's round trip
_TOTAL_RETRANS: Final = 100  # u32, segments sent again
_INFO_LENGTH: Final = 104
_HAS_INFO: Final = sys.platform == "linux" and hasattr(socket, "TCP_INFO")

_BIND_ADDRESS_NO_PORT: Final = 24  # linux/in.h; Python names it from 3.12 on
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


def begin(address: Address, port: int, source: str | None) -> socket.socket:
    """A non-blocking socket that is connecting to `address`, from `source` if given.

    Closing it sends a reset (SO_LINGER 0), so no TIME_WAIT is left behind.

    Raises:
        OSError: the connection failed at once, or the socket could not be had.
    """
    sock = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        if source is not None:
            with contextlib.suppress(OSError):
                # Without it bind(2) takes a port that no other target can be checked from.
                sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            sock.bind((source, 0))
        with contextlib.suppress(BlockingIOError):
            sock.connect(address.endpoint(port))
    except BaseException:
        sock.close()
        raise
    return sock


def answered(sock: socket.socket) -> bool:
    """Whether the kernel has an answer (a connection or an error) at this moment."""
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLOUT)
    return bool(poll.poll(0))


def error_of(sock: socket.socket) -> int:
    """The errno of a socket that has answered, 0 if it is connected."""
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def connect_ms(sock: socket.socket, user_ms: float) -> float:
    """How long the handshake took on the network, in ms.

    `user_ms` is the time that has passed for us since connect(2). Without retransmission the
    kernel's round trip is the truth. It leaves out the wait for a SYN that was sent again, so
    then it is our time minus the time since the kernel got the last ACK.
    """
    if not _HAS_INFO:
        return user_ms
    raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_LENGTH)
    if len(raw) < _INFO_LENGTH:
        return user_ms
    (rtt_us,) = struct.unpack_from("=I", raw, _RTT)
    (again,) = struct.unpack_from("=I", raw, _TOTAL_RETRANS)
    if again == 0 and rtt_us:
        return float(rtt_us) / 1000
    (since_ack_ms,) = struct.unpack_from("=I", raw, _LAST_ACK_RECV)
    return max(0.0, user_ms - float(since_ack_ms))
