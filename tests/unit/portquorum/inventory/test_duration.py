"""Durations as people write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portquorum.inventory import duration
from portquorum.inventory.document import DURATION_PATTERN


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        *(("250ms", 250), ("30s", 30_000), ("1.5m", 90_000), ("2h", 7_200_000), ("1d", 86_400_000)),
        *(("1h30m", 5_400_000), ("2m30s", 150_000), ("1d12h", 129_600_000), ("1s5ms", 1_005)),
        *(("0h1m", 60_000), ("1h1ms", 3_600_001), ("1d1h1m1s1ms", 90_061_001)),
    ],
)
def test_units(text: str, milliseconds: int) -> None:
    assert re.match(DURATION_PATTERN, text)
    assert duration.parse_ms(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        *("", "30", "s", "-1s", "1 s", "1S", "٣s", "1s\n", "1h30", "30m1h", "1h1h", "1.5h30m"),
        *("1h30m\n", "1h 30m", "1h٣m"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    assert not re.match(DURATION_PATTERN, text)
    with pytest.raises(ValueError, match="expected a duration"):
        duration.parse_ms(text)


@given(st.integers(min_value=0, max_value=10**9))
def test_what_is_written_is_read_again(milliseconds: int) -> None:
    assert duration.parse_ms(duration.text(milliseconds)) == milliseconds
