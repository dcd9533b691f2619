"""Rule 4: how long the last result of a region speaks for it."""

from schemas.target import Target
from streams.state import Window


def span_ms(target: Target) -> int:
    """How long a result is fresh: after `2.5 × interval + timeout` its region is stale."""
    return target.interval_ms * 5 // 2 + target.timeout_ms


def is_fresh(window: Window, running: int) -> bool:
    """Whether the region has a fresh result at running time `running`."""
    return running <= window.fresh_until
