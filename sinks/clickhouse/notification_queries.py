"""Who was told of incidents, by the send log."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from sinks.clickhouse.queries import Incident, IncidentNotification

MOST_NAMED: Final = 200
"""Incidents that a query names by their ids; for more it reads all since the first of them."""

_NEWEST: Final = """
SELECT incident_id, event, channel, status, attempt, at, event_at, error, why, action
FROM
(
    SELECT incident_id, event_id, toString(event) AS event, toString(channel) AS channel,
           toString(status) AS status, attempt, toUnixTimestamp64Milli(at) AS at,
           toUnixTimestamp64Milli(event_at) AS event_at, nullIf(error, '') AS error,
           nullIf(why, '') AS why, nullIf(toString(action), '') AS action
    FROM notifications
    WHERE notifications.event_at >= fromUnixTimestamp64Milli({since:Int64})
        AND ({all:UInt8} OR has({ids:Array(String)}, incident_id))
    ORDER BY log_partition DESC, log_offset DESC
    LIMIT 1 BY event_id, channel
)
ORDER BY event_at, at, channel
"""


def with_notifications(client: Client, incidents: Sequence[Incident]) -> list[Incident]:
    """The incidents, with the newest entry of the send log for each of their events and channels.

    `client` is from `foundation.clickhouse`.
    """
    if not incidents:
        return []
    by_incident = _by_incident(
        client,
        since=min(one.first_failed_at for one in incidents),
        ids=[one.incident_id for one in incidents],
    )
    return [replace(one, notifications=by_incident[one.incident_id]) for one in incidents]


def _by_incident(
    client: Client, since: int, ids: Iterable[str]
) -> defaultdict[str, tuple[IncidentNotification, ...]]:
    named = list(ids)
    parameters = {
        "since": since,
        "all": int(len(named) > MOST_NAMED),
        "ids": named if len(named) <= MOST_NAMED else [],
    }
    found: defaultdict[str, tuple[IncidentNotification, ...]] = defaultdict(tuple)
    names = IncidentNotification.__struct_fields__
    for incident_id, *row in client.query(_NEWEST, parameters=parameters).result_rows:
        one = IncidentNotification(**dict(zip(names, row, strict=True)))
        found[incident_id] += (one,)
    return found
