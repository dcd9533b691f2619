"""Common questions as small functions over the tables and views."""

from typing import Any, Final

from clickhouse_connect.driver.client import Client
from msgspec import Struct


class IncidentNotification(Struct, frozen=True, gc=False, kw_only=True):
    """The newest entry of the send log for an event of an incident and a channel.

    See `schemas.notification.Notification`. `channel` is empty if none was chosen. Times are UTC
    ms.
    """

    event: str
    channel: str
    status: str
    attempt: int
    at: int
    event_at: int
    error: str | None
    why: str | None
    action: str | None


class Incident(Struct, frozen=True, gc=False, kw_only=True):
    """An incident in the version of its newest event.

    Times are UTC ms. Lengths: `detect_s` from the first failure to the opening, `open_s` from there
    to the closing, `duration_s` from the first failure to the end of the trouble, which need not be
    the closing (docs/analytics.md); until now for what goes on. `expect` is `closed` of a port that
    must not be reachable. `notifications` is filled by
    `notification_queries.with_notifications` alone.
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
    expect: str = "open"
    notifications: tuple[IncidentNotification, ...] = ()


_COLUMNS: Final = tuple(name for name in Incident.__struct_fields__ if name != "notifications")

_INCIDENT: Final = """
SELECT incident_id, status, incident_type, severity, target, name, kind, host,
       nullIf(port, 0), nullIf(toString(team), ''), verdicts, reasons,
       toUnixTimestamp64Milli(first_failed_at), toUnixTimestamp64Milli(opened_at),
       toUnixTimestamp64Milli(closed_at), nullIf(toString(closed_because), ''),
       detect_s, open_s, duration_s, summary, nullIf(acknowledged_by, ''),
       nullIf(acknowledged_note, ''), nullIf(resolved_by, ''), nullIf(resolved_note, ''),
       toString(expect)
FROM incidents_current
"""


def open_incidents(client: Client) -> list[Incident]:
    """The incidents that are open, the newest first. `client` is from `foundation.clickhouse`."""
    return _incidents(client, _INCIDENT + "WHERE status = 'open' ORDER BY opened_at DESC", {})


def recent_incidents(client: Client, limit: int = 20) -> list[Incident]:
    """The incidents that changed last, open or closed, the newest first."""
    sql = _INCIDENT + "ORDER BY changed_at DESC LIMIT {limit:UInt32}"
    return _incidents(client, sql, {"limit": limit})


def incidents_by(client: Client, clauses: str, parameters: dict[str, Any]) -> list[Incident]:
    """Incidents by the clauses (WHERE, ORDER BY) of a query on `incidents_current`."""
    return _incidents(client, _INCIDENT + clauses, parameters)


def _incidents(client: Client, sql: str, parameters: dict[str, Any]) -> list[Incident]:
    rows = client.query(sql, parameters=parameters).result_rows
    return [Incident(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]
