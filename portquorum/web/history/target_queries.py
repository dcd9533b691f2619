"""What the target page asks: small questions, which run beside each other."""

from collections.abc import Sequence
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from portquorum.web.history.answers import (
    CertificateSeen,
    CheckSeen,
    DayUptime,
    DefinitionChange,
    IncidentSpan,
    LatencyStep,
    RegionChecks,
    RegionLatency,
    TimeWindow,
)
from portquorum.web.history.asking import rows, structs, told_us
from portquorum.web.history.day_uptime import day_of, every_day
from portquorum.web.history.definitions import changes
from portquorum.web.history.incident_ends import ended, view_knows
from portquorum.web.history.windows import DAY_MS, HOUR_MS

MOST_INCIDENTS: Final = 200
"""Incidents of a target page; a target that flaps all day has more."""

MOST_DEFINITIONS: Final = 50
"""Definitions of a target page, the newest."""

_LONGEST_LOOK_MS: Final = 31 * DAY_MS
_LEAST_LOOK_MS: Final = 15 * 60_000

# The view `uptime_daily` for one target: its planning, and FINAL, take longer than these few rows.
_DAYS: Final = """
SELECT day, watched_s, measured_s, down_s, maintenance_s, down_in_maintenance_s
FROM {internal}.uptime_days
WHERE target = {target:String} AND day >= {first_day:Date}
ORDER BY day, reckoned_at DESC
LIMIT 1 BY day
"""

_CERTIFICATES: Final = """
SELECT toString(region) AS region, toUnixTimestamp64Milli(argMaxMerge(expires_at)) AS expires_ms,
       toUnixTimestamp64Milli(max(seen_at)) AS seen_ms
FROM {internal}.certificates
WHERE target = {target:String}
GROUP BY region
"""

_DEFINITIONS: Final = """
SELECT toUnixTimestamp64Milli(appended_at) AS at, log_partition, log_offset,
       toString(source) AS source, removed, raw
FROM targets
WHERE target = {target:String}
ORDER BY appended_at DESC, log_offset DESC
LIMIT {most_definitions:UInt32}
"""

# By results while a step is shorter than an hour. A latency is that of a success.
_LATENCY_OF_RESULTS: Final = """
SELECT region, at, checks, up, missed, if(up = 0, NULL, us[1] / 1000),
       if(up = 0, NULL, us[2] / 1000), if(up = 0, NULL, most_us / 1000)
FROM
(
    SELECT toString(region) AS region,
           intDiv(toUnixTimestamp64Milli(scheduled_at), {step:Int64}) * {step:Int64} AS at,
           countIf(status != 'missed') AS checks,
           countIf(status = 'up') AS up,
           countIf(status = 'missed') AS missed,
           quantilesExactWeightedIf(0.5, 0.95)(latency_us, 1, status = 'up') AS us,
           maxIf(latency_us, status = 'up') AS most_us
    FROM
    (
        SELECT region, scheduled_at, status,
               assumeNotNull(ifNull(connect_us, total_us)) AS latency_us
        FROM results
        WHERE target = {target:String}
          AND scheduled_at >= fromUnixTimestamp64Milli({since:Int64})
          AND scheduled_at < fromUnixTimestamp64Milli({until:Int64})
          AND appended_at >= fromUnixTimestamp64Milli({since:Int64} - 60000)
    )
    GROUP BY region, at
)
ORDER BY region, at
"""

# What the percentiles stand for is reckoned here: ClickHouse takes longer for it.
_LATENCY_OF_ROLL_UPS: Final = """
SELECT toString(region) AS region,
       intDiv({at_s}, {step_s:Int64}) * {step_s:Int64} * 1000 AS at,
       sum(h.checks) AS all_checks, sum(h.up) AS all_up, sum(h.missed) AS all_missed,
       max(h.max_us) AS most_us,
       quantilesBFloat16Merge(0.5, 0.95, 0.99)(h.latency_us) AS least_us
FROM {internal}.{table} AS h
WHERE target = {target:String} AND {bounds}
GROUP BY region, at
ORDER BY region, at
"""
_HOURLY: Final = (
    _LATENCY_OF_ROLL_UPS.replace("{table}", "results_hourly")
    .replace("{at_s}", "toUnixTimestamp(hour)")
    .replace(
        "{bounds}",
        "hour >= fromUnixTimestamp({since_s:Int64}) AND hour < fromUnixTimestamp({until_s:Int64})",
    )
)
_DAILY: Final = (
    _LATENCY_OF_ROLL_UPS.replace("{table}", "results_daily")
    .replace("{at_s}", "toUInt32(toUInt16(day)) * 86400")
    .replace("{bounds}", "day >= {first_day:Date} AND day < {last_day:Date}")
)

_INCIDENTS: Final = """
SELECT incident_id,
       toString(any(e.incident_type)),
       toString(any(e.severity)),
       toString(any(e.target)),
       argMax(e.name, (e.at, e.log_offset)),
       toUnixTimestamp64Milli(min(e.first_failed_at)) AS begin_ms,
       toUnixTimestamp64Milli(min(e.opened_at)) AS opened_ms,
       toUnixTimestamp64Milli(max(e.closed_at)) AS closed_ms,
       nullIf(toString(max(e.closed_because)), ''),
       leftUTF8(argMax(e.summary, (e.at, e.log_offset)), 2000),
       nullIf(argMax(e.acknowledged_by, (e.at, e.log_offset)), ''),
       count() OVER ()
FROM incidents AS e
WHERE e.target = {target:String}
GROUP BY incident_id
HAVING (closed_ms IS NULL OR closed_ms >= {since:Int64}) AND begin_ms < {until:Int64}
ORDER BY opened_ms DESC, incident_id
LIMIT {most:UInt32}
"""

_INCIDENT_FIELDS: Final = (
    *("incident_id", "incident_type", "severity", "target", "name", "began_at", "opened_at"),
    *("closed_at", "closed_because", "summary", "acknowledged_by"),
)

_CHECKS: Final = """
SELECT toString(region), toUnixTimestamp64Milli(started_at), toString(status),
       nullIf(toString(reason), ''), detail, attempt, toString(cause), latency_us / 1000
FROM
(
    -- A result may be there twice until ClickHouse has merged its parts.
    SELECT region, prober, started_at, status, reason, detail, attempt, cause,
           ifNull(connect_us, total_us) AS latency_us
    FROM results
    WHERE target = {target:String}
      AND scheduled_at >= fromUnixTimestamp64Milli({since:Int64})
      AND appended_at >= fromUnixTimestamp64Milli({since:Int64})
    LIMIT 1 BY region, prober, started_at, attempt
)
ORDER BY region, started_at DESC, attempt DESC, prober
LIMIT {most:UInt32} BY region
"""


def days(client: Client, target: str, count: int, now: int) -> tuple[DayUptime, ...]:
    """Uptime of the last `count` days until `now` (UTC ms)."""
    first = day_of(now - (count - 1) * DAY_MS)
    return every_day(rows(client, _DAYS, target=target, first_day=first), first, count)


def certificates(client: Client, target: str) -> tuple[CertificateSeen, ...]:
    """The certificate that each region saw last, by region."""
    found = rows(client, _CERTIFICATES, target=target)
    return structs(CertificateSeen, sorted(found, key=lambda row: str(row[0])))


def definitions(client: Client, target: str) -> tuple[DefinitionChange, ...]:
    """The newest definitions."""
    found = rows(client, _DEFINITIONS, target=target, most_definitions=MOST_DEFINITIONS + 1)
    return changes(found, MOST_DEFINITIONS)


def latency(client: Client, target: str, window: TimeWindow) -> tuple[RegionLatency, ...]:
    """The steps of each region within the window, by results or, from an hour on, by roll-ups."""
    sql = _LATENCY_OF_RESULTS
    if window.step_ms >= HOUR_MS:
        sql = _HOURLY if window.step_ms % DAY_MS else _DAILY
    found = rows(
        client,
        sql,
        target=target,
        step=window.step_ms,
        step_s=window.step_ms // 1000,
        since=window.since,
        until=window.until,
        since_s=window.since // 1000,
        until_s=window.until // 1000,
        first_day=day_of(window.since),
        last_day=day_of(window.until),
    )
    if window.step_ms >= HOUR_MS:
        found = [_told(row) for row in found]
    return tuple(
        RegionLatency(region=region, steps=structs(LatencyStep, steps))
        for region, steps in _by_region(found).items()
    )


def _told(row: Sequence[Any]) -> Sequence[Any]:
    """A row of a roll-up as one of results: percentiles and the most in ms, None without any."""
    *known, up, missed, most_us, least_us = row
    if not up:
        return (*known, up, missed, None, None, None)
    p50, p95 = (told_us(one, most_us) / 1000 for one in least_us[:2])
    return (*known, up, missed, p50, p95, most_us / 1000)


def incidents(
    client: Client, target: str, *, since: int, until: int, now: int, most: int = MOST_INCIDENTS
) -> tuple[tuple[IncidentSpan, ...], int]:
    """The newest incidents of a target that touch a time, and how many older ones there are."""
    found = rows(client, _INCIDENTS, target=target, since=since, until=until, most=most)
    total = int(found[0][-1]) if found else 0
    values = [dict(zip(_INCIDENT_FIELDS, row[:-1], strict=True)) for row in found]
    known = view_knows(client, values, now)
    return tuple(IncidentSpan(**ended(one, known)) for one in values), total - len(found)


def checks(
    client: Client, target: str, interval_ms: int, most: int, now: int
) -> tuple[RegionChecks, ...]:
    """The last `most` checks from each region, the newest first.

    They are looked for in `2 * most` intervals, 31 days at most.
    """
    look = min(max(2 * most * interval_ms, _LEAST_LOOK_MS), _LONGEST_LOOK_MS)
    found = rows(client, _CHECKS, target=target, since=now - look, most=most)
    return tuple(
        RegionChecks(region=region, checks=structs(CheckSeen, seen))
        for region, seen in _by_region(found).items()
    )


def _by_region(found: Sequence[Sequence[Any]]) -> dict[str, list[Sequence[Any]]]:
    """The rows without their first column, which is the region, by it."""
    regions: dict[str, list[Sequence[Any]]] = {}
    for region, *rest in found:
        regions.setdefault(region, []).append(rest)
    return regions
