"""What people ask first, as small functions over the tables and views."""

from typing import Any, Final

from clickhouse_connect.driver.client import Client
from msgspec import Struct

LOOK_BACK_H: Final = 49
"""`target_status` looks this far back: twice the longest interval, and a little."""


class Incident(Struct, frozen=True, gc=False, kw_only=True):
    """An incident as its newest event has it.

    Times are UTC ms; the `duration_s` of an open one ends now.
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
    time_to_detect_s: float
    duration_s: float
    summary: str
    acknowledged_by: str | None


class TargetStatus(Struct, frozen=True, gc=False, kw_only=True):
    """The newest measurement of a target in a region (a missed check is none). Times: UTC ms."""

    target: str
    kind: str
    host: str
    port: int | None
    region: str
    status: str
    reason: str | None
    detail: str
    connect_ms: float | None
    started_at: int


_INCIDENT: Final = """
SELECT incident_id, status, incident_type, severity, target, name, kind, host,
       nullIf(port, 0), nullIf(toString(team), ''), verdicts, reasons,
       toUnixTimestamp64Milli(first_failed_at), toUnixTimestamp64Milli(opened_at),
       toUnixTimestamp64Milli(closed_at), nullIf(toString(closed_because), ''),
       time_to_detect_s, duration_s, summary, nullIf(acknowledged_by, '')
FROM incidents_current
"""

_STATUS: Final = """
SELECT target, kind, host, nullIf(port, 0), region, status, nullIf(toString(reason), ''), detail,
       connect_ms, toUnixTimestamp64Milli(started_at)
FROM results
WHERE status != 'missed' AND appended_at > now() - toIntervalHour({hours:UInt16})
  AND ({target:String} = '' OR target = {target:String})
ORDER BY started_at DESC, attempt DESC
LIMIT 1 BY target, region
"""


def open_incidents(client: Client) -> list[Incident]:
    """The incidents that are open, the newest first. `client` is of `portquorum.clickhouse`."""
    return _incidents(client, _INCIDENT + "WHERE status = 'open' ORDER BY opened_at DESC", {})


def recent_incidents(client: Client, limit: int = 20) -> list[Incident]:
    """The incidents that changed last, open or closed, the newest first."""
    sql = _INCIDENT + "ORDER BY changed_at DESC LIMIT {limit:UInt32}"
    return _incidents(client, sql, {"limit": limit})


def target_status(client: Client, target: str | None = None) -> list[TargetStatus]:
    """The newest result by target and region, of one target or of all, in their order."""
    rows = client.query(
        f"SELECT * FROM ({_STATUS}) ORDER BY target, region",  # noqa: S608 - our own text
        parameters={"hours": LOOK_BACK_H, "target": target or ""},
    ).result_rows
    names = TargetStatus.__struct_fields__
    return [TargetStatus(**dict(zip(names, row, strict=True))) for row in rows]


def _incidents(client: Client, sql: str, parameters: dict[str, Any]) -> list[Incident]:
    rows = client.query(sql, parameters=parameters).result_rows
    names = Incident.__struct_fields__
    return [Incident(**dict(zip(names, row, strict=True))) for row in rows]
