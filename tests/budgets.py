"""What each suite of tests took, beside its time budget; printed at the end of a run.

A suite is a folder of tests. Its time is the sum over its tests, on whatever processes they ran. A
budget is for a machine with 2 idle cores; one that is exceeded is shown, and fails nothing, since a
slow machine says nothing of the code.
"""

from collections import defaultdict
from typing import Final

import pytest
from _pytest.terminal import TerminalReporter

BUDGETS_S: Final = {
    "tests/unit": 420,
    "tests/golden": 120,
    "tests/integration/docs": 60,
    "tests/integration/embedded": 540,
    "tests/integration/foundation": 120,
    "tests/integration/kinds": 300,
    "tests/integration/portquorum": 420,
    "tests/integration/producers": 240,
    "tests/integration/sinks": 420,
    "tests/integration/streams": 240,
    "tests/browser": 180,
    "tests/simulation": 180,
    "tests/system": 900,
    "tests/wide": 2_700,
}
"""The budget of each suite, in s of its tests. The most specific folder counts."""

_took: dict[str, float] = defaultdict(float)


def suite_of(path: str) -> str | None:
    """The suite of a test file or a node id, None if it has no budget."""
    found = [suite for suite in BUDGETS_S if path.startswith(f"{suite}/")]
    return max(found, key=len, default=None)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Adds setup, call and teardown of a test to its suite."""
    suite = suite_of(report.nodeid)
    if suite is not None:
        _took[suite] += report.duration


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Prints a line for each suite that ran."""
    if not _took:
        return
    terminalreporter.section("time of each suite, and its budget")
    for suite, budget_s in BUDGETS_S.items():
        if suite in _took:
            over = _took[suite] > budget_s
            line = f"{suite:<28} {_took[suite]:7.0f} s of {budget_s:5} s"
            terminalreporter.write_line(f"{line}  OVER ITS BUDGET" if over else line, red=over)
