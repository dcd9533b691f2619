"""Which reason an operating system's error stands for."""

import errno
import os
import socket
from typing import Final

from schemas.result import Reason

DETAIL_LENGTH: Final = 300

_BY_ERRNO: Final[dict[int, Reason]] = {
    errno.ECONNREFUSED: "connection_refused",
    errno.ETIMEDOUT: "timed_out",
    errno.ENETUNREACH: "network_unreachable",
    errno.ENETDOWN: "network_unreachable",
    errno.EHOSTUNREACH: "host_unreachable",
    errno.EHOSTDOWN: "host_unreachable",
    errno.ECONNRESET: "connection_reset",
    errno.ECONNABORTED: "connection_reset",
    errno.EPIPE: "connection_reset",
}

_OUR_RESOLVER: Final = {socket.EAI_MEMORY, socket.EAI_SYSTEM, socket.EAI_SOCKTYPE}


def reason_of(number: int) -> Reason:
    """The reason for an errno of connect(2).

    What is not in the list is ours: EADDRNOTAVAIL (no such source address, or no free port),
    EMFILE, ENOBUFS and the like. So are EACCES and EPERM: they are made on this machine (a
    `prohibit` route, a BPF or LSM rule) before a packet has left, so they say something of us and
    nothing of the target. What a *remote* firewall rejects arrives as ICMP; see `answer_of`.
    """
    return _BY_ERRNO.get(number, "prober_error")


def answer_of(number: int) -> int:
    """The errno of an answer (SO_ERROR, or of recv), as `reason_of` takes it.

    A router that lets nobody pass becomes EHOSTUNREACH with IPv4, and EACCES with IPv6
    (net/ipv6/icmp.c, icmpv6_err_convert).
    """
    return errno.EHOSTUNREACH if number == errno.EACCES else number


def reason_of_lookup(error: OSError | UnicodeError) -> Reason:
    """The reason for an error of getaddrinfo(3)."""
    if isinstance(error, socket.gaierror):
        return "prober_error" if error.errno in _OUR_RESOLVER else "dns_failed"
    # A name that can't be encoded can't be resolved; any other error is this machine's.
    return "dns_failed" if isinstance(error, UnicodeError) else "prober_error"


def text_of(number: int) -> str:
    """The operating system's words for an errno."""
    return os.strerror(number)


def clean(text: str) -> str:
    """`text` on one line, without control characters, at most 300 characters."""
    plain = "".join(c if c.isprintable() else " " for c in text[: 4 * DETAIL_LENGTH])
    return " ".join(plain.split())[:DETAIL_LENGTH]
