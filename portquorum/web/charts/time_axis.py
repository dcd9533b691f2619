"""The axis of time: places in percent, and ticks at round times of a zone. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Final

from msgspec import Struct

from portquorum.web.charts.svg import label, upright

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

MOST_TICKS: Final = 6
"""More do not fit on a phone."""

_EVERY: Final = (
    *(n * MINUTE_MS for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR_MS for n in (1, 2, 4, 6, 12)),
    *(n * DAY_MS for n in (1, 2, 7, 14, 30, 60, 180, 365)),
)
_EDGE: Final = 6.0
"""Nearer to an end, in percent, a label would be cut."""


class TimeAxis(Struct, frozen=True):
    """A span of time (UTC ms) over the whole width, in the time zone of the viewer."""

    since: int
    until: int
    zone: tzinfo

    def place(self, at: int) -> float:
        """Where a time is, in percent; at the end if it is beyond."""
        length = max(1, self.until - self.since)
        return 100 * min(max(at - self.since, 0), length) / length

    def width(self, begin: int, end: int | None) -> float:
        """How wide a span is, in percent; None: it goes on."""
        return max(0.0, self.place(self.until if end is None else end) - self.place(begin))

    def shows(self, begin: int, end: int | None) -> bool:
        """True if any part of a span is on the axis."""
        return begin < self.until and (end is None or end > self.since)

    def ticks(self) -> Iterator[tuple[int, str]]:
        """Round times and their words: `14:00`, or `28 Nov` at midnight."""
        length = self.until - self.since
        every = next((one for one in _EVERY if length / one <= MOST_TICKS), _EVERY[-1])
        first = self._local(self.since).replace(hour=0, minute=0, second=0, microsecond=0)
        for count in range(int((length + DAY_MS) // every) + 2):
            if every < DAY_MS:
                local = self._local(_ms(first) + count * every)
            else:
                local = first + timedelta(days=count * (every // DAY_MS))
            at = _ms(local)
            if self.since <= at <= self.until:
                yield at, _words(local)

    def drawn(self, y: float, height: float) -> str:
        """The ticks as lines from `y` on, with their words below."""
        parts = []
        for at, text in self.ticks():
            x = self.place(at)
            parts.append(upright(x, y, height, "tick"))
            anchor = "end" if x > 100 - _EDGE else None if x < _EDGE else "middle"
            parts.append(label(x, y + height + 14, text, "tick-label", anchor))
        return "".join(parts)

    def words(self, at: int) -> str:
        """A time as a cell of a table: `2026-11-28 14:00`."""
        return f"{self._local(at):%Y-%m-%d %H:%M}"

    def _local(self, at: int) -> datetime:
        return datetime.fromtimestamp(at / 1000, tz=self.zone)


def _ms(local: datetime) -> int:
    return round(local.timestamp() * 1000)


def _words(local: datetime) -> str:
    return f"{local:%d %b}" if (local.hour, local.minute) == (0, 0) else f"{local:%H:%M}"
