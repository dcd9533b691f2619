"""What the judge of the clients takes for the same value, and what not."""

from typing import Any

import pytest

from tests.wide.clients.judge import difference
from tests.wide.clients.questions import TYPES


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("1.50", "1.5"),
        ("0.1", "1E-1"),
        ("true", "1"),
        ("true", "True"),
        (["a", {"k": "1"}], ["a", {"k": "1"}]),
        (None, None),
        (3, 3),
    ],
)
def test_the_same_value_may_be_written_in_several_ways(expected: Any, found: Any) -> None:
    assert difference(expected, found) is None


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("18446744073709551615", "18446744073709552000"),
        ("2024-02-29T12:34:56.789Z", "2024-02-29T12:34:56.000Z"),
        ("true", "0"),
        (None, ""),
        ("", None),
        (["a"], ["a", "b"]),
        ({"k": "1"}, {"k": "1", "l": "2"}),
        ({"k": "1"}, [["k", "1"]]),
    ],
)
def test_another_value_is_told(expected: Any, found: Any) -> None:
    assert difference(expected, found)


def test_the_difference_names_its_place() -> None:
    right = [value for _, value in TYPES]
    wrong = [*right[:2], "1", *right[3:]]
    told = difference([right], [wrong])
    assert told == f"[0] [2] expected {right[2]!r}, found '1'"
