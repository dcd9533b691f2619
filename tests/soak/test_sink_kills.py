"""The long form of tests/integration/sinks/clickhouse/test_kills.py: `make soak`.

`PORTQUORUM_SOAK_KILLS` and `PORTQUORUM_SOAK_ROWS` change how long it is.
"""

import os
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.soak.sink_kills import Plan, run

SECONDS_A_KILL: Final = 7.0
"""About: rows come as long as kills do."""


@pytest.mark.soak
async def test_a_hundred_kills_of_sink_clickhouse_and_broker_lose_and_double_nothing(
    tmp_path: Path, soak_seed: int, soak_reports: Path
) -> None:
    kills = int(os.environ.get("PORTQUORUM_SOAK_KILLS", "100"))
    rows = int(os.environ.get("PORTQUORUM_SOAK_ROWS", "20000000"))
    plan = Plan(
        seed=soak_seed,
        kills=kills,
        rows=rows,
        rate=rows / (kills * SECONDS_A_KILL),
        pause_s=4.0,
        partitions=16,
        lines=500,
    )
    outcome = await run(plan, tmp_path)
    report = soak_reports / f"sink-kills-{soak_seed}"
    report.with_suffix(".txt").write_text(outcome.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome)))
    print(outcome.report)  # noqa: T201 - soak tests tell
    assert outcome.wrong == []
