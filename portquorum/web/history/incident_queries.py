"""Incidents, open and closed: lists of them, and one from its first failure on."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from clickhouse_connect.driver.client import Client

from portquorum.delivery.names import short_names
from portquorum.web.history.answers import (
    IncidentHistory,
    IncidentPage,
    IncidentRow,
    Told,
)
from portquorum.web.history.asking import cursor_of, in_parts, place_of, rows
from portquorum.web.history.incident_ends import ended, view_knows
from portquorum.web.history.questions import IncidentQuery
from portquorum.web.history.timeline import events_of, regions_of
from schemas.incident import IncidentEvent, decode

MOST_EVENTS: Final = 500
"""Events of an incident that are read, the newest."""

MOST_BYTES: Final = 16 << 20
"""Bytes of these events, as they were published."""

MOST_TOLD: Final = 2_000
"""Entries of the send log of an incident that are read, the newest."""

# A name, a team or a tag may change while an incident is open: any event may match.
_FOUND: Final = """
SELECT incident_id, found_target, opened_ms, total
FROM
(
    SELECT incident_id, toString(any(e.target)) AS found_target,
           toUnixTimestamp64Milli(min(e.opened_at)) AS opened_ms, count() OVER () AS total
    FROM incidents AS e
    WHERE {where}
    GROUP BY incident_id
    HAVING {having}
)
WHERE (opened_ms, incident_id) < ({before_ms:Int64}, {before_id:String})
ORDER BY opened_ms DESC, incident_id DESC
LIMIT {limit:UInt32}
"""

_CLOSED: Final = """
SELECT incident_id, toString(target)
FROM incidents
WHERE closed_at >= fromUnixTimestamp64Milli({since:Int64})
ORDER BY closed_at DESC, incident_id
LIMIT 1 BY incident_id
LIMIT {limit:UInt32}
"""

_ROWS: Final = """
SELECT incident_id, toString(any(e.incident_type)), toString(any(e.severity)),
       toString(any(e.target)), argMax(e.name, place), toString(argMax(e.kind, place)),
       nullIf(argMax(e.host, place), ''), nullIf(argMax(e.port, place), 0),
       nullIf(toString(argMax(e.team, place)), ''), toString(argMax(e.criticality, place)),
       toUnixTimestamp64Milli(min(e.first_failed_at)), toUnixTimestamp64Milli(min(e.opened_at)),
       toUnixTimestamp64Milli(max(e.closed_at)), nullIf(toString(max(e.closed_because)), ''),
       leftUTF8(argMax(e.summary, place), 2000), nullIf(argMax(e.acknowledged_by, place), ''),
       nullIf(max(e.resolved_by), ''), toString(argMax(e.expect, place))
FROM (SELECT *, (at, log_offset) AS place FROM incidents) AS e
WHERE target IN {targets:Array(String)} AND incident_id IN {ids:Array(String)}
GROUP BY incident_id
"""
_NAMES: Final = tuple(
    name for name in IncidentRow.__struct_fields__ if name not in {"ended_at", "duration_s"}
)

# Events may be a megabyte each: the newest that fit.
_EVENTS: Final = """
SELECT raw
FROM
(
    SELECT raw, sum(length(raw)) OVER (ORDER BY at DESC, log_offset DESC) AS bytes, at, log_offset
    FROM
    (
        SELECT raw, at, log_offset
        FROM incidents
        WHERE target IN (SELECT target FROM incidents WHERE incident_id = {id:String} LIMIT 1)
          AND incident_id = {id:String}
        ORDER BY at DESC, log_offset DESC
        LIMIT 1 BY event_id
        LIMIT {most:UInt32}
    )
)
WHERE bytes <= {most_bytes:UInt64}
ORDER BY at DESC, log_offset DESC
"""

_TOLD: Final = """
SELECT toString(event), toUnixTimestamp64Milli(event_at), toString(channel), toString(status),
       nullIf(toString(action), ''), attempt, toUnixTimestamp64Milli(at),
       leftUTF8(subject, 2000), nullIf(leftUTF8(error, 2000), ''), nullIf(leftUTF8(why, 2000), '')
FROM notifications
WHERE event_at >= fromUnixTimestamp64Milli({since:Int64}) AND incident_id = {id:String}
ORDER BY log_partition DESC, log_offset DESC
LIMIT 1 BY event_id, channel
LIMIT {most:UInt32}
"""


class IncidentPlace(msgspec.Struct, frozen=True):
    """Where a page of incidents ends."""

    opened_ms: int
    incident_id: str


_FIRST: Final = IncidentPlace(2**62, "")


def find(
    client: Client, asked: IncidentQuery, cursor: str | None, limit: int, now: int
) -> IncidentPage:
    """A page of incidents, the newest opening first. `now` is UTC ms.

    Raises:
        UnknownCursorError: not a cursor of `next`.
    """
    before = _FIRST if cursor is None else place_of(cursor, IncidentPlace)
    found = rows(
        client,
        _FOUND.replace("{where}", _where(asked)).replace("{having}", _having(asked)),
        before_ms=before.opened_ms,
        before_id=before.incident_id,
        limit=limit + 1,
        **_parameters(asked),
    )
    shown = found[:limit]
    end = None
    if len(found) > limit:
        end = cursor_of(IncidentPlace(shown[-1][2], shown[-1][0]))
    return IncidentPage(rows=_rows(client, shown, now), total=found[0][3] if found else 0, next=end)


def closed_since(client: Client, since: int, limit: int) -> tuple[IncidentRow, ...]:
    """Incidents that were closed at `since` (UTC ms) or later, the newest closing first."""
    found = rows(client, _CLOSED, since=since, limit=limit)
    return _rows(client, found, now=0)


def incident(client: Client, incident_id: str, now: int) -> IncidentHistory | None:
    """An incident from its first failure on, without who was told; None if there is none."""
    found = rows(client, _EVENTS, id=incident_id, most=MOST_EVENTS, most_bytes=MOST_BYTES)
    events = [event for (raw,) in reversed(found) if (event := _decoded(raw)) is not None]
    if not events:
        return None
    newest = events[-1]
    facts = {
        "incident_id": incident_id,
        "incident_type": newest.incident_type,
        "closed_because": newest.closed_because,
        "began_at": min(one.first_failed_at for one in events),
        "closed_at": newest.closed_at,
    }
    span = ended(facts, view_knows(client, [facts], now))
    return IncidentHistory(
        newest=newest,
        began_at=span["began_at"],
        ended_at=span["ended_at"],
        duration_s=span["duration_s"],
        events=events_of(events),
        regions=regions_of(events),
        told=None,
    )


def told(client: Client, incident_id: str, since: int) -> tuple[Told, ...]:
    """Who was told of an incident that began at `since` (UTC ms), the oldest event first."""
    found = rows(client, _TOLD, id=incident_id, since=since, most=MOST_TOLD)
    short = short_names({row[2] for row in found if row[2]})
    names = [name for name in Told.__struct_fields__ if name != "name"]
    entries = (
        Told(**dict(zip(names, row, strict=True)), name=short.get(row[2], "")) for row in found
    )
    return tuple(sorted(entries, key=lambda one: (one.event_at, one.at, one.channel)))


def _where(asked: IncidentQuery) -> str:
    conditions = (
        (asked.targets, "e.target IN {targets:Array(String)}"),
        (asked.types, "e.incident_type IN {types:Array(String)}"),
        (asked.severities, "e.severity IN {severities:Array(String)}"),
    )
    return " AND ".join(["1", *(sql for used, sql in conditions if used)])


def _having(asked: IncidentQuery) -> str:
    is_open = "countIf(e.closed_at IS NOT NULL) = 0"
    conditions = (
        (asked.status == "open", is_open),
        (asked.status == "closed", f"NOT {is_open}"),
        (asked.q, _TEXT),
        (asked.teams, "max(has({teams:Array(String)}, toString(e.team)))"),
        (asked.tags, "max(hasAny({tags:Array(String)}, arrayMap(x -> toString(x), e.tags)))"),
        (
            asked.since is not None,
            f"({is_open} OR toUnixTimestamp64Milli(max(e.closed_at)) >= {{since:Int64}})",
        ),
        (
            asked.until is not None,
            "toUnixTimestamp64Milli(min(e.first_failed_at)) < {until:Int64}",
        ),
    )
    return " AND ".join(["1", *(sql for used, sql in conditions if used)])


_TEXT: Final = """
max(positionCaseInsensitiveUTF8(e.target, {q:String}) > 0
    OR positionCaseInsensitiveUTF8(e.name, {q:String}) > 0
    OR positionCaseInsensitiveUTF8(e.host, {q:String}) > 0
    OR positionCaseInsensitiveUTF8(e.summary, {q:String}) > 0)
"""


def _parameters(asked: IncidentQuery) -> dict[str, Any]:
    return {
        "q": asked.q,
        "targets": list(asked.targets),
        "teams": list(asked.teams),
        "tags": list(asked.tags),
        "types": list(asked.types),
        "severities": list(asked.severities),
        "since": asked.since or 0,
        "until": asked.until or 0,
    }


def _rows(client: Client, found: Sequence[Sequence[Any]], now: int) -> tuple[IncidentRow, ...]:
    """The incidents of these ids and targets (the first two columns), in their order."""
    ids = [row[0] for row in found]
    if not ids:
        return ()
    target_of = {row[0]: row[1] for row in found}
    values = []
    for part in in_parts(ids):
        targets = sorted({target_of[one] for one in part})
        told = rows(client, _ROWS, ids=list(part), targets=targets)
        values += [dict(zip(_NAMES, row, strict=True)) for row in told]
    known = view_knows(client, values, now)
    by_id = {one["incident_id"]: IncidentRow(**ended(one, known)) for one in values}
    return tuple(by_id[one] for one in ids if one in by_id)


def _decoded(raw: str) -> IncidentEvent | None:
    """The event; None if it can't be read: a message of a version to come."""
    try:
        event = decode(raw.encode())
    except msgspec.DecodeError:
        return None
    return event if isinstance(event, IncidentEvent) else None
