"""What each region says of a target, by the newest thing that is known of it. Pure.

Three sources are of different ages: `status_now` is asked every 15 to 45 s, checks are read when
the page is, and events come within a second. The headline is of the events; what stands below it
must not be of before them.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from portquorum.web.answers import IncidentAnswer, IncidentRow, TargetAnswer
from portquorum.web.fleet.status_table import BELIEVED_MS, LATE_MS
from portquorum.web.history.answers import CheckSeen, RegionChecks
from schemas.incident import RegionVerdict
from schemas.target import Target

_MEASURED: Final = ("up", "down")


class RegionWord(Struct, frozen=True, kw_only=True):
    """What a region says: `up`, `down`, `stale`, `pending`, `blocked`, or `unknown`: not known.

    `newest` is its newest check, or what the newest event says of it where that is newer and
    another word.
    """

    region: str
    status: str
    newest: CheckSeen | None = None


def last_event(rows: Sequence[IncidentRow]) -> str | None:
    """The id of the incident with the newest event, of those whose regions say up or down."""
    told = [one for one in rows if one.type != "expiring"]
    return max(told, key=lambda one: one.changed_at).id if told else None


def region_words(
    answer: TargetAnswer, event: IncidentAnswer | None, checks: Sequence[RegionChecks] | None
) -> list[RegionWord]:
    """A word for each region that checks the target, or did.

    `event`: the incident with the newest event. `checks`: the newest first, None if they could not
    be asked for.
    """
    said = {one.region: one.status for one in answer.regions}
    seen = {one.region: one.checks for one in checks or ()}
    verdicts: Mapping[str, RegionVerdict] = {} if event is None else event.regions
    regions = dict.fromkeys((*answer.row.regions, *said, *seen))
    found = []
    for region in regions:
        told = None if event is None else _told(event.row, verdicts.get(region))
        cells = seen.get(region, ())
        if checks is None:
            found.append(_without_checks(answer, region, said.get(region), told, event))
        else:
            found.append(_word(answer, region, said.get(region), told, cells))
    return found


def _word(
    answer: TargetAnswer,
    region: str,
    said: str | None,
    told: CheckSeen | None,
    cells: Sequence[CheckSeen],
) -> RegionWord:
    fresh, last = answer.freshness, next(iter(cells), None)
    check = next((one for one in cells if one.status in _MEASURED), None)
    newest = check
    if told is not None and (check is None or told.at >= check.at):
        newest = told
    if newest is None or (said == "blocked" and newest.at < (fresh.status_at or 0) - LATE_MS):
        return RegionWord(region=region, status=said or "pending", newest=last)
    is_fresh = newest.at >= fresh.now - fresh_for_ms(answer.definition)
    says_other = check is None or (newest is told and told.status != check.status)
    return RegionWord(
        region=region,
        status=newest.status if is_fresh else "stale",
        newest=newest if says_other else last,
    )


def _without_checks(
    answer: TargetAnswer,
    region: str,
    said: str | None,
    told: CheckSeen | None,
    event: IncidentAnswer | None,
) -> RegionWord:
    """By events and `status_now` alone, whichever is newer; an old answer of either says nothing.

    What an open incident says stays until its next event.
    """
    fresh = answer.freshness
    status_at = fresh.status_at or 0
    if told is not None and event is not None and told.at >= status_at - LATE_MS:
        is_open = event.row.closed_at is None
        if is_open or told.at >= fresh.now - fresh_for_ms(answer.definition):
            return RegionWord(region=region, status=told.status, newest=told)
    if said is not None and fresh.now - status_at <= BELIEVED_MS:
        return RegionWord(region=region, status=said)
    return RegionWord(region=region, status="unknown")


def fresh_for_ms(target: Target) -> int:
    """How long a result counts, in ms (docs/rules.md, 4)."""
    return target.interval_ms * 5 // 2 + target.timeout_ms


def _told(row: IncidentRow, verdict: RegionVerdict | None) -> CheckSeen | None:
    """A verdict of the event as a result; None of one that is not of a result.

    A failure that is not confirmed is the reason of a verdict `up`: as a result it is `down`.
    """
    if verdict is None or verdict.verdict in ("stale", "pending"):
        return None
    is_down = verdict.verdict == "down" or (verdict.verdict == "up" and verdict.reason is not None)
    return CheckSeen(
        at=row.changed_at,
        status="down" if is_down else "up",
        reason=verdict.reason if is_down else None,
        detail=verdict.detail or "",
        attempt=0,
        cause="",
        latency_ms=None,
    )
