"""The long form of tests/unit/sinks/notifier/decision/test_state_machine.py: `make soak`.

`PORTQUORUM_SOAK_HISTORIES` changes how many there are.
"""

import os
from pathlib import Path

import msgspec
import pytest

from tests.soak.notifier_decision import run
from tests.unit.sinks.notifier.decision.test_state_machine import Machine, TimelyMachine


@pytest.mark.soak
@pytest.mark.parametrize("machine", [Machine, TimelyMachine])
def test_in_twenty_thousand_histories_the_right_people_are_told_once(
    machine: type[Machine], soak_seed: int, soak_reports: Path
) -> None:
    histories = int(os.environ.get("PORTQUORUM_SOAK_HISTORIES", "20000"))
    outcome = run(machine, soak_seed, histories, steps=80)
    report = soak_reports / f"{machine.__name__.lower()}-{soak_seed}"
    report.with_suffix(".txt").write_text(outcome.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome)))
    print(outcome.report)  # noqa: T201 - soak tests tell
    assert outcome.wrong == []
