"""Rule 16: when the next report of a job is due."""

from typing import Final

from schemas.cron import next_after, parse
from schemas.probe import HeartbeatProbe
from schemas.target import Target
from streams.rules.refused import RecordRefusedError

EARLY_MS: Final = 60_000
"""A report that comes up to this time before a scheduled time may be that of it …"""

EARLY_PART: Final = 4
"""… but no more than this part of the time from there to the next scheduled time."""


def probe_of(target: Target) -> HeartbeatProbe:
    """What a job's definition expects.

    Raises:
        RecordRefusedError: it can't be judged; the text says what is wrong.
    """
    probe = target.probe
    if not isinstance(probe, HeartbeatProbe):
        raise RecordRefusedError(
            f"expected a heartbeat {target.id!r} with an interval or a schedule, found neither"
        )
    if (probe.interval_ms is None) == (probe.schedule is None):
        raise RecordRefusedError(
            f"expected either an interval or a schedule of heartbeat {target.id!r}, found "
            f"{'neither' if probe.schedule is None else 'both'}"
        )
    times = [offset.at for offset in probe.offsets]
    if times != sorted(set(times)):
        raise RecordRefusedError(
            f"expected the offsets of heartbeat {target.id!r} in the order of their times"
        )
    if probe.schedule is not None:
        try:
            parse(probe.schedule)
        except ValueError as error:
            raise RecordRefusedError(
                f"expected a schedule of heartbeat {target.id!r}: {error}"
            ) from None
    return probe


def due_after(probe: HeartbeatProbe, report: int) -> int | None:
    """When the next report is due after one, or a definition, at `report`; None: never."""
    if probe.interval_ms is not None:
        return report + probe.interval_ms
    due = scheduled_after(probe, report)
    while due is not None:
        following = scheduled_after(probe, due)
        ahead = due - report
        if ahead > EARLY_MS:
            break
        if following is not None and ahead * EARLY_PART > following - due:
            break
        due = following
    return due


def due_later(probe: HeartbeatProbe, due: int, than: int) -> int | None:
    """The first due time after `due` that is later than `than`, too."""
    if probe.interval_ms is None:
        return scheduled_after(probe, max(due, than))
    missed = max(than - due, 0) // probe.interval_ms
    return due + (missed + 1) * probe.interval_ms


def scheduled_after(probe: HeartbeatProbe, at: int) -> int | None:
    """The first scheduled time after `at`; None if there is none, or no schedule."""
    if probe.schedule is None:
        return None
    return next_after(parse(probe.schedule), probe.offsets, at)
