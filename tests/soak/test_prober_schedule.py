"""The long form of tests/integration/producers/test_schedule_held.py: `make soak`.

`PORTQUORUM_SOAK_TARGETS` and `PORTQUORUM_SOAK_SECONDS` change how much it is.
"""

import os
from pathlib import Path

import msgspec
import pytest

from portquorum.embedded.kafka.main import EmbeddedKafka
from producers.schedule.schedule import FIRST_CHECKS_PER_S
from tests.soak.prober_schedule import MOST_MEMORY_MB, Plan, run


@pytest.mark.soak
async def test_a_hundred_thousand_targets_are_checked_on_time_by_one_process(
    tmp_path: Path, soak_seed: int, soak_reports: Path
) -> None:
    plan = Plan(
        seed=soak_seed,
        targets=int(os.environ.get("PORTQUORUM_SOAK_TARGETS", "100000")),
        interval_ms=60_000,
        seconds=float(os.environ.get("PORTQUORUM_SOAK_SECONDS", "300")),
        changes=1_000,
    )
    with EmbeddedKafka(tmp_path, "127.0.0.1:0") as kafka:
        outcome = await run(plan, kafka.bootstrap_servers, tmp_path)
    report = soak_reports / f"prober-schedule-{soak_seed}"
    report.with_suffix(".txt").write_text(outcome.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome)))
    print(outcome.report)  # noqa: T201 - soak tests tell
    assert outcome.wrong == []
    assert outcome.missed == 0
    assert outcome.memory_mb < MOST_MEMORY_MB
    # Those that come to their slot before their turn are checked there.
    a_second = FIRST_CHECKS_PER_S + 1_000 * plan.targets / plan.interval_ms
    assert outcome.first_in_1_s <= 1.1 * a_second
    for herd in outcome.herds:
        assert herd.due < 2 * herd.mean, "phases are spread"
