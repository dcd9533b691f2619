"""The long form of tests/integration/sinks/clickhouse/test_lag.py: `make soak`.

`PORTQUORUM_SOAK_LAG_S` and `PORTQUORUM_SOAK_RATE` change how much it is.
"""

import os
from pathlib import Path

import msgspec
import pytest

from tests.soak.sink_lag import Plan, run


@pytest.mark.soak
async def test_half_an_hour_of_lag_is_caught_up_while_results_come_in(
    tmp_path: Path, soak_seed: int, soak_reports: Path
) -> None:
    plan = Plan(
        seed=soak_seed,
        lag_s=float(os.environ.get("PORTQUORUM_SOAK_LAG_S", "1800")),
        rate=float(os.environ.get("PORTQUORUM_SOAK_RATE", "20000")),
        deadline_s=7_200,
        partitions=16,
        lines=500,
    )
    outcome = await run(plan, tmp_path)
    report = soak_reports / f"sink-lag-{soak_seed}"
    report.with_suffix(".txt").write_text(outcome.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome)))
    print(outcome.report)  # noqa: T201 - soak tests tell
    assert outcome.wrong == []
    assert outcome.memory_mb < 1_000
