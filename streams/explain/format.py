"""Formats spans and times for an explanation."""

from datetime import UTC, datetime


def span(ms: int) -> str:
    """`850 ms`, `40 s`, `12 min`, `3 h 5 min`, `2 d 4 h`; rounded down."""
    if ms < 1000:
        return f"{max(0, ms)} ms"
    seconds = ms // 1000
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h"


def clock(at: int) -> str:
    """The time of day, UTC."""
    return datetime.fromtimestamp(at / 1000, tz=UTC).strftime("%H:%M:%S")


def times(count: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def in_a_row(count: int) -> str:
    """`once`, `twice in a row`, `3 times in a row`."""
    return times(count) if count == 1 else f"{times(count)} in a row"
