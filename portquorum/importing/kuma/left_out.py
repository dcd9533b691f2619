"""Monitors that have no equal: the reason, and what to do instead."""

from typing import Final


class LeftOutError(ValueError):
    """A monitor is left out; the text says why, and what to do. `networked`: see `Found`."""

    def __init__(self, why: str, *, networked: bool = True) -> None:
        super().__init__(why)
        self.networked = networked


NO_CONTAINER: Final = (
    "a container's state is read from its engine and not over the network: check the port or "
    "page that it has, or let its health check report itself (kind heartbeat)"
)

NO_CHECKS: Final = {
    "system-service": (
        "a service's state is read on its machine: check the port that it has, or let a timer "
        "there report itself (kind heartbeat)"
    ),
    "pm2": (
        "a process's state is read on its machine: check the port that it has, or let it report "
        "itself (kind heartbeat)"
    ),
    "manual": "its state is set by hand, nothing is checked: a heartbeat can be set by `beat`",
}
"""Types of monitors that no network monitor could check."""
