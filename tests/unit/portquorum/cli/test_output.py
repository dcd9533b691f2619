from datetime import UTC, datetime

import pytest
import typer

from portquorum.cli.options import duration_s
from portquorum.presentation.output import cell, clock


@pytest.mark.parametrize(
    ("text", "seconds"), [("3s", 3), ("500ms", 0.5), ("1m", 60), ("2h", 7200), ("1.5", 1.5)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "-1s", "0", "nan", "inf", "1d", "3 s s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected a duration"):
        duration_s(text)


def test_cells() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    values = [None, 1.5, 2.0, at, b"x", ("a", "b"), "up"]
    assert [cell(value).plain for value in values] == [
        "–",
        "1.5",
        "2",
        "2026-01-02 03:04:05",
        "x",
        "a, b",
        "up",
    ]
    assert clock(0) == "1970-01-01 00:00:00"
