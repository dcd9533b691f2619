"""Rule 4: the time for which a region's last result is fresh."""

from typing import Final

from streams.state.windows import Window

LATE_MS: Final = 15_000
"""Margin for a slow broker, in ms; the longest absence of the broker that is no gap."""


AHEAD_MS: Final = 15_000
"""Longest time from append to start, in ms, with which a result counts: its clock is ahead."""

LONGEST_LATE_MS: Final = 3_600_000 + LATE_MS
"""`late_ms` of the longest timeout that a target may have (`schemas.target`)."""


def span_ms(interval_ms: int, timeout_ms: int) -> int:
    """The time for which a result is fresh, in ms: `2.5 × interval + timeout`, then it is stale."""
    return interval_ms * 5 // 2 + timeout_ms


def late_ms(interval_ms: int, timeout_ms: int) -> int:
    """Longest time from start to append, in ms, of a result that did not wait in a spool.

    A later result describes the past and is history only: a prober that drains its spool after an
    absence of the broker must alert nobody.
    """
    return min(span_ms(interval_ms, timeout_ms), timeout_ms + LATE_MS)


def is_fresh(window: Window, running: int) -> bool:
    """True if the region has a fresh result at running time `running`."""
    return running <= window.fresh_until
