"""Values as people read them, and their places in a chart."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from portquorum.presentation import charts
from portquorum.presentation.output import clock
from portquorum.report.result import Column, Days, ReportTable, Unit, Value
from schemas.duration import duration_text
from schemas.plain_text import one_line

NOTHING: Final = "–"


def text(value: Value, unit: Unit) -> str:
    """A value with its unit."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, datetime):
        return clock(value)
    if isinstance(value, str):
        return one_line(value)
    return _NUMBERS.get(unit, "{:,}".format)(value)


def _seconds(value: float) -> str:
    if not value:
        return "0"
    return f"-{duration_text(-value * 1000)}" if value < 0 else duration_text(value * 1000)


def percent(value: float) -> str:
    """A percentage, with enough digits that a value below 100 never looks like 100."""
    shown = f"{value:.2f}" if value < 99 else f"{value:.3f}"
    return f"{'99.999+' if value < 100 and float(shown) >= 100 else shown} %"


_NUMBERS: Final[dict[Unit, Callable[[float], str]]] = {
    "percent": percent,
    "seconds": _seconds,
    "money": "{:,.2f}".format,
}


def height(days: Days) -> tuple[float, float]:
    """The lowest and the highest value of a chart of the days.

    An uptime chart runs from the worst day to 100 %; a chart of counts starts at 0.
    """
    values = [value for value in days.values if value is not None]
    if not values:
        return 0.0, 1.0
    if days.low_is_bad:
        lowest = min(values)
        return (lowest - 0.1 * (100 - lowest) if lowest < 100 else 99.0), 100.0
    return 0.0, max(*values, 0.0) or 1.0


def sparkline(days: Days) -> str:
    """One character for each day; a dot without a value."""
    low, high = height(days)
    return charts.sparkline(
        None if value is None else (value - low) / (high - low) for value in days.values
    )


def share(column: Column, table: ReportTable, value: Value) -> float:
    """The length of a value's bar, from 0 to 1: relative to 100 %, or to the column's maximum."""
    if not isinstance(value, int | float):
        return 0.0
    index = table.columns.index(column)
    numbers = [row[index] for row in table.rows]
    most = 100.0
    if column.unit != "percent":
        most = max((one for one in numbers if isinstance(one, int | float)), default=0.0)
    return max(0.0, min(1.0, value / most)) if most > 0 else 0.0
