"""Durations as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portquorum.inventory import duration


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("250ms", 250), ("30s", 30_000), ("1.5m", 90_000), ("2h", 7_200_000), ("1d", 86_400_000)],
)
def test_units(text: str, milliseconds: int) -> None:
    assert duration.parse_ms(text) == milliseconds


@pytest.mark.parametrize("text", ["", "30", "s", "-1s", "1 s", "1h30m", "1S", "٣s", "1s\n"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        duration.parse_ms(text)


@given(st.integers(min_value=0, max_value=10**9))
def test_what_is_written_is_read_again(milliseconds: int) -> None:
    assert duration.parse_ms(duration.text(milliseconds)) == milliseconds
