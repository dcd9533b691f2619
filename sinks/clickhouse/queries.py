"""Common questions as small functions over the tables and views."""

from typing import Any, Final

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from foundation.clickhouse import internal_database

LOOK_BACK_H: Final = 62
"""Range of `target_status` in hours, until a result of the longest interval is stale."""


class Incident(Struct, frozen=True, gc=False, kw_only=True):
    """An incident in the version of its newest event.

    Times are UTC ms. Lengths: `detect_s` from the first failure to the opening, `open_s` from there
    to the closing, `duration_s` from the first failure to the end of the trouble, which need not be
    the closing (docs/analytics.md); until now for what goes on.
    """

    incident_id: str
    status: str
    incident_type: str
    severity: str
    target: str
    name: str
    kind: str
    host: str
    port: int | None
    team: str | None
    verdicts: dict[str, str]
    reasons: dict[str, str]
    first_failed_at: int
    opened_at: int
    closed_at: int | None
    closed_because: str | None
    detect_s: float
    open_s: float
    duration_s: float
    summary: str
    acknowledged_by: str | None
    acknowledged_note: str | None = None
    resolved_by: str | None = None
    resolved_note: str | None = None


class TargetStatus(Struct, frozen=True, gc=False, kw_only=True):
    """A region's status of a target, by the newest counted result (a missed check does not count).

    `status` is that of the result, or `stale`: the result is older than 2.5 intervals and the
    timeout; `blocked`: the region's policy forbids the address, so nothing is measured
    (`started_at` is that of the newest attempt); `pending`: no result yet. Times: UTC ms.
    """

    target: str
    kind: str
    host: str
    port: int | None
    region: str
    status: str
    reason: str | None
    detail: str
    connect_ms: float | None
    started_at: int | None


class BlindTarget(Struct, frozen=True, gc=False, kw_only=True):
    """A target that nobody can judge now; `since` (UTC ms): too few of its regions had results."""

    target: str
    name: str
    kind: str
    host: str
    port: int | None
    criticality: str
    since: int


_INCIDENT: Final = """
SELECT incident_id, status, incident_type, severity, target, name, kind, host,
       nullIf(port, 0), nullIf(toString(team), ''), verdicts, reasons,
       toUnixTimestamp64Milli(first_failed_at), toUnixTimestamp64Milli(opened_at),
       toUnixTimestamp64Milli(closed_at), nullIf(toString(closed_because), ''),
       detect_s, open_s, duration_s, summary, nullIf(acknowledged_by, ''),
       nullIf(acknowledged_note, ''), nullIf(resolved_by, ''), nullIf(resolved_note, '')
FROM incidents_current
"""

# Only results about what the target is now: its kind, host and port may have been others. The
# roll-up knows of results that are older than the look-back, to the hour, but not what they were
# about: it is asked for the hours since the target was defined.
_STATUS: Final = """
SELECT target, kind, host, nullIf(port, 0), region,
       multiIf(counted_ms > now_ms - limit_ms, counted.1,
               blocked_ms > counted_ms, 'blocked',
               counted_ms > 0 OR rolled_up_ms >= version_ms, 'stale',
               'pending') AS shown,
       multiIf(shown = 'blocked', 'address_blocked',
               shown IN ('up', 'down') AND counted.2 != '', toString(counted.2), NULL),
       multiIf(shown = 'blocked', blocked_detail, shown IN ('up', 'down'), counted.3, ''),
       if(shown IN ('up', 'down'), counted.4, NULL),
       multiIf(shown = 'pending', NULL, shown = 'blocked', blocked_ms,
               counted_ms > 0, counted_ms, rolled_up_ms)
FROM
(
    SELECT target, kind, host, port, region, toUnixTimestamp64Milli(version) AS version_ms,
           toUnixTimestamp64Milli(now64(3)) AS now_ms,
           toInt64(interval_ms * 2.5) + timeout_ms AS limit_ms
    FROM targets_current
    ARRAY JOIN regions AS region
    WHERE {target:String} = '' OR target = {target:String}
) AS defined
LEFT JOIN
(
    SELECT target, kind, host, port, region,
           argMaxIf((status, reason, detail, connect_ms), (started_at, attempt),
                    status != 'missed') AS counted,
           toUnixTimestamp64Milli(maxIf(started_at, status != 'missed')) AS counted_ms,
           argMaxIf(detail, started_at, reason = 'address_blocked') AS blocked_detail,
           toUnixTimestamp64Milli(maxIf(started_at, reason = 'address_blocked')) AS blocked_ms
    FROM results
    WHERE appended_at > now() - toIntervalHour({hours:UInt16})
      AND ({target:String} = '' OR target = {target:String})
    GROUP BY target, kind, host, port, region
) AS measured USING (target, kind, host, port, region)
LEFT JOIN
(
    SELECT target, region, toInt64(toUnixTimestamp(max(hour))) * 1000 AS rolled_up_ms
    FROM {internal}.results_hourly
    WHERE checks > 0 AND hour < now() - toIntervalHour({hours:UInt16})
      AND ({target:String} = '' OR target = {target:String})
    GROUP BY target, region
) AS rolled_up USING (target, region)
ORDER BY target, region
"""

_BLIND: Final = """
SELECT target, name, kind, host, nullIf(port, 0), criticality, toUnixTimestamp64Milli(since)
FROM status_now
WHERE status = 'unwatched' AND ({target:String} = '' OR target = {target:String})
ORDER BY indexOf(['critical', 'important', 'normal'], toString(criticality)), target
"""


def open_incidents(client: Client) -> list[Incident]:
    """The incidents that are open, the newest first. `client` is from `foundation.clickhouse`."""
    return _incidents(client, _INCIDENT + "WHERE status = 'open' ORDER BY opened_at DESC", {})


def recent_incidents(client: Client, limit: int = 20) -> list[Incident]:
    """The incidents that changed last, open or closed, the newest first."""
    sql = _INCIDENT + "ORDER BY changed_at DESC LIMIT {limit:UInt32}"
    return _incidents(client, sql, {"limit": limit})


def target_status(client: Client, target: str | None = None) -> list[TargetStatus]:
    """Each region's status of each existing target, or of a single one, in their order."""
    sql = _STATUS.replace("{internal}", f"`{internal_database(str(client.database))}`")
    rows = client.query(sql, parameters={"hours": LOOK_BACK_H, "target": target or ""}).result_rows
    names = TargetStatus.__struct_fields__
    return [TargetStatus(**dict(zip(names, row, strict=True))) for row in rows]


def blind_targets(client: Client, target: str | None = None) -> list[BlindTarget]:
    """The targets that nobody can judge now, or a single one; the most critical first."""
    rows = client.query(_BLIND, parameters={"target": target or ""}).result_rows
    names = BlindTarget.__struct_fields__
    return [BlindTarget(**dict(zip(names, row, strict=True))) for row in rows]


def _incidents(client: Client, sql: str, parameters: dict[str, Any]) -> list[Incident]:
    rows = client.query(sql, parameters=parameters).result_rows
    names = Incident.__struct_fields__
    return [Incident(**dict(zip(names, row, strict=True))) for row in rows]
