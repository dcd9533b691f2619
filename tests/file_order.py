"""The order of the test files of a run with several processes.

Tests against real services wait most of their time, those of `tests/unit` compute. If each kind has
its own half of a run, the processors idle in the one and are short in the other. So the files of
the two kinds alternate, from the first to the last. Those that wait end earlier, and the longest
come first: no process shall begin one when the others have nothing left to do.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import pytest

from tests.budgets import suite_of

COMPUTING: Final = ("golden", "simulation", "unit")
"""Suites whose tests compute more than they wait."""
SUITES_THAT_WAIT: Final = ("system", "integration", "browser")
"""Their order: those with the longest files come first."""
LONG: Final = frozenset(
    [
        "portquorum/test_roles_end.py",
        "streams/test_open_incidents.py",
        "sinks/clickhouse/test_contract.py",
        "sinks/notifier/receivers/test_reports_delivery.py",
        "sinks/clickhouse/test_status.py",
        "sinks/notifier/receivers/test_misbehaviour.py",
        "producers/test_prober.py",
        "sinks/clickhouse/test_exactly_once.py",
        "sinks/notifier/test_dead_man.py",
        "sinks/notifier/test_notifier.py",
        "sinks/clickhouse/test_migrate.py",
        "sinks/clickhouse/test_truth.py",
        "streams/test_lost_checkpoints.py",
        "streams/test_worker.py",
        "sinks/clickhouse/test_outages.py",
        "sinks/clickhouse/test_kills.py",
        "portquorum/test_backtest.py",
        "portquorum/web/test_schemathesis.py",
        "producers/test_broker_away.py",
        "sinks/notifier/receivers/test_storm.py",
        "sinks/notifier/receivers/test_every_receiver.py",
        "portquorum/cli/test_health.py",
        "sinks/notifier/receivers/test_no_answer.py",
        "sinks/clickhouse/test_two_sinks.py",
        "portquorum/test_passwords_hidden.py",
        "portquorum/cli/test_report.py",
        "sinks/clickhouse/test_replays.py",
        "subscribers/test_codecs.py",
        "sinks/clickhouse/test_outage.py",
        "sinks/notifier/channels/test_outcomes.py",
        "sinks/notifier/receivers/test_alertmanager.py",
        "sinks/notifier/test_broker_outage.py",
        "sinks/notifier/test_takeover.py",
        "sinks/notifier/receivers/test_reports_routes.py",
        "sinks/clickhouse/test_views.py",
        "streams/test_group.py",
        "sinks/clickhouse/test_trouble.py",
        "embedded/kafka/test_kafka_starts.py",
        "portquorum/cli/test_silence.py",
        "streams/test_replay.py",
    ]
)
"""Files of tests/integration that take the longest (2026-11-30): a hint, nothing depends on it."""
WAITING_UNTIL: Final = 0.75
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
    """Before which others a file comes; of an equal rank they stay in their order."""
    suite = _suite_of(file)
    if suite == "integration" and _file_of(file[0]).removeprefix("tests/integration/") in LONG:
        return 0
    return SUITES_THAT_WAIT.index(suite) if suite in SUITES_THAT_WAIT else len(SUITES_THAT_WAIT)
