"""The sources of host names on this machine: its hosts file, and the order of the others."""

import contextlib
import os
import re
import socket
import stat
import time
from typing import Final

from msgspec import Struct

from foundation.telemetry import logger
from producers.checks import hosts_file, name_sources
from producers.checks.hosts_file import Hosts
from producers.checks.name_sources import Source

HOSTS: Final = "/etc/hosts"
NSSWITCH: Final = "/etc/nsswitch.conf"
RESOLV: Final = "/etc/resolv.conf"  # c-ares reads it; here it is watched

SMALL_BYTES: Final = 64 << 10
"""A hosts file up to this size is parsed within about 3 ms."""

_MOST_BYTES: Final = 64 << 10
_SEARCHES: Final = re.compile(rb"^[ \t]*(?:search|domain)[ \t]+[^ \t\n]", re.MULTILINE)
_JUST_NOW_NS: Final = 50_000_000
# The clock of a file system may have a resolution of 10 ms: within it a second write of the same
# length can't be seen.

_Stamp = tuple[int, ...] | None
Stamps = tuple[_Stamp, ...]


class SystemNames(Struct, frozen=True, gc=False):
    """The files as they were read. `hosts` is None if there is no hosts file.

    `searches`: DNS is also asked for a name with a search domain behind it (resolv.conf(5)).
    """

    hosts: Hosts | None
    sources: tuple[Source, ...]
    searches: bool = False


def stamps() -> Stamps:
    """The state of the files; another one after a change. Three calls of stat(2)."""
    return tuple(_stamp(path) for path in (HOSTS, NSSWITCH, RESOLV))


def hosts_bytes() -> int:
    """The size of the hosts file, 0 if there is none."""
    with contextlib.suppress(OSError):
        return os.stat(HOSTS).st_size  # noqa: PTH116  (a path object costs more than the call)
    return 0


def read() -> SystemNames:
    """Reads the files. Blocks, for up to a second with a hosts file of `hosts_file.MOST_BYTES`.

    A file that can't be read or understood counts as missing, and the log has the reason.
    """
    hosts = _read(HOSTS, hosts_file.MOST_BYTES)
    switch = _read(NSSWITCH, _MOST_BYTES)
    resolv = _read(RESOLV, _MOST_BYTES) or b""
    # Without such a line the domain of this machine's own name is searched.
    searches = _SEARCHES.search(resolv) is not None or "." in socket.gethostname()
    sources: tuple[Source, ...] = name_sources.DEFAULT
    if switch is not None:
        try:
            sources = name_sources.parsed(switch)
        except ValueError as error:
            logger(__name__).error(
                "the order of name sources can't be read; names are looked up in the hosts file, "
                "then in DNS",
                file=NSSWITCH,
                error=str(error),
            )
    return SystemNames(None if hosts is None else hosts_file.parsed(hosts), sources, searches)


def _stamp(path: str) -> _Stamp:
    try:
        now = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    fresh = time.time_ns() - now.st_ctime_ns < _JUST_NOW_NS
    return now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns, int(fresh)


def _read(path: str, most: int) -> bytes | None:
    """Up to `most` bytes of a regular file; None for anything else."""
    try:
        # Without waiting: a pipe in its place would block here for ever.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        logger(__name__).error("a file of the system can't be read", file=path, error=str(error))
        return None
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            logger(__name__).error("expected a regular file, found another", file=path)
            return None
        with open(number, "rb", closefd=False) as file:
            data = file.read(most + 1)
    except OSError as error:
        logger(__name__).error("a file of the system can't be read", file=path, error=str(error))
        return None
    finally:
        os.close(number)
    if len(data) > most:
        logger(__name__).error(
            "a file of the system is too large; only its beginning is used", file=path, bytes=most
        )
    return data[:most]
