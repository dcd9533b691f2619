"""The kind `heartbeat` of an inventory: what a job says of itself, with defaults resolved.

A job is not checked: it reports itself (docs/rules.md, rule 16). So it has none of the fields by
which a prober checks.
"""

import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from msgspec.structs import replace

from portquorum.inventory import duration
from portquorum.inventory.document import TargetEntry
from schemas import cron
from schemas.duration import DAY_MS, HOUR_MS
from schemas.probe import HeartbeatProbe, ZoneOffset
from schemas.result import RECEIVER
from schemas.target import Criticality, Target
from schemas.wall_clock import offsets, zone_named

KIND: Final = "heartbeat"
REGIONS: Final = (RECEIVER,)
FIELDS: Final = ("interval", "schedule", "zone", "grace", "max_runtime")
"""The fields of an entry that say how often a job reports, in the order in which they are shown."""

INTERVAL_MS: Final[dict[Criticality, int]] = {
    "critical": 300_000,
    "important": HOUR_MS,
    "normal": DAY_MS,
}
"""The interval of a job that says neither an interval nor a schedule."""

TIMEOUT_MS: Final = 1_000
"""Stands in the definition, which needs one; nothing is asked."""

LONGEST_INTERVAL_MS: Final = 366 * DAY_MS
LONGEST_MS: Final = 31 * DAY_MS
LEAST_MS: Final = 1_000
LEAST_GRACE_MS: Final = 60_000
MOST_GRACE_MS: Final = HOUR_MS
_GRACE_SHARE: Final = 10

YEAR_MS: Final = 365 * DAY_MS
OFFSETS_MS: Final = 5 * YEAR_MS
"""So far ahead a definition has the offsets of its zone."""

OFFSETS_LEFT_MS: Final = 2 * YEAR_MS
"""A definition that has them for so long stays as it is."""

_LOOKED_AT: Final = 100
"""Times of a schedule of which the two nearest give the default of `grace`."""

_REFERENCE_MS: Final = 1_704_067_200_000
"""2024-01-01T00:00Z, a Monday in a leap year: a default that follows from a schedule is the same
every day."""

_NONE: Final[dict[str, str]] = {
    "host": "a job reports itself from wherever it runs, and nothing is connected to",
    "port": "a job reports itself from wherever it runs, and nothing is connected to",
    "regions": "receivers take its reports, no region checks it",
    "timeout": "nothing is asked; grace says how late a report may be, max_runtime how long a run",
    "retries": "a report that is missed can't be asked for again; grace says how late it may be",
    "retry_delay": "a report that is missed can't be asked for again",
    "consensus": "a job has one voice, its own",
    "open_after": "grace says how late a report may be",
    "recover_after": "one success ends its incident",
    "abandon_after": "a job that does not report is down, and never given up",
    "latency": "max_runtime says how long a run may last",
    "max_ms": "max_runtime says how long a run may last",
    "resolver": "no name is looked up for it",
    "probe": f"its fields stand beside its kind ({', '.join(FIELDS)})",
}
_ONLY_JOBS: Final = ("schedule", "zone", "grace", "max_runtime")


class HeartbeatError(ValueError):
    """A field of a job is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def now_ms() -> int:
    """This machine's clock, UTC ms."""
    return time.time_ns() // 1_000_000


def is_job(target: Target) -> bool:
    """True if a target reports itself, and nobody checks it."""
    return target.kind == KIND


def is_like_one(written: TargetEntry) -> bool:
    """True if an entry has a field that jobs alone have."""
    return any(getattr(written, field) is not None for field in _ONLY_JOBS)


def misplaced(written: TargetEntry) -> Iterator[tuple[str, str]]:
    """The fields that a target of its kind can't have, and a sentence for each."""
    if written.kind != KIND:
        for field in _ONLY_JOBS:
            if getattr(written, field) is not None:
                yield field, f"expected it of kind {KIND} alone, found it of {written.kind!r}"
                if written.host is None:  # then it is a job without its kind
                    return
        return
    for field, why in _NONE.items():
        if getattr(written, field) is not None:
            yield field, f"expected none (a {KIND}: {why})"
    if written.expect != "open":
        yield "expect", f"expected none (a {KIND} has no port)"


def probe_of(
    written: TargetEntry, criticality: Criticality, zone: str | None, now: int
) -> HeartbeatProbe:
    """What a job says of itself, with defaults resolved; `zone` is that of `defaults:`.

    `now` (UTC ms): the offsets of the zone are those from this day on.

    Raises:
        HeartbeatError: what was expected and found.
    """
    longest = {"grace": LONGEST_MS, "max_runtime": LONGEST_MS, "interval": LONGEST_INTERVAL_MS}
    spans = {name: _span(written, name, most) for name, most in longest.items()}
    if written.schedule is None:
        if written.zone is not None:
            raise HeartbeatError("zone", "expected none without a schedule, whose clock it is")
        interval_ms = spans["interval"] or INTERVAL_MS[criticality]
        return HeartbeatProbe(
            interval_ms=interval_ms,
            grace_ms=spans["grace"] or default_grace_ms(interval_ms),
            max_runtime_ms=spans["max_runtime"],
        )
    if written.interval is not None:
        raise HeartbeatError("schedule", "expected an interval or a schedule, found both")
    return _scheduled(
        written.schedule, written.zone or zone or "UTC", spans["grace"], spans["max_runtime"], now
    )


def _scheduled(
    schedule: str, zone: str, grace_ms: int | None, max_runtime_ms: int | None, now: int
) -> HeartbeatProbe:
    try:
        cron.parse(schedule)
    except ValueError as error:
        raise HeartbeatError("schedule", str(error)) from error
    if zone_named(zone) is None:
        expected = "expected a zone of the IANA time zone database such as Europe/Berlin"
        raise HeartbeatError("zone", f"{expected}, found {zone!r}")
    return HeartbeatProbe(
        schedule=schedule,
        zone=zone,
        offsets=_offsets(zone, now // DAY_MS),
        grace_ms=grace_ms or default_grace_ms(_shortest_ms(schedule)),
        max_runtime_ms=max_runtime_ms,
    )


def default_grace_ms(interval_ms: int) -> int:
    """How late a report may be that says nothing: 10 % of the interval, from 1 min to 1 h."""
    return min(max(interval_ms // _GRACE_SHARE, LEAST_GRACE_MS), MOST_GRACE_MS)


def placeholder_interval_ms(probe: HeartbeatProbe) -> int:
    """The `interval_ms` of a job's definition, which is at most a day; no rule reads it."""
    return min(probe.interval_ms or DAY_MS, DAY_MS)


def written_of(probe: HeartbeatProbe) -> dict[str, Any]:
    """The fields of an entry that give this probe."""
    spans = {"grace": probe.grace_ms, "max_runtime": probe.max_runtime_ms}
    fields: dict[str, Any] = (
        {"schedule": probe.schedule, "zone": probe.zone}
        if probe.interval_ms is None
        else {"interval": duration.text(probe.interval_ms)}
    )
    return fields | {name: duration.text(ms) for name, ms in spans.items() if ms is not None}


def how_often(probe: HeartbeatProbe) -> str:
    """How often a job reports, for people: `1d`, `0 3 * * * (Europe/Berlin)`."""
    if probe.interval_ms is not None:
        return duration.text(probe.interval_ms)
    return f"{probe.schedule} ({probe.zone})"


def next_due(probe: HeartbeatProbe, after: int) -> int | None:
    """When the next report is due after one at `after` (both UTC ms), by the interval or schedule.

    It is rule 16 without what the log knows: starts, deaf receivers, incidents.
    """
    if probe.interval_ms is not None:
        return after + probe.interval_ms
    schedule = cron.parse(probe.schedule or "")
    first = cron.next_after(schedule, probe.offsets, after)
    if first is None:
        return None
    second = cron.next_after(schedule, probe.offsets, first)
    # A job whose clock is a little ahead reports this run, and not the one before.
    early_ms = 60_000 if second is None else min(60_000, (second - first) // 4)
    return first if first - after > early_ms else second


def with_old_offsets(target: Target, before: Target | None, now: int) -> Target:
    """`target` with the offsets of its former definition, as long as they are right.

    They are right as long as they say what the zone's database says for the next two years. So a
    definition stays the same from one day to the next, and is written anew every three years, or
    when a government changes the clock.
    """
    new, old = target.probe, None if before is None else before.probe
    if not isinstance(new, HeartbeatProbe) or not isinstance(old, HeartbeatProbe):
        return target
    if new.zone != old.zone or new.offsets == old.offsets:
        return target
    if _within(old.offsets, now) != _within(new.offsets, now):
        return target
    return replace(target, probe=replace(new, offsets=old.offsets))


def _within(of: tuple[ZoneOffset, ...], now: int) -> list[tuple[int, int]]:
    """The offset at the beginning of the day of `now`, and the changes in the two years after it.

    Offsets that say the same twice are one.
    """
    begin = now // DAY_MS * DAY_MS
    found = [(0, of[0].seconds)]
    for one in of:
        if one.at <= begin:
            found = [(0, one.seconds)]
        elif one.at <= begin + OFFSETS_LEFT_MS and one.seconds != found[-1][1]:
            found.append((one.at, one.seconds))
    return found


@lru_cache(maxsize=1_000)
def _offsets(zone: str, day: int) -> tuple[ZoneOffset, ...]:
    """The offsets from a day (since 1970, UTC) on, the same for all who ask on it."""
    known = zone_named(zone)
    begin = day * DAY_MS
    return (
        (ZoneOffset(at=0, seconds=0),)
        if known is None
        else offsets(known, begin, begin + OFFSETS_MS)
    )


@lru_cache(maxsize=10_000)
def _shortest_ms(schedule: str) -> int:
    """The shortest time between two times of a schedule."""
    known, utc = cron.parse(schedule), (ZoneOffset(at=0, seconds=0),)
    before = cron.next_after(known, utc, _REFERENCE_MS)
    shortest = LONGEST_INTERVAL_MS
    for _ in range(_LOOKED_AT):
        if before is None:
            break
        after = cron.next_after(known, utc, before)
        if after is not None:
            shortest = min(shortest, after - before)
        before = after
    return shortest


def _span(written: TargetEntry, field: str, most: int) -> int | None:
    text: str | None = getattr(written, field)
    if text is None:
        return None
    found = duration.parse_ms(text)
    if not LEAST_MS <= found <= most:
        limits = f"{duration.text(LEAST_MS)} to {duration.text(most)}"
        raise HeartbeatError(field, f"expected {limits}, found {text}")
    return found
