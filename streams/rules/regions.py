"""Rule 4 and beats: the liveness of a region, its clock skew, its load."""

from typing import Final

from msgspec import structs

from schemas.control import Beat
from schemas.duration import HOUR_MS
from schemas.incident import RegionEvent, RegionEventKind
from schemas.partition import partition_for
from schemas.result import RECEIVER
from streams.rules import missing_secrets, receivers, region_guard, unwatched
from streams.rules.ids import Deciding, event_id
from streams.rules.refused import RecordRefusedError
from streams.state.partition_state import PartitionState, ProberState, RegionState

SILENT_AFTER_MS: Final = 15_000
PAUSE_MS: Final = 7_500
"""Silence of the log that may be an absence of the broker, in ms; beats come every 5 s."""

RESPITE_MS: Final = 5_000
"""Grace period after an absence of the broker for regions to send a beat, in ms."""

SKEW_MS: Final = 5_000
FORGET_PROBER_AFTER_MS: Final = HOUR_MS
MOST_REGIONS: Final = 1_000
MOST_PROBERS: Final = 10_000
"""Most probers that a partition keeps; a fleet has fewer, a forger may name any number."""


def note_pause(state: PartitionState, pause_ms: int) -> None:
    """Records the silence of the log before this record, which may not be the regions' fault.

    Ticks alone give only one grace period; otherwise a silence of all regions would stay unnoticed.
    """
    if pause_ms > PAUSE_MS and not state.respited:
        state.respite_until, state.respited = state.running + RESPITE_MS, True


def take_beat(state: PartitionState, beat: Beat, deciding: Deciding) -> list[RegionEvent]:
    """Records a beat; returns its events: the region is back, a clock is off.

    Raises:
        RecordRefusedError: there are too many regions or probers; nothing was changed.
    """
    known = state.regions.get(beat.region)
    if known is None or (beat.region != RECEIVER and beat.prober not in known.probers):
        _make_room(state, beat)
    respited = state.respited
    before = None if known is None else _copy(known, beat.prober)
    try:
        events = _take_beat(state, beat, deciding)
    except Exception:
        state.respited = respited
        if before is None:
            state.regions.pop(beat.region, None)
        else:
            state.regions[beat.region] = before
            if before.silent:
                state.silent.add(beat.region)
        raise
    state.coverage.awaited.pop(beat.region, None)
    return events


def _copy(region: RegionState, prober: str) -> RegionState:
    """A copy of a region with the fields that a beat of `prober` changes."""
    probers = dict(region.probers)
    if prober in probers:
        probers[prober] = structs.replace(probers[prober])
    return structs.replace(region, probers=probers)


def _take_beat(state: PartitionState, beat: Beat, deciding: Deciding) -> list[RegionEvent]:
    running = state.running
    if beat.region != RECEIVER:
        state.respited = False
    region = state.regions.get(beat.region)
    if region is None:
        region = state.regions[beat.region] = RegionState(running, state.now)
    first = unwatched.first_beat(state, beat.region)
    events = []
    returned = region.silent
    if returned:
        region.silent = False
        state.silent.discard(beat.region)
        seconds = (state.now - region.last_beat_at) // 1000
        events.append(
            _event(
                state,
                "region.returned",
                beat.region,
                deciding,
                _returned(beat.region, seconds),
                region.last_beat_at,
            )
        )
    region.last_beat, region.last_beat_at = running, state.now
    if beat.region == RECEIVER:
        # Its beats say who hears the jobs, and nothing of any target.
        told = _ours(state, RECEIVER, events)
        receivers.take_beat(state, beat)
        return told if first is None else [first, *told]
    prober = _prober(state, region, beat.prober)
    region_guard.note(prober, beat)
    prober.lacks_secrets = bool(beat.missing_secrets)
    events += _clock(state, region, prober, beat, deciding)
    if _speaks_of(state, beat.region):
        events += missing_secrets.look(state, region, beat, deciding, returned=returned)
    told = _ours(state, beat.region, events) + _guard(state, deciding)
    if returned:
        state.wake((beat.region,))
    # Of a region that was never heard each partition speaks that waited for it.
    return told if first is None else [first, *told]


def look_for_silence(state: PartitionState, deciding: Deciding) -> list[RegionEvent]:
    """The regions that have just become silent."""
    events: list[RegionEvent] = []
    if state.running < state.respite_until:
        return events
    before = len(state.silent)
    for name in sorted(state.regions):
        region = state.regions[name]
        if region.silent or state.running - region.last_beat < SILENT_AFTER_MS:
            continue
        if name == RECEIVER and not state.receivers.name_jobs:
            continue
        event = _event(
            state,
            "region.silent",
            name,
            deciding,
            _silent(name),
            region.last_beat_at,
        )
        region.silent = True
        state.silent.add(name)
        events += _ours(state, name, [event])
    if len(state.silent) > before:
        state.wake(state.silent)
    return events


def _silent(region: str) -> str:
    since = f"{SILENT_AFTER_MS // 1000} s"
    if region == RECEIVER:
        return f"No receiver of heartbeats has been heard for {since}: jobs are not judged."
    return (
        f"No prober of region {region} has reported for {since}: "
        "its targets are not watched from there."
    )


def _returned(region: str, seconds: int) -> str:
    if region == RECEIVER:
        return (
            f"A receiver of heartbeats is heard again after {seconds} s: jobs are judged again, "
            "save what was due meanwhile."
        )
    return f"Region {region} reports again after {seconds} s."


def _make_room(state: PartitionState, beat: Beat) -> None:
    """Makes room for one more region or prober, so that beats can't fill the memory.

    If there are too many, drops those that were not heard for an hour.

    Raises:
        RecordRefusedError: too many were heard recently; nothing was changed.
    """
    regions, heard_since = state.regions, state.running - FORGET_PROBER_AFTER_MS
    old_regions: list[str] = []
    if beat.region not in regions and len(regions) >= MOST_REGIONS:
        old_regions = [name for name, one in regions.items() if one.last_beat < heard_since]
        if not old_regions:
            raise RecordRefusedError(
                f"expected beats of at most {MOST_REGIONS} regions within an hour, found one of "
                f"another region, {beat.region!r}"
            )
    if sum(len(region.probers) for region in regions.values()) >= MOST_PROBERS:
        old = [
            (region, name)
            for region in regions.values()
            for name, prober in region.probers.items()
            if prober.last_beat < heard_since
        ]
        if not old:
            raise RecordRefusedError(
                f"expected beats of at most {MOST_PROBERS} probers within an hour, found one of "
                f"another prober, {beat.prober!r} in region {beat.region!r}"
            )
        for region, name in old:
            del region.probers[name]
    for name in old_regions:
        del regions[name]
        state.set_aside.discard(name)
        state.silent.discard(name)


def _prober(state: PartitionState, region: RegionState, name: str) -> ProberState:
    prober = region.probers.get(name)
    if prober is None:
        for gone in [
            gone
            for gone, other in region.probers.items()
            if state.running - other.last_beat > FORGET_PROBER_AFTER_MS
        ]:
            del region.probers[gone]
        prober = region.probers[name] = ProberState(state.running)
    prober.last_beat = state.running
    return prober


def _guard(state: PartitionState, deciding: Deciding) -> list[RegionEvent]:
    events: list[RegionEvent] = []
    found = region_guard.look(state)
    for turned in found.turned:
        name, load = turned.region, turned.load
        kind: RegionEventKind = "region.suspect" if turned.suspect else "region.cleared"
        if turned.suspect:
            text = (
                f"{load.newly_failing} of the {load.targets} targets of region {name} began to "
                "fail within a minute, and other regions see no such thing: it looks like its own "
                "network, so it is set aside."
            )
        else:
            text = f"Region {name} counts again: {load.failing} of its {load.targets} targets fail."
        last_beat_at = state.regions[name].last_beat_at
        event = _event(state, kind, name, deciding, text, last_beat_at)
        events += _ours(state, name, [event])
    region_guard.turn(state, found)
    return events


def _clock(
    state: PartitionState,
    region: RegionState,
    prober: ProberState,
    beat: Beat,
    deciding: Deciding,
) -> list[RegionEvent]:
    offset = beat.clock_offset_ms
    if offset is None:
        return []
    if prober.skewed:
        prober.skewed = abs(offset) * 2 > SKEW_MS
        return []
    if abs(offset) <= SKEW_MS:
        return []
    prober.skewed = True
    way = "behind" if offset > 0 else "ahead"
    text = (
        f"The clock of prober {beat.prober} in region {beat.region} is "
        f"{abs(offset) / 1000:.1f} s {way} of the broker's. Results are corrected; set the clock."
    )
    return [_event(state, "region.clock_skewed", beat.region, deciding, text, region.last_beat_at)]


def _ours(state: PartitionState, region: str, events: list[RegionEvent]) -> list[RegionEvent]:
    # Every partition keeps the liveness of all regions; one of them speaks.
    return events if _speaks_of(state, region) else []


def _speaks_of(state: PartitionState, region: str) -> bool:
    return partition_for(region, state.partitions) == state.partition


def _event(  # noqa: PLR0917 - what a region event is made of
    state: PartitionState,
    event: RegionEventKind,
    region: str,
    deciding: Deciding,
    summary: str,
    last_beat_at: int,
) -> RegionEvent:
    return RegionEvent(
        event_id=event_id(region, event, deciding),
        event=event,
        region=region,
        at=state.now,
        summary=summary,
        last_beat_at=last_beat_at,
    )
