"""How fast the views answer.

`python -m portquorum.bench.views [--rows N] [--runs N] [--data DIR] [--json]`.

A history of 30 days is made inside ClickHouse, day by day, as results
(`portquorum/bench/history.py`) and
incidents (`portquorum/bench/history_incidents.py`); the roll-ups are filled by what is inserted,
as they
always are. Then each question is asked so many times, one after the other, over HTTP, as any
client does; the first time is told apart. Each further N makes a history of its own.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import msgspec
from clickhouse_connect.driver.client import Client
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from foundation.clickhouse import connect, database, internal_database
from foundation.settings import Settings
from portquorum.bench import history
from portquorum.bench.backtest import server_cpu_s
from portquorum.bench.history_incidents import fill_incidents, fill_maintenance
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.refresh_views import reckon

DAYS: Final = 30
CALM_S: Final = 2.0
ROLL_UPS: Final = (
    "results_hourly",
    "results_daily",
    "regions_hourly",
    "region_latencies",
    "failures_daily",
)

MOST_USED: Final = {
    "uptime by team, month": "SELECT * FROM team_uptime_monthly ORDER BY month, team",
    "uptime by team, day": "SELECT * FROM team_uptime_daily ORDER BY day, team",
    "uptime of a target, day": "SELECT * FROM uptime_daily WHERE target = 'srv-00003-443'",
    "uptime by region, day": "SELECT * FROM region_uptime_daily ORDER BY day, region",
    "error budgets, the least left": "SELECT * FROM error_budget LIMIT 20",
    "latency by region, hour, of a week": (
        "SELECT * FROM region_latency_hourly WHERE hour >= now() - INTERVAL 8 DAY "
        "ORDER BY hour, region"
    ),
    "slowest": "SELECT * FROM slowest LIMIT 20",
    "least reliable": "SELECT * FROM least_reliable LIMIT 20",
    "time to detect, acknowledge, recover": "SELECT * FROM response_monthly ORDER BY month, team",
    "failure reasons by region, day": (
        "SELECT * FROM failure_reasons_daily ORDER BY day, region, reason"
    ),
}
OTHERS: Final = {
    "flappers": "SELECT * FROM flappers LIMIT 20",
    "missed checks": "SELECT * FROM missed_daily ORDER BY day, region",
    "certificates": "SELECT * FROM certificates_ending LIMIT 20",
    "cost of downtime, month": (
        "SELECT team, month, sum(cost) FROM downtime_cost_monthly GROUP BY ALL ORDER BY ALL"
    ),
    "uptime of every target, month": "SELECT * FROM uptime_monthly ORDER BY uptime_percent",
    "checks of a target, hour": (
        "SELECT * FROM target_checks_hourly WHERE target = 'srv-00003-443' ORDER BY hour, region"
    ),
    "open incidents": "SELECT * FROM incidents_current WHERE status = 'open'",
    "outages of a week": (
        "SELECT * FROM outages WHERE end_ms > toUnixTimestamp64Milli(now64(3)) - 7 * 86400000"
    ),
    "how each target is now": "SELECT * FROM status_now",
}


class ViewTiming(Struct, frozen=True, kw_only=True):
    """A question: the rows of its answer, the times it took, the CPU time of ClickHouse, in ms.

    On a machine that others use too, the CPU time says more than the others.
    """

    question: str
    rows: int
    first_ms: float
    least_ms: float
    median_ms: float
    p95_ms: float
    cpu_ms: float


class ViewsReport(Struct, frozen=True, kw_only=True):
    """One history. `rows` are raw results; `stored_mb` of them and of all roll-ups."""

    load_before: float
    load_after: float
    cpus: int
    rows: int
    targets: int
    incidents: int
    fill_s: float
    stored_mb: float
    rollups_mb: float
    asked: list[ViewTiming]


def measure(rows: int, runs: int, folder: Path) -> ViewsReport:
    """Makes a history and asks; with a ClickHouse of its own in `folder`."""
    count = max(40, round(rows / DAYS / history.rows_a_day(1) / 40) * 40)
    with EmbeddedClickHouse(folder, "127.0.0.1:0") as service:
        base = service.url.rpartition("/")[0]
        settings = Settings(clickhouse=f"{base}/views_{count}", results_ttl_days=3650)
        begun = time.monotonic()
        fill(settings, count)
        fill_s = time.monotonic() - begun
        client = connect(settings, send_receive_timeout=600)
        _settle(client)
        load = os.getloadavg()[0]
        return ViewsReport(
            load_before=load,
            asked=[_ask(client, name, sql, runs) for name, sql in (MOST_USED | OTHERS).items()],
            load_after=os.getloadavg()[0],
            cpus=os.cpu_count() or 1,
            rows=_one(client, "SELECT count() FROM results"),
            targets=count,
            incidents=_one(client, "SELECT uniqExact(incident_id) FROM incidents"),
            fill_s=fill_s,
            stored_mb=_bytes(client, database(settings), "results") / 1e6,
            rollups_mb=_bytes(client, internal_database(database(settings))) / 1e6,
        )


def fill(settings: Settings, count: int) -> None:
    """Creates the 30 days before today, unless they exist; merges the parts of a day's inserts."""
    migrate(settings)
    client = connect(settings, send_receive_timeout=3600)
    if _one(client, "SELECT count() FROM results"):
        return
    first = int(time.time() // 86_400) - DAYS
    history.fill_targets(client, history.targets(count), first * history.DAY_MS)
    fill_maintenance(client, first, DAYS)
    for day in range(first, first + DAYS):
        history.fill_day(client, count, day)
        fill_incidents(client, count, day)
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    internal = internal_database(database(settings))
    for table in ROLL_UPS:
        client.command(f"OPTIMIZE TABLE `{internal}`.{table} FINAL")
    reckon(client)


def _settle(client: Client) -> None:
    """Waits for background refreshes: a start catches up on those that were due."""
    calm_since = time.monotonic()
    while time.monotonic() - calm_since < CALM_S:
        if _one(client, "SELECT countIf(status = 'Running') FROM system.view_refreshes"):
            calm_since = time.monotonic()
        time.sleep(0.1)


def _ask(client: Client, question: str, sql: str, runs: int) -> ViewTiming:
    took = []
    rows = 0
    before = server_cpu_s()
    for _ in range(runs + 1):
        begun = time.perf_counter()
        rows = len(client.query(sql).result_rows)
        took.append((time.perf_counter() - begun) * 1000)
    used = (server_cpu_s() - before) / (runs + 1)
    first, *others = took
    return ViewTiming(
        question=question,
        rows=rows,
        first_ms=first,
        least_ms=min(others),
        cpu_ms=used * 1000,
        median_ms=statistics.median(others),
        p95_ms=statistics.quantiles(others, n=20, method="inclusive")[-1],
    )


def _one(client: Client, sql: str) -> int:
    return int(client.query(sql).result_rows[0][0])


def _bytes(client: Client, place: str, table: str = "") -> int:
    """Size of the active parts of a table, or of all tables of a database."""
    query = (
        "SELECT sum(bytes_on_disk) FROM system.parts WHERE active "
        "AND database = {database:String} AND ({table:String} IN ('', table))"
    )
    names = {"database": place, "table": table}
    return int(client.query(query, parameters=names).result_rows[0][0])


def shown(reports: list[ViewsReport]) -> Table:
    """For people: p95 of each history."""
    title = "p95 | least | CPU of ClickHouse, in ms, by raw rows"
    table = Table(title=title, title_justify="left")
    table.add_column("question")
    table.add_column("rows", justify="right")
    for report in reports:
        table.add_column(f"{report.rows:,}", justify="right")
    for number, asked in enumerate(reports[-1].asked):
        each = [report.asked[number] for report in reports]
        cells = [f"{one.p95_ms:.0f} | {one.least_ms:.0f} | {one.cpu_ms:.0f}" for one in each]
        table.add_row(asked.question, f"{asked.rows:,}", *cells, end_section=number == 9)
    for name, text in (
        ("targets", "{0.targets:,}"),
        ("incidents", "{0.incidents:,}"),
        ("results, MB", "{0.stored_mb:,.0f}"),
        ("roll-ups, MB", "{0.rollups_mb:,.0f}"),
        ("filled in s", "{0.fill_s:,.0f}"),
        ("load before, after", "{0.load_before:.1f}, {0.load_after:.1f}"),
    ):
        table.add_row(name, "", *(text.format(report) for report in reports))
    return table


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m portquorum.bench.views", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000], metavar="N")
    parser.add_argument("--runs", type=int, default=20, metavar="N")
    parser.add_argument("--data", type=Path, help="keep the histories in this folder")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        reports = [measure(rows, asked.runs, asked.data or Path(folder)) for rows in asked.rows]
    if asked.json:
        print(msgspec.json.encode(reports).decode())
    else:
        Console(width=120).print(shown(reports))


if __name__ == "__main__":
    main()
