"""Incidents by what somebody asks for: which of them, how many, the worst or the newest first."""

from typing import Any, Final

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from sinks.clickhouse.queries import Incident, incidents_by

MOST: Final = 2**31 - 1
"""A limit that limits nothing."""


class IncidentFilter(Struct, frozen=True, kw_only=True):
    """Which incidents a question is about; empty: all of them.

    `text` is the id of a target, or else a part of a target's id, name or host, in any case. Names
    in one tuple are alternatives. `since` (UTC ms): any part of the incident is at or after it.
    """

    only_open: bool = False
    since: int = 0
    text: str = ""
    teams: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def where(self) -> str:
        """The condition; names only columns that it needs, which are all that is then read."""
        conditions = (
            (self.only_open, "status = 'open'"),
            (self.since, _SINCE),
            (self.text, _TEXT),
            (self.teams, "has({teams:Array(String)}, toString(team))"),
            (self.types, "has({types:Array(String)}, toString(incident_type))"),
            (self.regions, "hasAny({regions:Array(String)}, mapKeys(verdicts))"),
            (self.tags, "hasAny({tags:Array(String)}, arrayMap(one -> toString(one), tags))"),
        )
        return " WHERE " + " AND ".join(["1", *(sql for used, sql in conditions if used)])

    def parameters(self) -> dict[str, Any]:
        """Parameters of the queries."""
        return {
            "since": self.since,
            "text": self.text,
            "teams": list(self.teams),
            "types": list(self.types),
            "regions": list(self.regions),
            "tags": list(self.tags),
        }


class IncidentsFound(Struct, frozen=True, kw_only=True):
    """Incidents, and how many there are: of all that were asked for, `open` are open."""

    shown: list[Incident]
    total: int
    open: int


_TEXT: Final = """
(target = {text:String} OR ({text:String} NOT IN (SELECT target FROM targets_known)
    AND (positionCaseInsensitiveUTF8(target, {text:String}) > 0
        OR positionCaseInsensitiveUTF8(name, {text:String}) > 0
        OR positionCaseInsensitiveUTF8(host, {text:String}) > 0)))
"""
_SINCE: Final = (
    "(closed_at IS NULL OR toUnixTimestamp64Milli(assumeNotNull(closed_at)) >= {since:Int64})"
)

_COUNT: Final = "SELECT count(), countIf(status = 'open') FROM incidents_current"

_NEWEST: Final = " ORDER BY changed_at DESC, incident_id"

# An incident that somebody takes care of is less urgent than any that nobody does.
_WORST: Final = """
ORDER BY acknowledged_by != '', indexOf(['critical', 'warning', 'info'], toString(severity)),
         indexOf(['critical', 'important', 'normal'], toString(criticality)),
         opened_at DESC, incident_id
"""


def find_incidents(
    client: Client, wanted: IncidentFilter, limit: int, *, worst_first: bool = False
) -> IncidentsFound:
    """The wanted incidents, at most `limit` (0: all), and how many there are.

    The newest change first; or `worst_first`: by acknowledgement, severity and criticality.
    `client` is from `foundation.clickhouse`.
    """
    asked = wanted.parameters()
    ((total, are_open),) = client.query(_COUNT + wanted.where(), parameters=asked).result_rows
    order = _WORST if worst_first else _NEWEST
    # First the ids, by few columns; then the columns of these only.
    ids = (
        f"SELECT incident_id FROM incidents_current {wanted.where()} {order} LIMIT {{limit:UInt32}}"  # noqa: S608
    )
    shown = incidents_by(
        client,
        f"WHERE incident_id IN ({ids}) {order}",
        asked | {"limit": limit or MOST},
    )
    return IncidentsFound(shown=shown, total=total, open=are_open)


def incident_teams(client: Client) -> list[str]:
    """The teams that ever had a target or an incident, sorted."""
    sql = """
    SELECT DISTINCT toString(team) FROM targets UNION DISTINCT
    SELECT DISTINCT toString(team) FROM incidents
    """
    return sorted(str(row[0]) for row in client.query(sql).result_rows if row[0])


def was_target(client: Client, text: str) -> bool:
    """True if `text` is the id of a target that there ever was, or a part of its names."""
    sql = """
    SELECT count() FROM targets_known WHERE positionCaseInsensitiveUTF8(target, {text:String}) > 0
        OR positionCaseInsensitiveUTF8(name, {text:String}) > 0
        OR positionCaseInsensitiveUTF8(host, {text:String}) > 0
    """
    return bool(client.query(sql, parameters={"text": text}).result_rows[0][0])
