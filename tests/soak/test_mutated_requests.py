"""The long form of tests/integration/embedded/test_mutated_requests.py: `make soak`.

`PORTQUORUM_SOAK_REQUESTS` changes how many there are.
"""

import os
from pathlib import Path

import msgspec
import pytest

from tests.integration.embedded.clickhouse.mutation_run import Plan, run


@pytest.mark.soak
def test_a_hundred_thousand_mutated_requests(
    tmp_path: Path, soak_seed: int, soak_reports: Path
) -> None:
    requests = int(os.environ.get("PORTQUORUM_SOAK_REQUESTS", "100000"))
    outcome = run(Plan(seed=soak_seed, requests=requests, clients=16, samples=20), tmp_path)
    report = soak_reports / f"mutated-requests-{soak_seed}"
    report.with_suffix(".txt").write_text(outcome.report + "\n", encoding="utf-8")
    report.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(outcome)))
    print(outcome.report)  # noqa: T201 - soak tests tell
    assert outcome.wrong == []
