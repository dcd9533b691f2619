"""Times as people and programs write them in a query."""

import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final

from litestar.params import QueryParameter

from portquorum.web.problem import ProblemError, wrong_field
from schemas._types import MAX_MILLIS

TIME: Final = (
    "a time (2026-11-30T07:00:00Z; UTC if it names no zone), a date, UTC ms, or an age "
    "(90m, 24h, 30d)"
)
EXPECTED: Final = f"expected {TIME}"
EXPECTED_IN_BODY: Final = (
    "expected a time (2026-11-30T07:00:00Z; UTC if it names no zone), or UTC ms"
)
Moment = Annotated[str, QueryParameter(max_length=40, description=f"{TIME[0].upper()}{TIME[1:]}.")]
Day = Annotated[str, QueryParameter(max_length=10, description="A date (UTC): 2026-11-30")]

_MS: Final = re.compile(r"\d{9,13}", re.ASCII)
_AGE: Final = re.compile(r"(\d{1,6})(m|h|d)", re.ASCII)
_UNITS_MS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


def now_ms() -> int:
    """Now, in UTC ms."""
    return time.time_ns() // 1_000_000


MOST_DAYS: Final = 730
LAST_DAYS: Final = 30
DayCount = Annotated[
    int | None,
    QueryParameter(
        ge=1,
        le=MOST_DAYS,
        required=False,
        description="In place of `since`: so many days up to `until`.",
    ),
]


def parse_ms(name: str, text: str, now: int) -> int:
    """The time that the parameter `name` says, in UTC ms.

    A `+` that came as a blank, as in a query that nobody encoded, is a `+`.

    Raises:
        ProblemError: it is none.
    """
    written = text.strip()
    if _MS.fullmatch(written):
        return int(written)
    if age := _AGE.fullmatch(written):
        return max(0, now - int(age[1]) * _UNITS_MS[age[2]])
    try:
        moment = datetime.fromisoformat(written.replace(" ", "+") if "T" in written else written)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        found = round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise wrong_field(name, EXPECTED) from None
    if not 0 <= found <= MAX_MILLIS:
        raise wrong_field(name, EXPECTED)
    return found


def moment_ms(name: str, value: int | str) -> int:
    """The time that the field `name` of a body says: UTC ms, or a text of ISO 8601.

    A text without a zone is UTC. An age is none: what is planned lies ahead.

    Raises:
        ProblemError: it is none.
    """
    if isinstance(value, int):
        return value
    if _AGE.fullmatch(value.strip()):
        raise wrong_field(name, EXPECTED_IN_BODY)
    try:
        return parse_ms(name, value[:40], 0)
    except ProblemError:
        raise wrong_field(name, EXPECTED_IN_BODY) from None


def parse_day(name: str, text: str) -> date:
    """The date that the parameter `name` says.

    Raises:
        ProblemError: it is none.
    """
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        raise wrong_field(name, "expected a date: 2026-11-30") from None
    if not 2000 <= found.year <= 2200:
        raise wrong_field(name, "expected a date from 2000 to 2200")
    return found


def span_of_days(since: str, until: str, days: int | None) -> tuple[date, date]:
    """The first and the last day (UTC); by default the last 30 days, today included.

    Raises:
        ProblemError: no date, both `since` and `days`, or more than `MOST_DAYS`.
    """
    if since and days is not None:
        raise wrong_field("days", "expected `since` or `days`, found both")
    last = parse_day("until", until) if until else datetime.now(UTC).date()
    first = parse_day("since", since) if since else last - timedelta((days or LAST_DAYS) - 1)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise wrong_field("since", f"expected a date up to {MOST_DAYS} days before `until`")
    return first, last
