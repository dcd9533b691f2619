"""Maps errors of the operating system to reasons."""

import errno
import os
import re
import socket
from typing import Final

from schemas.result import Reason

DETAIL_LENGTH: Final = 300
_SHOWN: Final = 80
_BEGIN: Final = 8
# So long that chance hardly makes it in random bytes.
_WORDS: Final = re.compile(rb"[\x20-\x7e]{12,}")

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

_BY_ICMP: Final = frozenset(
    getattr(errno, name)
    for name in ("EACCES", "ENOPROTOOPT", "EOPNOTSUPP", "ENONET", "EPROTO", "EMSGSIZE")
    if hasattr(errno, name)  # ENONET is Linux's
)

_ADDRESS: Final = frozenset({errno.EINVAL, errno.EACCES, errno.EPERM})
_NO_IPV6: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})

_OUR_RESOLVER: Final = {socket.EAI_MEMORY, socket.EAI_SYSTEM, socket.EAI_SOCKTYPE}


def reason_of(number: int) -> Reason:
    """The reason for an errno of connect(2).

    Errors outside of the list are faults of this machine: EADDRNOTAVAIL (no such source address, or
    no free port), EMFILE, ENOBUFS and others. EACCES and EPERM are, too: this machine raises them
    (a `prohibit` route, a BPF or LSM rule) before a packet leaves, so they are no evidence about
    the target. A *remote* firewall rejects by ICMP; see `answer_of`.
    """
    return _BY_ERRNO.get(number, "prober_error")


def answer_of(number: int) -> int:
    """The errno of an answer (SO_ERROR, or of recv), normalised for `reason_of`.

    A router that prohibits the packet gives EHOSTUNREACH with IPv4, and EACCES with IPv6. Other
    ICMP errors (protocol unreachable, source route failed, host isolated, parameter problem,
    fragmentation needed) have numbers of their own, and none of them is a local fault
    (net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, icmpv6_err_convert).
    """
    return errno.EHOSTUNREACH if number in _BY_ICMP else number


def is_no_way_to(number: int, *, ipv6: bool) -> bool:
    """Whether an errno of connect(2) concerns the address itself, and not our resources.

    EINVAL: a link-local address without a zone; EACCES, EPERM: a broadcast address, or one that a
    route or a rule of this machine prohibits; the others: this machine has no IPv6.
    """
    return number in _ADDRESS or (ipv6 and number in _NO_IPV6)


def is_no_ipv6(number: int) -> bool:
    """Whether an errno of socket(2) or connect(2) for IPv6 means that this machine has none.

    EADDRNOTAVAIL: net.ipv6.conf.*.disable_ipv6. A lack of free ports has the same number.
    """
    return number in _NO_IPV6


def reason_of_lookup(error: OSError | UnicodeError) -> Reason:
    """The reason for an error of getaddrinfo(3)."""
    if isinstance(error, socket.gaierror):
        return "prober_error" if error.errno in _OUR_RESOLVER else "dns_failed"
    # A name that can't be encoded can't be resolved; any other error is a local fault.
    return "dns_failed" if isinstance(error, UnicodeError) else "prober_error"


def text_of(number: int) -> str:
    """The operating system's text for an errno."""
    return os.strerror(number)


def clean(text: str) -> str:
    """`text` on one line, without control characters, at most 300 characters."""
    plain = text[: 4 * DETAIL_LENGTH]
    if not plain.isprintable():
        plain = "".join(c if c.isprintable() else " " for c in plain)
    return " ".join(plain.split())[:DETAIL_LENGTH]


def shown(data: bytes) -> str:
    """The beginning of `data` for people: text, or hex digits if most of it is not text.

    Of binary data with words in it (a banner, an error) both are shown. `…` is at the end if there
    is more.
    """
    start = data[: 2 * _SHOWN]
    text = start.decode("utf-8", "replace")
    if "\0" in text or sum(c.isprintable() or c in "\r\n\t" for c in text) * 2 < len(text):
        first = _WORDS.match(start)
        words = max(_WORDS.findall(start), key=len, default=None)
        if first is not None:
            text = f"{first[0].decode('ascii')} …"
        elif words is not None:
            text = f"0x{data[:_BEGIN].hex()}… with {words.decode('ascii')}"
        else:
            text = f"0x{data[: _SHOWN // 2].hex()}"
    text = clean(text)
    if len(text) > _SHOWN:
        return f"{text[:_SHOWN]}…"
    return f"{text}…" if len(data) > len(start) and not text.endswith("…") else text
