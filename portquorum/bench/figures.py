"""What one run of one contender tells, and how a run is set up."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from producers.prober.check_loop import ROUND_S

IN_FLIGHT: Final = 256
"""So many checks are on their way at a time in a saturated run."""

ROUND_US: Final = round(ROUND_S * 1_000_000)
"""Paced runs begin what is due in rounds, as the prober does."""

TIMEOUT_MS: Final = 5_000


class Figures(Struct, frozen=True, kw_only=True):
    """One run. `cpu_us` is process CPU time a check; `seconds` what the run took.

    The listener always answers, so `timed_out` are false timeouts, and `failed` (anything else
    that is not `up`) is our fault too. None is what was not measured: a saturated run has no
    schedule and so no lag (from when a check was due to when it began); `in_flight_bytes` is the
    resident memory of a check on its way, without its target; `memory_mb` that of the process.
    """

    checks: int
    seconds: float
    cpu_us: float
    timed_out: int
    failed: int
    connect_p50_us: float | None = None
    connect_p99_us: float | None = None
    lag_p50_ms: float | None = None
    lag_p99_ms: float | None = None
    in_flight_bytes: float | None = None
    memory_mb: float | None = None


def share(values: Sequence[float], part: float) -> float:
    """The value below which `part` of `values` lie; 0 if there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0
