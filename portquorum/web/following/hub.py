"""The changes for live viewers, with those of the last minutes for one that comes back."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from msgspec import Struct

from portquorum.web.answers import Change
from portquorum.web.fleet.position import SOURCES, Position, Source, decode

KEPT: Final = 1_000
"""Moments with changes that are kept for those who come back."""

WAITING: Final = 256
"""Changes that wait for one viewer; of a viewer who is slower all are dropped."""

AHEAD: Final = 1_000
"""Records that another process of the role may be ahead; a position that is further is of another
log."""

Step = tuple[Source, int, int]
"""Topic, partition, and the offset behind the record."""


class _Kept(Struct, frozen=True):
    """Changes of one moment and the records that led to them; the last one has the position."""

    changes: tuple[Change, ...]
    steps: tuple[Step, ...]

    def is_after(self, since: Position) -> bool:
        """True if a viewer at `since` has not seen all of them."""
        return any(
            offset > since.of(source).get(partition, 0) for source, partition, offset in self.steps
        )


class _End:
    """No more changes come."""


_END: Final = _End()


class _Viewer:
    """A queue of changes; None stands for "ask for the page anew", `_END` for the end."""

    def __init__(self, since: Position | None) -> None:
        self.since = since
        self._queue: asyncio.Queue[Change | _End | None] = asyncio.Queue()
        self._missed = False

    def give(self, kept: _Kept) -> None:
        """Puts changes that the viewer has not seen."""
        if self.since is not None and kept.steps and not kept.is_after(self.since):
            return
        if self._missed:
            return  # the page that is asked for anew has them
        if self._queue.qsize() + len(kept.changes) > WAITING:
            while not self._queue.empty():
                self._queue.get_nowait()
            self._missed = True
            self._queue.put_nowait(None)
            return
        for change in kept.changes:
            self._queue.put_nowait(change)

    def reload(self) -> None:
        """Tells the viewer to ask for the page anew."""
        self._queue.put_nowait(None)

    def end(self) -> None:
        """Ends the changes behind those that wait."""
        self._queue.put_nowait(_END)

    async def changes(self) -> AsyncIterator[Change | None]:
        """The changes as they come."""
        while True:
            found = await self._queue.get()
            if isinstance(found, _End):
                return
            if found is None:
                self._missed = False
            yield found


class Hub:
    """Gives each change to all viewers. One event loop; nothing that a viewer does holds another.

    A change is given at least once: to a viewer who comes from another process maybe again.
    """

    def __init__(self) -> None:
        self._now = Position()
        self._kept: deque[_Kept] = deque()
        self._floor = Position()
        """A viewer before this has missed what is not kept any more."""
        self._viewers: set[_Viewer] = set()
        self._is_closed = False

    @property
    def viewers(self) -> int:
        """How many watch now."""
        return len(self._viewers)

    def begin(self, at: Position) -> None:
        """The topics are read up to `at`: what came before is in every page, and not kept."""
        self._now = self._floor = at
        self._kept.clear()

    def publish(self, changes: Sequence[Change], steps: Sequence[Step] = ()) -> None:
        """Gives changes of one moment to all.

        `steps`: the records that led to them, at most one a partition; changes without any are
        not kept.
        """
        if self._is_closed:
            return
        kept = _Kept(tuple(changes), tuple(steps))
        if steps:
            self._now = _moved(self._now, kept.steps)
            self._kept.append(kept)
            if len(self._kept) > KEPT:
                self._floor = _moved(self._floor, self._kept.popleft().steps)
        for viewer in self._viewers:
            viewer.give(kept)

    def close(self) -> None:
        """Ends all iterators: the process ends."""
        self._is_closed = True
        for viewer in self._viewers:
            viewer.end()

    @asynccontextmanager
    async def subscribe(
        self, since: str | None = None
    ) -> AsyncIterator[AsyncIterator[Change | None]]:
        """All changes after the position `since`, or from now on; see `ports.Hub`."""
        position = decode(since, self._now) if since else None
        viewer = _Viewer(position)
        if since and (position is None or not self._can_replay(position)):
            viewer.since = None
            viewer.reload()
        elif position is not None:
            for kept in self._kept:
                viewer.give(kept)
        self._viewers.add(viewer)
        if self._is_closed:
            viewer.end()
        try:
            yield viewer.changes()
        finally:
            self._viewers.discard(viewer)

    def _can_replay(self, since: Position) -> bool:
        """True if all that came after `since` is kept, and `since` is of this log."""
        for source in SOURCES:
            asked, floor, now = since.of(source), self._floor.of(source), self._now.of(source)
            if any(asked.get(partition, 0) < offset for partition, offset in floor.items()):
                return False
            if any(offset > now.get(partition, 0) + AHEAD for partition, offset in asked.items()):
                return False
        return True


def _moved(position: Position, steps: Sequence[Step]) -> Position:
    vectors = {source: dict(position.of(source)) for source in SOURCES}
    for source, partition, offset in steps:
        vectors[source][partition] = max(offset, vectors[source].get(partition, 0))
    return Position(**vectors)
