"""The long form: hundreds of small fleets of jobs, then 10,000 jobs for more than half a day."""

from pathlib import Path

import pytest

from tests.simulation.jobs.soak import soak


@pytest.mark.soak
def test_hundreds_of_fleets_of_jobs_are_told_as_the_ground_truth_has_it(
    soak_seed: int, soak_reports: Path
) -> None:
    where = soak_reports / f"jobs-{soak_seed}.txt"
    found = soak(soak_seed, 400, 14, where)
    print(where.read_text())  # noqa: T201 - soak tests tell
    assert not found.divergences
    assert found.simulations == 401


def test_a_short_soak_tells_what_it_covered(tmp_path: Path) -> None:
    found = soak(3, 1, 0, tmp_path / "report.txt")
    assert not found.divergences, "\n".join(found.lines())
    text = (tmp_path / "report.txt").read_text()
    assert "seed 3" in text
    assert "1 simulations" in text
