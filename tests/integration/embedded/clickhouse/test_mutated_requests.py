"""The short form of tests/soak/test_mutated_requests.py: requests as nobody would write them."""

from pathlib import Path

from tests.integration.embedded.clickhouse.mutation_run import Plan, run


def test_mutated_requests_leave_the_service_as_it_was(tmp_path: Path) -> None:
    outcome = run(Plan(seed=4, requests=2_500, clients=16), tmp_path)
    assert outcome.wrong == [], outcome.report
    # They are not all refused at the door.
    assert outcome.statuses["200"] > 50
    assert len(outcome.codes) > 10
