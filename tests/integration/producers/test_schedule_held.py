"""Many targets are checked on time, also while they change: the short form of `make soak`'s."""

from pathlib import Path

from tests.soak.prober_schedule import Plan, run


async def test_every_slot_of_many_targets_has_one_result(kafka: str, tmp_path: Path) -> None:
    plan = Plan(
        seed=6,
        targets=2_000,
        interval_ms=4_000,
        seconds=12,
        changes=100,
        timeout_ms=900,
        retry_delay_ms=500,
        partitions=4,
    )
    outcome = await run(plan, kafka, tmp_path)
    assert outcome.wrong == [], outcome.report
