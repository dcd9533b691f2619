from hypothesis import given
from hypothesis import strategies as st

from schemas import topics
from sinks.clickhouse.buffer import IDLE_WAIT_S, Buffer
from tests.unit.sinks.clickhouse.messages import record


def filled(*values: bytes) -> Buffer:
    buffer = Buffer(topics.RESULTS, 1.0)
    for offset, value in enumerate(values):
        buffer.add(record(value, offset), now=100.0 + offset)
    return buffer


def test_rows_go_after_their_wait_and_control_records_after_a_long_one() -> None:
    assert filled().due is None
    assert filled(b"").due == 100.0 + IDLE_WAIT_S
    assert filled(b"", b"line").due == 101.0 + 1.0


def test_a_large_message_goes_alone() -> None:
    buffer = filled(b"x\n" * 50, b"x")
    assert [found.offset for found in buffer.take(rows=10, size=10)] == [0]
    assert buffer.due == 101.0 + 1.0


@given(st.lists(st.binary(max_size=30), max_size=30), st.integers(1, 20))
def test_messages_leave_in_order_and_the_sums_agree(values: list[bytes], rows: int) -> None:
    buffer = filled(*values)
    before = buffer.rows, buffer.size
    left = []
    while len(buffer):
        taken = buffer.take(rows, 10_000)
        assert taken
        if len(taken) > 1 and rows % 2:
            buffer.put_back(taken[1:], now=200.0)
            taken = taken[:1]
        left += taken
    assert [found.offset for found in left] == list(range(len(values)))
    assert (buffer.rows, buffer.size) == (0, 0)
    assert before[0] == sum(value.count(b"\n") + 1 for value in values if value)


def test_a_pending_range_leaves_whole() -> None:
    buffer = filled(*[b"x"] * 10)
    assert [found.offset for found in buffer.take_to(4)] == [0, 1, 2, 3, 4]
    assert [found.offset for found in buffer.take(3, 1_000_000)] == [5, 6, 7]
    buffer.clear()
    assert (buffer.rows, buffer.size, buffer.due) == (0, 0, None)
