"""The benchmark runs and counts; how fast it was is nobody's business here."""

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bench.figures import Figures, share
from bench.probe import LIMIT, OURS, PLAIN, Report, median

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit is an epoll loop")


def bench(*arguments: str) -> str:
    command = [sys.executable, "-m", "bench.probe", "--seconds", "0.2", "--repeat", "1"]
    return subprocess.run(
        [*command, "--rate", "200", *arguments], cwd=ROOT, check=True, stdout=-1, text=True
    ).stdout


def test_every_contender_runs_at_both_rates() -> None:
    report = msgspec.json.decode(bench("--json"), type=Report)
    expected = {OURS, PLAIN} | ({LIMIT} if shutil.which("cc") else set())
    for rate in (0, 200):
        rows = [row for row in report.rows if row.rate == rate]
        assert {row.contender for row in rows} == expected
        for row in rows:
            assert row.figures.checks > 0
            assert row.figures.failed == 0
            assert (row.figures.lag_p99_ms is None) == (rate == 0)


def test_people_get_a_table() -> None:
    shown = bench()
    assert OURS in shown
    assert "saturated" in shown


def figures(cpu_us: float, timed_out: int, lag_p99_ms: float | None = None) -> Figures:
    return Figures(
        checks=1,
        seconds=1.0,
        cpu_us=cpu_us,
        connect_p50_us=1.0,
        connect_p99_us=1.0,
        lag_p99_ms=lag_p99_ms,
        timed_out=timed_out,
        failed=0,
        in_flight_bytes=None,
    )


def test_a_false_timeout_of_any_run_is_told() -> None:
    middle = median([figures(3.0, 1), figures(1.0, 2), figures(2.0, 0)])
    assert (middle.cpu_us, middle.timed_out, middle.lag_p99_ms) == (2.0, 3, None)


def test_the_lag_is_that_of_the_least_disturbed_run() -> None:
    assert median([figures(1.0, 0, 4.0), figures(2.0, 0, 9.0)]).lag_p99_ms == 4.0


def test_shares() -> None:
    assert share([], 0.5) == 0
    assert share([3.0, 1.0, 2.0], 0.5) == 2.0
    assert share([3.0, 1.0, 2.0], 0.99) == 3.0
