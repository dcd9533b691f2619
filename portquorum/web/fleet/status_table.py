"""What `status_now` last said of each target, kept small: it comes again every 15 s.

ClickHouse knows what no event tells: that a target has no result yet, that a single target is
unwatched, and what each region says. It is as old as its newest answer, and wrong while the sink
is behind.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

BELIEVED_MS: Final = 90_000
"""Age of an answer up to which it is believed: six polls, or two of a ClickHouse that is slow."""

LATE_MS: Final = 15_000
"""Age of the newest result that is no sign of a sink that is behind, whatever the fleet."""

_MISSED_IN_A_ROW: Final = 5
"""Mean distances between two results without any, after which something stands still."""

_NONE: Final = 0


class StatusGroup(Struct, frozen=True, kw_only=True):
    """Targets of which `status_now` says the same. Times: UTC ms.

    `regions` are pairs of a region and its word. `newest_result_at` is the newest of all of them.
    """

    status: str
    targets: Sequence[str]
    since: int | None = None
    is_resolved: bool = False
    regions: tuple[tuple[str, str], ...] = ()
    newest_result_at: int | None = None


class StatusWord(Struct, frozen=True):
    """What is said of one target; equal ones are one object."""

    status: str
    since: int | None
    is_resolved: bool
    regions: tuple[tuple[str, str], ...]


class StatusTable:
    """By row the number of a word, 0: nothing is said."""

    def __init__(self) -> None:
        self.at: int | None = None
        """When ClickHouse gave the newest whole answer."""
        self.newest_result_at: int | None = None
        self._words: list[StatusWord | None] = [None]
        self._number: dict[StatusWord, int] = {}
        self._of_row = array("I")

    def word(self, row: int) -> StatusWord | None:
        """What is said of a row."""
        return self._words[self._of_row[row]] if row < len(self._of_row) else None

    def clear(self, row: int) -> None:
        """The row has another target."""
        if row < len(self._of_row):
            self._of_row[row] = _NONE

    def rows_that_say(self, words: frozenset[str]) -> list[int]:
        """The rows of which one of these words is said."""
        marked = {
            number
            for number, word in enumerate(self._words)
            if word is not None and word.status in words
        }
        return [row for row, number in enumerate(self._of_row) if number in marked]

    def take(
        self, groups: Iterable[StatusGroup], row_of: dict[str, int], at: int, chunk: int
    ) -> Iterator[list[int]]:
        """A whole answer, in steps of about `chunk` targets: each gives the rows that changed."""
        self._compact()
        rows = max(row_of.values(), default=-1) + 1
        self._of_row.extend([_NONE] * (rows - len(self._of_row)))
        seen = bytearray(len(self._of_row))
        newest = None
        for group in groups:
            newest = max(newest or 0, group.newest_result_at or 0) or None
            number = self._numbered(group)
            for begin in range(0, len(group.targets), chunk):
                yield self._put(group.targets[begin : begin + chunk], number, row_of, seen)
        gone = [
            row for row, number in enumerate(self._of_row[: len(seen)]) if number and not seen[row]
        ]
        for row in gone:
            self._of_row[row] = _NONE
        self.at, self.newest_result_at = at, newest
        yield gone

    def is_believed(self, now: int, results_a_second: float) -> bool:
        """True while the answer is new, and has results that are not late.

        `results_a_second`: how many the fleet should give, by its intervals and regions.
        """
        if self.at is None or now - self.at > BELIEVED_MS:
            return False
        if self.newest_result_at is None:
            return True  # nothing was ever measured
        gap_ms = 1000 / results_a_second if results_a_second else 0
        return self.at - self.newest_result_at <= LATE_MS + _MISSED_IN_A_ROW * gap_ms

    def _put(
        self, targets: Sequence[str], number: int, row_of: dict[str, int], seen: bytearray
    ) -> list[int]:
        changed = []
        of_row, size = self._of_row, len(seen)
        for target in targets:
            row = row_of.get(target)
            if row is None or row >= size:
                continue
            seen[row] = 1
            if of_row[row] != number:
                of_row[row] = number
                changed.append(row)
        return changed

    def _numbered(self, group: StatusGroup) -> int:
        word = StatusWord(group.status, group.since, group.is_resolved, group.regions)
        number = self._number.get(word)
        if number is None:
            number = self._number[word] = len(self._words)
            self._words.append(word)
        return number

    def _compact(self) -> None:
        """Numbers the words anew when most are not used any more."""
        used = set(self._of_row)
        if len(self._words) < 2 * len(used) + 100:
            return
        kept: list[StatusWord | None] = [None]
        moved = {_NONE: _NONE}
        for number in sorted(used - {_NONE}):
            moved[number] = len(kept)
            kept.append(self._words[number])
        self._of_row = array("I", map(moved.__getitem__, self._of_row))
        self._words = kept
        self._number = {word: number for number, word in enumerate(kept) if word is not None}
