"""The clock of a partition: absences of the broker, and a broker's clock that is set back."""

from typing import Final

from msgspec import structs

from streams.rules import regions
from streams.state.partition_state import PartitionState
from streams.state.target_state import OpenIncident, Trouble

GAP_MS: Final = 15_000
"""Longest silence of the log that is no gap, in ms; a longer one means that the broker was away,
and moves the deadlines."""

BACK_MS: Final = 15_000
"""Longest step back of append times, in ms, that is waited out; after a longer one a new time
begins."""

EARLIEST_MS: Final = 946_684_800_000
LATEST_MS: Final = 7_258_118_400_000
"""The beginnings of the years 2000 and 2200: no time begins before the first, and sums of clock and
spans stay within the times of our schemas before the second."""


def advance(state: PartitionState, append_time: int) -> None:
    """Moves "now" to an append time, if it is one.

    A stamp that is no time (-1: none) does not move it; nor does one of the year 2200, or the clock
    would stand still until then.
    """
    gap = append_time - state.now
    if gap < -BACK_MS and append_time >= EARLIEST_MS:
        _set_back(state, -gap)
        return
    if gap <= 0 or append_time >= LATEST_MS:
        return
    if state.now and gap > GAP_MS:
        state.note_gap(append_time, gap)
    state.now = append_time
    if gap <= GAP_MS:
        regions.note_pause(state, gap)


def _set_back(state: PartitionState, step: int) -> None:
    """Begins a new time: all that was seen lies as far back as before.

    The running clock, and with it every deadline, stands still at the step. The latest start of
    each window stays what it was, so that no copy of a result counts again (rule 1). No time
    becomes one before 1970: a single stamp of a far future may have come before.
    """
    state.now -= step
    state.gaps -= step
    state.gap_end = state.gap_ms = 0
    state.earlier_gaps = ()
    columns = state.columns
    for at, newest in enumerate(columns.newest):
        if newest:
            columns.ahead.setdefault(at, newest)
            columns.newest[at] = max(1, newest - step)
        if columns.since[at]:
            columns.since[at] = max(1, columns.since[at] - step)
    for entry in state.targets.values():
        if entry.trouble is not None:
            _carry_over(entry.trouble, step)
    _carry_over_regions(state, step)


def _carry_over_regions(state: PartitionState, step: int) -> None:
    for region in state.regions.values():
        region.last_beat_at = max(0, region.last_beat_at - step)
    if (told := state.coverage.told) is not None:
        told.since = max(1, told.since - step)
    for awaited in state.coverage.awaited.values():
        awaited.since_at = max(1, awaited.since_at - step)
    for host, asked in state.rechecks.items():
        if asked.waiting_since is not None:
            since = max(1, asked.waiting_since - step)
            state.rechecks[host] = structs.replace(asked, waiting_since=since)


def _carry_over(trouble: Trouble, step: int) -> None:
    for row in trouble.failing.values():
        row.counted_at = max(1, row.counted_at - step)
        row.since = max(1, row.since - step)
    for pace in trouble.pace.values():
        pace.since = max(1, pace.since - step)
    for endings in trouble.endings.values():
        endings.looks = [(max(1, at - step), end) for at, end in endings.looks]
    for incident in (trouble.incident, trouble.slow_incident, trouble.expiring_incident):
        if incident is not None:
            _begin_earlier(incident, step)


def _begin_earlier(incident: OpenIncident, step: int) -> None:
    incident.opened_at = max(1, incident.opened_at - step)
    incident.first_failed_at = max(1, incident.first_failed_at - step)
    incident.outage_at = max(1, incident.outage_at - step)
