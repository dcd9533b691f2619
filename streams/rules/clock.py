"""The clock of a partition: absences of the broker, and a broker's clock that is set back."""

from typing import Final

from msgspec import Struct, structs

from streams.rules import heartbeats, receivers, regions
from streams.state.partition_state import PartitionState
from streams.state.target_state import OpenIncident, Resolution, Trouble

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
    carried = _Carried(step, _was_ahead_since(state, state.now - step))
    state.now -= step
    state.gaps -= step
    state.gap_end = state.gap_ms = 0
    state.earlier_gaps = ()
    columns = state.columns
    for at, newest in enumerate(columns.newest):
        if newest:
            columns.ahead.setdefault(at, newest)
            columns.newest[at] = carried.order(newest)
        if columns.since[at]:
            columns.since[at] = carried.order(columns.since[at])
    for entry in state.targets.values():
        if entry.trouble is not None:
            _carry_over(entry.trouble, carried)
    _carry_over_regions(state, carried)
    _carry_over_jobs(state, carried)


def _was_ahead_since(state: PartitionState, now: int) -> int:
    """The begin of the last gap if the new time falls into it, else 0.

    That gap was no absence: the clock was ahead since then, and is set right.
    """
    begin = state.gap_end - state.gap_ms
    return begin if begin <= now < state.gap_end else 0


class _Carried(Struct, frozen=True, gc=False):
    """Times of the old time in the new one, which is `step` ms earlier.

    `order` keeps all distances. `told` is for times that people read: those of before the clock was
    ahead, `right_until`, were right, and stay.
    """

    step: int
    right_until: int

    def order(self, at: int) -> int:
        return max(1, at - self.step)

    def told(self, at: int) -> int:
        return at if at <= self.right_until else max(1, self.right_until, at - self.step)


def _carry_over_regions(state: PartitionState, carried: _Carried) -> None:
    for region in state.regions.values():
        region.last_beat_at = carried.told(region.last_beat_at)
    if (told := state.coverage.told) is not None:
        told.since = carried.told(told.since)
    for awaited in state.coverage.awaited.values():
        awaited.since_at = carried.told(awaited.since_at)
    for host, asked in state.rechecks.items():
        if asked.waiting_since is not None:
            since = carried.order(asked.waiting_since)
            state.rechecks[host] = structs.replace(asked, waiting_since=since)


def _carry_over_jobs(state: PartitionState, carried: _Carried) -> None:
    receivers.set_back(state, carried.step)
    heartbeats.set_back(state, carried.step)
    for job in state.jobs.values():
        if job.incident is not None:
            _carry_over_incident(job.incident, carried)
        if (down := job.down) is not None:
            began = None if down.began is None else carried.told(down.began)
            job.down = structs.replace(down, since=carried.told(down.since), began=began)
        if (last := job.last) is not None:
            began = None if last.began is None else carried.told(last.began)
            job.last = structs.replace(last, at=carried.told(last.at), began=began)


def _carry_over(trouble: Trouble, carried: _Carried) -> None:
    for row in trouble.failing.values():
        row.counted_at = carried.order(row.counted_at)
        row.since = carried.told(row.since)
    for pace in trouble.pace.values():
        pace.since = carried.told(pace.since)
    for endings in trouble.endings.values():
        endings.looks = [(carried.told(at), end) for at, end in endings.looks]
    trouble.held_by = _resolution(trouble.held_by, carried)
    trouble.slow_held_by = _resolution(trouble.slow_held_by, carried)
    trouble.expiring_held_by = _resolution(trouble.expiring_held_by, carried)
    for incident in (trouble.incident, trouble.slow_incident, trouble.expiring_incident):
        if incident is not None:
            _carry_over_incident(incident, carried)


def _resolution(found: Resolution | None, carried: _Carried) -> Resolution | None:
    return None if found is None else structs.replace(found, at=carried.told(found.at))


def _carry_over_incident(incident: OpenIncident, carried: _Carried) -> None:
    incident.opened_at = carried.told(incident.opened_at)
    incident.first_failed_at = carried.told(incident.first_failed_at)
    incident.outage_at = carried.told(incident.outage_at)
    if incident.recovered_at:
        incident.recovered_at = carried.told(incident.recovered_at)
