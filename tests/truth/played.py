"""A history that was played into a real ClickHouse, and what its views then said."""

import time
import uuid
from dataclasses import dataclass
from datetime import date

from clickhouse_connect.driver.client import Client
from msgspec import json

from foundation.clickhouse import connect
from foundation.settings import Settings
from portquorum.report import cost, reliability, slo, uptime
from portquorum.report.history import History as ReportHistory
from sinks.clickhouse import tables
from sinks.clickhouse.migrate import migrate
from tests.truth.compare import Truth, differences, part_differences, truth_at
from tests.truth.identities import Views, broken
from tests.truth.made_history import made_history
from tests.truth.records import MINUTE, History
from tests.truth.reports import Asked, Parts, last_days, reports
from tests.truth.stored import Store

KINDS = {"uptime": uptime, "slo": slo, "cost": cost, "reliability": reliability}


@dataclass(frozen=True, kw_only=True)
class Played:
    """`views` and `reports` were read between the moments of `before` and `after`."""

    settings: Settings
    history: History
    before: Truth
    after: Truth
    views: Views
    reports: dict[Asked, dict[str, Parts]]

    def wrong_views(self) -> list[str]:
        """One line a difference between a view and the truth."""
        missing = [f"no view {name}" for name in self.before.views if name not in self.views]
        return missing + [
            line
            for name, found in self.views.items()
            for line in differences(name, found, self.before.views[name], self.after.views[name])
        ]

    def wrong_reports(self) -> list[str]:
        """One line a difference between a report and the truth."""
        found = []
        for asked, said in self.reports.items():
            first, last = (
                reports(one.history, asked, one.cases, one.days)
                for one in (self.before, self.after)
            )
            for kind, parts in said.items():
                name = f"report {kind} {asked.since}..{asked.until} {asked.team}"
                found += part_differences(name, parts, first[kind], last[kind])
        return found

    def broken_identities(self) -> list[str]:
        """One line for each two views that differ."""
        seconds = (self.after.history.now - self.before.history.now) / 1000
        return broken(self.views, self.after.history.now, seconds)


def play(
    url: str,
    seed: int,
    zone: str,
    *,
    days: int,
    targets: int,
    interval_ms: int = 30 * MINUTE,
    ranges: int = 3,
) -> Played:
    """Makes a history of so many days until now, and asks all views and reports of it.

    `url` is that of a ClickHouse with all rights; a database of its own is made there. `zone`: the
    time zone of the sessions that insert and ask. Reports are asked of so many `ranges` of days.
    """
    settings = Settings(
        clickhouse=f"{url.rpartition('/')[0]}/truth_{uuid.uuid4().hex[:8]}",
        results_ttl_days=days + 60,
    )
    migrate(settings)
    client = connect(settings)
    try:
        if zone:
            client.set_client_setting("session_timezone", zone)
        history = made_history(
            seed,
            int(time.time() * 1000) - 1,
            days=days,
            targets=targets,
            interval_ms=interval_ms,
            tells_recovery="recovered_at" in tables.INCIDENTS.names,
        )
        return _played(Store(client, settings), settings, history, seed, ranges)
    finally:
        client.close()


def _played(store: Store, settings: Settings, history: History, seed: int, ranges: int) -> Played:
    store.insert(history, seed)
    begun = store.now()
    store.reckon()
    before = truth_at(history, begun)
    there = store.names()
    views = {name: store.view(name) for name in before.views if name in there}
    said = {asked: _reports(store.client, asked) for asked in last_days(history)[:ranges]}
    ended = store.now()
    store.resume()
    return Played(
        settings=settings,
        history=history,
        before=before,
        after=truth_at(history, ended),
        views=views,
        reports=said,
    )


def _reports(client: Client, asked: Asked) -> dict[str, Parts]:
    data = ReportHistory(client, asked.since, asked.until, team=asked.team)
    return {
        kind: parts_of(json.encode(module.report(data, None))) for kind, module in KINDS.items()
    }


def parts_of(document: str | bytes) -> Parts:
    """What `--format json` says."""
    found = json.decode(document)
    parts: Parts = {one["name"]: one["value"] for one in found["figures"]}
    for one in found["tables"]:
        names, width = [column["name"] for column in one["columns"]], 1 + (one["name"] == "reasons")
        parts[f"tables.{one['name']}"] = {
            row[0] if width == 1 else tuple(row[:width]): dict(zip(names, row, strict=True))
            for row in one["rows"]
        }
    for one in found["days"]:
        values = zip(map(date.fromisoformat, one["days"]), one["values"], strict=True)
        parts[f"days.{one['name']}"] = {day: value for day, value in values if value is not None}
    return parts
