"""The interface for events of the supervisor's children."""

from typing import Protocol

from portquorum.supervisor.role import Role


class Listener(Protocol):
    """Called in the order of the events, from the supervisor's event loop; must not block."""

    def line(self, role: Role, text: str) -> None:
        """A role wrote a line to stdout or stderr."""

    def started(self, role: Role, pid: int) -> None:
        """A role's process has started."""

    def died(self, role: Role, how: str, ran_s: float, restart_in_s: float) -> None:
        """A role ended unexpectedly; it is restarted after `restart_in_s`."""

    def stopped(self, role: Role, how: str) -> None:
        """A role ended on request."""

    def killed(self, role: Role) -> None:
        """A role did not end in time; it is being killed."""
