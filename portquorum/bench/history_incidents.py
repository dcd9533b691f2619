"""The incidents of the history that `history.py` makes: its outages of ports and of hosts.

Each opens 1.5 s after its first failure, two in three are acknowledged within half an hour, and
each closes when its outage ends. A path that is cut is the affair of one region: no incident. One
target in 500 flaps once a week, for two hours.
"""

from typing import Final

from clickhouse_connect.driver.client import Client

_EVENTS: Final = """
INSERT INTO incidents (event_id, event, incident_id, incident_type, severity, target, name, kind,
    host, port, team, tags, criticality, first_failed_at, opened_at, closed_at, closed_because, at,
    acknowledged_by, log_partition, log_offset, appended_at)
WITH
    {day:UInt64} AS day,
    86400000 AS day_ms,
    number AS t,
    intDiv(t, 4) AS h,
    cityHash64('port', day, t) AS by_port,
    cityHash64('host', day, h) AS by_host,
    cityHash64('flaps', t) AS by_flap,
    arrayJoin(arrayFilter(one -> one.1, [
        (by_port % 40 = 0, bitShiftRight(by_port, 8) % day_ms,
            (2 + bitShiftRight(by_port, 40) % 117) * 60000, 'unreachable'),
        (by_host % 40 = 0, bitShiftRight(by_host, 8) % day_ms,
            (2 + bitShiftRight(by_host, 40) % 117) * 60000, 'unreachable'),
        (by_flap % 500 = 0 AND day % 7 = by_flap % 7,
            bitShiftRight(by_flap, 8) % (day_ms - 7200000), 7200000, 'flapping')
    ])) AS outage,
    day * day_ms + outage.2 AS begin,
    least(begin + outage.3, (day + 1) * day_ms) AS over,
    cityHash64('acknowledged', day, t) AS by_ack,
    begin + 1500 + by_ack % 1800000 AS acknowledged,
    arrayJoin(if(by_ack % 3 != 0 AND acknowledged < over,
        ['opened', 'updated', 'closed'], ['opened', 'closed'])) AS event_,
    multiIf(event_ = 'opened', begin + 1500, event_ = 'closed', over, acknowledged) AS at_,
    lower(hex(sipHash128(day, t, outage))) AS id
SELECT
    concat(id, '-', event_),
    event_,
    id,
    outage.4,
    'critical',
    concat('srv-', leftPad(toString(h), 5, '0'), '-', toString([22, 80, 443, 5432][t % 4 + 1])),
    concat('Server ', toString(h), ' port ', toString([22, 80, 443, 5432][t % 4 + 1])),
    'tcp',
    concat('srv-', leftPad(toString(h), 5, '0'), '.example.com'),
    [22, 80, 443, 5432][t % 4 + 1],
    ['database', 'web', 'platform', ''][h % 4 + 1],
    if(h % 2 = 1, ['prod'], ['test']),
    'normal',
    fromUnixTimestamp64Milli(toInt64(begin), 'UTC'),
    fromUnixTimestamp64Milli(toInt64(begin + 1500), 'UTC'),
    if(event_ = 'closed', fromUnixTimestamp64Milli(toInt64(over), 'UTC'), NULL),
    if(event_ = 'closed', 'recovered', ''),
    fromUnixTimestamp64Milli(toInt64(at_), 'UTC'),
    if(by_ack % 3 != 0 AND at_ >= acknowledged, 'alice', ''),
    h % 16,
    toUInt64(at_),
    fromUnixTimestamp64Milli(toInt64(at_), 'UTC')
FROM numbers({targets:UInt64})
"""

_MAINTENANCE: Final = """
INSERT INTO maintenance (key, removed, source, name, targets, start, duration_ms, rrule, begins,
    log_partition, log_offset, appended_at)
WITH {day:UInt64} * 86400000 AS since, {days:UInt64} AS days
SELECT 'bench/maintenance/patch night', 0, 'bench', 'patch night', ['tag:test'],
    fromUnixTimestamp64Milli(toInt64(since + 7200000), 'UTC'), 7200000, 'FREQ=WEEKLY',
    arrayMap(week -> fromUnixTimestamp64Milli(toInt64(since + 7200000 + week * 604800000), 'UTC'),
        range(toUInt64(intDiv(days, 7) + 1))),
    0, 0, fromUnixTimestamp64Milli(toInt64(since), 'UTC')
"""


def fill_incidents(client: Client, count: int, day: int) -> None:
    """Writes the events of a day (days since 1970, UTC) of a fleet of `count` targets."""
    client.command(_EVENTS, parameters={"targets": count, "day": day})


def fill_maintenance(client: Client, day: int, days: int) -> None:
    """Writes a window of two hours a week for all that is tagged `test`, from a day on."""
    client.command(_MAINTENANCE, parameters={"day": day, "days": days})
