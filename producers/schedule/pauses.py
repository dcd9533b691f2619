"""The targets that nobody checks for a while, and when each pause ends. Pure.

Times are broker time in ms.
"""

import math
from collections.abc import Mapping
from heapq import heappop, heappush


class Pauses:
    """The pauses of all targets, of this prober or not.

    Methods that change them return the ids of targets that may have begun or ceased to be paused.
    """

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._ends: list[tuple[float, str]] = []

    def holds(self, target_id: str, now_ms: float) -> bool:
        """True if the target is paused at `now_ms`."""
        return self._until.get(target_id, -math.inf) > now_ms

    def pause(self, target_id: str, until: int | None) -> tuple[str, ...]:
        """The target is paused until then (None: until `resume`)."""
        end = math.inf if until is None else until
        if self._until.get(target_id) == end:
            return ()
        self._until[target_id] = end
        if until is not None:
            heappush(self._ends, (end, target_id))
        return (target_id,)

    def resume(self, target_id: str) -> tuple[str, ...]:
        """The target is not paused any more."""
        return () if self._until.pop(target_id, None) is None else (target_id,)

    def replace(self, pauses: Mapping[str, int | None]) -> tuple[str, ...]:
        """Replaces all pauses; a pause's value is its end."""
        changed = [one for name in self._until.keys() - pauses.keys() for one in self.resume(name)]
        changed += [one for name, until in pauses.items() for one in self.pause(name, until)]
        return tuple(changed)

    def end_due(self, now_ms: float) -> tuple[str, ...]:
        """Ends the pauses whose time has come."""
        ended = []
        while self._ends and self._ends[0][0] <= now_ms:
            end, target_id = heappop(self._ends)
            if self._until.get(target_id) == end:
                del self._until[target_id]
                ended.append(target_id)
        return tuple(ended)
