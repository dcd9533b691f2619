"""Measures rebalances: `make soak ARGS=tests/soak/test_rebalances.py`."""

from pathlib import Path
from typing import Final

import msgspec
import pytest

from foundation.kafka.clients import SESSION_TIMEOUT_MS
from tests.soak.rebalances import Plan, run, share

STANDSTILL_S: Final = 2.0
"""99 of 100 partitions go on within this time, on a machine with nothing else to do."""


@pytest.mark.soak
async def test_partitions_go_on_soon_when_workers_come_and_go(
    kafka: str, tmp_path: Path, soak_seed: int, soak_reports: Path
) -> None:
    plan = Plan(seed=soak_seed, rounds=10, workers=3, partitions=32)
    found = await run(plan, kafka, tmp_path)
    report = soak_reports / f"rebalances-{soak_seed}"
    report.with_suffix(".txt").write_text(found.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    print(found.report)  # noqa: T201 - soak tests tell
    assert share(found.by_change["come"], 0.99) <= STANDSTILL_S
    assert share(found.by_change["go"], 0.99) <= STANDSTILL_S
    # The brokers give up a dead member no earlier.
    assert share(found.by_change["kill"], 0.99) <= SESSION_TIMEOUT_MS / 1000 + STANDSTILL_S
