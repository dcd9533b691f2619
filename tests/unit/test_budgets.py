"""The time of each suite is told at the end of a run."""

import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import Struct

from tests.budgets import BUDGETS_S, Budgets, suite_of

ROOT = Path(__file__).parents[2]


class Report(Struct):
    nodeid: str
    duration: float


@pytest.mark.parametrize(
    ("nodeid", "suite"),
    [
        ("tests/unit/sinks/test_a.py::test_b[x/y::z]", "unit"),
        ("tests/golden/test_golden.py::test_a", "golden"),
        ("tests/test_loose.py::test_a", "tests"),
        ("unit/test_a.py::test_b", "unit"),
    ],
)
def test_suite_of(nodeid: str, suite: str) -> None:
    assert suite_of(nodeid) == suite


def test_every_suite_has_a_budget_and_every_budget_a_suite() -> None:
    folders = {path.name for path in (ROOT / "tests").iterdir() if any(path.rglob("test_*.py"))}
    assert folders == set(BUDGETS_S)


def test_the_phases_of_a_test_are_summed_up_and_what_is_over_is_said() -> None:
    budgets = Budgets()
    for duration in (1.0, float(BUDGETS_S["golden"]), 0.5):
        budgets.pytest_runtest_logreport(Report("tests/golden/test_a.py::test_b", duration))
    budgets.pytest_runtest_logreport(Report("tests/unit/test_a.py::test_b", 0.25))
    (_, golden, over), (_, unit, under) = budgets.lines()
    assert over
    assert "OVER ITS BUDGET by 2 s" in golden
    assert "1 tests" in golden
    assert not under
    assert "OVER" not in unit


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "with xdist"])
def test_a_run_prints_it_once(workers: list[str]) -> None:
    test = "tests/unit/test_budgets.py::test_suite_of"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *workers, test]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("unit ")]
    assert len(lines) == 1
    assert lines[0].endswith(f"/ {BUDGETS_S['unit']} s, 4 tests")
