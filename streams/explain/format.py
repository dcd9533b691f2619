"""Times and counts in the sentences of an explanation."""

from datetime import UTC, datetime


def time_of_day(at: int) -> str:
    """The time of day, UTC."""
    return datetime.fromtimestamp(at / 1000, tz=UTC).strftime("%H:%M:%S")


def date_and_time(at: int) -> str:
    """The date and the time of day, UTC."""
    return datetime.fromtimestamp(at / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def times(count: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def in_a_row(count: int) -> str:
    """`once`, `twice in a row`, `3 times in a row`."""
    return times(count) if count == 1 else f"{times(count)} in a row"
