"""What a TCP check costs, side by side on loopback: `python -m bench.probe [--json]`.

The limit (a C epoll loop), our engine and the asyncio engine each run saturated and at a fixed
rate, in turn, several times over; of the runs of one contender the one with the median CPU time is
shown, with the smallest lag of all. On a machine that others use too, the ratios say more than the
microseconds.
"""

import argparse
import contextlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.figures import IN_FLIGHT, ROUND_US, TIMEOUT_MS, Figures

HERE: Final = Path(__file__).parent
SPARE_S: Final = 60.0
"""A run that takes so much longer than it was told is given up."""

LIMIT: Final = "C epoll loop"
OURS: Final = "epoll engine"
PLAIN: Final = "asyncio engine"


class Row(Struct, frozen=True):
    """One contender at one rate (checks a second; 0: saturated): the median of its runs."""

    contender: str
    rate: float
    figures: Figures


class Report(Struct, frozen=True):
    """All of one invocation, and where it was made."""

    machine: str
    cpus: int
    load_before: float
    python: str
    kernel: str
    seconds: float
    repeat: int
    in_flight: int
    rows: tuple[Row, ...]


class Contender(Struct, frozen=True):
    """A name and the program that runs it, without rate, seconds and ports."""

    name: str
    program: tuple[str, ...]
    settings: tuple[str, ...] = ()

    def run(self, rate: float, seconds: float, ports: tuple[str, ...]) -> Figures:
        """One run, in a process of its own."""
        told = subprocess.run(
            [*self.program, f"{rate:g}", f"{seconds:g}", *self.settings, *ports],
            check=True,
            stdout=subprocess.PIPE,
            timeout=seconds + SPARE_S,
        )
        return msgspec.json.decode(told.stdout, type=Figures)


def contenders(folder: Path) -> list[Contender]:
    """All that can be run here; the C loop is compiled into `folder` if there is a compiler."""
    found = [
        Contender(name, (sys.executable, "-m", "bench.load", engine))
        for name, engine in ((OURS, "epoll"), (PLAIN, "asyncio"))
    ]
    compiler = shutil.which("cc")
    if compiler is None:
        print("no C compiler (cc): the limit is left out", file=sys.stderr)
        return found
    program = folder / "epoll_loop"
    source = HERE / "epoll_loop.c"
    subprocess.run([compiler, "-O2", "-Wall", "-o", program, source], check=True)
    settings = (f"{IN_FLIGHT}", f"{ROUND_US}", f"{TIMEOUT_MS}")
    return [Contender(LIMIT, (str(program),), settings), *found]


@contextlib.contextmanager
def listener() -> Iterator[tuple[str, ...]]:
    """The ports of a listener in a process of its own."""
    command = [sys.executable, "-m", "bench.listener"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("expected pipes to the listener, found none")
        try:
            yield tuple(process.stdout.readline().decode().split())
        finally:
            process.stdin.close()


def measure(rate: float, seconds: float, repeat: int) -> Report:
    """Runs everything in turn."""
    load_before = os.getloadavg()[0]
    rows = []
    with tempfile.TemporaryDirectory() as folder, listener() as ports:
        running = contenders(Path(folder))
        for each_rate in (0.0, rate):
            runs: dict[str, list[Figures]] = {contender.name: [] for contender in running}
            for _ in range(repeat):
                for contender in running:
                    runs[contender.name].append(contender.run(each_rate, seconds, ports))
            rows += [Row(name, each_rate, median(figures)) for name, figures in runs.items()]
    return Report(
        machine=platform.machine(),
        cpus=len(os.sched_getaffinity(0)),
        load_before=load_before,
        python=platform.python_version(),
        kernel=platform.release(),
        seconds=seconds,
        repeat=repeat,
        in_flight=IN_FLIGHT,
        rows=tuple(rows),
    )


def median(runs: list[Figures]) -> Figures:
    """The run with the median CPU time, with the false timeouts and failures of all.

    The lag is the smallest: what others on the machine do can only make it larger.
    """
    middle = sorted(runs, key=lambda figures: figures.cpu_us)[len(runs) // 2]
    lags = [figures.lag_p99_ms for figures in runs if figures.lag_p99_ms is not None]
    return msgspec.structs.replace(
        middle,
        lag_p99_ms=min(lags, default=None),
        timed_out=sum(figures.timed_out for figures in runs),
        failed=sum(figures.failed for figures in runs),
    )


def show(report: Report) -> None:
    """The report as a table."""
    table = Table(
        title=f"TCP checks on loopback, {report.cpus} CPUs, kernel {report.kernel}, Python "
        f"{report.python}, load {report.load_before:.1f}; the median of {report.repeat} runs of "
        f"{report.seconds:g} s",
        title_justify="left",
    )
    for column in ("", "rate", "CPU µs a check", "× limit", "checks/s", "connect p50 µs"):
        table.add_column(column, justify="right" if column else "left")
    for column in ("connect p99 µs", "lag p99 ms", "in-flight B", "false timeouts", "failed"):
        table.add_column(column, justify="right")
    limits = {row.rate: row.figures.cpu_us for row in report.rows if row.contender == LIMIT}
    for row in report.rows:
        figures, limit = row.figures, limits.get(row.rate)
        table.add_row(
            row.contender,
            f"{row.rate:,.0f}/s" if row.rate else "saturated",
            f"{figures.cpu_us:.1f}",
            f"{figures.cpu_us / limit:.2f}" if limit else "–",
            f"{figures.checks / figures.seconds:,.0f}",
            f"{figures.connect_p50_us:.0f}",
            f"{figures.connect_p99_us:.0f}",
            _or_dash(figures.lag_p99_ms, ".2f"),
            _or_dash(figures.in_flight_bytes, ",.0f"),
            f"{figures.timed_out}",
            f"{figures.failed}",
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.probe", description=__doc__)
    parser.add_argument("--rate", type=float, default=5000, help="checks a second of paced runs")
    parser.add_argument("--seconds", type=float, default=2, help="length of one run")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    asked = parser.parse_args()
    if not 0 < asked.rate <= 50_000 or not 0 < asked.seconds <= 60 or not 0 < asked.repeat <= 20:
        parser.error("expected a rate up to 50000, up to 60 seconds, up to 20 repetitions")
    report = measure(asked.rate, asked.seconds, asked.repeat)
    if asked.json:
        print(msgspec.json.encode(report).decode())
    else:
        show(report)


if __name__ == "__main__":
    main()
