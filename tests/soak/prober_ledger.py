"""What came of each slot of each target, from results in any order. Pure.

Which slots a target has is what `producers/schedule/schedule.py` says: a function of target, region
and round, whose own tests hold it.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from producers.schedule.schedule import Slots

SOON: Final = 4
"""A slot is kept, too, when the target is checked anew within a fourth of its interval after it,
because it was changed."""

GONE_MS: Final = 10_000
"""A target that was removed is not checked any more after so long, or an interval if it is more."""

ENDING_MS: Final = 5_000
"""A prober that ends waits 2.5 s for what is on its way; what nobody answers may take longer."""

HEARD_MS: Final = 1_000
"""So much before a removal a slot may be left out: it may be heard of before a check is begun."""

SHOWN: Final = 10

Ails = Literal["nothing", "refused", "silent", "sometimes"]

# Not the truth about the target, but about us: `missed` has the count.
_MISSED: Final = ("missed", "prober_error")
_UP: Final = ("up", None)
_REFUSED: Final = ("down", "connection_refused")
_TRUTH: Final[dict[Ails, set[tuple[str, str | None]]]] = {
    "nothing": {_UP},
    "refused": {_REFUSED},
    "silent": {("down", "timed_out")},
    "sometimes": {_UP, _REFUSED},
}


class Said(NamedTuple):
    """What matters here of a result."""

    target: str
    scheduled_at: int
    started_at: int
    attempt: int
    cause: str
    status: str
    reason: str | None
    version: int


class Known(Struct, kw_only=True):
    """What is true of a target. `until`: it was removed then (UTC ms)."""

    slots: Slots
    ails: Ails = "nothing"
    until: int | None = None


class Share(Struct, frozen=True, kw_only=True):
    """Of some numbers the middle one, that of 99 in 100, and the largest."""

    p50: float
    p99: float
    most: float

    @classmethod
    def of(cls, numbers: Iterable[float]) -> "Share":
        """Of no numbers: zeros."""
        ordered = sorted(numbers) or [0.0]
        last = len(ordered) - 1
        return cls(p50=ordered[last // 2], p99=ordered[last * 99 // 100], most=ordered[-1])


class _Page:
    __slots__ = ("causes", "off", "on", "retries", "versions")

    def __init__(self) -> None:
        self.on = array("q")
        """When each first attempt was due, in any order."""
        self.causes: dict[int, str] = {}
        self.versions: dict[int, int] = {}
        """When the first check of each definition was due."""
        self.retries = array("q")


class Ledger:
    """Takes results one by one; then says what is wrong with them, and how punctual they were."""

    def __init__(self) -> None:
        self._pages: dict[str, _Page] = {}
        self._statuses: dict[str, Counter[tuple[str, str | None]]] = {}
        self._scheduled = array("q")
        self._started = array("q")
        self.results = 0
        self.missed = 0
        self.last_due = 0
        """When the last first attempt was due."""

    def add(self, said: Said) -> None:
        """Takes a result."""
        self.results += 1
        page = self._pages.get(said.target)
        if page is None:
            page = self._pages[said.target] = _Page()
            self._statuses[said.target] = Counter()
        self._statuses[said.target][said.status, said.reason] += 1
        self.missed += said.status == "missed"
        if said.attempt:
            page.retries.append(said.scheduled_at)
            return
        page.on.append(said.scheduled_at)
        if said.cause != "schedule":
            page.causes[said.scheduled_at] = said.cause
        first = page.versions.get(said.version, said.scheduled_at)
        page.versions[said.version] = min(first, said.scheduled_at)
        self.last_due = max(self.last_due, said.scheduled_at)
        if said.status != "missed":
            self._scheduled.append(said.scheduled_at)
            self._started.append(said.started_at)

    # What is wrong

    def wrong(self, known: dict[str, Known]) -> list[str]:
        """What differs from one result a slot and the truth of each target, in words."""
        found = [f"{name}: not one result" for name in known.keys() - self._pages.keys()]
        found += [f"{name}: nobody knows it" for name in self._pages.keys() - known.keys()]
        for name, page in self._pages.items():
            if name in known:
                found += [f"{name}: {text}" for text in self._of_target(name, page, known[name])]
        more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        return found[:SHOWN] + more

    def _of_target(self, name: str, page: _Page, known: Known) -> Iterable[str]:
        step = known.slots.interval_ms
        due = Counter(page.on)
        firsts = Counter(page.versions.values())
        until = self.last_due if known.until is None else known.until - HEARD_MS
        if known.ails == "silent":
            until = min(until, self.last_due - ENDING_MS)
        first = min(page.on)
        slot = known.slots.after(first - 1)
        while slot <= until - 1:
            if slot not in due and not _excused(page, slot, known):
                yield f"nothing of the slot at {slot}"
            slot = known.slots.after(slot)
        for at, count in due.items():
            if count > 1:
                yield f"{count} results of the check that was due at {at}"
            planned = known.slots.after(at - 1) == at
            if not planned and not firsts[at] and at not in page.causes:
                yield f"a check that nobody planned was due at {at}"
        if known.until is not None and max(page.on) > known.until + max(step, GONE_MS):
            yield f"checked at {max(page.on)}, removed at {known.until}"
        for (status, reason), count in self._statuses[name].items():
            if (status, reason) not in {_MISSED, *_TRUTH[known.ails]}:
                yield f"{count} times {status} ({reason}), and what ails it is {known.ails}"

    # How punctual

    def first_checks(self, names: Iterable[str]) -> list[int]:
        """When the first check of each of these was due, sorted."""
        return sorted(min(self._pages[name].on) for name in names if name in self._pages)

    def lag_ms(self) -> Share:
        """How much later than due checks began (first attempts)."""
        both = zip(self._scheduled, self._started, strict=True)
        return Share.of(max(0, began - due) for due, began in both)

    def due_within(self, spans: Sequence[tuple[int, int]]) -> list[int]:
        """When the first attempts of these spans were due, sorted."""
        return _within(self._scheduled, spans)

    def begun_within(self, spans: Sequence[tuple[int, int]]) -> list[int]:
        """When the first attempts of these spans began, sorted."""
        return _within(self._started, spans)


def busiest(times: Sequence[int], window_ms: int) -> int:
    """The most of these sorted times that lie within any `window_ms`."""
    most = oldest = 0
    for index, at in enumerate(times):
        while times[oldest] <= at - window_ms:
            oldest += 1
        most = max(most, index - oldest + 1)
    return most


def largest_gap_ms(times: Iterable[int]) -> int:
    """The longest time between two neighbours."""
    return max((later - earlier for earlier, later in pairwise(sorted(times))), default=0)


def _within(times: Iterable[int], spans: Sequence[tuple[int, int]]) -> list[int]:
    ordered = sorted(times)
    cuts = [(bisect_left(ordered, begin), bisect_left(ordered, end)) for begin, end in spans]
    return list(chain.from_iterable(ordered[begin:end] for begin, end in cuts))


def _excused(page: _Page, slot: int, known: Known) -> bool:
    """Whether the target was being checked: in a retry series, or anew because it was changed."""
    if any(0 <= at - slot <= known.slots.interval_ms // SOON for at in page.versions.values()):
        return True
    return any(
        slot <= retry and max((at for at in page.on if at < retry), default=retry) < slot
        for retry in page.retries
    )
