"""Resolves the maintenance windows of an inventory."""

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from portquorum.inventory.decode import Entry
from portquorum.inventory.document import MaintenanceEntry
from portquorum.inventory.duration import parse_ms
from portquorum.inventory.errors import SHOWN, Problem, Where
from portquorum.inventory.groups import PortGroups
from portquorum.inventory.references import no_target
from portquorum.inventory.suggest import did_you_mean
from portquorum.inventory.zones import zone_problem
from schemas import occurrences
from schemas._types import MAX_MILLIS
from schemas.duration import DAY_MS
from schemas.policy import Maintenance
from schemas.wall_clock import instant, local, zone_named, zone_or_utc

MAX_MAINTENANCE_MS: Final = 366 * DAY_MS

_OFTEN: Final = frozenset({"BYHOUR", "BYMINUTE", "BYSECOND"})
"""Parts of a rule by which a day may have several windows."""

_FORESEEABLE_MS: Final = 3_653 * DAY_MS


class WindowResolver:
    """Makes records of windows; what is wrong goes to `problems`, what is odd to `warnings`."""

    def __init__(
        self,
        ids: Collection[str],
        problems: list[Problem],
        warnings: list[Problem],
        *,
        tags: Collection[str] | None = None,
        groups: PortGroups | None = None,
    ) -> None:
        """`tags` are those of targets, None: not known; `groups`: the targets of several ports."""
        self.ids = ids
        self.tags = tags
        self.groups = groups or PortGroups()
        self.problems = problems
        self.warnings = warnings

    def resolve(self, entries: Iterable[Entry[MaintenanceEntry]]) -> list[Maintenance]:
        """All windows, in the order in which they are written."""
        windows: dict[str, Maintenance] = {}
        for entry in entries:
            window = self._window(entry)
            if window is not None and window.name in windows:
                self._say(entry.where("name"), f"the name {window.name!r} is taken")
            elif window is not None:
                windows[window.name] = window
        return list(windows.values())

    def _say(self, where: Where, message: str) -> None:
        self.problems.append(Problem(where, message))

    def _window(self, entry: Entry[MaintenanceEntry]) -> Maintenance | None:
        value = entry.value
        if not value.name or not value.targets or not value.start or not value.duration:
            if not entry.dropped:
                self._say(entry.where(), "expected name, targets, start and duration")
            return None
        for position, target in enumerate(value.targets):
            self._of_target(target, entry.where("targets", position))
        wrong = zone_problem(value.timezone, entry)
        if wrong is not None:
            self.problems.append(wrong)
            return None
        start = self._start(value.start, value.timezone, entry)
        duration_ms = parse_ms(value.duration)
        if not 0 < duration_ms <= MAX_MAINTENANCE_MS:
            self._say(entry.where("duration"), f"expected 1ms to 366d, found {value.duration!r}")
        if value.rrule is not None:
            said = occurrences.problem(value.rrule, start or 0, value.timezone)
            if said is not None:
                self._say(entry.where("rrule"), said)
        if start is None or duration_ms <= 0:
            return None
        window = Maintenance(
            name=value.name,
            targets=self.groups.ids(value.targets),
            start=start,
            duration_ms=duration_ms,
            rrule=value.rrule,
            timezone=value.timezone,
        )
        self._not_too_often(window, entry)
        return window

    def _of_target(self, written: str, where: Where) -> None:
        """Says that there is no such target, and warns of a tag that no target has."""
        if not written.startswith("tag:"):
            if written not in self.ids and written not in self.groups:
                self._say(
                    where,
                    no_target(
                        written,
                        self.ids if len(self.problems) < SHOWN else (),
                        "tag:NAME or the id of a target",
                    ),
                )
            return
        name = written.removeprefix("tag:")
        if self.tags is not None and name not in self.tags:
            message = f"no target has the tag {name!r}{did_you_mean(name, self.tags)}"
            self.warnings.append(Problem(where, message))

    def _not_too_often(self, window: Maintenance, entry: Entry[MaintenanceEntry]) -> None:
        """Warns of a rule with so many times that reports soon know no more of them."""
        if not _OFTEN & set(re.findall(r"[A-Z]+(?==)", window.rrule or "")):
            return
        found = occurrences.occurrences(window, window.start + _FORESEEABLE_MS)
        if len(found) == occurrences.MOST:
            last = local(found[-1][0], zone_or_utc(window.timezone))
            message = (
                f"reports know the first {len(found):,} times of a window alone, of this one those "
                f"until {last:%Y-%m-%d}; write fewer times that are longer"
            )
            self.warnings.append(Problem(entry.where("rrule"), message))

    def _start(
        self, written: str, timezone: str | None, entry: Entry[MaintenanceEntry]
    ) -> int | None:
        zone = None if timezone is None else zone_named(timezone)
        try:
            time = datetime.fromisoformat(written)
            if time.tzinfo is None:
                start = instant(time, zone_or_utc(timezone))
            else:
                start = round(time.timestamp() * 1000)
            readable = 0 <= start <= MAX_MILLIS
        except (ValueError, OverflowError):
            readable = False
        if not readable or (time.tzinfo is None and zone is None):
            expected = (
                "expected a time with its zone such as 2026-12-01T02:00Z, or one without and "
                "`timezone: Europe/Berlin` beside it"
                if zone is None
                else "expected a time on the clock of the zone such as 2026-12-01T02:00"
            )
            self._say(entry.where("start"), f"{expected}, found {written!r}")
            return None
        if zone is not None:
            self._on_its_clock(time, start, zone, entry)
        elif entry.value.rrule is not None and time.utcoffset():
            shown = local(start, zone_or_utc(None))
            message = (
                f"without `timezone:` the rule goes by the clock of UTC, where this start is "
                f"{shown:%A %H:%M}, in summer and in winter; write timezone: with the zone that is "
                "meant, or the time in UTC"
            )
            self.warnings.append(Problem(entry.where("start"), message))
        return start

    def _on_its_clock(
        self, time: datetime, start: int, zone: ZoneInfo, entry: Entry[MaintenanceEntry]
    ) -> None:
        """Says what contradicts: another offset than the zone's, a time that it jumps over."""
        shown = local(start, zone)
        if time.tzinfo is None:
            if shown.replace(tzinfo=None, fold=0) != time.replace(microsecond=shown.microsecond):
                expected = f"expected a time that the clock of {zone.key} shows"
                message = f"{expected}, found {entry.value.start!r}, which it jumps over"
                self._say(entry.where("start"), message)
        elif time.utcoffset() != shown.utcoffset():
            offset = shown.isoformat()[-6:]
            expected = f"expected a time without offset, or with that of {zone.key} ({offset})"
            self._say(entry.where("start"), f"{expected}, found {entry.value.start!r}")
