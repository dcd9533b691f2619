"""File descriptors: each check on its way takes one, and the system has a limit."""

import resource
from typing import Final

from foundation.telemetry import logger

SPARE: Final = 200
"""What is left for everything but checks: Kafka's connections, files, metrics."""


def in_flight_limit(wanted: int) -> int:
    """How many checks may be on their way: `wanted`, or what the limit of open files leaves.

    The soft limit of this process is raised to the hard one. A lack of room is logged.
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
    """The limit of open files after it was raised; None if there is none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    # Where there is no hard limit (macOS) the kernel has one of its own, and refuses to tell.
    better = max(soft, needed) if hard == resource.RLIM_INFINITY else hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (better, hard))
    except (OSError, ValueError):
        return soft
    return better
