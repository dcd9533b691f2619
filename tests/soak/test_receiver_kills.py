"""The long form of tests/integration/portquorum/receiver/test_kills.py: `make soak`.

`PORTQUORUM_SOAK_KILLS` and `PORTQUORUM_SOAK_JOBS` change how much it is.
"""

import os
from pathlib import Path

import msgspec
import pytest

from portquorum.embedded.kafka.main import EmbeddedKafka
from tests.soak.receiver_kills import Plan, run


@pytest.mark.soak
async def test_of_ten_thousand_jobs_no_report_with_a_2xx_is_lost(
    tmp_path: Path, soak_seed: int, soak_reports: Path
) -> None:
    plan = Plan(
        seed=soak_seed,
        jobs=int(os.environ.get("PORTQUORUM_SOAK_JOBS", "10000")),
        kills=int(os.environ.get("PORTQUORUM_SOAK_KILLS", "20")),
    )
    with EmbeddedKafka(tmp_path / "kafka", "127.0.0.1:0") as kafka:
        outcome = await run(plan, kafka.bootstrap_servers, tmp_path)
    report = soak_reports / f"receiver-kills-{soak_seed}"
    report.with_suffix(".txt").write_text(outcome.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome)))
    print(outcome.report)  # noqa: T201 - soak tests tell
    assert outcome.lost == []
    assert outcome.wrong == []
