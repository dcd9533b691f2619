"""What a view must say: rows by key."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

PERCENTILE_ACCURACY: Final = 0.005


@dataclass(frozen=True)
class Latency:
    """A percentile of latencies: the view may be off by 0.5 % of it."""

    value: float


@dataclass(kw_only=True)
class Expected:
    """The rows of a view by the values of its columns `key`; further columns are not compared."""

    key: tuple[str, ...]
    rows: dict[tuple[Any, ...], dict[str, Any]] = field(default_factory=dict)


def nearest(values: Sequence[float], percent: int) -> float | None:
    """The value at the nearest rank, the ⌈q·n⌉-th smallest; None if there are none."""
    if not values:
        return None
    return sorted(values)[-(-percent * len(values) // 100) - 1]


def percent(part: float, whole: float) -> float | None:
    """None of nothing."""
    return 100 * part / whole if whole else None
