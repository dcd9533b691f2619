"""The content of a report: figures, days and tables, independent of the output format."""

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

Unit = Literal["text", "count", "percent", "seconds", "money", "time"]
"""The unit of a value: `percent` up to 100, `seconds` a number, `time` a UTC datetime."""

Tone = Literal["good", "bad", "plain"]
Value = str | int | float | datetime | None


class Figure(Struct, frozen=True, kw_only=True):
    """A number that a reader wants to see first."""

    name: str
    title: str
    value: Value
    unit: Unit
    tone: Tone = "plain"


class Days(Struct, frozen=True, kw_only=True):
    """A value for each day, None if there was nothing to measure. `low_is_bad`: like uptime."""

    name: str
    title: str
    unit: Unit
    days: list[date]
    values: list[float | None]
    low_is_bad: bool = False


class Column(Struct, frozen=True, kw_only=True):
    """A column of a table; `bar`: its values are shown with bars."""

    name: str
    title: str
    unit: Unit
    bar: bool = False


class ReportTable(Struct, frozen=True, kw_only=True):
    """Rows, the most important first; `left_out` is the number of further rows."""

    name: str
    title: str
    columns: list[Column]
    rows: list[list[Value]]
    left_out: int = 0


class Report(Struct, frozen=True, kw_only=True):
    """A complete report: the days from `since` to `until`, both included (UTC).

    `scope` names its targets, `verdict` is the result in a sentence; `trouble`: somebody should
    act.
    """

    kind: str
    scope: str
    since: date
    until: date
    verdict: str
    figures: list[Figure]
    days: list[Days]
    tables: list[ReportTable]
    notes: list[str]
    trouble: bool = False
