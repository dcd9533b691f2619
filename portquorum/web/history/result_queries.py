"""Single results of a target, page by page."""

from typing import Any, Final

import msgspec
from clickhouse_connect.driver.client import Client

from portquorum.web.history.answers import ResultPage, ResultRow
from portquorum.web.history.asking import cursor_of, place_of, rows, structs
from portquorum.web.history.questions import ResultQuery
from portquorum.web.history.windows import HOUR_MS

_FIRST_LOOK_MS: Final = 6 * HOUR_MS
_LONGER: Final = 4

_ROWS: Final = """
SELECT toString(target), toString(kind), nullIf(toString(host), ''), nullIf(port, 0),
       toString(region) AS in_region, toString(prober) AS by_prober,
       toUnixTimestamp64Milli(scheduled_at) AS scheduled_ms,
       toUnixTimestamp64Milli(started_at) AS started_ms, toString(status),
       nullIf(toString(reason), ''), attempt, toString(cause), detail, toString(address),
       dns_us / 1000, connect_us / 1000, tls_us / 1000, total_us / 1000,
       toUnixTimestamp64Milli(cert_expires_at), nullIf(http_status, 0), banner,
       nullIf(toString(signal), ''), exit_code, run, output
FROM results
WHERE target = {target:String}
  AND scheduled_at >= fromUnixTimestamp64Milli({since:Int64})
  AND scheduled_at < fromUnixTimestamp64Milli({until:Int64})
  AND appended_at >= fromUnixTimestamp64Milli({since:Int64} - 60000)
  AND ({all_regions:UInt8} OR has({regions:Array(String)}, in_region))
  AND ({all_statuses:UInt8} OR has({statuses:Array(String)}, toString(status)))
  AND ({all_reasons:UInt8} OR has({reasons:Array(String)}, toString(reason)))
  AND (scheduled_ms, in_region, started_ms, by_prober, attempt) <
      ({at:Int64}, {in:String}, {began:Int64}, {by:String}, {try:UInt16})
ORDER BY scheduled_ms DESC, in_region DESC, started_ms DESC, by_prober DESC, attempt DESC
LIMIT 1 BY in_region, scheduled_ms, started_ms, by_prober, attempt
LIMIT {limit:UInt32}
"""


class ResultPlace(msgspec.Struct, frozen=True):
    """Where a page of results ends; the names sort as in the query."""

    scheduled_ms: int
    region: str
    started_ms: int
    prober: str
    attempt: int


def find(client: Client, asked: ResultQuery, cursor: str | None, limit: int) -> ResultPage:
    """A page of results, the newest first.

    It looks at the last hours first and then further back, so that a page of a long time does not
    sort all of it.

    Raises:
        UnknownCursorError: not a cursor of `next`.
    """
    place = ResultPlace(2**62, "", 0, "", 0) if cursor is None else place_of(cursor, ResultPlace)
    found: list[Any] = []
    until, look = min(asked.until, place.scheduled_ms + 1), _FIRST_LOOK_MS
    while until > asked.since and len(found) <= limit:
        since = max(asked.since, until - look)
        found += rows(
            client,
            _ROWS,
            target=asked.target,
            since=since,
            until=until,
            regions=list(asked.regions),
            all_regions=int(not asked.regions),
            statuses=list(asked.statuses),
            all_statuses=int(not asked.statuses),
            reasons=list(asked.reasons),
            all_reasons=int(not asked.reasons),
            at=place.scheduled_ms,
            began=place.started_ms,
            by=place.prober,
            limit=limit + 1 - len(found),
            **{"in": place.region, "try": place.attempt},
        )
        until, look = since, look * _LONGER
    shown = structs(ResultRow, found[:limit])
    more = len(found) > limit
    return ResultPage(rows=shown, next=cursor_of(_place(shown[-1])) if more else None)


def _place(row: ResultRow) -> ResultPlace:
    return ResultPlace(row.scheduled_at, row.region, row.started_at, row.prober, row.attempt)
