"""A lag is caught up while results come in: the short form of `make soak`'s."""

from pathlib import Path

from tests.soak.sink_lag import Plan, run


async def test_a_minute_of_lag_is_caught_up_while_results_come_in(tmp_path: Path) -> None:
    outcome = await run(Plan(seed=5, lag_s=60, rate=2_000, deadline_s=120), tmp_path)
    assert outcome.wrong == [], outcome.report
    assert outcome.came_meanwhile > 0
