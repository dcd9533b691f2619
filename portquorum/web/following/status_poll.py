"""Asks `status_now` again and again, in one query; ClickHouse may be away at any time."""

from collections.abc import Callable
from typing import Final

import msgspec
from clickhouse_connect.driver.client import Client

from foundation import clickhouse
from foundation.settings import Settings
from portquorum.web.fleet import StatusGroup
from portquorum.web.following.late_jobs import late_jobs, with_late
from schemas.incident import RegionEvent
from sinks.clickhouse.fleet_queries import RegionTrouble, region_trouble
from sinks.clickhouse.threads import in_thread

EVERY_S: Final = 15.0
SHARE: Final = 10
"""At most a tenth of the time the query runs: of a large fleet it is asked less often."""

LONGEST_S: Final = 45.0
"""But so often, or its answers would be too old to be believed."""

LIMIT_S: Final = 20
"""Longest time of the query."""

CONNECT_S: Final = 5

# Targets of which the same is said are one row: names and words of the regions are few texts.
QUERY: Final = """
SELECT
    status,
    toUnixTimestamp64Milli(since),
    is_resolved,
    arrayStringConcat(mapKeys(regions), '\n') AS names,
    arrayStringConcat(mapValues(regions), '\n') AS words,
    toUnixTimestamp64Milli(max(newest_result_at)),
    groupArray(target)
FROM status_now
GROUP BY status, since, is_resolved, names, words
"""


def pause_s(took_s: float, every_s: float = EVERY_S) -> float:
    """The wait before the next question, after one that took `took_s`."""
    return max(every_s, min(took_s * SHARE, LONGEST_S))


class StatusPoll:
    """Asks with one client; a new one after a failure."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Client | None = None

    async def ask(self) -> list[StatusGroup]:
        """A whole answer.

        Raises:
            one of `sinks.clickhouse.errors.FAILURES`: not reachable, refused, or too slow.
        """
        return await in_thread(self._ask)

    async def region_trouble(self) -> list[RegionEvent]:
        """The last event of each region that tells of trouble which is not known to be over.

        Raises:
            one of `sinks.clickhouse.errors.FAILURES`: as `ask`.
        """
        return await in_thread(self._region_trouble)

    def close(self) -> None:
        """Closes the client."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connected(self) -> Client:
        if self._client is None:
            self._client = _connected(self._settings)
        return self._client

    def _region_trouble(self) -> list[RegionEvent]:
        try:
            found = region_trouble(self._connected())
        except BaseException:
            self.close()
            raise
        return [event for one in found if (event := _event(one)) is not None]

    def _ask(self) -> list[StatusGroup]:
        try:
            client = self._connected()
            rows = client.query(QUERY, settings={"max_execution_time": LIMIT_S}).result_rows
            late = late_jobs(client)
        except BaseException:
            self.close()
            raise
        groups = [
            StatusGroup(
                status=str(status),
                targets=targets,
                since=since,
                is_resolved=bool(is_resolved),
                regions=tuple(zip(names.split("\n"), words.split("\n"), strict=False)),
                newest_result_at=newest,
            )
            for status, since, is_resolved, names, words, newest, targets in rows
        ]
        return list(with_late(groups, late))


def _connected(settings: Settings) -> Client:
    make: Callable[..., Client] = clickhouse.connect
    return make(
        settings,
        connect_timeout=CONNECT_S,
        send_receive_timeout=LIMIT_S + CONNECT_S,
        query_retries=0,
    )


def _event(found: RegionTrouble) -> RegionEvent | None:
    """The event as the topic had it; None if it is none (a later version wrote it)."""
    fields = {
        "event_id": f"stored/{found.region}/{found.event}/{found.at}",
        "event": found.event,
        "region": found.region,
        "at": found.at,
        "summary": found.summary,
        "last_beat_at": found.last_beat_at,
    }
    try:
        return msgspec.convert(fields, RegionEvent)
    except msgspec.ValidationError:
        return None
