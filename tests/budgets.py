"""The time budget of each suite, shown at the end of a run beside the time that it took.

A suite is a folder of `tests/`. Its time is the sum of the durations of its tests with their
fixtures, over all workers of pytest-xdist: what the suite costs, not how long somebody waited. It
fails nothing, since a slow machine is no fault of the code.
"""

from collections import defaultdict
from typing import Any, Final

BUDGETS_S: Final = {
    "unit": 700,
    "integration": 4500,
    "simulation": 150,
    "system": 1400,
    "chaos": 10,
    "browser": 300,
    "golden": 60,
    "wide": 1800,
    "soak": 14_400,
}
"""Seconds, on a machine of two cores with nothing else to do."""

_UNKNOWN_S: Final = 60
"""The budget of a folder that has none."""


class Budgets:
    """A plugin of pytest: sums up durations by suite and prints them."""

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = defaultdict(float)
        self.tests: dict[str, set[str]] = defaultdict(set)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Counts one phase of a test; with xdist the controller gets those of all workers."""
        suite = suite_of(report.nodeid)
        self.spent_s[suite] += report.duration
        self.tests[suite].add(report.nodeid)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Prints a line for each suite that ran."""
        if not self.spent_s:
            return
        terminalreporter.section("time of the suites (spent / budget)", sep="-")
        for suite, line, over in self.lines():
            terminalreporter.write_line(f"{suite:12} {line}", red=over, bold=over)

    def lines(self) -> list[tuple[str, str, bool]]:
        """Of each suite in the order of names: name, text, and whether it is over its budget."""
        found = []
        for suite in sorted(self.spent_s):
            spent_s, budget_s = self.spent_s[suite], BUDGETS_S.get(suite, _UNKNOWN_S)
            line = f"{spent_s:8.1f} s / {budget_s} s, {len(self.tests[suite])} tests"
            over = spent_s > budget_s
            if over:
                line += f"  OVER ITS BUDGET by {spent_s - budget_s:.0f} s"
            if suite not in BUDGETS_S:
                line += "  (no budget of its own: tests/budgets.py)"
            found.append((suite, line, over))
        return found


def suite_of(nodeid: str) -> str:
    """The folder below `tests/` of a test; `tests` for one that lies in none."""
    parts = nodeid.partition("::")[0].split("/")
    if parts[0] == "tests":
        parts = parts[1:]
    return parts[0] if len(parts) > 1 else "tests"
