"""The report of `probe`, and how it is shown."""

import sys

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from portquorum.bench.figures import ProbeFigures
from portquorum.bench.probe_engines import LIMIT, rate_text


class ProbeRow(Struct, frozen=True):
    """One contender at one rate (requested checks a second; 0: saturated)."""

    contender: str
    rate: float
    figures: ProbeFigures


class ProbeReport(Struct, frozen=True, kw_only=True):
    """All of one invocation, and where it was made.

    `repeat` runs of `seconds` for an engine, one of `steady` seconds for the others. `left_out`:
    what is not there, and how it can be had.
    """

    machine: str
    cpus: int
    load_before: float
    python: str
    kernel: str
    seconds: float
    repeat: int
    steady: float
    in_flight: int
    rows: tuple[ProbeRow, ...]
    left_out: tuple[str, ...] = ()


def show(report: ProbeReport) -> None:
    """The report as a table."""
    table = Table(
        title=f"TCP checks on loopback, {report.cpus} CPUs, kernel {report.kernel}, Python "
        f"{report.python}, load {report.load_before:.1f}; engines: the median of {report.repeat} "
        f"runs of {report.seconds:g} s, the others {report.steady:g} s",
        title_justify="left",
    )
    for column in ("", "rate", "CPU µs a check", "× limit", "checks/s"):
        table.add_column(column, justify="right" if column else "left")
    for column in ("connect p50, p99 µs", "lag p50, p99 ms", "in-flight B", "memory MB"):
        table.add_column(column, justify="right")
    for column in ("false timeouts", "failed"):
        table.add_column(column, justify="right")
    limits = {row.rate: row.figures.cpu_us for row in report.rows if row.contender == LIMIT}
    for row in report.rows:
        figures, limit = row.figures, limits.get(row.rate)
        table.add_row(
            row.contender,
            rate_text(row.rate),
            f"{figures.cpu_us:.1f}",
            f"{figures.cpu_us / limit:.2f}" if limit else "–",
            f"{figures.checks / figures.seconds:,.0f}",
            _pair(figures.connect_p50_us, figures.connect_p99_us, ".0f"),
            _pair(figures.lag_p50_ms, figures.lag_p99_ms, ".1f"),
            _or_dash(figures.in_flight_bytes, ",.0f"),
            _or_dash(figures.memory_mb, ",.0f"),
            f"{figures.timed_out}",
            f"{figures.failed}",
        )
    console = Console(width=None if sys.stdout.isatty() else 170)
    console.print(table)
    for text in report.left_out:
        console.print(f"left out: {text}", highlight=False, soft_wrap=True)


def _pair(half: float | None, most: float | None, form: str) -> str:
    return "–" if half is None or most is None else f"{half:{form}}, {most:{form}}"


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
