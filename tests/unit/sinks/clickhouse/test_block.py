"""Blocks: what is rejected is fixed, fits a commit, and gives the same rows again."""

from pathlib import Path

import msgspec
import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

import schemas
from schemas import batch, control, topics
from schemas.deadletter import DeadLetter
from sinks.clickhouse.block import Block, build, rebuild
from sinks.clickhouse.pending_block import MAX_METADATA_BYTES, Pending
from sinks.clickhouse.result_columns import whole_us
from tests.unit.sinks.clickhouse.messages import record, result

GOOD = batch.encode([result()]).rstrip(b"\n")

value = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.lists(st.sampled_from([GOOD, b"bad", b"", b" ", b"{}"]), max_size=12).map(b"\n".join),
)
headers = st.sampled_from(
    [
        (),
        ((control.HEADER, b'{"control":"tick","worker":"w"}'),),
        ((control.HEADER, b"garbage"),),
        ((control.HEADER, b"\xff"),),
    ]
)
messages = st.lists(st.tuples(value, headers), min_size=1, max_size=8).map(
    lambda found: [record(v, 10 + n, headers=h) for n, (v, h) in enumerate(found)]
)


def rows_of(block: Block) -> list[list[object]]:
    return [list(column) for rows in block.rows for column in rows.columns]


def ids(block: Block) -> list[str]:
    return [found.id for found in block.letters]


@given(messages)
def test_a_block_that_is_read_again_is_the_same(records: list[ConsumerRecord]) -> None:
    block = build(topics.RESULTS, records)
    pending = block.pending
    assert pending.fits
    taken = [found for found in records if found.offset <= pending.last]
    again = rebuild(topics.RESULTS, taken, pending)
    assert rows_of(again) == rows_of(block)
    assert ids(again) == ids(block)


@given(messages)
def test_each_line_is_a_row_or_in_a_dead_letter(records: list[ConsumerRecord]) -> None:
    block = build(topics.RESULTS, records)
    rows = sum(len(found) for found in block.rows)
    good = sum((found.value or b"").split(b"\n").count(GOOD) for found in records)
    assert rows == good
    assert len(set(ids(block))) == len(block.letters)


@given(
    st.sampled_from([topic for topic in topics.read_by("sink") if topic is not topics.RESULTS]),
    st.lists(
        st.tuples(st.one_of(st.none(), st.binary(max_size=50)), st.binary(max_size=20)),
        min_size=1,
        max_size=5,
    ),
)
def test_no_bytes_on_any_topic_raise(
    topic: topics.Topic, found: list[tuple[bytes | None, bytes]]
) -> None:
    records = [record(v, n, key=k, topic=f"p.{topic.name}") for n, (v, k) in enumerate(found)]
    block = build(topic, records)
    again = rebuild(topic, records, block.pending)
    assert rows_of(again) == rows_of(block)
    if topic is topics.DEADLETTER:
        # Garbage there is a row at once: a letter about it would come back for ever.
        assert block.letters == []
        assert len(block.rows[0]) == len(records)


def test_latencies_are_whole_microseconds() -> None:
    (rows,) = build(topics.RESULTS, [record(GOOD)]).rows
    row = dict(zip(rows.table.names, (column[0] for column in rows.columns), strict=True))
    assert whole_us([0.0, 0.0004, 4_294_967.2, 86_400_000.0]) == [0, 0, 4_294_967_200, 2**32 - 1]
    assert (row["connect_us"], row["dns_us"], row["reason"], row["host"]) == (
        1235,
        None,
        "",
        "db.example.com",
    )
    assert (row["log_partition"], row["log_offset"], row["log_line"]) == (3, 0, 0)


def test_a_block_ends_before_the_message_whose_rejects_do_not_fit() -> None:
    holes = b"\n".join(GOOD if n % 2 else b"bad" for n in range(300))
    records = [record(holes, n) for n in range(10)]
    block = build(topics.RESULTS, records)
    assert 0 <= block.pending.last < 9
    assert len(block.pending.metadata()) <= MAX_METADATA_BYTES


def test_one_message_with_too_many_holes_is_read_again_without_their_names() -> None:
    holes = record(b"\n".join(GOOD if n % 2 else b"bad" for n in range(3_000)))
    block = build(topics.RESULTS, [holes])
    assert block.pending.rejected is None
    assert block.pending.fits
    assert len(block.letters) == 1_500
    again = rebuild(topics.RESULTS, [holes], block.pending)
    assert (rows_of(again), ids(again)) == (rows_of(block), ids(block))


def test_garbage_of_many_lines_is_one_dead_letter() -> None:
    block = build(topics.RESULTS, [record(b"x\n" * 100_000)])
    assert ids(block) == ["p.results:3:0:-1"]
    assert block.rows == []


def test_what_another_version_rejected_stays_out_and_is_a_dead_letter() -> None:
    records = [record(b"\n".join([GOOD] * 3), 5)]
    pending = Pending(first=5, last=5, at=0, rejected=((0, 1, 1),))
    block = rebuild(topics.RESULTS, records, pending)
    assert [len(rows) for rows in block.rows] == [2]
    assert ids(block) == ["p.results:3:5:1"]


def test_what_this_version_rejects_beyond_that_is_a_dead_letter_too() -> None:
    records = [record(GOOD + b"\nbad", 5)]
    block = rebuild(topics.RESULTS, records, Pending(first=5, last=5, at=0))
    assert ids(block) == ["p.results:3:5:1"]


@pytest.mark.parametrize("timestamp", [-1, 2**62])
def test_a_writers_wild_timestamp_is_held_within_the_column(timestamp: int) -> None:
    block = build(topics.INCIDENTS, [record(b"garbage", topic="p.incidents", timestamp=timestamp)])
    (found,) = block.letters
    assert msgspec.convert(msgspec.to_builtins(found), DeadLetter) == found
    assert 0 <= found.at <= 9_999_999_999_999


def test_an_event_that_contradicts_itself_is_a_letter_that_says_so() -> None:
    folder = Path(schemas.__file__).parent / "examples" / "incidents"
    good = msgspec.json.decode((folder / "opened.json").read_bytes())
    bad = [good | {"closed_at": good["at"]}, good | {"event": "closed"}, good | {"event_id": ""}]
    records = [
        record(msgspec.json.encode(value), offset, topic="p.incidents", key=b"db1.example.com")
        for offset, value in enumerate([*bad, good])
    ]
    block = build(topics.INCIDENTS, records)
    assert [letter.offset for letter in block.letters] == [0, 1, 2]
    assert "`opened` without `closed_at`, found one with it" in block.letters[0].error
    assert "`closed` with `closed_at`, found one without it" in block.letters[1].error
    assert "$.event_id" in block.letters[2].error
    assert [len(rows) for rows in block.rows] == [1]
