"""Formats short spans of time, and days, for people."""

from datetime import UTC, datetime
from typing import Final

from schemas.duration import DAY_MS, HOUR_MS

_MINUTE_MS: Final = 60_000


def milliseconds(us: int) -> str:
    """Formats a span in µs to two digits, in a fitting unit: `0.3 ms`, `2 ms`, `340 ms`, `1.2 s`.

    Uses only integers, so that events have the same bytes on every machine.
    """
    if us >= 999_500:
        tenths = (us + 50_000) // 100_000
        return f"{tenths // 10}.{tenths % 10} s" if tenths % 10 else f"{tenths // 10} s"
    if us >= 9_950:
        return f"{(us + 500) // 1000} ms"
    tenths = max(1, (us + 50) // 100)
    return f"{tenths // 10}.{tenths % 10} ms" if tenths % 10 else f"{tenths // 10} ms"


def about(hours: int) -> str:
    """`about 9 h`, `about 3 d`."""
    return f"about {hours} h" if hours < 48 else f"about {(hours + 12) // 24} d"


def left(ms: int) -> str:
    """The time until something ends, whole: `13 days` (from two days on), `30 hours`, `5 minutes`.

    Integers only, as above.
    """
    if ms >= 2 * DAY_MS:
        return f"{ms // DAY_MS} days"
    if ms >= 2 * HOUR_MS:
        return f"{ms // HOUR_MS} hours"
    minutes = ms // _MINUTE_MS
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def day(at: int) -> str:
    """The minute of a UTC time in ms: `2026-12-12 14:00 UTC`."""
    return datetime.fromtimestamp(at / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")
