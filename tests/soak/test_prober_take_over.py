"""The long form of tests/integration/producers/test_take_over.py: `make soak`.

`PORTQUORUM_SOAK_KILLS` and `PORTQUORUM_SOAK_TARGETS` change how much it is.
"""

import os
from pathlib import Path

import msgspec
import pytest

from portquorum.embedded.kafka.main import EmbeddedKafka
from tests.soak.prober_take_over import TAKE_OVER_S, Plan, run


@pytest.mark.soak
async def test_nobody_waits_longer_than_an_interval_and_ten_seconds_after_a_kill(
    tmp_path: Path, soak_seed: int, soak_reports: Path
) -> None:
    plan = Plan(
        seed=soak_seed,
        targets=int(os.environ.get("PORTQUORUM_SOAK_TARGETS", "10000")),
        interval_ms=20_000,
        kills=int(os.environ.get("PORTQUORUM_SOAK_KILLS", "5")),
    )
    with EmbeddedKafka(tmp_path, "127.0.0.1:0") as kafka:
        outcome = await run(plan, kafka.bootstrap_servers, tmp_path)
    report = soak_reports / f"prober-take-over-{soak_seed}"
    report.with_suffix(".txt").write_text(outcome.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome)))
    print(outcome.report)  # noqa: T201 - soak tests tell
    assert outcome.gone == []
    # Two checks are up to 1.2 intervals apart (docs/rules.md, rule 4).
    assert outcome.unchecked_ms.most <= 1.2 * plan.interval_ms + TAKE_OVER_S * 1_000
