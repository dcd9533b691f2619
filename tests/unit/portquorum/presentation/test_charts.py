"""Charts of characters."""

import pytest

from portquorum.presentation.charts import bar, sparkline


@pytest.mark.parametrize(
    ("shares", "line"),
    [([], ""), ([None, None], "··"), ([0, 0.125, 0.5, 0.999, 1, 1.5, -1], "▁▂▅███▁")],
)
def test_a_sparkline_has_a_character_a_value(shares: list[float | None], line: str) -> None:
    assert sparkline(shares) == line


def test_a_bar_is_as_long_as_its_share_and_something_is_never_nothing() -> None:
    assert bar(0, 8) == ""
    assert bar(-1, 8) == ""
    assert bar(1, 8) == "█" * 8
    assert bar(0.5, 8) == "█" * 4
    assert bar(0.00001, 8) == "▏"
