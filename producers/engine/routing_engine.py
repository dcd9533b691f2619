"""An engine that chooses one of two: the fast one for the plain TCP handshake, or tasks."""

from producers.checks.model import OnDone, PlannedCheck, Vantage
from producers.engine.task_engine import TaskEngine
from producers.engine.tcp_attempt import WaitingEngine


class RoutingEngine:
    """See `producers.checks.model.Engine`."""

    def __init__(self, plain: WaitingEngine) -> None:
        self.plain = plain
        self._tasks = TaskEngine(plain.vantage, plain.resolver, name_servers=plain.name_servers)

    @property
    def vantage(self) -> Vantage:
        """The vantage of the checks that are submitted from now on."""
        return self.plain.vantage

    @vantage.setter
    def vantage(self, vantage: Vantage) -> None:
        self.plain.vantage = self._tasks.vantage = vantage

    @property
    def in_flight(self) -> int:
        """The number of checks in flight."""
        return self.plain.in_flight + self._tasks.in_flight

    def submit(self, check: PlannedCheck, on_done: OnDone) -> None:
        """Begins the check; see the protocol."""
        target = check.target
        if target.kind == "tcp" and target.probe is None:
            self.plain.submit(check, on_done)
        else:
            self._tasks.submit(check, on_done)

    async def connections_closed(self, within_s: float) -> None:
        """Returns when the connections of the past checks are closed, or after `within_s`."""
        await self._tasks.connections_closed(within_s)

    def close(self) -> None:
        """Ends all checks in flight without an outcome."""
        self._tasks.close()
        self.plain.close()
