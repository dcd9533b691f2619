"""How fast `status` and `incidents` answer: `python -m portquorum.bench.status [--targets N]`.

A fleet as it is now is made inside ClickHouse (an embedded one of its own): each target in three
regions, with the results of the last two intervals in blocks as the sink's, one in 500 of the
targets down in all of them, a tenth of them with an incident of the last month. Then the commands
are started as anybody starts them, in turn, and the whole process is timed, beside `portquorum sql
"SELECT 1"`: what Python, the imports and one request cost whatever is asked.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from foundation.clickhouse import connect
from foundation.settings import Settings
from portquorum.bench import history
from portquorum.bench.backtest import server_cpu_s
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from sinks.clickhouse.migrate import migrate

BASE: Final = "sql SELECT 1"
COMMANDS: Final[dict[str, Sequence[str]]] = {
    BASE: ("sql", "SELECT 1"),
    "status": ("status",),
    "status --json": ("status", "--json"),
    "status --team web": ("status", "--team", "web"),
    "status TARGET": ("status", "srv-00003-443"),
    "incidents": ("incidents",),
    "incidents --open": ("incidents", "--open"),
}
_SLICE: Final = 20_000

_RESULTS: Final = """
INSERT INTO results (target, kind, host, port, region, prober, scheduled_at, started_at, status,
    reason, attempt, cause, target_version, detail, address, connect_us, total_us, log_partition,
    log_offset, appended_at, log_line)
WITH
    {targets:UInt64} AS targets,
    {interval:Int64} AS interval_ms,
    number % targets AS t,
    intDiv(t, 4) AS h,
    intDiv(number, targets) % 3 AS r,
    {now:Int64} - interval_ms * (2 - intDiv(number, targets * 3)) + number * 7919 % interval_ms
        AS at,
    cityHash64('down', t) % 500 = 0 OR cityHash64('blip', number) % 1000 = 0 AS failed,
    1000 + cityHash64('took', number) % 50000 AS took_us,
    ['eu-west', 'us-east', 'ap-south'][r + 1] AS region_
SELECT
    concat('srv-', leftPad(toString(h), 5, '0'), '-', toString([22, 80, 443, 5432][t % 4 + 1])),
    'tcp',
    concat('srv-', leftPad(toString(h), 5, '0'), '.example.com'),
    [22, 80, 443, 5432][t % 4 + 1],
    region_,
    concat(region_, '-1'),
    fromUnixTimestamp64Milli(at, 'UTC'),
    fromUnixTimestamp64Milli(at, 'UTC'),
    if(failed, 'down', 'up'),
    if(failed, 'timed_out', ''),
    0,
    'schedule',
    fromUnixTimestamp64Milli(1000, 'UTC'),
    '',
    '192.0.2.1',
    if(failed, NULL, took_us),
    took_us + 300,
    h % 16,
    number,
    fromUnixTimestamp64Milli(at + 30, 'UTC'),
    0
FROM numbers(targets * 6)
"""

_INCIDENTS: Final = """
INSERT INTO incidents (event_id, event, incident_id, incident_type, severity, target, name, kind,
    host, port, team, tags, criticality, verdicts, reasons, first_failed_at, opened_at, closed_at,
    closed_because, at, summary, raw, log_offset, appended_at)
WITH
    number AS t,
    intDiv(t, 4) AS h,
    cityHash64('down', t) % 500 = 0 AS is_open,
    {now:Int64} - if(is_open, t % 3600, 3600 + cityHash64('when', t) % 2500000) * 1000 AS at_,
    arrayJoin(if(is_open, ['opened', 'updated'], ['opened', 'updated', 'closed'])) AS event_,
    at_ + multiIf(event_ = 'opened', 0, event_ = 'updated', 60000, 600000) AS told,
    lower(hex(sipHash128(t))) AS id
SELECT
    concat(id, '-', event_),
    event_,
    id,
    'unreachable',
    if(t % 3 = 0, 'critical', 'warning'),
    concat('srv-', leftPad(toString(h), 5, '0'), '-', toString([22, 80, 443, 5432][t % 4 + 1])),
    concat('Server ', toString(h), ' port ', toString([22, 80, 443, 5432][t % 4 + 1])),
    'tcp',
    concat('srv-', leftPad(toString(h), 5, '0'), '.example.com'),
    [22, 80, 443, 5432][t % 4 + 1],
    ['database', 'web', 'platform', ''][h % 4 + 1],
    if(h % 2 = 1, ['prod'], ['test']),
    'normal',
    map('eu-west', 'down', 'us-east', 'down', 'ap-south', 'down'),
    map('eu-west', 'timed_out', 'us-east', 'timed_out', 'ap-south', 'timed_out'),
    fromUnixTimestamp64Milli(at_ - 1500, 'UTC'),
    fromUnixTimestamp64Milli(at_, 'UTC'),
    if(event_ = 'closed', fromUnixTimestamp64Milli(told, 'UTC'), NULL),
    if(event_ = 'closed', 'recovered', ''),
    fromUnixTimestamp64Milli(told, 'UTC'),
    concat('No region can connect to srv-', toString(h), ': connection timed out in all of them.'),
    repeat('x', 2000),
    t,
    fromUnixTimestamp64Milli(told, 'UTC')
FROM numbers({targets:UInt64})
WHERE is_open OR t % 10 = 0
"""


class CommandTiming(Struct, frozen=True, kw_only=True):
    """A command as a process: wall and CPU seconds, and those of ClickHouse, medians of the runs.

    `to_base`: wall time as a multiple of the command that only asks `SELECT 1`, of the pairs of
    runs that followed each other.
    """

    command: str
    wall_s: float
    least_s: float
    most_s: float
    cpu_s: float
    clickhouse_cpu_s: float
    to_base: float


class StatusReport(Struct, frozen=True, kw_only=True):
    """One fleet."""

    targets: int
    regions: int
    incidents: int
    load_before: float
    cpus: int
    fill_s: float
    commands: list[CommandTiming]


def measure(targets: int, runs: int, folder: Path) -> StatusReport:
    """Makes the fleet and runs the commands; with a ClickHouse of its own in `folder`."""
    with EmbeddedClickHouse(folder, "127.0.0.1:0") as service:
        settings = Settings(clickhouse=service.url)
        begun = time.monotonic()
        fill(settings, targets)
        fill_s = time.monotonic() - begun
        sql = "SELECT uniqExact(incident_id) FROM incidents"
        incidents = int(connect(settings).query(sql).result_rows[0][0])
        load = os.getloadavg()[0]
        for arguments in COMMANDS.values():
            _run(settings, arguments)
        taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in COMMANDS}
        for _ in range(runs):
            for name, arguments in COMMANDS.items():
                taken[name].append(_run(settings, arguments))
    base = [wall for wall, _, _ in taken[BASE]]
    return StatusReport(
        targets=targets,
        regions=len(history.REGIONS),
        incidents=incidents,
        load_before=load,
        cpus=os.cpu_count() or 1,
        fill_s=fill_s,
        commands=[_timing(name, each, base) for name, each in taken.items()],
    )


def fill(settings: Settings, count: int) -> None:
    """Makes the fleet as it is now."""
    migrate(settings)
    client = connect(settings, send_receive_timeout=3600)
    now = int(time.time() * 1000)
    fleet = history.targets(count)
    for start in range(0, count, _SLICE):
        history.fill_targets(client, fleet[start : start + _SLICE], now - 86_400_000 + start)
    blocks = {
        "max_block_size": _SLICE,
        "max_insert_block_size": _SLICE,
        "min_insert_block_size_rows": _SLICE,
        "optimize_on_insert": 0,
        "max_insert_threads": 1,
    }
    asked = {"targets": count, "interval": history.INTERVAL_MS, "now": now}
    client.command(_RESULTS, parameters=asked, settings=blocks)
    client.command(_INCIDENTS, parameters={"targets": count, "now": now})


def _run(settings: Settings, arguments: Sequence[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds of the process and of ClickHouse."""
    clean = {name: one for name, one in os.environ.items() if not name.startswith("PORTQUORUM_")}
    services, before = server_cpu_s(), os.times()
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "portquorum.cli", *arguments],
        env=clean | {"PORTQUORUM_CLICKHOUSE": settings.clickhouse},
        capture_output=True,
        check=False,
    )
    wall = time.perf_counter() - begun
    after = os.times()
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"portquorum {' '.join(arguments)}: {done.stderr.decode()}")
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    return wall, used, server_cpu_s() - services


def _timing(
    name: str, taken: Sequence[tuple[float, float, float]], base: Sequence[float]
) -> CommandTiming:
    walls = [wall for wall, _, _ in taken]
    return CommandTiming(
        command=name,
        wall_s=statistics.median(walls),
        least_s=min(walls),
        most_s=max(walls),
        cpu_s=statistics.median(cpu for _, cpu, _ in taken),
        clickhouse_cpu_s=statistics.median(cpu for _, _, cpu in taken),
        to_base=statistics.median(wall / of for wall, of in zip(walls, base, strict=True)),
    )


def shown(report: StatusReport) -> Table:
    """For people."""
    title = (
        f"{report.targets:,} targets in {report.regions} regions, {report.incidents:,} incidents; "
        f"{report.cpus} CPUs, load before {report.load_before:.1f}"
    )
    table = Table(title=title, title_justify="left")
    for name in (
        "portquorum …",
        "wall s",
        "least",
        "most",
        "CPU s",
        "of ClickHouse",
        "to SELECT 1",
    ):
        table.add_column(name, justify="left" if name.startswith("port") else "right")
    for one in report.commands:
        figures = (one.wall_s, one.least_s, one.most_s, one.cpu_s, one.clickhouse_cpu_s)
        cells = [f"{figure:.2f}" for figure in (*figures, one.to_base)]
        table.add_row(one.command, *cells)
    return table


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m portquorum.bench.status", description=__doc__)
    parser.add_argument("--targets", type=int, default=100_000, metavar="N")
    parser.add_argument("--runs", type=int, default=7, metavar="N")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = measure(max(4, asked.targets), asked.runs, Path(folder))
    if asked.json:
        print(msgspec.json.encode(report).decode())
    else:
        Console(width=120).print(shown(report))


if __name__ == "__main__":
    main()
