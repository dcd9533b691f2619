"""Cursors: opaque, and whatever somebody sends is no more than refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portquorum.web.history.asking import cursor_of, place_of
from portquorum.web.history.errors import UnknownCursorError
from portquorum.web.history.incident_queries import IncidentPlace
from portquorum.web.history.result_queries import ResultPlace


@given(st.integers(0, 2**62), st.text(max_size=60))
def test_a_place_comes_back(at: int, text: str) -> None:
    place = IncidentPlace(at, text)
    cursor = cursor_of(place)
    assert place_of(cursor, IncidentPlace) == place
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=40))
@example("")
@example("é")
@example("a" * 5_000)
@example(cursor_of(ResultPlace(1, "eu", 2, "p", 0)))
@example(cursor_of(IncidentPlace(1, "x"))[:-2])
def test_another_text_is_refused(cursor: str) -> None:
    with pytest.raises(UnknownCursorError, match="begin without one"):
        place_of(cursor, IncidentPlace)
