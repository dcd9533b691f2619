"""Groups of subjects that wait, each with the time from which it may go. Pure."""

import heapq
from collections.abc import Iterator

from msgspec import Struct


class _Group(Struct):
    ready_at: int
    number: int
    keys: dict[str, None]


class WaitingGroups:
    """Subjects in groups, taken in the order in which the groups are ready."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}
        self._ready: list[tuple[int, int, str]] = []
        self._count = 0

    def add(self, group: str, key: str, ready_at: int) -> None:
        """Adds a subject to a group; the earliest subject of a group decides when it is ready."""
        found = self._groups.get(group)
        if found is None:
            found = self._groups[group] = _Group(ready_at, 0, {})
            self._push(group, found)
        elif ready_at < found.ready_at:
            found.ready_at = ready_at
            self._push(group, found)
        found.keys[key] = None

    def discard(self, group: str, key: str) -> None:
        """Removes a subject from its group."""
        found = self._groups.get(group)
        if found is not None:
            found.keys.pop(key, None)
            if not found.keys:
                del self._groups[group]

    def take(self, now: int) -> tuple[str, list[str]] | None:
        """Removes and returns the first group that is ready, with its subjects in their order."""
        ready_at = self.first()
        if ready_at is None or ready_at > now:
            return None
        group = heapq.heappop(self._ready)[2]
        return group, list(self._groups.pop(group).keys)

    def first(self) -> int | None:
        """When the first group is ready, None if nothing waits."""
        while self._ready:
            ready_at, number, group = self._ready[0]
            found = self._groups.get(group)
            if found is not None and (found.ready_at, found.number) == (ready_at, number):
                return ready_at
            heapq.heappop(self._ready)
        return None

    def waiting(self) -> Iterator[tuple[str, str]]:
        """The subjects that wait, each with its group."""
        for name, group in self._groups.items():
            for key in group.keys:
                yield name, key

    def not_later_than(self, at: int) -> None:
        """Nothing waits longer than until `at`."""
        for name, group in self._groups.items():
            if group.ready_at > at:
                group.ready_at = at
                self._push(name, group)

    def _push(self, name: str, group: _Group) -> None:
        self._count += 1
        group.number = self._count
        heapq.heappush(self._ready, (group.ready_at, self._count, name))
