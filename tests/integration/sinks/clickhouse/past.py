"""A past written by hand, row by row, into the tables that the sink fills."""

import time
from collections.abc import Iterable
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from foundation.clickhouse import database
from foundation.settings import Settings
from sinks.clickhouse import tables
from sinks.clickhouse.refresh_views import reckon
from sinks.clickhouse.tables import Table, from_tuples
from sinks.clickhouse.writer import INSERT_SETTINGS

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
TODAY: Final = int(time.time() * 1000) // DAY * DAY
"""The last midnight (UTC ms)."""

_EMPTY: Final[dict[str, Any]] = {"String": "", "LowCardinality(String)": ""}


class Past:
    """Writes rows; what is not given is empty, and every row has a place of its own in the log."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self.client = client
        self.settings = settings
        self._offset = 0

    def insert(self, table: Table, rows: Iterable[dict[str, Any]], token: str = "") -> None:
        empty = {name: _empty(kind) for name, kind in table.columns}
        made = [tuple((empty | row).values()) for row in rows]
        self.client.insert(
            table.name,
            from_tuples(table, made).columns,
            column_names=list(table.names),
            column_oriented=True,
            database=database(self.settings),
            settings=INSERT_SETTINGS | ({"insert_deduplication_token": token} if token else {}),
        )

    def reckon(self) -> None:
        """Lets the background's work be done."""
        reckon(self.client)

    def log(self, at: int) -> dict[str, int]:
        self._offset += 1
        return {"log_partition": 0, "log_offset": self._offset, "appended_at": at}

    def result(self, target: str, region: str, at: int, **fields: Any) -> dict[str, Any]:
        base = {
            "target": target,
            "kind": "tcp",
            "host": f"{target}.example.com",
            "port": 443,
            "region": region,
            "prober": f"{region}-1",
            "scheduled_at": at,
            "started_at": at,
            "status": "up",
            "cause": "schedule",
            "connect_us": 10_000,
            "total_us": 11_000,
            **self.log(at),
        }
        return base | fields

    def target(self, target: str, at: int, **fields: Any) -> dict[str, Any]:
        base = {
            "target": target,
            "version": at,
            "name": target.upper(),
            "kind": "tcp",
            "host": f"{target}.example.com",
            "port": 443,
            "regions": ["eu", "us"],
            "interval_ms": MINUTE,
            "enabled": True,
            **self.log(at),
        }
        return base | fields

    def pause(self, target: str, at: int, **fields: Any) -> dict[str, Any]:
        base = {
            "target": target,
            "paused_at": at,
            "paused_until": None,
            "paused_by": "ann",
            "reason": "disk is replaced",
            **self.log(at),
        }
        return base | fields

    def incident(
        self,
        incident_id: str,
        target: str,
        begin: int,
        end: int | None,
        *,
        acknowledged: int | None = None,
        **fields: Any,
    ) -> list[dict[str, Any]]:
        """Its events: it opens 2 s after the first failure."""
        moments = [("opened", begin + 2_000)]
        moments += [("updated", acknowledged)] if acknowledged is not None else []
        moments += [("closed", end)] if end is not None else []
        return [
            {
                "event_id": f"{incident_id}-{event}",
                "event": event,
                "incident_id": incident_id,
                "incident_type": "unreachable",
                "target": target,
                "team": "db",
                "first_failed_at": begin,
                "opened_at": begin + 2_000,
                "closed_at": end if event == "closed" else None,
                "closed_because": "recovered" if event == "closed" else "",
                "at": at,
                "acknowledged_by": "ann" if acknowledged is not None and event != "opened" else "",
                **self.log(at),
                **fields,
            }
            for event, at in moments
        ]

    def window(self, name: str, selectors: list[str], begin: int, length: int) -> dict[str, Any]:
        """A maintenance window that was applied a day before it begins."""
        return {
            "key": f"inventory/maintenance/{name}",
            "source": "inventory",
            "name": name,
            "targets": selectors,
            "start": begin,
            "duration_ms": length,
            "begins": [begin],
            **self.log(begin - DAY),
        }


def write(past: Past) -> None:
    """The past that `test_views.py` computes with; day 0 is three days ago.

    `a` (team db, SLO 99, 1,200 an hour) is watched from midnight of day 0 on and checked in every
    hour of days 0 and 1 but from 5 to 7 of day 0. `b` (team web) is checked once a day and was in
    the inventory from noon of day 0 to noon of day 1.
    """
    zero = TODAY - 3 * DAY
    noon = zero + 12 * HOUR
    past.insert(
        tables.TARGETS,
        [
            past.target("a", zero, team="db", tags=["prod"], slo=99.0, downtime_cost_per_hour=1200),
            past.target("b", noon, team="web", interval_ms=DAY),
            past.target("b", noon + DAY, removed=1),
        ],
    )
    past.insert(
        tables.MAINTENANCE,
        [
            past.window("patch", ["tag:prod"], zero + 10 * HOUR + 15 * MINUTE, 30 * MINUTE),
            past.window("move", ["a"], zero + 5 * HOUR + 40 * MINUTE, 30 * MINUTE),
            past.window("other", ["tag:test", "c"], zero, DAY),
        ],
    )
    checks = [
        past.result("a", region, zero + day * DAY + hour * HOUR + 5 * MINUTE)
        for region in ("eu", "us")
        for day in (0, 1)
        for hour in range(24)
        if (day, hour) not in {(0, 5), (0, 6)}
    ]
    failed = {"status": "down", "connect_us": None}
    checks += [
        past.result("a", "eu", zero + 10 * HOUR + MINUTE, reason="connection_refused", **failed),
        past.result("a", "eu", zero + 10 * HOUR + 2 * MINUTE, reason="timed_out", **failed),
        past.result("a", "us", zero + 10 * HOUR + 3 * MINUTE, reason="timed_out", **failed),
        past.result("a", "us", zero + 10 * HOUR + 4 * MINUTE, status="missed", connect_us=None),
        past.result("b", "eu", zero + 13 * HOUR, connect_us=None, total_us=40_000),
    ]
    past.insert(tables.RESULTS, checks)
    hour = HOUR
    flapping = {"incident_type": "flapping"}
    past.insert(
        tables.INCIDENTS,
        [
            *past.incident("i1", "a", zero + 5 * hour + 30 * MINUTE, zero + 5 * hour + 45 * MINUTE),
            *past.incident(
                "i2",
                "a",
                zero + 10 * hour,
                zero + 10 * hour + 30 * MINUTE,
                acknowledged=zero + 10 * hour + 5 * MINUTE + 2_000,
            ),
            *past.incident("i3", "a", noon, noon + 90 * MINUTE, **flapping),
            *past.incident("i4", "a", noon + 50 * MINUTE, noon + 70 * MINUTE),
            *past.incident("i5", "a", zero + DAY - 15 * MINUTE, zero + DAY + 15 * MINUTE),
            *past.incident("s1", "a", zero, None, incident_type="slow"),
            *past.incident(
                "i6",
                "slowly",
                noon,
                noon + 4 * hour,
                team="slow",
                summary="slowly has been steadily reachable for two hours after 4 h.",
                **flapping,
            ),
            *past.incident("s2", "a", zero, None, incident_type="expiring"),
        ],
    )
    past.reckon()


def _empty(kind: str) -> Any:
    if kind.startswith("Nullable"):
        return None
    if kind.startswith("Array"):
        return []
    if kind.startswith("Map"):
        return {}
    return _EMPTY.get(kind, 0)
