"""Rule 12: tells of targets that nobody can judge, and of regions that never began."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from heapq import nsmallest
from typing import Final

from schemas.duration import COARSE, duration_text
from schemas.incident import (
    RegionEvent,
    RegionEventKind,
    Severity,
    TargetsEvent,
    TargetsEventKind,
    UnwatchedTarget,
)
from schemas.result import RECEIVER
from schemas.target import Criticality
from streams.rules.consensus import majority
from streams.rules.ids import Deciding, cause_id, event_id, never_heard_id
from streams.state.coverage import LOOK_EVERY_MS, AwaitedRegion, Unwatched, UnwatchedTold
from streams.state.partition_state import PartitionState
from streams.state.target_details import unpack
from streams.state.target_state import TargetState

UNWATCHED_AFTER_MS: Final = 300_000
"""Time without a majority of fresh regions until a target is unwatched, in ms."""

AWAITED_MS: Final = 300_000
"""Longest wait for the first beat of a region, in ms; then it is told to be silent."""

TOLD_EVERY_MS: Final = 300_000
"""Least time between two events of growing numbers, and time for which fewer must stay, in ms."""

MOST_AWAITED: Final = 1_000
MOST_CRITICAL: Final = 3
NAMED_REGIONS: Final = 5

RANK: Final[dict[Criticality, int]] = {"critical": 0, "important": 1, "normal": 2}


def look(state: PartitionState, deciding: Deciding) -> list[RegionEvent | TargetsEvent]:
    """What is to be told now; looks once in each `LOOK_EVERY_MS` of the running time.

    Beats come to all partitions at once, so they look together, and one message tells of all.
    """
    if state.running // LOOK_EVERY_MS == state.coverage.looked_at // LOOK_EVERY_MS:
        return []
    state.coverage.looked_at = state.running
    try:
        _find(state)
        return [*_never_heard(state), *_tell(state, deciding)]
    except Exception:
        state.watch.look_at_all(state.targets.values())
        raise


def seen_until(state: PartitionState, entry: TargetState) -> int:
    """The running time until which a majority of the target's regions saw it; may be to come."""
    columns, slot, regions = state.columns, entry.slot, entry.policy.regions
    times = []
    for at, region in enumerate(regions, slot):
        until = columns.fresh_until[at]
        if not columns.newest[at]:
            until += entry.policy.span_ms
        if region in state.set_aside:
            until = min(until, state.regions[region].aside_since)
        times.append(until)
    times.sort()
    return times[-majority(len(times))]


def is_unwatched(state: PartitionState, entry: TargetState) -> bool:
    """True if nobody can judge the target, and that for long."""
    return state.running - seen_until(state, entry) >= UNWATCHED_AFTER_MS


def first_beat(state: PartitionState, region: str) -> RegionEvent | None:
    """The event that a region is heard which never was, if its silence was told."""
    waited = state.coverage.awaited.get(region)
    if waited is None or not waited.told:
        return None
    seconds = (state.now - waited.since_at) // 1000
    return _region_event(
        state,
        "region.returned",
        region,
        waited,
        f"A receiver of heartbeats is heard for the first time, after {seconds} s."
        if region == RECEIVER
        else f"Region {region} reports for the first time, after {seconds} s.",
    )


def _find(state: PartitionState) -> None:
    """Brings the unwatched targets in the index up to date."""
    watch, running = state.watch, state.running
    for one in list(watch.unwatched.values()):
        until = seen_until(state, one.entry)
        if until + UNWATCHED_AFTER_MS > running:
            del watch.unwatched[one.entry.id]
            watch.put_off(one.entry, until + UNWATCHED_AFTER_MS)
    fresh_until = state.columns.fresh_until
    for entry in watch.take_due(state.targets, running):
        regions = len(entry.policy.regions)
        if not state.set_aside:
            # The short way for nearly all: where results came this is not after `seen_until`.
            until = sorted(fresh_until[entry.slot : entry.slot + regions])[-majority(regions)]
            if until + UNWATCHED_AFTER_MS > running:
                watch.put_off(entry, until + UNWATCHED_AFTER_MS)
                continue
        until = seen_until(state, entry)
        if until + UNWATCHED_AFTER_MS > running:
            watch.put_off(entry, until + UNWATCHED_AFTER_MS)
        else:
            rank = RANK[unpack(entry.definition).criticality]
            watch.unwatched[entry.id] = Unwatched(entry, rank)


def _never_heard(state: PartitionState) -> list[RegionEvent]:
    """The regions whose first beat was waited for long enough."""
    awaited, configured = state.coverage.awaited, set(state.watch.configured)
    if state.jobs:
        configured.add(RECEIVER)
    for region in [one for one in awaited if one not in configured]:
        del awaited[region]
    unheard = sorted(one for one in configured if one not in state.regions and one not in awaited)
    for region in unheard[: MOST_AWAITED - len(awaited)]:
        awaited[region] = AwaitedRegion(state.running, state.now)
    if state.running < state.respite_until:
        return []
    events = []
    for region, waited in sorted(awaited.items()):
        if waited.told or state.running - waited.since < AWAITED_MS:
            continue
        waited.told = True
        text = (
            f"No prober of region {region} was ever heard, though the inventory has targets for "
            "it: they are not watched from there."
        )
        if region == RECEIVER:
            text = (
                "No receiver of heartbeats was ever heard, though the inventory has jobs: they are "
                "not judged."
            )
        events.append(_region_event(state, "region.silent", region, waited, text))
    return events


def _region_event(
    state: PartitionState, event: RegionEventKind, region: str, waited: AwaitedRegion, summary: str
) -> RegionEvent:
    return RegionEvent(
        event_id=never_heard_id(region, event, waited.since_at),
        event=event,
        region=region,
        at=state.now,
        summary=summary,
    )


def _tell(state: PartitionState, deciding: Deciding) -> list[TargetsEvent]:
    """The event of the unwatched targets, if there is anything new to tell."""
    found, told = state.watch.unwatched.values(), state.coverage.told
    if not found:
        if told is None:
            return []
        state.coverage.told = None
        return [_watched(state, told, deciding)]
    silent = silent_regions(state, found)
    severity: Severity = "warning" if all(one.rank for one in found) else "critical"
    if told is not None and not _is_news(state, told, len(found), severity, silent):
        return []
    since = state.log_at(min(seen_until(state, one.entry) for one in found))
    told = state.coverage.told = UnwatchedTold(
        cause_id(silent), severity, len(found), tuple(silent), since, state.running
    )
    return [_unwatched(state, told, silent, deciding)]


def _is_news(
    state: PartitionState,
    told: UnwatchedTold,
    count: int,
    severity: Severity,
    silent: Mapping[str, int | None],
) -> bool:
    """True if people must hear of it again; notes since when it is better than was told."""
    if 2 * count <= told.count or not silent.keys() >= set(told.regions):
        told.better_since = told.better_since or state.running
    else:
        told.better_since = 0
    if severity == "critical" != told.severity:
        return True
    worse = count >= 2 * told.count or not silent.keys() <= set(told.regions)
    if worse and state.running - told.told_at >= TOLD_EVERY_MS:
        return True
    return bool(told.better_since) and state.running - told.better_since >= TOLD_EVERY_MS


def silent_regions(state: PartitionState, found: Iterable[Unwatched]) -> dict[str, int | None]:
    """Regions of these targets that are not heard, by name: the last beat, None if never heard."""
    policies = {id(one.entry.policy): one.entry.policy for one in found}
    silent: dict[str, int | None] = {}
    for region in sorted({region for policy in policies.values() for region in policy.regions}):
        known = state.regions.get(region)
        if known is None:
            silent[region] = None
        elif known.silent:
            silent[region] = known.last_beat_at
    return dict(list(silent.items())[:MOST_AWAITED])


def _unwatched(
    state: PartitionState,
    told: UnwatchedTold,
    silent: Mapping[str, int | None],
    deciding: Deciding,
) -> TargetsEvent:
    critical = tuple(
        UnwatchedTarget(target=one.id, name=one.name, criticality=one.criticality)
        for one in (
            found.entry.target
            for found in nsmallest(
                MOST_CRITICAL,
                state.watch.unwatched.values(),
                key=lambda found: (found.rank, found.entry.id),
            )
        )
    )
    one = told.count == 1
    what = "1 target is" if one else f"{told.count} targets are"
    names = ", ".join(one.name for one in critical)
    most = f"{'Most critical' if told.count > len(critical) else 'Not watched'}: {names}."
    text = (
        f"{what} not watched: too few of {'its' if one else 'their'} regions have results, for up "
        f"to {duration_text(state.now - told.since, COARSE)}, so that an outage of "
        f"{'it' if one else 'theirs'} would open no incident. {_because(silent)} {most}"
    )
    return _event(state, "targets.unwatched", told, deciding, text, critical, silent)


def _watched(state: PartitionState, told: UnwatchedTold, deciding: Deciding) -> TargetsEvent:
    text = (
        f"All targets of partition {state.partition} are watched again, after "
        f"{duration_text(state.now - told.since, COARSE)}."
    )
    return _event(state, "targets.watched", told, deciding, text)


def _event(  # noqa: PLR0917 - what such an event is made of
    state: PartitionState,
    event: TargetsEventKind,
    told: UnwatchedTold,
    deciding: Deciding,
    summary: str,
    most_critical: tuple[UnwatchedTarget, ...] = (),
    silent: Mapping[str, int | None] | None = None,
) -> TargetsEvent:
    return TargetsEvent(
        event_id=event_id(f"targets|{state.partition}", event, deciding),
        event=event,
        partition=state.partition,
        cause_id=told.cause_id,
        severity=told.severity,
        count=told.count if event == "targets.unwatched" else 0,
        most_critical=most_critical,
        silent_regions=dict(silent or {}),
        since=told.since,
        at=state.now,
        summary=summary,
    )


def _because(silent: Mapping[str, int | None]) -> str:
    """A sentence on the regions that are not heard."""
    if not silent:
        return (
            "All of their regions are heard, but their results do not come, or do not count: look "
            "at the logs and the clocks of their probers, and whether these regions may reach the "
            "addresses (`allow`)."
        )
    listed = [
        f"{region} (never heard)" if last is None else f"{region} (silent since {_time(last)})"
        for region, last in list(silent.items())[:NAMED_REGIONS]
    ]
    more = len(silent) - len(listed)
    regions = ", ".join(listed) + (f" and {more} more" if more else "")
    return f"Regions that are not heard: {regions}."


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
