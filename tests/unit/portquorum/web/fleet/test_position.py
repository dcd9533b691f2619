from hypothesis import given
from hypothesis import strategies as st

from portquorum.web.fleet.position import MOST_CHARS, Position, decode

VECTORS = st.dictionaries(st.integers(0, 99), st.integers(1, 2**63 - 1), max_size=20)


@given(VECTORS, VECTORS, VECTORS)
def test_a_position_comes_back_from_its_text(
    incidents: dict[int, int], targets: dict[int, int], policy: dict[int, int]
) -> None:
    position = Position(incidents, targets, policy)
    text = position.encode()
    assert decode(text) == position
    assert text.isascii()
    assert text.isprintable()


def test_the_text_does_not_hang_on_the_order_in_which_records_came() -> None:
    assert Position({1: 5, 0: 7}).encode() == Position({0: 7, 1: 5}).encode()


@given(st.text(max_size=200))
def test_any_other_text_is_no_position(text: str) -> None:
    found = decode(text)
    assert found is None or isinstance(found, Position)


def test_a_record_before_the_position_is_in_it() -> None:
    position = Position({3: 10})
    assert position.has("incidents", 3, 9)
    assert not position.has("incidents", 3, 10)
    assert not position.has("targets", 3, 0)


@given(st.lists(st.integers(-120, 120), min_size=1024, max_size=1024), st.integers(2**30, 2**40))
def test_of_a_thousand_partitions_a_header_holds_what_a_process_nearby_needs(
    away: list[int], offset: int
) -> None:
    there = Position(dict.fromkeys(range(1024), offset), dict.fromkeys(range(1024), 2**31), {0: 9})
    text = there.encode()
    assert len(text) <= MOST_CHARS
    here = Position(
        {partition: offset + by for partition, by in enumerate(away)}, there.targets, {0: 7}
    )
    assert decode(text, here) == there


def test_a_short_position_that_is_far_away_is_none() -> None:
    there = Position(dict.fromkeys(range(1024), 2**40), dict.fromkeys(range(1024), 2**31))
    text = there.encode()
    assert decode(text) is None
    far = Position({**there.incidents, 7: 2**40 + 256, 8: 2**40 - 256}, there.targets)
    assert decode(text, far) is None
    assert decode(text, Position(there.incidents, {})) is None
    assert decode(f"{text}x", there) is None
