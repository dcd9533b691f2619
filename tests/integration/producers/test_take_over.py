"""A prober that is killed leaves no target behind: the short form of `make soak`'s."""

from pathlib import Path

from tests.soak.prober_take_over import Plan, run


async def test_every_target_of_a_killed_prober_is_checked_on(kafka: str, tmp_path: Path) -> None:
    outcome = await run(
        Plan(seed=6, targets=200, interval_ms=1_000, kills=1, partitions=4), kafka, tmp_path
    )
    assert outcome.gone == [], outcome.report
    assert min(outcome.shares) > 0
