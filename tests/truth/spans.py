"""Sets of intervals: lists of (begin, end) in UTC ms, the end excluded."""

from collections.abc import Iterable

Span = tuple[int, int]


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time as `spans`, in order and without overlaps."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if begin >= end:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def common(one: Iterable[Span], other: Iterable[Span]) -> list[Span]:
    """The time that lies in both."""
    others = union(other)
    return union(
        (max(begin, first), min(end, last)) for begin, end in union(one) for first, last in others
    )


def within(spans: Iterable[Span], begin: int, end: int) -> list[Span]:
    """The parts of each span between `begin` and `end`, each for itself: overlaps stay."""
    cut = ((max(first, begin), min(last, end)) for first, last in spans)
    return [span for span in cut if span[0] < span[1]]


def length(spans: Iterable[Span]) -> int:
    """Milliseconds; what overlaps counts once."""
    return sum(end - begin for begin, end in union(spans))
