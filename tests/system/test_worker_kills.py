"""Stream workers are killed and stopped under load: nothing is lost, nothing is told twice."""

from pathlib import Path

import pytest

from tests.soak.stream_kills import Plan, run


@pytest.mark.timeout(600)
async def test_kills_and_a_zombie_under_load_lose_and_double_nothing(
    kafka: str, tmp_path: Path
) -> None:
    plan = Plan(seed=4, kills=4, stop_s=12, stops_after=(2,), hosts=120, troubles_a_round=4.0)
    outcome = await run(plan, kafka, tmp_path)
    assert outcome.outages > 0
    assert outcome.wrong == [], outcome.report
    assert outcome.ended == []
    assert outcome.comparison.agrees, outcome.report
    assert outcome.comparison.unsound == []
    assert outcome.comparison.same >= 2 * outcome.outages
