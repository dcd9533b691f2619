"""Times at which something holds: sorted, disjoint, half-open spans [begin, end) in ms."""

from bisect import bisect_right
from collections.abc import Iterable

Span = tuple[float, float]
FOREVER = float("inf")


class Spans:
    """A set of moments. Values, never changed in place."""

    __slots__ = ("_begins", "spans")

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        merged: list[Span] = []
        for begin, end in sorted(spans):
            if begin >= end:
                continue
            if merged and begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((begin, end))
        self.spans = tuple(merged)
        self._begins = [begin for begin, _ in merged]

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __repr__(self) -> str:
        return "Spans(" + ", ".join(f"{begin:.0f}–{end:.0f}" for begin, end in self.spans) + ")"

    def at(self, moment: float) -> Span | None:
        """The span that holds `moment`."""
        place = bisect_right(self._begins, moment) - 1
        if place < 0 or self.spans[place][1] <= moment:
            return None
        return self.spans[place]

    def covers(self, begin: float, end: float) -> bool:
        """Whether all of [begin, end) belongs to it."""
        found = self.at(begin)
        return found is not None and found[1] >= end

    def length(self, begin: float, end: float) -> float:
        """How much of [begin, end) belongs to it."""
        total = 0.0
        for one, other in self.spans[max(0, bisect_right(self._begins, begin) - 1) :]:
            if one >= end:
                break
            total += max(0.0, min(other, end) - max(one, begin))
        return total

    def meets(self, begin: float, end: float) -> bool:
        """Whether any of [begin, end) belongs to it."""
        return self.length(begin, end) > 0

    def before(self, moment: float) -> Span | None:
        """The last span that began before `moment`."""
        place = bisect_right(self._begins, moment) - 1
        return self.spans[place] if place >= 0 else None

    def __or__(self, other: "Spans") -> "Spans":
        return Spans((*self.spans, *other.spans)) if self and other else self or other

    def __sub__(self, other: "Spans") -> "Spans":
        if not self or not other:
            return self
        left: list[Span] = []
        for begin, end in self.spans:
            at = begin
            for one, two in other.spans[max(0, bisect_right(other._begins, begin) - 1) :]:
                if one >= end:
                    break
                if one > at:
                    left.append((at, one))
                at = max(at, two)
            if at < end:
                left.append((at, end))
        return Spans(left)

    def __and__(self, other: "Spans") -> "Spans":
        return self - (self - other)

    def without_first(self, ms: float) -> "Spans":
        """Each span without its first `ms`."""
        return Spans((begin + ms, end) for begin, end in self.spans)

    def grown(self, before: float, after: float) -> "Spans":
        """Each span begun `before` ms earlier and ended `after` ms later."""
        return Spans((begin - before, end + after) for begin, end in self.spans)
