"""A history: the rows of four tables, as Python records."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

Row = dict[str, Any]


@dataclass(kw_only=True)
class History:
    """Rows by table, in the order in which they are inserted; a row may stand there twice.

    `now` is the moment (UTC ms) up to which the history goes.
    """

    now: int
    targets: list[Row] = field(default_factory=list)
    maintenance: list[Row] = field(default_factory=list)
    incidents: list[Row] = field(default_factory=list)
    results: list[Row] = field(default_factory=list)


def moment(ms: int) -> datetime:
    """A time as ClickHouse's client gives it: UTC, without a zone."""
    return datetime.fromtimestamp(ms // 1000, tz=UTC).replace(
        microsecond=ms % 1000 * 1000, tzinfo=None
    )


def day_of(ms: int) -> date:
    """The UTC day."""
    return moment(ms).date()


def month_of(day: date) -> date:
    """The first day of the month."""
    return day.replace(day=1)


def midnight(day: date) -> int:
    """The begin of a day (UTC ms)."""
    return (day - date(1970, 1, 1)).days * DAY
