"""A report: figures, days and tables, with no word on how they are shown."""

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

Unit = Literal["text", "count", "percent", "seconds", "money", "time"]
"""What a value is: `percent` up to 100, `seconds` a number, `time` a UTC datetime."""

Tone = Literal["good", "bad", "plain"]
Value = str | int | float | datetime | None


class Figure(Struct, frozen=True, kw_only=True):
    """One number that a reader wants to see first."""

    name: str
    title: str
    value: Value
    unit: Unit
    tone: Tone = "plain"


class Days(Struct, frozen=True, kw_only=True):
    """A value a day, None where there was nothing to measure. `low_is_bad`: as of an uptime."""

    name: str
    title: str
    unit: Unit
    days: list[date]
    values: list[float | None]
    low_is_bad: bool = False


class Column(Struct, frozen=True, kw_only=True):
    """A column of a table; `bar`: its values are worth a bar beside each other."""

    name: str
    title: str
    unit: Unit
    bar: bool = False


class Table(Struct, frozen=True, kw_only=True):
    """Rows, the ones that matter most first; `left_out` says how many more there are."""

    name: str
    title: str
    columns: list[Column]
    rows: list[list[Value]]
    left_out: int = 0


class Report(Struct, frozen=True, kw_only=True):
    """All of one report: the days from `since` to `until`, both included (UTC).

    `scope` says of what, `verdict` the result in a sentence; `trouble`: somebody should act.
    """

    kind: str
    scope: str
    since: date
    until: date
    verdict: str
    figures: list[Figure]
    days: list[Days]
    tables: list[Table]
    notes: list[str]
    trouble: bool = False
