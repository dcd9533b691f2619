"""`make soak ARGS=tests/soak/test_notifier_mass.py`; its short form runs with every other test.

`PORTQUORUM_SOAK_KILLS` changes how long it is: about 12 s a kill.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.soak.notifier_mass import MassOutcome, MassPlan, encode, run


def holds(outcome: MassOutcome) -> None:
    assert outcome.judgement.wrong == []
    assert outcome.ended == []
    assert outcome.critical == []
    assert outcome.complete
    assert len(outcome.kills) == outcome.plan.kills
    assert outcome.judgement.counts["told"] > 0


@pytest.mark.timeout(600)
async def test_a_mass_outage_with_two_failovers(kafka: str, tmp_path: Path) -> None:
    outcome = await run(MassPlan(seed=3, kills=2, targets=120, interval_s=2.0), kafka, tmp_path)
    print(outcome.report)  # noqa: T201 - pytest shows it beside a failure
    holds(outcome)


@pytest.mark.soak
async def test_fifty_failovers_during_a_mass_outage(
    kafka: str, tmp_path: Path, soak_seed: int, soak_reports: Path
) -> None:
    kills = int(os.environ.get("PORTQUORUM_SOAK_KILLS", "50"))
    outcome = await run(MassPlan(seed=soak_seed, kills=kills), kafka, tmp_path)
    report = soak_reports / f"notifier-mass-{soak_seed}"
    report.with_suffix(".txt").write_text(outcome.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(encode(outcome))
    shutil.copyfile(tmp_path / "evidence.json", report.with_suffix(".evidence.json"))
    print(outcome.report)  # noqa: T201 - soak tests tell
    holds(outcome)
