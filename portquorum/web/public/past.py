"""The history of status pages: asked of ClickHouse, a few questions a page."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from msgspec import structs

from portquorum.status_pages.build import History
from portquorum.status_pages.model import DAYS, HOURS, SPANS, Day, Past
from portquorum.status_pages.uptime import (
    DAY_MS,
    DAY_S,
    Outage,
    TargetDay,
    component_days,
    day_of,
    needs_outages,
    together_s,
)
from portquorum.web.history.public_queries import Responses
from schemas.web import StatusPage

RECENT_DAYS: Final = 3
"""Days that are reckoned anew each 5 minutes; older ones once a night."""

STEP: Final = 25
"""Components that are reckoned at once: some 2 ms."""

WHOLE_MS: Final = 600_000
"""All days, and response times, are asked so often."""


class AsksPast(Protocol):
    """The part of the history that status pages ask."""

    async def public_days(
        self, targets: Sequence[str], count: int, /
    ) -> Mapping[str, list[TargetDay]]:
        """The last days of targets by target."""

    async def public_outages(self, targets: Sequence[str], since: int, /) -> Sequence[Outage]:
        """When targets were down since a time (UTC ms)."""

    async def public_responses(self, targets: Sequence[str]) -> Mapping[str, Responses]:
        """Response times by target."""


async def history_of(
    page: StatusPage, asks: AsksPast, now: int, before: History | None = None
) -> History:
    """The history of all components of a page.

    Of what was asked `before` only the newest days are asked again, for `WHOLE_MS`: 500 components
    have 45,000 days. What did not change is the same object.

    Raises:
        HistoryUnavailableError, HistoryTooSlowError: it can't be had.
    """
    parts = {one.id: one.targets for group in page.groups for one in group.components}
    if before is None or not _goes_on(before, page, now):
        found = await pasts(parts, asks, now, responses=page.show_response_times)
        old = {} if before is None else before.past
        return History(now, _kept(found, old), whole_at=now, version=page.version)
    newest = await pasts(parts, asks, now, responses=False, count=RECENT_DAYS)
    found = {name: _joined(before.past[name], one) for name, one in newest.items()}
    return structs.replace(before, at=now, past=_kept(found, before.past))


def _goes_on(before: History, page: StatusPage, now: int) -> bool:
    """Whether the newest days are enough: same page, same day, and not long ago."""
    return (
        before.version == page.version
        and now - before.whole_at < WHOLE_MS
        and day_of(now) == day_of(before.whole_at)
    )


def _joined(whole: Past, newest: Past) -> Past:
    """The days of `whole` with its last ones as `newest` has them, and the last 24 h."""
    # A component that is younger than the newest days has them all.
    older = whole.days[:-RECENT_DAYS] if len(whole.days) > RECENT_DAYS else ()
    days = newest.days
    if older and len(days) < RECENT_DAYS:
        days = (*(Day(),) * (RECENT_DAYS - len(days)), *days)
    return structs.replace(
        whole,
        days=(*older, *days),
        measured_24h_s=newest.measured_24h_s,
        down_24h_s=newest.down_24h_s,
    )


def _kept(found: Mapping[str, Past], before: Mapping[str, Past]) -> dict[str, Past]:
    return {
        name: old if (old := before.get(name)) is not None and old == one else one
        for name, one in found.items()
    }


async def pasts(
    parts: Mapping[str, Sequence[str]],
    asks: AsksPast,
    now: int,
    *,
    responses: bool,
    count: int = DAYS,
) -> dict[str, Past]:
    """The history of components, by id, from the targets of each; of the last `count` days.

    Raises:
        HistoryUnavailableError, HistoryTooSlowError: it can't be had.
    """
    every = sorted({target for targets in parts.values() for target in targets})
    days = await asks.public_days(every, count)
    fallen = sorted(_with_outages(parts.values(), days, now))
    found = await asks.public_outages(fallen, now - count * DAY_MS) if fallen else ()
    outages: dict[str, list[Outage]] = {}
    for one in found:
        outages.setdefault(one.target, []).append(one)
    times = await asks.public_responses(every) if responses else {}
    found_past = {}
    for number, (name, targets) in enumerate(parts.items(), start=1):
        known = times if responses else None
        found_past[name] = _past(targets, days, outages, known, now, count=count)
        if number % STEP == 0:
            await asyncio.sleep(0)  # readers have a turn
    return found_past


def _with_outages(
    parts: Iterable[Sequence[str]], days: Mapping[str, list[TargetDay]], now: int
) -> set[str]:
    """The targets whose outages are needed.

    Those of components of which several fell on one day, and for the last 24 h those that were down
    yesterday or today.
    """
    today = day_of(now)
    found = {
        target
        for target, some in days.items()
        if any(one.down_s > 0 and (today - one.day).days <= 1 for one in some)
    }
    for targets in parts:
        if needs_outages(days.get(one, ()) for one in targets):
            found.update(one for one in targets if one in days)
    return found


def _past(
    targets: Sequence[str],
    days: Mapping[str, list[TargetDay]],
    outages: Mapping[str, list[Outage]],
    times: Mapping[str, Responses] | None,
    now: int,
    *,
    count: int,
) -> Past:
    own = [outage for target in targets for outage in outages.get(target, ())]
    found = component_days([days.get(one, []) for one in targets], own, day_of(now), count)
    begun = next((place for place, one in enumerate(found) if one.measured_s), len(found))
    measured, down = _last_24h(found[-2], found[-1], own, now)
    known = [] if times is None else [times[one] for one in targets]
    return Past(
        days=found[begun:],
        measured_24h_s=measured,
        down_24h_s=down,
        response_ms=_slowest([one.spans for one in known], len(SPANS)) if known else (),
        hours_ms=_slowest([one.hours for one in known], HOURS) if known else (),
    )


def _last_24h(yesterday: Day, today: Day, outages: Sequence[Outage], now: int) -> tuple[int, int]:
    """The seconds measured and down without plan: of today, and of yesterday what belongs to it.

    Today is as it was reckoned last, both of it: up to some minutes ago.
    """
    midnight = now - now % DAY_MS
    share = 1 - (now - midnight) / DAY_MS
    fallen = min(yesterday.down_s, together_s(outages, now - DAY_MS, midnight))
    # Of a day that was measured in part the outage was within what was measured.
    before = max(fallen, yesterday.measured_s * share)
    measured = min(DAY_S, round(today.measured_s + before))
    unplanned = max(0.0, fallen - yesterday.planned_s * share)
    down = today.down_s - today.planned_s + unplanned
    return measured, min(measured, round(down))


def _slowest(values: Sequence[Sequence[float | None]], count: int) -> tuple[float | None, ...]:
    """Of each place the highest value: that of the component's slowest target."""
    return tuple(
        max((one[place] for one in values if one[place] is not None), default=None)  # type: ignore[type-var]
        for place in range(count)
    )
