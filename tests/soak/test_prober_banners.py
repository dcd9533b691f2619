"""The long form of tests/unit/producers/kinds/test_banners.py: `make soak`.

`PORTQUORUM_SOAK_ANSWERS` changes how many there are.
"""

import os
from pathlib import Path

import msgspec
import pytest

from tests.soak.prober_banners import run
from tests.soak.prober_lanes import lanes


@pytest.mark.soak
async def test_a_million_answers_crash_hang_and_grow_nothing(
    soak_seed: int, soak_reports: Path
) -> None:
    answers = int(os.environ.get("PORTQUORUM_SOAK_ANSWERS", "1000000"))
    outcome = await run(soak_seed, answers, lanes())
    report = soak_reports / f"prober-banners-{soak_seed}"
    report.with_suffix(".txt").write_text(outcome.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome)))
    print(outcome.report)  # noqa: T201 - soak tests tell
    assert outcome.wrong == []
