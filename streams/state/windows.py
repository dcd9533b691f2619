"""The windows of all targets of a partition, as columns, and a view of a single one.

A window takes 33 bytes here; an object would take ten times as much. The windows of a target are
adjacent, from its slot on, in the order of its regions.
"""

from array import array
from typing import Literal

from msgspec import Struct

from schemas.result import Reason
from streams.state.latency_levels import NONE


class Failing(Struct, gc=False, array_like=True):
    """A row of failures of one target in one region.

    `count` failures were counted, the last at `counted_at` (effective time); the row began at
    `since` (effective time), `running_since` in running time. `down` is the confirmed verdict.
    `unended`: the region said down, was stale, and has not succeeded since; `down` is not confirmed
    again yet.
    """

    count: int
    counted_at: int
    since: int
    running_since: int
    reason: Reason
    detail: str | None
    down: bool = False
    unended: bool = False


Why = Literal["limit", "usual", "rising"]
"""The reason why a success is slow: above the limit, above the usual time, or soon to be."""


class Slow(Struct, gc=False, array_like=True):
    """A row of slow successes of one target in one region, or its result, the verdict `slow`.

    `slow` is the verdict. `count` successes in a row contradict it. The row that led to it began at
    `since` (effective time), `running_since` in running time; `took_ms` is the newest slow time,
    and `why` its reason. `measure` is the reference: the usual time in µs, or the hours until the
    limit would be reached.
    """

    count: int
    since: int
    running_since: int
    took_ms: float
    slow: bool = False
    why: Why = "limit"
    measure: int = 0


class Endings(Struct, gc=False, array_like=True):
    """What the last looks of a region at a target's certificate saw (rule 13), the oldest first.

    `looks` has up to ten pairs: the effective time, and the end of the verified chain (log time) if
    that was near, else 0. At least one end was near; without one nothing is kept.
    """

    looks: list[tuple[int, int]]

    @property
    def earliest(self) -> int:
        """The earliest end that was near."""
        return min(end for _, end in self.looks if end)

    @property
    def since(self) -> int:
        """The effective time of the oldest look that saw a near end."""
        return next(at for at, end in self.looks if end)

    def lacking(self, looks: int) -> int:
        """The number of clean looks in a row after which the last `looks` are all clean."""
        return looks - next(clean for clean, (_, end) in enumerate(reversed(self.looks)) if end)


class Window(Struct, frozen=True, gc=False):
    """The rules' memory of the last results of one target in one region, at this moment.

    `newest` is the effective time of the newest counted result, `started` its own start time (which
    may be ahead of the log's), the latest of all that counted; the region is fresh until
    `fresh_until` (running time). `since` is the time of its last recovery (0: never). `successes`
    counts successes in a row, up to the target's `recover_after`. `failing` is the present row of
    failures, None after a success; `pace` the row of slow successes, or its result; `endings` the
    looks at a certificate that ends soon. `lately`, `usual` and `daily` are latencies
    (`streams.state.latency_levels`).
    """

    newest: int
    started: int
    fresh_until: int
    since: int
    successes: int
    failing: Failing | None
    pace: Slow | None = None
    lately: int = NONE
    usual: int = NONE
    daily: int = NONE
    endings: Endings | None = None

    @property
    def down(self) -> bool:
        """True if the confirmed verdict is down."""
        return self.failing is not None and self.failing.down

    @property
    def unended(self) -> bool:
        """True if it fails again after a pause before which it said down (`Failing`)."""
        return self.failing is not None and self.failing.unended

    @property
    def slow(self) -> bool:
        """True if it succeeds slowly; `down` takes precedence."""
        return self.pace is not None and self.pace.slow and not self.down


SavedWindow = tuple[int, int, int, int, int, int, int, int | None]
"""One window as it was: a number of each column, and of `ahead`."""


class WindowColumns:
    """A number for each window in each column, at `slot + position`; see `Window` for the meanings.

    `newest` is 0 for an absent window (no counted result can be as old as that); then `fresh_until`
    is the running time since when its region should look, and the other columns are 0 too. `ahead`
    has `started` of the few windows where it differs from `newest`. The slot of a target has no
    meaning, and is not saved.
    """

    __slots__ = (
        "_free",
        "ahead",
        "daily",
        "fresh_until",
        "lately",
        "newest",
        "since",
        "successes",
        "usual",
    )

    def __init__(self) -> None:
        self.newest = array("q")
        self.fresh_until = array("q")
        self.since = array("q")
        self.successes = array("B")
        self.lately = array("H")
        self.usual = array("H")
        self.daily = array("I")
        self.ahead: dict[int, int] = {}
        self._free: dict[int, list[int]] = {}

    def allocate(self, windows: int) -> int:
        """A slot for this number of windows, all of them absent."""
        free = self._free.get(windows)
        if free:
            return free.pop()
        slot = len(self.newest)
        for column in (self.newest, self.fresh_until, self.since):
            column.frombytes(bytes(8 * windows))
        self.successes.frombytes(bytes(windows))
        for levels in (self.lately, self.usual):
            levels.frombytes(bytes(2 * windows))
        self.daily.frombytes(bytes(4 * windows))
        return slot

    def extend(  # noqa: PLR0917 - one argument a column
        self,
        newest: "array[int]",
        fresh_until: "array[int]",
        since: "array[int]",
        successes: "array[int]",
        lately: "array[int]",
        usual: "array[int]",
        daily: "array[int]",
    ) -> None:
        """Appends windows after all others.

        Raises:
            ValueError: the columns differ in length.
        """
        if len({*map(len, (newest, fresh_until, since, successes, lately, usual, daily))}) != 1:
            raise ValueError("expected columns of one length")
        self.newest += newest
        self.fresh_until += fresh_until
        self.since += since
        self.successes += successes
        self.lately += lately
        self.usual += usual
        self.daily += daily

    def free(self, slot: int, windows: int) -> None:
        """Drops the windows of a slot; it can be allocated again."""
        for at in range(slot, slot + windows):
            self.newest[at] = self.fresh_until[at] = self.since[at] = self.successes[at] = 0
            self.lately[at] = self.usual[at] = self.daily[at] = NONE
            self.ahead.pop(at, None)
        self._free.setdefault(windows, []).append(slot)

    def save(self, at: int) -> SavedWindow:
        """The window at `at`, to be given to `load`."""
        return (
            self.newest[at],
            self.fresh_until[at],
            self.since[at],
            self.successes[at],
            self.lately[at],
            self.usual[at],
            self.daily[at],
            self.ahead.get(at),
        )

    def load(self, at: int, saved: SavedWindow) -> None:
        """Makes the window at `at` what it was when it was saved."""
        (
            self.newest[at],
            self.fresh_until[at],
            self.since[at],
            self.successes[at],
            self.lately[at],
            self.usual[at],
            self.daily[at],
            ahead,
        ) = saved
        if ahead is None:
            self.ahead.pop(at, None)
        else:
            self.ahead[at] = ahead

    def unlearn(self, at: int, now: int) -> None:
        """Forgets the latencies of the window at `at`; a region that was up turns up `now`."""
        self.lately[at] = self.usual[at] = self.daily[at] = NONE
        if self.since[at]:
            self.since[at] = now

    def reclaim(self, slot: int, windows: int) -> None:
        """Takes back a slot that was freed and not allocated since."""
        self._free[windows].remove(slot)

    def copy(self, source: int, to: int) -> None:
        """Copies the window at `source` to `to`."""
        self.newest[to] = self.newest[source]
        self.fresh_until[to] = self.fresh_until[source]
        self.since[to] = self.since[source]
        self.successes[to] = self.successes[source]
        self.lately[to] = self.lately[source]
        self.usual[to] = self.usual[source]
        self.daily[to] = self.daily[source]
        if source in self.ahead:
            self.ahead[to] = self.ahead[source]
