"""The listen address of a service: `HOST:PORT`, port 0 for any free one."""

import contextlib
import errno
import random
import socket
from typing import Final, NamedTuple

from portquorum.embedded.service.errors import EmbeddedServiceError
from schemas.plain_text import one_line

_FREE_PORTS: Final = range(20_000, 32_768)
"""Below Linux's ephemeral ports (net.ipv4.ip_local_port_range), above those of known services."""

_TRIES: Final = 50


class ListenAddress(NamedTuple):
    """A TCP address; written `host:port`, with brackets around an IPv6 host."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse(listen: str) -> ListenAddress:
    """The address of `HOST:PORT`; the host is optional (`:9092` is loopback).

    Raises:
        EmbeddedServiceError: not of that form, or a port outside of 0 to 65535.
    """
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise EmbeddedServiceError(
            f"{listen!r} is no address to listen on; write HOST:PORT, for example 127.0.0.1:9092 "
            "(port 0 takes a free one)"
        )
    return ListenAddress(host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port))


def reachable(address: ListenAddress) -> ListenAddress:
    """The address for clients on this machine: loopback for a listener on all addresses."""
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    return address._replace(host=loopback.get(address.host, address.host))


def reserve(address: ListenAddress) -> ListenAddress:
    """The address with a free port in place of 0.

    The port is not held: another program may take it before the service does, which then fails with
    its own error. Therefore the port is not from the range of outgoing connections: a JVM takes
    seconds to start, and any port of that range may be in use by then.

    Raises:
        EmbeddedServiceError: the port is taken, or the host is none of this machine's.
    """
    for _ in range(_TRIES if address.port == 0 else 0):
        tried = ListenAddress(address.host, random.choice(_FREE_PORTS))  # noqa: S311 (no secret)
        with contextlib.suppress(EmbeddedServiceError):
            return _bind(tried)
    return _bind(address)


def _bind(address: ListenAddress) -> ListenAddress:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: a port in TIME_WAIT is not taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
            probe.listen(1)
        except OSError as error:
            raise listen_error(error, address) from error
        return ListenAddress(address.host, int(probe.getsockname()[1]))


def _holder(address: ListenAddress) -> str:
    """The program that listens on a port, ` (java, process 123)`; empty if that can't be seen.

    Only root sees the programs of other users.
    """
    try:
        import psutil  # noqa: PLC0415 (of an extra, and only for this text)

        for one in psutil.net_connections("tcp"):
            port = one.laddr.port if one.laddr else 0
            if one.status == psutil.CONN_LISTEN and port == address.port and one.pid:
                return f" ({one_line(psutil.Process(one.pid).name())}, process {one.pid})"
    except (ImportError, OSError, RuntimeError):
        return ""
    except psutil.Error:
        return ""
    return ""


def listen_error(error: OSError, address: ListenAddress) -> EmbeddedServiceError:
    """The error text for an address that can't be listened on."""
    if error.errno == errno.EADDRINUSE:
        return EmbeddedServiceError(
            f"{address} is taken by another program{_holder(address)}; stop that one or choose "
            "another port with --listen"
        )
    return EmbeddedServiceError(
        f"{address} can't be listened on ({error.strerror or error}); choose an address of this "
        "machine with --listen"
    )
