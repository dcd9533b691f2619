"""How fast the history answers a target page over 90 days, and the other questions of the page.

`python -m portquorum.bench.target_page [--targets N] [--checked N] [--days N] [--runs N]
[--data DIR] [--json]`.

A past is made inside ClickHouse (`portquorum/bench/history.py`,
`portquorum/bench/history_incidents.py`): incidents and definitions of all targets, results of the
first `--checked` of them every five minutes from three regions. Then each question is asked so
many times as a page asks it (`portquorum/web/history/`), each time of another target.

Last the whole page of 90 days is asked for over HTTP, of a server with the same fleet: its time is
that from the request to the first byte, with the history, the rendering and the packing in it.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from foundation.clickhouse import connect, database, internal_database
from foundation.settings import Settings
from portquorum.bench import history
from portquorum.bench.backtest import server_cpu_s
from portquorum.bench.history_incidents import fill_incidents, fill_maintenance
from portquorum.bench.page import PageFigures, measured_of, piped
from portquorum.bench.views import ROLL_UPS
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from portquorum.web.charts.days import days_chart
from portquorum.web.charts.latency import latency_chart
from portquorum.web.history.day_uptime import day_of
from portquorum.web.history.questions import (
    IncidentQuery,
    ResultQuery,
    TargetAsked,
    UptimeQuery,
)
from portquorum.web.history.stored_history import StoredHistory
from portquorum.web.history.windows import DAY_MS, NAMES, named
from schemas.target import Target
from schemas.wall_clock import zone_or_utc
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.refresh_views import reckon

_AT_ONCE: Final = 100

Question = Callable[[StoredHistory, Target, int], Awaitable[object]]


class PageTiming(Struct, frozen=True, kw_only=True):
    """A question: the times that it took, and the CPU time of ClickHouse for one, in ms."""

    question: str
    least_ms: float
    median_ms: float
    p95_ms: float
    clickhouse_cpu_ms: float
    own_cpu_ms: float


class Asking(NamedTuple):
    """Whom the questions are asked, about which targets, how often. `now`: UTC ms."""

    history: StoredHistory
    fleet: list[Target]
    runs: int
    now: int


class PageReport(Struct, frozen=True, kw_only=True):
    """One past; `rows` are raw results."""

    load_before: float
    load_after: float
    cpus: int
    rows: int
    targets: int
    checked: int
    days: int
    incidents: int
    fill_s: float
    asked: list[PageTiming]
    page: PageFigures


class Made(NamedTuple):
    """A past: so many targets, of which so many are checked, over so many days until today."""

    targets: int
    checked: int
    days: int


def measure(made: Made, runs: int, folder: Path) -> PageReport:
    """Makes a past and asks; with a ClickHouse of its own in `folder`."""
    with EmbeddedClickHouse(folder, "127.0.0.1:0") as service:
        base = service.url.rpartition("/")[0]
        settings = Settings(
            clickhouse=f"{base}/page_{made.targets}_{made.checked}_{made.days}",
            results_ttl_days=made.days + 10,
        )
        begun = time.monotonic()
        fill(settings, made)
        fill_s = time.monotonic() - begun
        load = os.getloadavg()[0]
        fleet = history.targets(made.checked)
        asked = asyncio.run(_ask_all(settings, fleet, runs))
        page = _served(settings, fleet, runs)
        client = connect(settings)
        return PageReport(
            load_before=load,
            load_after=os.getloadavg()[0],
            cpus=os.cpu_count() or 1,
            rows=int(client.query("SELECT count() FROM results").result_rows[0][0]),
            targets=made.targets,
            checked=made.checked,
            days=made.days,
            incidents=int(
                client.query("SELECT uniqExact(incident_id) FROM incidents").result_rows[0][0]
            ),
            fill_s=fill_s,
            asked=asked,
            page=page,
        )


def _served(settings: Settings, fleet: list[Target], runs: int) -> PageFigures:
    """The page of another target each time, the first of them for all that is made once."""
    paths = [f"/targets/{fleet[run * 7 % len(fleet)].id}?window=90d" for run in range(runs)]
    with piped(
        *("portquorum.bench.page_server", "--targets", str(len(fleet))),
        *("--clickhouse", settings.clickhouse, "--results-days", str(settings.results_ttl_days)),
    ) as server:
        return measured_of(server, [*paths, f"/targets/{fleet[-1].id}?window=90d"], "90d, HTTP")


def fill(settings: Settings, made: Made) -> None:
    """Creates the past, unless it exists."""
    migrate(settings)
    client = connect(settings, send_receive_timeout=3600)
    if client.query("SELECT count() FROM results").result_rows[0][0]:
        return
    first = int(time.time() // 86_400) - made.days
    history.fill_targets(client, history.targets(made.targets), first * DAY_MS)
    fill_maintenance(client, first, made.days)
    for day in range(first, first + made.days):
        history.fill_day(client, made.checked, day)
        fill_incidents(client, made.targets, day)
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    internal = internal_database(database(settings))
    for table in ROLL_UPS:
        client.command(f"OPTIMIZE TABLE `{internal}`.{table} FINAL")
    reckon(client)
    client.close()


def _questions() -> dict[str, Question]:
    asked: dict[str, Question] = {f"target page, {name}": _page(name) for name in NAMES}
    asked["target page, 90d, with its charts"] = _drawn
    asked[f"target page, 90d, {_AT_ONCE} viewers of one at once"] = _crowd
    asked["last checks of a target"] = lambda one, target, _: one.checks(
        target.id, target.interval_ms
    )
    asked["100 results of a week"] = lambda one, target, now: one.results(
        ResultQuery(target=target.id, since=now - 7 * DAY_MS, until=now), None, 100
    )
    asked["100 incidents of all, the newest"] = lambda one, _, __: one.incidents(
        IncidentQuery(), None, 100
    )
    asked["100 incidents by a word, closed"] = lambda one, target, _: one.incidents(
        IncidentQuery(q=(target.host or "")[:12], status="closed"), None, 100
    )
    asked["closed within 24 h"] = lambda one, _, now: one.closed_since(now - DAY_MS, 200)
    asked["uptime of 100 targets, 30 days"] = lambda one, target, _: one.uptime_of(
        [target.id, *(other.id for other in history.targets(100))], 30
    )
    asked["uptime by team and day, 90 days"] = lambda one, _, now: one.uptime(
        UptimeQuery(
            by="team", since=day_of(now) - timedelta(days=90), until=day_of(now), by_day=True
        )
    )
    return asked


def _asked(target: Target, window: str, now: int) -> TargetAsked:
    return TargetAsked(
        target=target.id,
        tags=target.tags,
        regions=target.regions,
        interval_ms=target.interval_ms,
        window=named(window, now),
    )


def _page(window: str) -> Question:
    async def ask(one: StoredHistory, target: Target, now: int) -> object:
        told = await one.target(_asked(target, window, now))
        if told.trouble is not None:
            raise RuntimeError(told.trouble)
        return told

    return ask


async def _drawn(one: StoredHistory, target: Target, now: int) -> object:
    told = await one.target(_asked(target, "90d", now))
    return days_chart(told.days or (), day_of(now)), latency_chart(told, zone_or_utc("UTC"))


async def _crowd(one: StoredHistory, target: Target, now: int) -> object:
    asked = _asked(target, "90d", now)
    return await asyncio.gather(*(one.target(asked) for _ in range(_AT_ONCE)))


async def _ask_all(settings: Settings, fleet: list[Target], runs: int) -> list[PageTiming]:
    """Each question of a history of its own: what another question had is not kept for it."""
    now, timings = int(time.time() * 1000), []
    for name, ask in _questions().items():
        asking = Asking(StoredHistory(settings), fleet, runs, now)
        try:
            timings.append(await _ask(name, ask, asking))
        finally:
            await asking.history.close()
    return timings


async def _ask(name: str, ask: Question, asking: Asking) -> PageTiming:
    took = []
    await ask(asking.history, asking.fleet[-1], asking.now)
    before, own = server_cpu_s(), time.process_time()
    for run in range(asking.runs):
        begun = time.perf_counter()
        # Another target and another moment each time: an answer that is kept would be no answer.
        await ask(asking.history, asking.fleet[run * 7 % len(asking.fleet)], asking.now + run)
        took.append((time.perf_counter() - begun) * 1000)
    own_ms = (time.process_time() - own) / asking.runs * 1000
    return PageTiming(
        question=name,
        least_ms=min(took),
        median_ms=statistics.median(took),
        p95_ms=statistics.quantiles(took, n=20, method="inclusive")[-1],
        clickhouse_cpu_ms=(server_cpu_s() - before) / asking.runs * 1000,
        own_cpu_ms=own_ms,
    )


def shown(report: PageReport) -> Table:
    """For people."""
    title = (
        f"{report.days} days: {report.rows:,} results of {report.checked:,} of "
        f"{report.targets:,} targets, {report.incidents:,} incidents; {report.cpus} CPUs, "
        f"load {report.load_before:.1f} to {report.load_after:.1f}; ms"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("question")
    for column in ("p95", "median", "least", "CPU of ClickHouse", "own CPU"):
        table.add_column(column, justify="right")
    for one in report.asked:
        times = (one.p95_ms, one.median_ms, one.least_ms, one.clickhouse_cpu_ms, one.own_cpu_ms)
        table.add_row(one.question, *(f"{value:.0f}" for value in times))
    page = report.page
    table.caption = (
        f"the page over HTTP, p50 p95 most: server {page.clock}, of it own CPU {page.cpu}, client "
        f"{page.client} ms; {page.packed / 1000:.1f} KB packed, {page.nodes:,} elements"
    )
    return table


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m portquorum.bench.target_page", description=__doc__
    )
    parser.add_argument("--targets", type=int, default=4_000, metavar="N")
    parser.add_argument("--checked", type=int, default=200, metavar="N")
    parser.add_argument("--days", type=int, default=90, metavar="N")
    parser.add_argument("--runs", type=int, default=40, metavar="N")
    parser.add_argument("--data", type=Path, help="keep the past in this folder")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = Made(asked.targets, asked.checked, asked.days)
        report = measure(made, asked.runs, asked.data or Path(folder))
    if asked.json:
        print(msgspec.json.encode(report).decode())
    else:
        Console(width=120).print(shown(report))


if __name__ == "__main__":
    main()
