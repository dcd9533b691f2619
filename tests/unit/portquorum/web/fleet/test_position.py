from hypothesis import given
from hypothesis import strategies as st

from portquorum.web.fleet.position import Position, decode

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


def test_a_position_that_no_header_holds_is_none() -> None:
    many = dict.fromkeys(range(1024), 2**40)
    assert (
        len(Position(dict.fromkeys(range(256), 2**31), dict.fromkeys(range(256), 9)).encode()) > 9
    )
    text = Position(many, many).encode()
    assert len(text) == 1
    assert decode(text) is None
