"""Parses a time argument: a time, or an age."""

from datetime import UTC, datetime
from typing import Final

import typer

DAY_MS: Final = 86_400_000
EXPECTED: Final = "expected a time such as 2026-11-20T14:00 (UTC) or 30m, 2h, 3d (ago)"


def is_ago(text: str) -> bool:
    """True for an age such as `30m`, `2h`, `3d`; False for a time."""
    from portquorum.inventory import duration

    try:
        duration.parse_ms(text.strip())
    except ValueError:
        return False
    return True


def is_within_a_day(text: str) -> bool:
    """True for an age that is not of whole days, or a time that is not midnight UTC: `1h`."""
    from portquorum.inventory import duration

    try:
        return duration.parse_ms(text.strip()) % DAY_MS != 0
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return False
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return (moment.hour, moment.minute, moment.second, moment.microsecond) != (0, 0, 0, 0)


def parse_ms(text: str, now_ms: int) -> int:
    """UTC ms of an ISO 8601 time (UTC if it names no zone), or of `30m`, `2h`, `3d` before now.

    Raises:
        typer.BadParameter: neither.
    """
    from portquorum.inventory import duration

    written = text.strip()
    try:
        return now_ms - duration.parse_ms(written)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        at = round(moment.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{EXPECTED}, found {text!r}") from error
    if at < 0:
        raise typer.BadParameter(f"{EXPECTED}, found {text!r}")
    return at
