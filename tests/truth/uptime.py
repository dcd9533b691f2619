"""Uptime of a target and day, by intervals."""

from dataclasses import dataclass
from datetime import date

from tests.truth.inventory import Stand, Window, maintained, rows_by_target, stands, windows
from tests.truth.outages import Case
from tests.truth.records import DAY, HOUR, History, Row, day_of, midnight
from tests.truth.spans import Span, common, length, union, within


@dataclass(kw_only=True)
class Time:
    """Milliseconds of a target and day, or of several together."""

    watched: int = 0
    measured: int = 0
    down: int = 0
    maintenance: int = 0
    down_in_maintenance: int = 0

    def add(self, other: "Time") -> None:
        self.watched += other.watched
        self.measured += other.measured
        self.down += other.down
        self.maintenance += other.maintenance
        self.down_in_maintenance += other.down_in_maintenance

    @property
    def unplanned(self) -> int:
        """Down outside of maintenance."""
        return self.down - self.down_in_maintenance

    @property
    def unmaintained(self) -> int:
        """Measured outside of maintenance."""
        return self.measured - self.maintenance

    @property
    def uptime(self) -> float | None:
        return 100 * (1 - self.down / self.measured) if self.measured else None

    @property
    def uptime_without_maintenance(self) -> float | None:
        return 100 * (1 - self.unplanned / self.unmaintained) if self.unmaintained else None

    @property
    def columns(self) -> dict[str, float | None]:
        """As the views name them."""
        return {
            "watched_s": self.watched / 1000,
            "measured_s": self.measured / 1000,
            "down_s": self.down / 1000,
            "maintenance_s": self.maintenance / 1000,
            "down_in_maintenance_s": self.down_in_maintenance / 1000,
            "uptime_percent": self.uptime,
            "uptime_without_maintenance_percent": self.uptime_without_maintenance,
        }


@dataclass(frozen=True, kw_only=True)
class TargetDay:
    """A target on a day on which it was watched; `row` is its newest definition of that day."""

    target: str
    day: date
    row: Row
    time: Time


def target_days(history: History, cases: list[Case]) -> list[TargetDay]:
    """Every target and day, in order."""
    known = windows(history)
    hours: dict[str, set[int]] = {}
    for row in history.results:
        if row["status"] != "missed":
            hours.setdefault(row["target"], set()).add(row["scheduled_at"] // HOUR)
    down: dict[str, list[Span]] = {}
    for case in cases:
        if case.is_outage:
            down.setdefault(case.newest["target"], []).append(case.span(history.now))
    found = []
    for target, rows in sorted(rows_by_target(history).items()):
        found += _days(
            target,
            stands(rows, history.now),
            known,
            hours=hours.get(target, set()),
            down=down.get(target, []),
        )
    return found


def _days(
    target: str, stood: list[Stand], known: list[Window], *, hours: set[int], down: list[Span]
) -> list[TargetDay]:
    if not stood:
        return []
    in_maintenance = [span for stand in stood for span in maintained(stand, known)]
    checked = [(hour * HOUR, (hour + 1) * HOUR) for hour in hours]
    found = []
    for number in range(stood[0].begin // DAY, stood[-1].end // DAY + 1):
        begin, end = number * DAY, (number + 1) * DAY
        of_day = [one for one in stood if one.begin < end and one.end > begin]
        watched = union(within([(one.begin, one.end) for one in of_day], begin, end))
        if not watched:
            continue
        seen = union(within(checked, begin, end))
        if seen and of_day[-1].row["interval_ms"] > HOUR:
            seen = [(begin, end)]
        off = common(watched, within(down, begin, end))
        measured = common(watched, seen + off)
        planned = common(measured, within(in_maintenance, begin, end))
        time = Time(
            watched=length(watched),
            measured=length(measured),
            down=length(off),
            maintenance=length(planned),
            down_in_maintenance=length(common(planned, off)),
        )
        found.append(TargetDay(target=target, day=day_of(begin), row=of_day[-1].row, time=time))
    return found


def days_between(days: list[TargetDay], first: date, last: date) -> list[TargetDay]:
    """Those from `first` to `last`, both included."""
    return [one for one in days if first <= one.day <= last]


def window(now: int, days: int) -> tuple[date, int]:
    """The first of the last `days` UTC days, today included, and its begin (UTC ms)."""
    first = day_of(now - (days - 1) * DAY)
    return first, midnight(first)
