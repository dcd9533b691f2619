"""When the log of a partition speaks and when it is still, by append times and the text alone."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from schemas import control
from schemas.control import HEADER, Beat
from tests.simulation.spans import Span, Spans

Headers = Sequence[tuple[str, bytes]]

GAP_MS: Final = 15_000
"""A log that is silent for longer is a gap: running time stands still in it."""

RESPITE_AFTER_MS: Final = 7_500
RESPITE_MS: Final = 5_000
"""Rule 4: after so long a silence, which is no gap, no region is told to be silent for so long."""

LOOK_MS: Final = 1_000
"""A control record makes the rules look at deadlines, at most once in so long a time."""


class Stillness:
    """One partition, told of each record in order."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._gaps: list[Span] = []
        self._respites: list[Span] = []
        self._respited = False
        self._controls = array("q")

    def appended(self, now: int, headers: Headers) -> None:
        """A record was appended at `now` (ms)."""
        silence = 0 if self._last is None else now - self._last
        if silence > GAP_MS:
            self._gaps.append((now - silence, now))
        elif silence > RESPITE_AFTER_MS and not self._respited:
            self._respites.append((now, now + RESPITE_MS))
            self._respited = True
        self._last = now
        if headers:
            self._controls.append(now)
            self._respited = self._respited and not _is_beat(headers)

    def gaps(self) -> Spans:
        """When running time stood still."""
        return Spans(self._gaps)

    def silence_told_by(self, ready: float) -> float:
        """When the rules have told of a region that they may call silent from `ready` on."""
        for begin, end in self._respites:
            if begin <= ready < end:
                ready = end
        place = bisect_left(self._controls, ready + LOOK_MS)
        # A silence may end with the record that would have told.
        while place < len(self._controls):
            at = self._controls[place]
            respite = next((one for one in self._respites if one[0] <= at < one[1]), None)
            if respite is None:
                return at
            place = bisect_left(self._controls, respite[1] + LOOK_MS)
        return float("inf")


def _is_beat(headers: Headers) -> bool:
    return any(name == HEADER and isinstance(control.decode(body), Beat) for name, body in headers)
