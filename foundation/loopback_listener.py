"""A listening socket that this machine alone reaches, unless it may be reached from elsewhere."""

import contextlib
import errno
import socket
from typing import Final

from foundation.http_origin import is_loopback
from foundation.metrics_server import listen
from foundation.settings import SettingsError

WHY: Final = (
    "from other machines it needs TLS (PORTQUORUM_WEB_TLS_CERTIFICATE and "
    "PORTQUORUM_WEB_TLS_KEY), a proxy that has it (PORTQUORUM_WEB_PROXIES), or "
    "ssh -L {port}:127.0.0.1:{port} MACHINE"
)

_LAST_PORT: Final = 65535
_DIGITS: Final = 100
"""Digits of a port that are read at all."""


def loopback_listener(
    written: str, name: str, *, or_any_port: bool = False, elsewhere: bool = False
) -> socket.socket:
    """Listens on `HOST:PORT`; `name` is the setting or option that says so, for the errors.

    `or_any_port`: a free port in place of one that is taken. `elsewhere`: other machines may reach
    it, too.

    Raises:
        SettingsError: no address, not one of this machine alone, or it can't be listened on.
    """
    host, port = _parsed(written, name)
    if not elsewhere and not is_loopback(host):
        raise SettingsError(
            f"{name}: expected an address of this machine alone (127.0.0.1, ::1 or localhost), "
            f"found {written[:200]!r}: {WHY.format(port=port)}"
        )
    try:
        return listen(host, port)
    except OSError as error:
        if or_any_port and error.errno == errno.EADDRINUSE:
            with contextlib.suppress(OSError):
                return listen(host, 0)
        raise SettingsError(f"{name}: can't listen on {written[:200]}: {_why(error)}") from error


def inherited_listener(descriptor: int, name: str, *, elsewhere: bool = False) -> socket.socket:
    """The listening socket that whoever started this process has opened.

    `elsewhere`: other machines may reach it, too.

    Raises:
        SettingsError: it is no listening TCP socket of this machine alone.
    """
    try:
        found = socket.socket(fileno=descriptor)
        is_listening = bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError as error:
        raise SettingsError(
            f"{name}: expected the descriptor of a listening socket, found {descriptor}: {error}"
        ) from error
    if found.family not in {socket.AF_INET, socket.AF_INET6} or not is_listening:
        raise SettingsError(f"{name}: expected a listening TCP socket, found {descriptor}")
    host, port = found.getsockname()[:2]
    if not elsewhere and not is_loopback(host):
        raise SettingsError(
            f"{name}: expected a socket of this machine alone, found one on {host}: "
            f"{WHY.format(port=port)}"
        )
    return found


def place_of(listening: socket.socket) -> str:
    """`host:port` of a listening socket, IPv6 in brackets."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program listens there; end it, or choose another port (0: any that is free)"
    return error.strerror or str(error)


def _parsed(written: str, name: str) -> tuple[str, int]:
    host, _, port = written.rpartition(":")
    if not host or not port.isdecimal():
        raise SettingsError(f"{name}: expected host:port, found {written[:200]!r}")
    if len(port) > _DIGITS or int(port) > _LAST_PORT:
        raise SettingsError(f"{name}: expected a port of 0 to 65535, found {written[:200]!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)
