"""The order of the test files of a run with several processes.

Tests against real services wait most of their time, those of `tests/unit` compute. If each kind has
its own half of a run, the processors idle in the one and are short in the other. So the files of
the two kinds alternate, from the first to the last. Those that wait end a little earlier: they are
the long ones, and no process shall begin one when the others have nothing left to do.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import pytest

from tests.budgets import suite_of

COMPUTING: Final = ("golden", "simulation", "unit")
"""Suites whose tests compute more than they wait."""
LONG_FIRST: Final = ("system", "integration", "browser")
"""The order of those that wait: suites with the longest files come first."""
WAITING_UNTIL: Final = 0.85
"""When the last file that waits begins, as a share of all files that compute."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the files in order, within a process of pytest-xdist; each has the same order."""
    if hasattr(config, "workerinput"):
        items[:] = mixed(items)


def mixed(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """All of `items`: a file's tests stay together, in their order."""
    files = [list(file) for _, file in groupby(items, _file_of)]
    computing = [file for file in files if _suite_of(file) in COMPUTING]
    waiting = sorted((file for file in files if _suite_of(file) not in COMPUTING), key=_rank_of)
    placed = [
        *((place / len(computing), file) for place, file in enumerate(computing)),
        *((WAITING_UNTIL * place / len(waiting), file) for place, file in enumerate(waiting)),
    ]
    return [item for _, file in sorted(placed, key=lambda one: one[0]) for item in file]


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _suite_of(file: Sequence[pytest.Item]) -> str:
    return suite_of(file[0].nodeid)


def _rank_of(file: Sequence[pytest.Item]) -> int:
    suite = _suite_of(file)
    return LONG_FIRST.index(suite) if suite in LONG_FIRST else len(LONG_FIRST)
