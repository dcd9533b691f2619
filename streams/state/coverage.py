"""Rule 12 in the state: what was told of unwatched targets, and when to look at which target."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct, field

from schemas.incident import Severity
from streams.state.target_state import TargetState

LOOK_EVERY_MS: Final = 10_000
"""The time in which one look for unwatched targets is due, in ms: from 0:00:00, 0:00:10, … on."""

_LAST_TURN: Final = 2**32 - 1


class AwaitedRegion(Struct, gc=False, array_like=True):
    """A region of targets that was never heard, since `since` (running time; `since_at`: log time).

    `told`: its silence was told.
    """

    since: int
    since_at: int
    told: bool = False


class UnwatchedTold(Struct, gc=False, array_like=True):
    """The last event of unwatched targets, told at `told_at` (running time).

    `regions` are the silent regions that it names, `since` is log time. `better_since` is the
    running time since when there are far fewer targets, or fewer silent regions (0: there are not).
    """

    cause_id: str
    severity: Severity
    count: int
    regions: tuple[str, ...]
    since: int
    told_at: int
    better_since: int = 0


class Coverage(Struct, gc=False, array_like=True):
    """Everything of rule 12 that is saved. `looked_at` is running time.

    `event_at` is the `at` of the partition's last event of a region or of unwatched targets.
    """

    looked_at: int = 0
    told: UnwatchedTold | None = None
    awaited: dict[str, AwaitedRegion] = field(default_factory=dict)
    event_at: int = 0

    def next_event_at(self, now: int) -> int:
        """The `at` of an event at `now` (log time, ms), not before that of the last one.

        Readers go by `at`: after the broker's clock was set back an earlier one would be out of
        date for them, and an end that came then would end nothing.
        """
        self.event_at = now if now >= self.event_at else self.event_at + 1
        return self.event_at


class Unwatched(Struct, frozen=True, gc=False):
    """An unwatched target; `rank` is that of its criticality, 0 the most critical."""

    entry: TargetState
    rank: int


class WatchIndex:
    """When to look at which target: an index, not saved.

    A target is looked at when it may be unwatched: with each look while it is, else when the
    results that it had at the last look no longer suffice. `configured` counts the targets of each
    region.
    """

    __slots__ = ("_due", "_turns", "configured", "unwatched")

    def __init__(self) -> None:
        self.configured: Counter[str] = Counter()
        self.unwatched: dict[str, Unwatched] = {}
        self._due: dict[int, list[str]] = {}
        # By the slot of a target's windows; what stands in another list of `_due` is old.
        self._turns = array("I")

    def add(self, entry: TargetState) -> None:
        """Adds a target; the next look looks at it."""
        self.configured.update(entry.policy.regions)
        self.put_off(entry, 0)

    def forget(self, entry: TargetState) -> None:
        """Removes a target."""
        self.unwatched.pop(entry.id, None)
        for region in entry.policy.regions:
            self.configured[region] -= 1
            if not self.configured[region]:
                del self.configured[region]

    def put_off(self, entry: TargetState, until: int) -> None:
        """The target is to be looked at when running time has come to `until`."""
        turn, slot = min(until // LOOK_EVERY_MS, _LAST_TURN), entry.slot
        if slot >= len(self._turns):
            self._turns.frombytes(bytes(self._turns.itemsize * (slot + 1 - len(self._turns))))
        self._turns[slot] = turn
        self._due.setdefault(turn, []).append(entry.id)

    def take_due(self, targets: Mapping[str, TargetState], running: int) -> Iterator[TargetState]:
        """Takes out the targets to look at now; others that are due within `LOOK_EVERY_MS`, too.

        Each must be put off, or kept in `unwatched`, before the next is taken.
        """
        last = running // LOOK_EVERY_MS
        for turn in sorted(turn for turn in self._due if turn <= last):
            for target_id in self._due.pop(turn):
                entry = targets.get(target_id)
                if entry is not None and self._turns[entry.slot] == turn:
                    yield entry

    def look_at_all(self, entries: Iterable[TargetState]) -> None:
        """Lets the next look look at all these targets, which are all that there are."""
        self.unwatched, self._due = {}, {}
        for entry in entries:
            self.put_off(entry, 0)
