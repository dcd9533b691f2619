"""Converts `latency:` from its written to its published form."""

from portquorum.inventory import duration
from portquorum.inventory.document import LatencyEntry
from producers.kinds.registry import KINDS
from schemas.target import LatencyLimit

LONGEST_AHEAD_MS = 2_592_000_000
LONGEST_INTERVAL_MS = 3_600_000
"""Longest interval for rising latencies: beyond it the usual time takes as long to learn as the
daily one, so nothing rises."""


def limit(written: LatencyEntry, kind: str) -> LatencyLimit:
    """The limits of a target of this kind, which says whose time is meant if nobody else does.

    Raises:
        ValueError: the text says what was expected and what was found.
    """
    if written.max_ms is None and written.times_usual is None:
        raise ValueError("expected max_ms, times_usual or both, found neither")
    ahead = None if written.warn_ahead is None else duration.parse_ms(written.warn_ahead)
    if ahead is not None:
        if written.max_ms is None:
            raise ValueError("expected max_ms beside warn_ahead, found none")
        if not 1 <= ahead <= LONGEST_AHEAD_MS:
            longest = duration.text(LONGEST_AHEAD_MS)
            raise ValueError(
                f"expected warn_ahead from 1ms to {longest}, found {written.warn_ahead}"
            )
    return LatencyLimit(
        max_ms=written.max_ms,
        for_results=written.for_results,
        times_usual=written.times_usual,
        warn_ahead_ms=ahead,
        of=written.of or (KINDS[kind].latency_of if kind in KINDS else "connect"),
    )


def misfit(found: LatencyLimit, interval_ms: int, timeout_ms: int) -> str | None:
    """Why a target with this interval and timeout can't have the limits; None if it can."""
    if found.max_ms is not None and found.max_ms >= timeout_ms:
        below = duration.text(timeout_ms)
        return f"expected max_ms below the timeout ({below}), found {found.max_ms:g}"
    if found.warn_ahead_ms is not None and interval_ms > LONGEST_INTERVAL_MS:
        return (
            f"expected an interval of at most {duration.text(LONGEST_INTERVAL_MS)} beside "
            f"warn_ahead, found {duration.text(interval_ms)}"
        )
    return None
