"""Which jobs with a schedule are late: ClickHouse reads no schedule, so it is reckoned here."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec
from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from foundation.clickhouse import internal_database
from portquorum.inventory.heartbeats import next_due
from portquorum.web.fleet import StatusGroup
from schemas.probe import HeartbeatProbe
from schemas.target import decode

# A job without a report is pending: the newest one decides.
_SCHEDULED: Final = """
SELECT t.target, t.raw, toUnixTimestamp64Milli(n.at), toUnixTimestamp64Milli(now64(3))
FROM (SELECT target, raw FROM targets_current WHERE job_schedule != '') AS t
INNER JOIN
(
    SELECT target, max(reported_at) AS at
    FROM {internal}.newest_signals
    WHERE signal IN ('success', 'fail')
    GROUP BY target
) AS n ON n.target = t.target
"""


def late_jobs(client: Client) -> dict[str, int]:
    """Jobs with a schedule whose report was due, and when, UTC ms.

    Raises:
        one of `sinks.clickhouse.errors.FAILURES`: not reachable, refused, or too slow.
    """
    sql = _SCHEDULED.replace("{internal}", f"`{internal_database(str(client.database))}`")
    found = ((row[0], _due(row[1], row[2]), row[3]) for row in client.query(sql).result_rows)
    return {target: due for target, due, now in found if due is not None and due < now}


def with_late(groups: Iterable[StatusGroup], late: Mapping[str, int]) -> Iterator[StatusGroup]:
    """The groups, with each late job that was up in one of its own."""
    for group in groups:
        found = [one for one in group.targets if one in late] if group.status == "up" else []
        for target in found:
            yield replace(group, status="late", since=late[target], targets=[target])
        if not found:
            yield group
        elif len(found) < len(group.targets):
            yield replace(group, targets=[one for one in group.targets if one not in late])


def _due(raw: str, reported_at: int) -> int | None:
    try:
        probe = decode(raw.encode()).probe
        return next_due(probe, reported_at) if isinstance(probe, HeartbeatProbe) else None
    except (msgspec.DecodeError, ValueError):
        return None  # a later version wrote it, or a schedule that this one can't read
