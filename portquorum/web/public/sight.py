"""The fleet as status pages see it: nothing of a target goes through but how it is."""

from collections.abc import Iterable, Iterator
from typing import Final

from portquorum.status_pages.build import Planned, Seen
from portquorum.status_pages.states import TargetState
from portquorum.web.answers import State
from portquorum.web.fleet import Fleet
from schemas.occurrences import Window

STATES: Final[dict[State, TargetState | None]] = {
    "down": "down",
    "flapping": "degraded",
    "slow": "degraded",
    "unknown": "unknown",
    "pending": None,
    "maintenance": "maintenance",
    "paused": None,
    "up": "up",
}


class FleetSight:
    """Reads a fleet; made anew for each look, since it remembers windows."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._of_selector: dict[str, list[Planned]] | None = None

    def seen(self, target: str) -> Seen | None:
        """A target by its id; None: there is none."""
        row = self._fleet.inventory.row_of.get(target)
        if row is None:
            return None
        state = self._fleet.tally.state(row) or "up"
        return Seen(STATES[state], self._fleet.down_since(row) if state == "down" else None)

    def planned(self, targets: Iterable[str]) -> Iterator[Planned]:
        """The windows that are on, or come next, of any of some targets."""
        windows = self._windows()
        if not windows:
            return
        for target in targets:
            record = self._fleet.inventory.get(target)
            tags = () if record is None else record.shared.tags
            for name in (target, *(f"tag:{tag}" for tag in tags)):
                yield from windows.get(name, ())

    def _windows(self) -> dict[str, list[Planned]]:
        if self._of_selector is None:
            self._of_selector = {}
            now = self._fleet.now
            for _, window in self._fleet.policy.windows():
                for begin, end in _times(window, now):
                    for name in window.maintenance.targets:
                        self._of_selector.setdefault(name, []).append(Planned(begin, end))
        return self._of_selector


def _times(window: Window, now: int) -> Iterator[tuple[int, int]]:
    """The time that is on, and the next one."""
    span = window.at(now)
    if span is not None:
        yield span
    begin = window.next_begin(now)
    if begin is not None:
        yield begin, begin + window.maintenance.duration_ms
