"""Days of uptime: every day of a time, and sums over several. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from portquorum.web.history.answers import DayUptime, UptimeOver

OVER_DAYS: Final = (1, 7, 30, 90)
"""The spans whose uptime stands on the target page."""


def day_of(at: int) -> date:
    """The day (UTC) of a time (UTC ms)."""
    return datetime.fromtimestamp(at / 1000, tz=UTC).date()


def every_day(found: Iterable[Sequence[Any]], first: date, count: int) -> tuple[DayUptime, ...]:
    """`count` days from the first on; a day without a row has zeros, and no uptime.

    A row has the day and the five times of `DayUptime`.
    """
    by_day = {row[0]: row[1:] for row in found}
    wanted = (first + timedelta(days=place) for place in range(count))
    return tuple(_day(day, by_day.get(day, (0.0,) * 5)) for day in wanted)


def over(days: Sequence[DayUptime], lengths: Iterable[int] = OVER_DAYS) -> tuple[UptimeOver, ...]:
    """The uptime over the last days, for each length."""
    return tuple(_over(days[-length:], length) for length in lengths)


def percentages(
    measured_s: float, down_s: float, maintenance_s: float, down_in_maintenance_s: float
) -> tuple[float | None, float | None]:
    """The uptime, and that without maintenance (docs/analytics.md); None: nothing was measured."""
    without = measured_s - maintenance_s
    return (
        100 * (1 - down_s / measured_s) if measured_s > 0 else None,
        100 * max(0.0, 1 - (down_s - down_in_maintenance_s) / without) if without > 0 else None,
    )


def _day(day: date, times_s: Sequence[float]) -> DayUptime:
    watched_s, measured_s, down_s, maintenance_s, down_in_maintenance_s = times_s
    uptime, without = percentages(measured_s, down_s, maintenance_s, down_in_maintenance_s)
    return DayUptime(
        day=day,
        watched_s=watched_s,
        measured_s=measured_s,
        down_s=down_s,
        maintenance_s=maintenance_s,
        down_in_maintenance_s=down_in_maintenance_s,
        uptime_percent=uptime,
        uptime_without_maintenance_percent=without,
    )


def _over(days: Sequence[DayUptime], length: int) -> UptimeOver:
    measured, down = sum(one.measured_s for one in days), sum(one.down_s for one in days)
    uptime, without = percentages(
        measured,
        down,
        sum(one.maintenance_s for one in days),
        sum(one.down_in_maintenance_s for one in days),
    )
    return UptimeOver(
        days=length,
        measured_s=measured,
        down_s=down,
        uptime_percent=uptime,
        uptime_without_maintenance_percent=without,
    )
