"""The long form: 10,000 simulated hours of small fleets, then one large fleet."""

from pathlib import Path

import pytest

from tests.simulation.soak import soak


@pytest.mark.soak
def test_ten_thousand_hours_open_and_close_what_the_ground_truth_has(
    soak_seed: int, soak_reports: Path
) -> None:
    where = soak_reports / f"simulation-{soak_seed}.txt"
    small, large = soak(soak_seed, 10_000, 6, minutes=600, where=where)
    print(where.read_text())  # noqa: T201 - soak tests tell
    assert not small.divergences
    assert not large.divergences
    assert small.hours >= 10_000
    assert large.hours >= 6


def test_a_short_soak_tells_what_it_covered(tmp_path: Path) -> None:
    small, large = soak(14, 10, 0, minutes=1, where=tmp_path / "report.txt")
    assert not small.divergences
    assert small.runs == 1
    assert large.runs == 0
    text = (tmp_path / "report.txt").read_text()
    assert "seed 14" in text
    assert "10 of 10 hours" in text
