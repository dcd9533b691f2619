"""TCP: the three-way handshake, timed by the kernel."""

import contextlib
import errno
import os
import select
import socket
import struct
import sys
from typing import Final

from producers.checks.os_errors import answer_of
from producers.checks.resolved_address import Address

# struct tcp_info, include/uapi/linux/tcp.h: at 56 tcpi_last_ack_recv (ms since the last ACK was
# received), at 68 tcpi_rtt (µs, smoothed; after the handshake it is the handshake's round trip),
# at 100 tcpi_total_retrans (segments sent again).
_INFO: Final = struct.Struct("=56xI8xI28xI")
_HAS_INFO: Final = sys.platform == "linux" and hasattr(socket, "TCP_INFO")

_BIND_ADDRESS_NO_PORT: Final = 24  # linux/in.h; Python names it from 3.12 on
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
_CONNECTING: Final = frozenset({0, errno.EINPROGRESS})

# Plain numbers: members of an enum are converted at every use.
_KIND: Final = int(socket.SOCK_STREAM) | int(socket.SOCK_NONBLOCK)
_SOL_SOCKET: Final = int(socket.SOL_SOCKET)
_SO_LINGER: Final = int(socket.SO_LINGER)
_IPPROTO_TCP: Final = int(socket.IPPROTO_TCP)


def begin(
    address: Address, port: int, source: str | None, *, reset: bool = True
) -> socket.SocketType:
    """A non-blocking socket that is connecting to `address`, from `source` if given.

    With `reset` closing it sends a reset (SO_LINGER 0), so no TIME_WAIT is left behind.

    Raises:
        OSError: the connection failed at once, or no socket could be made.
    """
    # Not socket.socket: that is a wrapper of this one and doubles the cost.
    sock = socket.SocketType(address.family, _KIND)
    try:
        if reset:
            sock.setsockopt(_SOL_SOCKET, _SO_LINGER, _RESET_ON_CLOSE)
        if source is not None:
            with contextlib.suppress(OSError):
                # Without it bind(2) reserves a port that no check of another target can use.
                sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            sock.bind((source, 0))
        number = sock.connect_ex(address.endpoint(port))
        if number not in _CONNECTING:
            raise OSError(number, os.strerror(number))  # noqa: TRY301  (the socket is closed below)
    except BaseException:
        sock.close()
        raise
    return sock


def reset_on_close(sock: socket.SocketType) -> None:
    """From now on closing the socket sends a reset."""
    sock.setsockopt(_SOL_SOCKET, _SO_LINGER, _RESET_ON_CLOSE)


def answered(sock: socket.SocketType) -> bool:
    """Whether the kernel has an answer (a connection or an error) at this moment."""
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLOUT)
    return bool(poll.poll(0))


def error_of(sock: socket.SocketType) -> int:
    """The errno of a socket that has answered, 0 if it is connected."""
    return answer_of(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


def connect_ms(sock: socket.SocketType, user_ms: float) -> float:
    """The duration of the handshake on the network, in ms.

    `user_ms` is the time since connect(2) in this process. Without retransmission the kernel's
    round trip is exact. It does not include the wait for a retransmitted SYN; the duration is then
    `user_ms` minus the time since the last ACK in the kernel.
    """
    if not _HAS_INFO:
        return user_ms
    raw = sock.getsockopt(_IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
    if len(raw) < _INFO.size:
        return user_ms
    since_ack_ms, rtt_us, again = _INFO.unpack(raw)
    if again == 0 and rtt_us:
        return float(rtt_us) / 1000
    return max(0.0, user_ms - float(since_ack_ms))
