"""Uptime of targets, of teams or of all, as the views have it (docs/analytics.md)."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from clickhouse_connect.driver.client import Client

from portquorum.web.history.answers import UptimeRow
from portquorum.web.history.asking import in_parts, rows
from portquorum.web.history.day_uptime import day_of, percentages
from portquorum.web.history.errors import HistoryTooSlowError
from portquorum.web.history.questions import UptimeQuery

MOST_ROWS: Final = 100_000
"""Rows of an answer; it is never cut without a word."""

_NAMES: Final = {"target": "u.target", "team": "toString(u.team)", "all": "''"}

_UPTIME: Final = """
SELECT {name} AS name, {day} AS on_day, sum(u.watched_s), sum(u.measured_s), sum(u.down_s),
       sum(u.maintenance_s), sum(u.down_in_maintenance_s)
FROM {internal}.uptime_days AS u FINAL
WHERE day BETWEEN {since:Date} AND {until:Date}
  AND ({all_targets:UInt8} OR target IN {targets:Array(String)})
  AND ({all_teams:UInt8} OR has({teams:Array(String)}, toString(team)))
GROUP BY name, on_day
ORDER BY name, on_day
LIMIT {most:UInt32}
"""

_OF: Final = """
SELECT target, sum(measured_s), sum(down_s)
FROM {internal}.uptime_days FINAL
WHERE target IN {targets:Array(String)} AND day >= {since:Date}
GROUP BY target
"""


def uptime(client: Client, asked: UptimeQuery) -> tuple[UptimeRow, ...]:
    """The uptime rows, by name and day.

    Raises:
        HistoryTooSlowError: they are more than `MOST_ROWS`.
    """
    sql = _UPTIME.replace("{name}", _NAMES[asked.by]).replace(
        "{day}", "toNullable(u.day)" if asked.by_day else "CAST(NULL, 'Nullable(Date)')"
    )
    found = rows(
        client,
        sql,
        since=asked.since,
        until=asked.until,
        targets=list(asked.targets),
        all_targets=int(not asked.targets),
        teams=list(asked.teams),
        all_teams=int(not asked.teams),
        most=MOST_ROWS + 1,
    )
    if len(found) > MOST_ROWS:
        raise HistoryTooSlowError(f"These are more than {MOST_ROWS:,} rows: ask for less.")
    told = []
    for name, day, watched, measured, down, planned, down_planned in found:
        percent, without = percentages(measured, down, planned, down_planned)
        told.append(
            UptimeRow(
                name=name,
                day=day,
                watched_s=watched,
                measured_s=measured,
                down_s=down,
                maintenance_s=planned,
                uptime_percent=percent,
                uptime_without_maintenance_percent=without,
            )
        )
    return tuple(told)


def uptime_of(
    client: Client, targets: Collection[str], days: int, now: int
) -> dict[str, float | None]:
    """The uptime of each target over the last `days` days until `now` (UTC ms), in percent."""
    since = day_of(now) - timedelta(days=days - 1)
    found = {
        target: percentages(measured, down, 0, 0)[0]
        for part in in_parts(list(targets))
        for target, measured, down in rows(client, _OF, targets=list(part), since=since)
    }
    return {one: found.get(one) for one in targets}
