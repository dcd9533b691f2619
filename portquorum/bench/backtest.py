"""How fast a backtest is: `python -m portquorum.bench.backtest [--rows N] [--data DIR] [--json]`.

A history of 30 days is made inside ClickHouse (`portquorum/bench/history.py`); then `portquorum
backtest` is
started as anybody starts it, and timed. The embedded ClickHouse runs on the same machine: its CPU
is told beside that of the backtest. `--data` keeps the history for the next run.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from foundation.clickhouse import connect
from foundation.settings import Settings
from portquorum.bench import history
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from sinks.clickhouse.migrate import migrate

DAYS: Final = 30
POLICY: Final = "defaults: {retries: 0}\ntags: {prod: {consensus: unanimous}}\n"
"""A policy with many differences, so that every row goes through the rules twice."""


class BacktestReport(Struct, frozen=True, kw_only=True):
    """One run. `rows` were stored, `through` of them went through the rules of both policies."""

    rows: int
    through: int
    failed: float
    stored_mb: float
    fill_s: float
    seconds: float
    rows_a_second: float
    cpu_s: float
    clickhouse_cpu_s: float
    peak_mb: float
    load: float
    figures: dict[str, Any]


def main() -> None:
    """Makes the history, measures, prints."""
    parser = argparse.ArgumentParser(
        prog="python -m portquorum.bench.backtest", description=__doc__
    )
    parser.add_argument("--rows", type=int, default=5_000_000, help="about so many (%(default)s)")
    parser.add_argument("--data", type=Path, help="keep the history in this folder")
    parser.add_argument("--database", default="backtest", help="its database (%(default)s)")
    parser.add_argument("--policy", type=Path, help="a policy file; default: all is different")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = measure(options, Path(folder))
    if options.json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        Console().print(shown(report))


def measure(options: argparse.Namespace, folder: Path) -> BacktestReport:
    """One run."""
    targets = max(4, round(options.rows / DAYS / history.rows_a_day(1)))
    policy = options.policy or folder / "policy.yaml"
    if options.policy is None:
        policy.write_text(POLICY)
    with EmbeddedClickHouse(options.data or folder / "data", "127.0.0.1:0") as service:
        settings = Settings(
            clickhouse=f"{service.url.rpartition('/')[0]}/{options.database}",
            results_ttl_days=3650,
        )
        first = int(time.time() // 86_400) - DAYS
        begun = time.monotonic()
        days = fill(settings, targets, first)
        fill_s = time.monotonic() - begun
        client = connect(settings)
        ((rows, failed),) = client.query(
            "SELECT count(), countIf(status = 'down') / count() FROM results"
        ).result_rows
        ((stored,),) = client.query(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'results' "
            "AND database = currentDatabase()"
        ).result_rows
        before = server_cpu_s()
        begun = time.monotonic()
        found = backtest(settings, policy, days)
        seconds = time.monotonic() - begun
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return BacktestReport(
            rows=rows,
            through=found["scope"]["rows"],
            failed=failed,
            stored_mb=stored / 1e6,
            fill_s=fill_s,
            seconds=seconds,
            rows_a_second=rows / seconds,
            cpu_s=used.ru_utime + used.ru_stime,
            clickhouse_cpu_s=server_cpu_s() - before,
            peak_mb=used.ru_maxrss / 1024,
            load=os.getloadavg()[0],
            figures={
                name: found["comparison"][name]["figures"] for name in ("present", "proposed")
            },
        )


def fill(settings: Settings, targets: int, first: int) -> tuple[int, int]:
    """Creates the missing history; returns the first and the last day (excluded)."""
    migrate(settings)
    client = connect(settings, send_receive_timeout=3600)
    ((rows, since),) = client.query(
        "SELECT count(), intDiv(toUnixTimestamp(min(started_at)), 86400) FROM results"
    ).result_rows
    if rows:
        return since, since + DAYS
    history.fill_targets(client, history.targets(targets), first * history.DAY_MS)
    for day in range(first, first + DAYS):
        history.fill_day(client, targets, day)
    return first, first + DAYS


def backtest(settings: Settings, policy: Path, days: tuple[int, int]) -> dict[str, Any]:
    """Runs the command; returns its document."""
    since, until = (time.strftime("%Y-%m-%d", time.gmtime(day * 86_400)) for day in days)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "portquorum.cli", "backtest", "--json"),
            *("--policy", str(policy), "--since", since, "--until", until),
        ],
        env=os.environ | {"PORTQUORUM_CLICKHOUSE": settings.clickhouse},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = msgspec.json.decode(done.stdout)
    return found


def server_cpu_s() -> float:
    """CPU time of the embedded ClickHouse, the only living child, in s."""
    spent = (child.cpu_times() for child in psutil.Process().children(recursive=True))
    return sum(one.user + one.system for one in spent)


def shown(report: BacktestReport) -> Table:
    """The report as text."""
    table = Table("", "", show_header=False)
    for name, value in (
        ("rows stored", f"{report.rows:,} ({report.stored_mb:,.0f} MB)"),
        ("failures among them", f"{report.failed:.2%}"),
        ("through the rules, twice", f"{report.through:,}"),
        ("time", f"{report.seconds:,.0f} s"),
        ("rows a second", f"{report.rows_a_second:,.0f}"),
        ("CPU of the backtest", f"{report.cpu_s:,.0f} s"),
        ("CPU of ClickHouse", f"{report.clickhouse_cpu_s:,.0f} s"),
        (
            "CPU a row, all",
            f"{(report.cpu_s + report.clickhouse_cpu_s) / report.rows * 1e6:.2f} µs",
        ),
        ("memory of a worker, at most", f"{report.peak_mb:,.0f} MB"),
        ("load of the machine at the end", f"{report.load:.1f}"),
        *((f"incidents, {key}", f"{one['incidents']:,}") for key, one in report.figures.items()),
    ):
        table.add_row(name, value)
    return table


if __name__ == "__main__":
    main()
