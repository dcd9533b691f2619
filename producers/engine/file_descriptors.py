"""File descriptors: each check in flight needs one, and the system has a limit."""

import resource
from typing import Final

from foundation.telemetry import logger
from producers.kinds import closing

SPARE: Final = 200 + closing.MOST
"""Descriptors reserved for Kafka's connections, files and metrics, and for connections whose check
is over, but which the server has not closed yet."""


def in_flight_limit(wanted: int) -> int:
    """The most checks in flight: `wanted`, or less by the limit of open files.

    The soft limit of this process is raised to the hard one. A smaller number is logged.
    """
    limit = _raised(wanted + SPARE)
    if limit is None or limit >= wanted + SPARE:
        return wanted
    room = max(1, limit - SPARE)
    logger(__name__).warning(
        "the limit of open files is low: fewer checks can be on their way at a time",
        limit=limit,
        wanted=wanted + SPARE,
        in_flight=room,
    )
    return room


def _raised(needed: int) -> int | None:
    """The limit of open files after raising it; None without a limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    # Without a hard limit (macOS) the kernel has one of its own that can't be read.
    better = max(soft, needed) if hard == resource.RLIM_INFINITY else hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (better, hard))
    except (OSError, ValueError):
        return soft
    return better
