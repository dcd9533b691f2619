"""The figures of one run of one contender, and the parameters of a run."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from producers.prober.check_loop import ROUND_S

IN_FLIGHT: Final = 256
"""Number of concurrent checks in a saturated run."""

ROUND_US: Final = round(ROUND_S * 1_000_000)
"""Length of a round, in µs; a paced run starts due checks in rounds, as the prober does."""

TIMEOUT_MS: Final = 5_000


class ProbeFigures(Struct, frozen=True, kw_only=True):
    """One run. `cpu_us` is process CPU time for each check; `seconds` the length of the run.

    The listener always answers, so `timed_out` are false timeouts, and `failed` (all others that
    are not `up`) are our fault too. None stands for an unmeasured value: a saturated run has no
    schedule and thus no lag (from due time to start of a check); `in_flight_bytes` is the resident
    memory of a running check, without its target; `memory_mb` that of the process.
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
