"""The notifier's memory is what the newest active one wrote."""

import msgspec

from portquorum.delivery.memory import StateRecord, remember
from schemas.notifier_state import HandledOffsets, Term, subject_key
from tests.unit.portquorum.delivery.sample import AT, event, member, record, subject


def term(number: int, owner: str = "a") -> StateRecord:
    return b"term", msgspec.json.encode(Term(term=number, owner=owner, at=AT)), ()


def offsets(number: int, at: int) -> StateRecord:
    found = HandledOffsets(term=number, offsets={"0": at}, at=AT)
    return b"offsets", msgspec.json.encode(found), ()


def removal(key: str, number: int) -> StateRecord:
    return subject_key(key), None, [("term", str(number).encode())]


def test_nothing_is_remembered_of_an_empty_topic() -> None:
    found = remember([])
    assert (found.term, found.offsets, found.subjects, found.unreadable) == (None, None, {}, 0)


def test_the_newest_value_of_a_subject_counts_until_it_is_removed() -> None:
    one, other = subject(event(1)), subject(event(2))
    newer = msgspec.structs.replace(one, audience=(member(),))
    records = [term(3), offsets(3, 7), record(one), record(other), record(newer)]
    found = remember(records)
    assert found.subjects == {one.key: newer, other.key: other}
    assert found.offsets is not None
    assert found.offsets.offsets == {"0": 7}
    assert set(remember([*records, removal(one.key, 3)]).subjects) == {other.key}
    # A removal of an ended term does not count either.
    assert set(remember([*records, removal(one.key, 2)]).subjects) == {one.key, other.key}


def test_what_a_notifier_writes_after_its_successor_began_does_not_count() -> None:
    before = subject(event(1), term=3)
    late = msgspec.structs.replace(before, phase="closed")
    found = remember([term(3), record(before), term(4, "b"), record(late), offsets(3, 9)])
    assert found.subjects == {before.key: before}
    assert found.offsets is None
    assert found.term is not None
    assert (found.term.term, found.term.owner) == (4, "b")


def test_of_two_beginnings_with_one_number_the_first_counts() -> None:
    found = remember([term(4, "first"), term(4, "second"), term(3, "late")])
    assert found.term is not None
    assert found.term.owner == "first"


def test_what_can_not_be_read_is_passed_over() -> None:
    good = subject(event(1))
    half = (b"subject/x", b'{"state":"subject","term":3}', ())
    found = remember([(None, b"{}", ()), (b"term", b"{", ()), half, record(good)])
    assert found.unreadable == 1
    assert found.subjects == {good.key: good}
