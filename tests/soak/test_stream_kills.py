"""The long form of tests/system/test_worker_kills.py: `make soak ARGS=tests/soak`."""

from pathlib import Path

import msgspec
import pytest

from tests.soak.stream_kills import Plan, run

TAKE_OVER_S = 10.0


@pytest.mark.soak
async def test_fifty_kills_and_two_zombies_lose_and_double_nothing(
    kafka: str, tmp_path: Path, soak_seed: int, soak_reports: Path
) -> None:
    plan = Plan(
        seed=soak_seed,
        kills=50,
        stop_s=60,
        stops_after=(20, 50),
        hosts=900,
        troubles_a_round=6.0,
    )
    outcome = await run(plan, kafka, tmp_path)
    report = soak_reports / f"stream-kills-{soak_seed}"
    report.with_suffix(".txt").write_text(outcome.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome)))
    print(outcome.report)  # noqa: T201 - soak tests tell
    assert outcome.wrong == []
    assert outcome.ended == []
    assert outcome.comparison.agrees
    assert outcome.comparison.unsound == []
    assert outcome.take_overs[-1] <= TAKE_OVER_S
