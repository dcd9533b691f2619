"""The timing of another monitor in the inventory's fields: interval, retries, `open_after`.

Others count failed checks until somebody is told; here an incident opens when a target has been
down for `open_after` (docs/rules.md, rule 6). A threshold of N checks that are G seconds apart is
`open_after: (N-1)·G`: the first failure counts at once, and so do others in between. Where the
whole row of attempts fits into the interval it is a series of `retries` instead.
"""

from typing import Any, Final

from msgspec import Struct

from portquorum.importing.model import Timing
from portquorum.inventory import duration

RETRY_DELAY_S: Final = 1.0
_LEAST_INTERVAL_S: Final = 1.0
_MOST_INTERVAL_S: Final = 86_400.0
_LEAST_TIMEOUT_S: Final = 0.05
_MOST_TIMEOUT_S: Final = 3_600.0
_MOST_OPEN_AFTER_S: Final = 86_400.0
_MOST_RETRIES: Final = 10
_MOST_RECOVERIES: Final = 100


class Fitted(Struct, frozen=True):
    """`fields`: those of a target, as inventory text; `differences`: sentences."""

    fields: dict[str, Any]
    differences: list[str]
    before: Timing


def text(seconds: float) -> str:
    """A length of time as the inventory writes it: 120.0 is `2m`."""
    return duration.text(round(seconds * 1000))


def fit(
    *,
    interval_s: float,
    timeout_s: float,
    failures: int = 1,
    failure_gap_s: float | None = None,
    hold_s: float = 0,
    recoveries: int = 1,
) -> Fitted:
    """The fields of a target that is checked, and told of, as at its source.

    Args:
        interval_s: between two checks, while all is well.
        timeout_s: for an answer.
        failures: failed checks in a row until somebody is told.
        failure_gap_s: between two checks after one that failed; None: the interval.
        hold_s: what the source waits beside that (Prometheus' `for`).
        recoveries: successes in a row until it counts as up.
    """
    differences: list[str] = []
    gap_s = interval_s if failure_gap_s is None else failure_gap_s
    told_s = max(failures - 1, 0) * gap_s + hold_s
    before = Timing(interval_s=interval_s, timeout_s=timeout_s, told_after_s=told_s)
    interval = _within(
        interval_s, (_LEAST_INTERVAL_S, _MOST_INTERVAL_S), "the interval", differences
    )
    timeout = _timeout(timeout_s, interval, differences)
    fields: dict[str, Any] = {"interval": text(interval), "timeout": text(timeout)}
    series = _series(interval, timeout, failures, gap_s) if hold_s == 0 else {}
    fields |= series or _held(interval, timeout, told_s, differences)
    most = min(recoveries, _MOST_RECOVERIES)
    if most < recoveries:
        differences.append(
            f"it counts as up after {most} successes in a row, at most, and not after {recoveries}"
        )
    if most > 1:
        fields["recover_after"] = most
    return Fitted(fields, differences, before)


def _series(interval: float, timeout: float, failures: int, gap_s: float) -> dict[str, Any]:
    """The retries that are the whole row of failed checks, if it fits within the interval."""
    again = failures - 1
    if not 0 < again <= _MOST_RETRIES or failures * timeout + again * gap_s > interval:
        return {}
    return {"retries": again, "retry_delay": text(gap_s)}


def _held(interval: float, timeout: float, told_s: float, differences: list[str]) -> dict[str, Any]:
    """One retry at once, if it fits; what is left of the time until it is told is `open_after`."""
    fits_twice = 2 * timeout + RETRY_DELAY_S <= interval
    fields: dict[str, Any] = {"retries": 1 if fits_twice else 0}
    if told_s > 0:
        limits = (0.0, _MOST_OPEN_AFTER_S)
        held = _within(told_s, limits, "the time until it is told", differences)
        fields["open_after"] = text(held)
    return fields


def _timeout(timeout_s: float, interval: float, differences: list[str]) -> float:
    limits = (_LEAST_TIMEOUT_S, min(_MOST_TIMEOUT_S, interval))
    if timeout_s > interval:
        differences.append(
            f"the timeout is {text(interval)}, as long as the interval, and not {text(timeout_s)}"
        )
        return interval
    return _within(timeout_s, limits, "the timeout", differences)


def _within(value: float, limits: tuple[float, float], what: str, differences: list[str]) -> float:
    least, most = limits
    found = min(max(value, least), most)
    if found != value:
        differences.append(f"{what} is {text(found)}, and not {text(value)}")
    return found
