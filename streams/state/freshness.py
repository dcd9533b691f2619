"""Rule 4: how long the last result of a region speaks for it."""

from typing import Final

from streams.state.windows import Window

LATE_MS: Final = 15_000
"""Room for a slow broker; as long as an absence of the broker that is no gap yet."""


LONGEST_LATE_MS: Final = 3_600_000 + LATE_MS
"""`late_ms` of the longest timeout that a target may have (`schemas.target`)."""


def span_ms(interval_ms: int, timeout_ms: int) -> int:
    """How long a result is fresh: after `2.5 × interval + timeout` its region is stale."""
    return interval_ms * 5 // 2 + timeout_ms


def late_ms(interval_ms: int, timeout_ms: int) -> int:
    """A result that is appended longer than this after its start waited in a spool.

    It tells of a time that is over, and is history only: the spool of a prober that could not
    reach the broker must wake nobody when it is drained.
    """
    return min(span_ms(interval_ms, timeout_ms), timeout_ms + LATE_MS)


def is_fresh(window: Window, running: int) -> bool:
    """Whether the region has a fresh result at running time `running`."""
    return running <= window.fresh_until
