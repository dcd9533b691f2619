"""The targets of this prober and what is to be done with each next. Pure: no clock, no I/O.

All times are broker time in ms.
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from producers.checks.model import CheckOutcome, PlannedCheck, Worth
from producers.schedule.retry_series import Attempt, follow
from producers.schedule.schedule import (
    FIRST_CHECKS_PER_S,
    Agenda,
    next_slot,
    phase_ms,
    shift_ms,
    spread_ms,
)
from schemas.partition import host_key
from schemas.result import Cause, Reason, Status
from schemas.target import Target

MOST_MISSED: Final = 10
"""After a long standstill so many missed checks of a target are told, the newest ones."""

TAKE_OVER_MS: Final = 10_000
"""Within this a region's probers notice that one of them died, and take its targets over."""

NEAR_MS: Final = 20
"""A target whose slot is so near is checked there, not twice."""

_MINUTE_MS: Final = 60_000


class _Entry:
    __slots__ = (
        "asked",
        "failing",
        "free_ms",
        "in_flight",
        "next_slot_ms",
        "phase",
        "series",
        "target",
        "told",
    )

    def __init__(self, target: Target, region: str) -> None:
        self.failing = False
        self.asked = False
        self.in_flight: PlannedCheck | None = None
        self.series: Attempt | None = None
        self.next_slot_ms = 0.0
        self.free_ms = 0.0
        self.define(target, region)

    def define(self, target: Target, region: str) -> None:
        self.target = target
        self.told: Reason | None = None
        interval = target.interval_ms
        self.phase = phase_ms(target.id, interval) + shift_ms(target.regions, region, interval)


class Scheduler:
    """What one prober of `region` has to check, and when.

    A target has at most one check on its way: in flight, or waiting for its retry. While it is
    in a series its slots pass by without being missed (it is being checked), and rechecks are
    ignored.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self._entries: dict[str, _Entry] = {}
        self._by_host: dict[str, set[str]] = {}
        self._agenda = Agenda()
        self._failures: list[float] = []
        self._spread_until_ms = 0.0
        self._failing = 0
        self._changes = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def changes(self) -> int:
        """How often targets were added, changed or removed."""
        return self._changes

    @property
    def failing(self) -> int:
        """How many targets failed at their last check."""
        return self._failing

    def newly_failing(self, now_ms: float, within_ms: int = _MINUTE_MS) -> int:
        """How many targets began to fail within the time before `now_ms` (at most a minute)."""
        # Asked after each check: it may not take longer the more targets fail.
        failures = self._failures
        old = bisect_left(failures, now_ms - _MINUTE_MS)
        if 2 * old > len(failures):
            del failures[:old]
        return len(failures) - bisect_left(failures, now_ms - within_ms)

    # Targets

    def set_targets(self, targets: Iterable[Target], now_ms: float) -> None:
        """Takes the definitions that hold (see `Definitions`); new and changed ones are checked.

        At once, save that many at the same time are spread a little. A definition that is known
        changes nothing; a target without this region is removed.
        """
        fresh: list[str] = []
        for target in targets:
            if self._region not in target.regions:
                self.remove(target.id)
                continue
            entry = self._entries.get(target.id)
            if entry is None:
                self._entries[target.id] = _Entry(target, self._region)
            elif entry.target == target:
                continue
            elif _key(entry.target) == _key(target):
                entry.series = None
                self._agenda.remove(target.id)  # what the old definition was due for is void
                entry.define(target, self._region)
            else:
                self.remove(target.id)
                self._entries[target.id] = _Entry(target, self._region)
            self._by_host.setdefault(_key(target), set()).add(target.id)
            fresh.append(target.id)
        self._changes += len(fresh)
        # Definitions come in parts: all of them are one spread.
        ahead_ms = max(0.0, self._spread_until_ms - now_ms)
        self._spread_until_ms = self._check_soon(dict.fromkeys(fresh), now_ms, ahead_ms)

    def remove(self, target_id: str) -> None:
        """Forgets a target, if it is there."""
        entry = self._entries.get(target_id)
        if entry is None:
            return
        self._changes += 1
        self._agenda.remove(target_id)
        del self._entries[target_id]
        self._failing -= entry.failing
        key = _key(entry.target)
        self._by_host[key].discard(target_id)
        if not self._by_host[key]:
            del self._by_host[key]

    def check_all(self, now_ms: float) -> None:
        """Makes every target due soon, because what decides its outcome has changed for all."""
        self._check_soon(self._entries, now_ms, 0.0)

    def _check_soon(self, ids: Iterable[str], now_ms: float, ahead_ms: float) -> float:
        """Makes them due at once, or one after the other if they are many; at their slot at last.

        They begin after `ahead_ms`, in which others have their turn. Returns when the last has.

        Those whose slot passed within `TAKE_OVER_MS` come first, the longest ago before the others:
        of what is taken over from a prober that died these are the ones that nobody has checked.
        """
        entries = map(self._entries.__getitem__, ids)
        idle = [one for one in entries if one.in_flight is None and one.series is None]
        first_ms = now_ms - TAKE_OVER_MS
        idle.sort(key=lambda one: (one.phase - first_ms) % one.target.interval_ms)
        for place, entry in enumerate(idle):
            interval = entry.target.interval_ms
            wait = int(ahead_ms) + spread_ms(place, len(idle), interval)
            slot = next_slot(now_ms, interval, entry.phase)
            due = now_ms + wait
            self._agenda.hasten(entry.target.id, due if due < slot - NEAR_MS else slot)
        return now_ms + ahead_ms + len(idle) * 1000 / FIRST_CHECKS_PER_S

    # What is due

    def next_due_ms(self) -> float | None:
        """When `due` has something to give, None if never."""
        return self._agenda.next_due_ms()

    def due(self, now_ms: float, room: int) -> tuple[list[PlannedCheck], list[PlannedCheck]]:
        """At most `room` checks to begin now, and those that were missed.

        Each check that is given is in flight until `done` is called with it. What does not find
        room stays due; what has been due for its whole interval is missed.
        """
        begin: list[PlannedCheck] = []
        missed: list[PlannedCheck] = []
        while len(begin) < room and (found := self._agenda.pop(now_ms)) is not None:
            entry, due_ms = self._entries[found[0]], found[1]
            if now_ms - due_ms >= entry.target.interval_ms:
                missed.extend(self._miss(entry, due_ms, now_ms))
                continue
            check = PlannedCheck(entry.target, due_ms, *_place(entry), entry.free_ms)
            entry.in_flight, entry.asked = check, False
            # As it is told, in whole ms: no two checks are due at the same time.
            entry.next_slot_ms = next_slot(round(due_ms), entry.target.interval_ms, entry.phase)
            begin.append(check)
        return begin, missed

    def recheck(self, key: str, now_ms: float) -> int:
        """Makes all targets of a host due now, because the stream asked; returns how many.

        `key` is the partition key of the targets. One that is in flight or in a series is left.
        """
        asked = 0
        for target_id in sorted(self._by_host.get(key, ())):
            entry = self._entries[target_id]
            if entry.in_flight is None and entry.series is None:
                entry.asked = True
                # One that should have begun before stays late: it is missed if it has to be.
                self._agenda.hasten(target_id, now_ms)
                asked += 1
        return asked

    def done(self, check: PlannedCheck, outcome: CheckOutcome, now_ms: float) -> Worth:
        """Takes the end of a check: plans its retry or the next slot.

        Returns what the result is worth telling. A whole series that failed for one reason has been
        told: from then on a failure for that reason says it again. Of a target that is gone or was
        defined anew meanwhile it changes nothing.
        """
        status = outcome.status
        entry = self._entries.get(check.target.id)
        if entry is None or entry.in_flight is not check:
            return "news" if status == "down" or check.cause == "recheck" else "routine"
        entry.in_flight, entry.free_ms = None, now_ms
        worth = _worth(entry, check, outcome)
        self._count(entry, status, now_ms)
        target = entry.target
        if target != check.target:
            self._agenda.put(target.id, now_ms)  # changed while in flight: look at once
            return worth
        entry.series = follow(
            check.attempt,
            status,
            now_ms,
            retries=target.retries,
            retry_delay_ms=target.retry_delay_ms,
        )
        if entry.series is None and status != "missed":
            entry.told = outcome.reason
        if entry.series is not None:
            self._agenda.put(target.id, entry.series.due_ms)
        else:
            # Not the first slot after now: one that passed while we checked is still to be met.
            self._agenda.put(target.id, entry.next_slot_ms)
        return worth

    def _miss(self, entry: _Entry, due_ms: float, now_ms: float) -> list[PlannedCheck]:
        target, interval = entry.target, entry.target.interval_ms
        due_ms = round(due_ms)  # as in `due`
        missed = [PlannedCheck(target, due_ms, *_place(entry))]
        entry.series, entry.asked = None, False
        told_since = max(due_ms, now_ms - (MOST_MISSED + 1) * interval)
        slot = next_slot(told_since, interval, entry.phase)
        while now_ms - slot >= interval:
            missed.append(PlannedCheck(target, slot, 0, "schedule"))
            slot += interval
        self._agenda.put(target.id, slot)
        return missed[-MOST_MISSED:]

    def _count(self, entry: _Entry, status: Status, now_ms: float) -> None:
        if status == "missed":
            return
        failing = status == "down"
        if failing and not entry.failing:
            self._failures.append(now_ms)
        self._failing += failing - entry.failing
        entry.failing = failing


def _worth(entry: _Entry, check: PlannedCheck, outcome: CheckOutcome) -> Worth:
    if check.cause == "recheck":
        return "news"
    if outcome.status == "down":
        return "repeated" if outcome.reason == entry.told else "news"
    return "news" if outcome.status == "up" and entry.failing else "routine"


def _place(entry: _Entry) -> tuple[int, Cause]:
    """The attempt and the cause of what the target is due for."""
    if entry.series is not None:
        return entry.series.number, entry.series.cause
    return 0, "recheck" if entry.asked else "schedule"


def _key(target: Target) -> str:
    return host_key(target.host, target.id)
