"""A stored history made inside ClickHouse: a fleet with blips, outages and cut paths, by SQL.

Per day and target: single failed attempts that their retry takes back (0.5 % of the checks); one
day in 40 an outage of one port, one in 40 of its host, one in 40 of one region's path to it, 2 to
118 minutes each. About 1 % of the results are failures. The hash of day, target and region decides,
so the same parameters always give the same history.
"""

from typing import Final

import msgspec
from clickhouse_connect.driver.client import Client

from schemas.target import Target
from sinks.clickhouse import decode_topics
from sinks.clickhouse.tables import TARGETS, from_tuples

DAY_MS: Final = 86_400_000
REGIONS: Final = ("eu-west", "us-east", "ap-south")
PORTS: Final = (22, 80, 443, 5432)
INTERVAL_MS: Final = 300_000
TEAMS: Final = ("database", "web", "platform", None)
COST: Final = {"database": 1200.0, "web": 400.0}
PARTITIONS: Final = 16

_ROWS: Final = """
INSERT INTO results (target, kind, host, port, region, prober, scheduled_at, started_at, status,
    reason, attempt, cause, target_version, detail, address, dns_us, connect_us, tls_us, total_us,
    cert_expires_at, http_status, banner, log_partition, log_offset, appended_at, log_line)
WITH
    {targets:UInt64} AS targets,
    {day:UInt64} AS day,
    86400000 AS day_ms,
    {interval:UInt64} AS interval_ms,
    3 AS regions,
    number % targets AS t,
    intDiv(number, targets) % regions AS r,
    intDiv(number, targets * regions) AS k,
    intDiv(t, 4) AS h,
    day * day_ms + k * interval_ms + cityHash64('phase', t) % interval_ms AS base,
    base + r * intDiv(interval_ms, regions) AS due,
    due - day * day_ms AS within,
    cityHash64('port', day, t) AS by_port,
    cityHash64('host', day, h) AS by_host,
    cityHash64('path', day, h, r) AS by_path,
    by_port % 40 = 0 AND within >= bitShiftRight(by_port, 8) % day_ms
        AND within < bitShiftRight(by_port, 8) % day_ms
            + (2 + bitShiftRight(by_port, 40) % 117) * 60000 AS port_down,
    by_host % 40 = 0 AND within >= bitShiftRight(by_host, 8) % day_ms
        AND within < bitShiftRight(by_host, 8) % day_ms
            + (2 + bitShiftRight(by_host, 40) % 117) * 60000 AS host_down,
    by_path % 40 = 0 AND within >= bitShiftRight(by_path, 8) % day_ms
        AND within < bitShiftRight(by_path, 8) % day_ms
            + (2 + bitShiftRight(by_path, 40) % 117) * 60000 AS path_down,
    port_down OR host_down OR path_down AS out,
    cityHash64('blip', number, day) % 200 = 0 AS blip,
    arrayJoin(if(out OR blip, [0, 1], [0])) AS attempt_,
    out OR (blip AND attempt_ = 0) AS failed,
    multiIf(NOT failed, 0, port_down, 1000 + number % 3000, 3000000) AS took_us,
    -- As far away as host and region are; some jitter, and one in a hundred takes up to ten times
    -- as long.
    cityHash64('took', number, day) AS chance,
    toUInt32((1000 + cityHash64('way', h, r) % 60000) * (1 + chance % 1000 / 10000)
        * if(chance % 101 = 0, 2 + chance % 9, 1)) AS trip_us,
    due + 2 + number % 5 + attempt_ * (1003 + if(port_down, 2, 3000)) AS started,
    started + intDiv(if(failed, took_us, trip_us), 1000)
        + if(failed OR out OR blip, 20, 1000) AS ready,
    -- Routine successes leave once a second, a batch a partition and region.
    if(failed OR out OR blip, ready, intDiv(ready, 1000) * 1000 + r * 300) AS appended,
    ['eu-west', 'us-east', 'ap-south'][r + 1] AS region_
SELECT
    concat('srv-', leftPad(toString(h), 5, '0'), '-', toString([22, 80, 443, 5432][t % 4 + 1])),
    'tcp',
    concat('srv-', leftPad(toString(h), 5, '0'), '.example.com'),
    [22, 80, 443, 5432][t % 4 + 1],
    region_,
    concat(region_, '-1'),
    fromUnixTimestamp64Milli(toInt64(due), 'UTC'),
    fromUnixTimestamp64Milli(toInt64(started), 'UTC'),
    if(failed, 'down', 'up'),
    multiIf(NOT failed, '', port_down, 'connection_refused', 'timed_out'),
    attempt_,
    if(attempt_ = 0, 'schedule', 'retry'),
    fromUnixTimestamp64Milli(toInt64(1000), 'UTC'),
    '',
    concat('10.', toString(intDiv(h, 65536)), '.', toString(intDiv(h, 256) % 256), '.',
        toString(h % 256)),
    300 + number % 50,
    if(failed, NULL, trip_us),
    NULL,
    if(failed, toUInt32(took_us), trip_us + 300 + number % 50),
    -- Port 443 shows a certificate that is renewed every 90 days.
    if(t % 4 = 2 AND NOT failed,
        fromUnixTimestamp64Milli(
            toInt64(((intDiv(day + h % 90, 90) + 1) * 90 - h % 90) * 86400000), 'UTC'),
        NULL),
    0,
    '',
    h % 16,
    toUInt64(appended),
    fromUnixTimestamp64Milli(toInt64(appended), 'UTC'),
    toUInt32(number)
FROM numbers(targets * regions * intDiv(86400000, {interval:UInt64}))
SETTINGS max_partitions_per_insert_block = 10
"""


def targets(count: int) -> list[Target]:
    """The fleet with the history of `fill`."""
    return [
        Target(
            id=f"srv-{number // 4:05d}-{PORTS[number % 4]}",
            name=f"Server {number // 4} port {PORTS[number % 4]}",
            kind="tcp",
            host=f"srv-{number // 4:05d}.example.com",
            port=PORTS[number % 4],
            regions=REGIONS,
            interval_ms=INTERVAL_MS,
            timeout_ms=3_000,
            version=1000,
            source="bench",
            team=TEAMS[number // 4 % 4],
            tags=("prod",) if number // 4 % 2 else ("test",),
            slo=99.9 if number // 4 % 2 else 99.0,
            downtime_cost_per_hour=COST.get(TEAMS[number // 4 % 4] or ""),
        )
        for number in range(count)
    ]


def rows_a_day(count: int) -> int:
    """Number of checks in a day, without retries."""
    return count * len(REGIONS) * (DAY_MS // INTERVAL_MS)


def fill_targets(client: Client, fleet: list[Target], at_ms: int) -> None:
    """Writes the definitions in the same form as the sink."""
    rows = [
        (
            one.id,
            0,
            one.version,
            one.source,
            one.name,
            one.kind,
            one.host or "",
            one.port or 0,
            list(one.regions),
            one.interval_ms,
            one.timeout_ms,
            one.criticality,
            one.team or "",
            one.purpose or "",
            list(one.tags),
            list(one.depends_on),
            one.runbook or "",
            one.slo,
            one.downtime_cost_per_hour,
            one.expect,
            one.enabled,
            *decode_topics.job_values(one),
            msgspec.json.encode(one).decode(),
            0,
            number,
            at_ms,
        )
        for number, one in enumerate(fleet)
    ]
    filled = from_tuples(TARGETS, rows)
    client.insert("targets", filled.columns, column_names=list(TARGETS.names), column_oriented=True)


def fill_day(client: Client, count: int, day: int) -> None:
    """Writes the results of a day (days since 1970, UTC) of a fleet of `count` targets."""
    client.command(_ROWS, parameters={"targets": count, "day": day, "interval": INTERVAL_MS})
