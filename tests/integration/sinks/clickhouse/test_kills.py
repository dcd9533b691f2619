"""kill -9 of the sink, of ClickHouse and of the broker: the short form of `make soak`'s."""

from pathlib import Path

from tests.soak.sink_kills import Plan, run


async def test_kills_of_sink_clickhouse_and_broker_lose_and_double_nothing(tmp_path: Path) -> None:
    plan = Plan(seed=5, kills=4, rows=12_000, rate=3_000, pause_s=1.0, lines=50)
    outcome = await run(plan, tmp_path)
    assert outcome.wrong == [], outcome.report
