"""All reasons together, in their order: silence, maintenance, dependency. Pure.

Quiet hours come after them: they belong to a channel's route, not to what is told.
"""

from collections.abc import Callable

from sinks.notifier.model import TargetFacts
from sinks.notifier.routing import Routes
from sinks.notifier.sparing.dependencies import Dependencies
from sinks.notifier.sparing.maintenance import MaintenanceWindows
from sinks.notifier.sparing.model import Outage, Spared
from sinks.notifier.sparing.silences import SilencesOfMoment


class Reasons:
    """What spares an outage, whoever would be told."""

    def __init__(self, facts_of: Callable[[str], TargetFacts | None]) -> None:
        self.dependencies = Dependencies(facts_of)
        self._silences = SilencesOfMoment(())
        self._maintenance = MaintenanceWindows(())

    def set_policy(self, before: Routes, now: Routes) -> None:
        """The silences, windows and pauses of the moment."""
        self.dependencies.pauses = now.pauses
        if before.silences != now.silences:
            self._silences = SilencesOfMoment(now.silences)
        if before.maintenance != now.maintenance:
            self._maintenance = MaintenanceWindows(now.maintenance)

    def of(self, outage: Outage, at: int, *, closed: bool = False) -> Spared | None:
        """The reason not to tell of it at `at` (UTC ms); `closed`: it was over then."""
        return (
            self._silences.spared(outage, at)
            or self._maintenance.spared(outage, at)
            or self.dependencies.spared(outage, at, closed=closed)
        )
