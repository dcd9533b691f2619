"""Lengths of time in words: each form, at the ends of its steps."""

import pytest

from schemas.duration import (
    COARSE,
    EVENT,
    ONE_UNIT,
    TWO_UNITS,
    WHOLE_SECONDS,
    Form,
    duration_text,
)


@pytest.mark.parametrize(
    ("form", "milliseconds", "text"),
    [
        (TWO_UNITS, -5, "0 ms"),
        (TWO_UNITS, 0, "0 ms"),
        (TWO_UNITS, 0.4, "0 ms"),
        (TWO_UNITS, 999, "999 ms"),
        (TWO_UNITS, 1000, "1 s"),
        (TWO_UNITS, 1999.9, "1 s"),
        (TWO_UNITS, 185_000, "3 min 5 s"),
        (TWO_UNITS, 7_800_000, "2 h 10 min"),
        (TWO_UNITS, 352_800_000, "4 d 2 h"),
        (TWO_UNITS, 86_400_000, "1 d"),
        (WHOLE_SECONDS, -5, "0 s"),
        (WHOLE_SECONDS, 999, "0 s"),
        (WHOLE_SECONDS, 45_000, "45 s"),
        (WHOLE_SECONDS, 60_000, "1 min"),
        (WHOLE_SECONDS, 200_000, "3 min 20 s"),
        (WHOLE_SECONDS, 7_500_000, "2 h 5 min"),
        (WHOLE_SECONDS, 97_200_000, "1 d 3 h"),
        (COARSE, -5, "0 ms"),
        (COARSE, 850, "850 ms"),
        (COARSE, 119_999, "119 s"),
        (COARSE, 720_000, "12 min"),
        (COARSE, 7_199_999, "119 min"),
        (COARSE, 7_200_000, "2 h"),
        (COARSE, 11_100_000, "3 h 5 min"),
        (COARSE, 172_799_999, "47 h 59 min"),
        (COARSE, 172_800_000, "2 d"),
        (COARSE, 187_200_000, "2 d 4 h"),
        (EVENT, 0, "0 s"),
        (EVENT, 999, "0 s"),
        (EVENT, 119_999, "119 s"),
        (EVENT, 120_000, "2 min"),
        (EVENT, 7_199_999, "119 min"),
        (EVENT, 7_200_000, "2 h 0 min"),
        (EVENT, 360_000_000, "100 h 0 min"),
        (ONE_UNIT, 0, "0.0 s"),
        (ONE_UNIT, 9_940, "9.9 s"),
        (ONE_UNIT, 45_400, "45 s"),
        (ONE_UNIT, 720_000, "12 min"),
        (ONE_UNIT, 11_160_000, "3.1 h"),
    ],
)
def test_a_length_in_words(form: Form, milliseconds: float, text: str) -> None:
    assert duration_text(milliseconds, form) == text
