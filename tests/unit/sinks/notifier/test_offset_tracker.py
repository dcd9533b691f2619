"""What may be committed: never past a record that is not handled."""

from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from sinks.notifier.offset_tracker import OffsetTracker

P = TopicPartition("incidents", 0)


def test_a_record_in_hand_holds_the_commit() -> None:
    handled = OffsetTracker()
    handled.passed(P, 5)
    handled.taken(P, 6)
    handled.taken(P, 7)
    assert handled.to_commit() == {P: 6}
    handled.done(P, 7)
    assert handled.to_commit() == {P: 6}
    handled.done(P, 6)
    assert handled.to_commit() == {P: 8}
    handled.committed({P: 8})
    assert handled.to_commit() == {}
    assert handled.in_hand == 0


def test_a_record_is_handled_with_its_last_part() -> None:
    handled = OffsetTracker()
    handled.taken(P, 0)
    handled.more(P, 0)
    handled.done(P, 0)
    assert handled.to_commit() == {P: 0}
    handled.done(P, 0)
    assert handled.to_commit() == {P: 1}


def test_a_new_partition_is_committed_where_it_begins() -> None:
    handled = OffsetTracker()
    handled.begins(P, 0)
    assert handled.to_commit() == {P: 0}


@given(st.data())
def test_the_commit_is_the_first_record_in_hand(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 30))
    told = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    handled = OffsetTracker()
    open_ = set()
    for offset, tell in enumerate(told):
        if tell:
            handled.taken(P, offset)
            open_.add(offset)
        else:
            handled.passed(P, offset)
    for offset in data.draw(st.permutations(sorted(open_))):
        assert handled.to_commit() == {P: min(open_)}
        handled.done(P, offset)
        open_.remove(offset)
    assert handled.to_commit() == {P: count}
