import pytest
from aiokafka import ConsumerRecord

from schemas import batch, topics
from sinks.clickhouse.bad_line_limit import LEAST, OF_A_MESSAGE, BadLines, TooManyBadLinesError
from sinks.clickhouse.block import build
from tests.unit.sinks.clickhouse.messages import record, result


def look(found: BadLines, records: list[ConsumerRecord]) -> None:
    while records:
        block = build(topics.RESULTS, records)
        used = [one for one in records if one.offset <= block.pending.last]
        found.look(used, block.letters, sum(map(len, block.rows)))
        records = records[len(used) :]


def good(offset: int, lines: int = 50) -> ConsumerRecord:
    return record(batch.encode([result(n) for n in range(lines)]), offset)


def test_a_topic_of_garbage_is_too_much() -> None:
    found = BadLines("p.results", 0.5)
    with pytest.raises(TooManyBadLinesError, match=r"1000 of the last 1000 lines on p\.results"):
        look(found, [record(b"garbage", offset) for offset in range(LEAST)])


def test_fewer_than_the_least_are_not_too_much() -> None:
    found = BadLines("p.results", 0.5)
    look(found, [record(b"garbage", offset) for offset in range(LEAST - 1)])


def test_one_odd_message_is_not_too_much_however_large() -> None:
    found = BadLines("p.results", 0.01)
    for start in range(0, 9 * 3, 3):
        half = b"\n".join([b"bad"] * 20_000)
        look(found, [good(start), record(half, start + 1), good(start + 2)])
    assert LEAST > 9 * OF_A_MESSAGE


def test_half_of_the_lines_may_be_bad_and_more_may_not() -> None:
    found = BadLines("p.results", 0.5)
    for offset in range(0, 100, 2):
        look(found, [good(offset), record(b"bad\n" * 50, offset + 1)])
    with pytest.raises(TooManyBadLinesError):
        look(found, [record(b"bad", 100)])


def test_only_the_last_lines_are_looked_at() -> None:
    found = BadLines("p.results", 0.5)
    look(found, [good(offset) for offset in range(400)])
    look(found, [record(b"bad\n" * 50, offset) for offset in range(400, 500)])
    with pytest.raises(TooManyBadLinesError):
        look(found, [record(b"bad\n" * 50, offset) for offset in range(500, 520)])


def test_what_is_read_again_is_not_counted_again() -> None:
    found = BadLines("p.results", 0.5)
    bad = [record(b"bad\n" * 50, offset) for offset in range(4)]
    for _ in range(10):
        look(found, bad)


def test_with_the_whole_as_share_nothing_is_too_much() -> None:
    found = BadLines("p.results", 1.0)
    look(found, [record(b"garbage", offset) for offset in range(5_000)])
