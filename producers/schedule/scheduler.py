"""The targets of this prober and the next action for each. Pure: no clock, no I/O.

All times are broker time in ms.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from producers.checks.model import CheckOutcome, PlannedCheck, Worth
from producers.kinds.missing_secrets import has_secrets
from producers.schedule.retry_series import Attempt, follow
from producers.schedule.schedule import (
    FIRST_CHECKS_PER_S,
    Agenda,
    slots,
    spread_ms,
)
from schemas.partition import host_key
from schemas.result import Cause, Reason, Status
from schemas.target import Target

MOST_MISSED: Final = 10
"""The most missed checks of a target that are reported after a standstill, the newest ones."""

TAKE_OVER_MS: Final = 10_000
"""Time in which a region's probers notice the death of one and take over its targets."""

DEPENDENCY_EVERY_MS: Final = 5_000
"""Least time between two rechecks of a target that dependents ask for: each partition asks for
itself, and a gateway may have dependents in all of them."""

NEAR_MS: Final = 20
"""No extra check for a target whose slot is nearer than this."""

_MINUTE_MS: Final = 60_000


class _Entry:
    __slots__ = (
        "asked",
        "begun_ms",
        "by_dependents_ms",
        "failing",
        "free_ms",
        "in_flight",
        "next_slot_ms",
        "series",
        "slots",
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
        self.begun_ms = self.by_dependents_ms = -math.inf
        self.define(target, region)

    def define(self, target: Target, region: str) -> None:
        self.target = target
        self.told: Reason | None = None
        self.slots = slots(target.id, target.regions, region, target.interval_ms)


class Scheduler:
    """The targets of one prober of `region`, and the due time of each.

    A target has at most one check in flight or waiting for its retry. During a retry series its
    regular slots do not count as missed, and rechecks are ignored.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self._entries: dict[str, _Entry] = {}
        self._by_host: dict[str, set[str]] = {}
        self._agenda = Agenda()
        self._with_secrets: dict[str, Target] = {}
        self._failures: list[float] = []
        self._spread_until_ms = 0.0
        self._failing = 0
        self._changes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, target_id: object) -> bool:
        """Whether it is a target of this prober."""
        return target_id in self._entries

    @property
    def changes(self) -> int:
        """The number of added, changed and removed targets."""
        return self._changes

    @property
    def with_secrets(self) -> Iterable[Target]:
        """The targets with a secret in their options."""
        return self._with_secrets.values()

    @property
    def failing(self) -> int:
        """The number of targets whose last check failed."""
        return self._failing

    def fails(self, target_id: str) -> bool:
        """Whether the newest check of this target found it down."""
        entry = self._entries.get(target_id)
        return entry is not None and entry.failing

    def newly_failing(self, now_ms: float, within_ms: int = _MINUTE_MS) -> int:
        """The number of targets that began to fail within `within_ms` (at most a minute)."""
        # Called after each check: the cost must not grow with the number of failing targets.
        failures = self._failures
        old = bisect_left(failures, now_ms - _MINUTE_MS)
        if 2 * old > len(failures):
            del failures[:old]
        return len(failures) - bisect_left(failures, now_ms - within_ms)

    # Targets

    def set_targets(self, targets: Iterable[Target], now_ms: float) -> None:
        """Applies valid definitions (see `Definitions`) and plans checks of new and changed ones.

        The checks begin at once; many at the same time are spread a little. A known definition
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
                self._agenda.remove(target.id)  # the due time of the old definition is void
                entry.define(target, self._region)
            else:
                self.remove(target.id)
                self._entries[target.id] = _Entry(target, self._region)
            self._by_host.setdefault(_key(target), set()).add(target.id)
            if has_secrets(target):
                self._with_secrets[target.id] = target
            else:
                self._with_secrets.pop(target.id, None)
            fresh.append(target.id)
        self._changes += len(fresh)
        # Definitions come in batches: all of them share one spread.
        ahead_ms = max(0.0, self._spread_until_ms - now_ms)
        self._spread_until_ms = self._check_soon(dict.fromkeys(fresh), now_ms, ahead_ms)

    def remove(self, target_id: str) -> None:
        """Removes a target, if present."""
        entry = self._entries.get(target_id)
        if entry is None:
            return
        self._changes += 1
        self._agenda.remove(target_id)
        del self._entries[target_id]
        self._with_secrets.pop(target_id, None)
        self._failing -= entry.failing
        key = _key(entry.target)
        self._by_host[key].discard(target_id)
        if not self._by_host[key]:
            del self._by_host[key]

    def check_all(self, now_ms: float) -> None:
        """Makes every target due soon, after a change that affects all outcomes."""
        self._check_soon(self._entries, now_ms, 0.0)

    def _check_soon(self, ids: Iterable[str], now_ms: float, ahead_ms: float) -> float:
        """Makes targets due at once, or one after the other if many; at their slot at the latest.

        The first is due after `ahead_ms`, reserved for others. Returns the due time of the last.

        Targets whose slot passed within `TAKE_OVER_MS` come first, the oldest slot first: after the
        death of another prober these are the targets without a check.
        """
        entries = map(self._entries.__getitem__, ids)
        idle = [one for one in entries if one.in_flight is None and one.series is None]
        first_ms = now_ms - TAKE_OVER_MS
        idle.sort(key=lambda one: one.slots.after(first_ms))
        for place, entry in enumerate(idle):
            interval = entry.target.interval_ms
            wait = int(ahead_ms) + spread_ms(place, len(idle), interval)
            slot = entry.slots.after(now_ms)
            due = now_ms + wait
            self._agenda.hasten(entry.target.id, due if due < slot - NEAR_MS else slot)
        return now_ms + ahead_ms + len(idle) * 1000 / FIRST_CHECKS_PER_S

    # What is due

    def next_due_ms(self) -> float | None:
        """The time of the next result of `due`, None if never."""
        return self._agenda.next_due_ms()

    def due(self, now_ms: float, room: int) -> tuple[list[PlannedCheck], list[PlannedCheck]]:
        """At most `room` checks to begin now, and the missed ones.

        Each returned check is in flight until the call of `done`. Without room a target stays due;
        after a whole interval its check is missed.
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
            entry.begun_ms = now_ms
            # Whole ms, as reported: no two checks of a target have the same due time.
            entry.next_slot_ms = entry.slots.after(round(due_ms))
            begin.append(check)
        return begin, missed

    def recheck(self, key: str, now_ms: float, *, by: str = "", requested_ms: float = 0) -> int:
        """Makes all targets of a host due now for a recheck request; returns their number.

        `key` is the partition key of the targets, `by` the target whose change caused the request,
        `requested_ms` the time of that. Targets in flight or in a series are skipped. If `by` is a
        target of another host, those are skipped, too, that were looked at since, and one that
        dependents asked for within `DEPENDENCY_EVERY_MS` is due when that time is over.
        """
        on_host = self._by_host.get(key, ())
        own = not by or by in on_host
        asked = 0
        for target_id in sorted(on_host):
            entry = self._entries[target_id]
            if entry.in_flight is not None or entry.series is not None:
                continue
            due_ms = now_ms
            if not own:
                if entry.begun_ms >= requested_ms:
                    continue
                if entry.by_dependents_ms <= now_ms:  # else one is planned
                    again_ms = entry.by_dependents_ms + DEPENDENCY_EVERY_MS
                    entry.by_dependents_ms = max(now_ms, again_ms)
                due_ms = entry.by_dependents_ms
            entry.asked = True
            # A late check keeps its due time, so that it can still be missed.
            self._agenda.hasten(target_id, due_ms)
            asked += 1
        return asked

    def done(self, check: PlannedCheck, outcome: CheckOutcome, now_ms: float) -> Worth:
        """Applies the outcome of a check: plans its retry or the next slot.

        Returns the publishing priority of the result. After a whole failed series with one reason,
        further failures with that reason are `repeated`. The outcome of a removed or changed target
        changes nothing.
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
            self._agenda.put(target.id, now_ms)  # changed while in flight: check at once
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
            # Not the first slot after now: a slot that passed during the check is still due.
            self._agenda.put(target.id, entry.next_slot_ms)
        return worth

    def _miss(self, entry: _Entry, due_ms: float, now_ms: float) -> list[PlannedCheck]:
        target, interval = entry.target, entry.target.interval_ms
        due_ms = round(due_ms)  # as in `due`
        missed = [PlannedCheck(target, due_ms, *_place(entry))]
        entry.series, entry.asked = None, False
        told_since = max(due_ms, now_ms - (MOST_MISSED + 1) * interval)
        slot = entry.slots.after(told_since)
        while now_ms - slot >= interval:
            missed.append(PlannedCheck(target, slot, 0, "schedule"))
            slot = entry.slots.after(slot)
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
    """The attempt and the cause of the target's next check."""
    if entry.series is not None:
        return entry.series.number, entry.series.cause
    return 0, "recheck" if entry.asked else "schedule"


def _key(target: Target) -> str:
    return host_key(target.host, target.id)
