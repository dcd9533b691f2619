"""The long form of tests/integration/producers/test_broker_away.py: `make soak`.

`PORTQUORUM_SOAK_AWAY_S` and `PORTQUORUM_SOAK_RATE` (results a second) change how much it is.
"""

import os
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from foundation.settings import Settings
from tests.soak.prober_outage import run
from tests.soak.prober_scene import Away, Plan

INTERVAL_S = 5


@pytest.mark.soak
@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_five_minutes_without_a_broker_lose_double_and_move_nothing(
    how: Literal["stopped", "killed"], tmp_path: Path, soak_seed: int, soak_reports: Path
) -> None:
    rate = float(os.environ.get("PORTQUORUM_SOAK_RATE", "2000"))
    seconds = float(os.environ.get("PORTQUORUM_SOAK_AWAY_S", "300"))
    plan = Plan(
        seed=soak_seed,
        targets=round(rate * INTERVAL_S),
        interval_ms=INTERVAL_S * 1_000,
        timeout_ms=2_000,
        retry_delay_ms=1_000,
        away=(Away(how=how, seconds=seconds),),
        calm_s=15.0,
        in_memory=Settings().probe_spool_memory_results,
    )
    outcome = await run(plan, tmp_path)
    report = soak_reports / f"prober-outage-{how}-{soak_seed}"
    report.with_suffix(".txt").write_text(outcome.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome)))
    print(outcome.report)  # noqa: T201 - soak tests tell
    assert outcome.wrong == []
    assert outcome.orders <= 2, "the fresh, the spooled"
    assert [one for one in outcome.spooled if one.results < rate * seconds] == []
