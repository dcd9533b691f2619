"""What all target pages ask alike: maintenance windows and events of regions. One question for all.

ClickHouse takes longer to plan these two than to read them, and they are of no single target.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec
from clickhouse_connect.driver.client import Client

from portquorum.web.history.answers import MaintenanceSpan, RegionSpan
from portquorum.web.history.asking import rows, structs
from portquorum.web.history.region_spans import spans

MOST_WINDOWS: Final = 20_000
"""Times of maintenance windows that are read at once; of more, each target's are asked for."""

MOST_EVENTS: Final = 20_000
"""Events of regions that are read, the newest."""

MOST_OF_TARGET: Final = 1_000

_WINDOWS: Final = """
SELECT source, name, begin_ms, end_ms, selectors
FROM maintenance_windows
WHERE end_ms > {since:Int64} AND begin_ms < {until:Int64}
  AND ({all:UInt8} OR hasAny(selectors, {selectors:Array(String)}))
LIMIT {most:UInt32}
"""

# All within the time, and of each region and condition the last one before it.
_REGION_EVENTS: Final = """
SELECT toString(region) AS region, toString(event) AS event, toUnixTimestamp64Milli(at) AS ms,
       leftUTF8(summary, 2000) AS sentence
FROM region_events
WHERE ms < {until:Int64}
  AND event IN ('region.silent', 'region.returned', 'region.suspect', 'region.cleared')
ORDER BY ms >= {since:Int64} DESC, ms DESC
LIMIT 1 BY region, if(ms >= {since:Int64}, event_id,
                      if(event IN ('region.silent', 'region.returned'), 'silent', 'suspect'))
LIMIT {most:UInt32}
"""

Windows = Sequence[tuple[str, str, int, int, frozenset[str]]]
"""Source, name, begin and end (UTC ms) and selectors of each time of a window."""


class Common(msgspec.Struct, frozen=True):
    """What was read of a time. `windows` is None if they are too many."""

    windows: Windows | None
    region_events: Sequence[Sequence[Any]]


def common(client: Client, since: int, until: int) -> Common:
    """All of the time from `since` to `until` (UTC ms)."""
    windows = _windows(client, since, until, most=MOST_WINDOWS + 1)
    events = rows(client, _REGION_EVENTS, since=since, until=until, most=MOST_EVENTS)
    return Common(None if len(windows) > MOST_WINDOWS else windows, events)


def windows_of(
    client: Client, selectors: Collection[str], since: int, until: int
) -> tuple[MaintenanceSpan, ...]:
    """The windows of one target, for when all are too many."""
    found = _windows(client, since, until, most=MOST_OF_TARGET, selectors=selectors)
    return covering(found, selectors, since, until)


def covering(
    windows: Windows, selectors: Collection[str], since: int, until: int
) -> tuple[MaintenanceSpan, ...]:
    """Those that cover one of `selectors` (a target, `tag:NAME`), the first 1,000 by begin."""
    found = [
        (source, name, begin, end)
        for source, name, begin, end, of in windows
        if end > since and begin < until and not of.isdisjoint(selectors)
    ]
    found.sort(key=lambda row: (row[2], row[1]))
    return structs(MaintenanceSpan, found[:MOST_OF_TARGET])


def silent_in(
    events: Sequence[Sequence[Any]], regions: Collection[str], since: int, until: int
) -> tuple[RegionSpan, ...]:
    """The times from `since` to `until` in which one of `regions` was silent or set aside."""
    of_target = [one for one in events if one[0] in regions and one[2] < until]
    return spans(of_target, since)


def _windows(
    client: Client, since: int, until: int, *, most: int, selectors: Collection[str] = ()
) -> Windows:
    found = rows(
        client,
        _WINDOWS,
        since=since,
        until=until,
        most=most,
        all=int(not selectors),
        selectors=list(selectors),
    )
    # Many times of one window have the same selectors: one object for all.
    shared: dict[frozenset[str], frozenset[str]] = {}
    sets = (frozenset(row[4]) for row in found)
    return [(*row[:4], shared.setdefault(one, one)) for row, one in zip(found, sets, strict=True)]
