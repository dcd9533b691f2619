"""The long form of tests/integration/sinks/clickhouse/test_two_sinks.py: `make soak`.

`PORTQUORUM_SOAK_STOPS` and `PORTQUORUM_SOAK_STOP_S` change how many and how long.
"""

import os
from pathlib import Path

import msgspec
import pytest

from tests.soak.sink_stops import Plan, run


@pytest.mark.soak
async def test_sinks_that_are_stopped_for_a_minute_and_woken_lose_and_double_nothing(
    tmp_path: Path, soak_seed: int, soak_reports: Path
) -> None:
    plan = Plan(
        seed=soak_seed,
        stops=int(os.environ.get("PORTQUORUM_SOAK_STOPS", "10")),
        stop_s=float(os.environ.get("PORTQUORUM_SOAK_STOP_S", "60")),
        rate=5_000,
    )
    outcome = await run(plan, tmp_path)
    report = soak_reports / f"sink-stops-{soak_seed}"
    report.with_suffix(".txt").write_text(outcome.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome)))
    print(outcome.report)  # noqa: T201 - soak tests tell
    assert outcome.wrong == []
    assert outcome.events["reading the offsets again"] or outcome.events["partitions assigned"] > 2
