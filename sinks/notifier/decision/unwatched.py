"""The unwatched targets of one cause: one condition, whatever the number of partitions. Pure."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from schemas.incident import NAMESPACE, TargetsEvent
from sinks.notifier.decision.stored_events import encode_stored

PARTS_BYTES: Final = 250_000
"""Room for the partitions of one cause (some 500); events of further ones are not told."""

DETAILED_PARTS: Final = 32
"""Partitions of which the most critical targets and the silent regions are kept."""

DETAIL_BYTES: Final = 4_000
MARK_BYTES: Final = 100
NAMED: Final = 10
NAMED_REGIONS: Final = 10


def put(parts: dict[int, TargetsEvent], event: TargetsEvent) -> bool:
    """Puts the event in the place of the partition's earlier one; False if there are too many.

    Of the event is kept what a later message needs: its summary is not, and of most partitions only
    the numbers.
    """
    kept = replace(
        event,
        summary="",
        most_critical=event.most_critical[:NAMED],
        silent_regions=dict(list(event.silent_regions.items())[: 2 * NAMED_REGIONS]),
    )
    crowded = event.partition not in parts and len(parts) >= DETAILED_PARTS
    if crowded or len(encode_stored(kept)) > DETAIL_BYTES:
        kept = replace(kept, most_critical=(), silent_regions={})
    if event.partition not in parts:
        if not event.count:
            return True
        if sum(map(_size, parts.values())) + _size(kept) > PARTS_BYTES:
            return False
    parts[event.partition] = kept
    return True


def _size(part: TargetsEvent) -> int:
    """The bytes of a part and of its mark."""
    return len(encode_stored(part)) + len(encode_stored(part.event_id)) + MARK_BYTES


def total(parts: Mapping[int, TargetsEvent]) -> int:
    """The number of unwatched targets of all partitions."""
    return sum(one.count for one in parts.values())


def critical(parts: Mapping[int, TargetsEvent]) -> bool:
    """True if one of them is critical."""
    return any(one.count and one.severity == "critical" for one in parts.values())


def taken_over(part: TargetsEvent, by: TargetsEvent) -> TargetsEvent:
    """The end of a partition's part in a cause, because another cause took its place.

    A partition speaks of one cause at a time: its event replaces all earlier ones.
    """
    return replace(
        part,
        event_id=str(uuid.uuid5(NAMESPACE, f"{part.cause_id}|{by.event_id}")),
        event="targets.watched",
        count=0,
        most_critical=(),
        silent_regions={},
        at=by.at,
        summary="These targets are not watched for another reason now; that is told by itself.",
    )


def together(parts: Mapping[int, TargetsEvent], newest: TargetsEvent) -> TargetsEvent:
    """The event of all partitions as one: numbers added up, the most critical targets first.

    Its id, partition and time are those of the newest event.
    """
    open_parts = [one for one in parts.values() if one.count]
    if not open_parts:
        since = min((one.since for one in parts.values()), default=newest.since)
        return replace(
            newest,
            event="targets.watched",
            count=0,
            since=since,
            summary=newest.summary
            if len(parts) == 1
            else "All of these targets are watched again.",
        )
    if len(open_parts) == 1 and open_parts[0].event_id == newest.event_id:
        return newest
    silent: dict[str, int | None] = {}
    for one in open_parts:
        for region, last in one.silent_regions.items():
            silent.setdefault(region, last)
    count = min(total(parts), 2**31 - 1)
    named = sorted(
        {target.target: target for one in open_parts for target in one.most_critical}.values(),
        key=lambda target: (_RANK.get(target.criticality, 9), target.target),
    )[:NAMED]
    what = "1 target is" if count == 1 else f"{count} targets are"
    names = ", ".join(target.name for target in named)
    text = (
        f"{what} not watched: too few of their regions have results, so that an outage of theirs "
        f"would open no incident. {_because(silent)}"
    )
    if names:
        text += f" {'Most critical' if count > len(named) else 'Not watched'}: {names}."
    return replace(
        newest,
        event="targets.unwatched",
        severity="critical" if critical(parts) else "warning",
        count=count,
        most_critical=tuple(named),
        silent_regions=silent,
        since=min(one.since for one in open_parts),
        summary=text,
    )


_RANK: Final = {"critical": 0, "important": 1, "normal": 2}


def _because(silent: Mapping[str, int | None]) -> str:
    if not silent:
        return (
            "All of their regions are heard, but their results do not come, or do not count: look "
            "at the logs and the clocks of their probers, and whether these regions may reach the "
            "addresses (`allow`)."
        )
    listed = _listed(list(silent.items())[:NAMED_REGIONS])
    more = len(silent) - NAMED_REGIONS
    return f"Regions that are not heard: {listed}" + (f" and {more} more." if more > 0 else ".")


def _listed(regions: Iterable[tuple[str, int | None]]) -> str:
    return ", ".join(
        f"{region} (never heard)" if last is None else f"{region} (silent since {_time(last)})"
        for region, last in regions
    )


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
