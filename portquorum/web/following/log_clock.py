"""The clock of the log, as this process knows it."""

from msgspec import Struct


class LogClock(Struct):
    """What the feed knows of the log: its newest append time, and the broker's clock less ours."""

    newest: int | None = None
    offset_ms: int = 0
