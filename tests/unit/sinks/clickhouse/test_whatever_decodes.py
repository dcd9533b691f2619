"""Whatever decodes fits into its table, and what does not is one dead letter."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import deadletter, incident, topics
from schemas.checkpoint import CheckpointKey
from schemas.result import CheckResult
from schemas.topics import Topic
from sinks.clickhouse.block import build
from sinks.clickhouse.job_reports import contradiction
from sinks.clickhouse.tables import Rows
from tests.examples import examples
from tests.unit.schemas.edges import encoded
from tests.unit.sinks.clickhouse.fitting import fits
from tests.unit.sinks.clickhouse.messages import record

STAMPS = st.sampled_from([-1, -(2**63), 0, 1_800_000_000_000, 9_999_999_999_999, 2**63 - 1])
KEYS = (
    st.none()
    | st.binary(max_size=30)
    | st.sampled_from([b"\xff" * 1_000_000, b"a/maintenance/\x00"])
)
HEADERS = st.lists(
    st.tuples(st.sampled_from(["", "portquorum-control", "\ufffd"]), st.none() | st.binary()),
    max_size=2,
).map(tuple)


def values(topic: Topic) -> st.SearchStrategy[bytes]:
    return st.one_of(*map(encoded, topic.schema))


def check(rows: list[Rows]) -> None:
    for some in rows:
        for (name, kind), column in zip(some.table.columns, some.columns, strict=True):
            assert len(column) == len(some)
            strange = [value for value in column if not fits(kind, value)]
            assert strange == [], f"{some.table.name}.{name} ({kind})"


def key_of(topic: Topic, value: bytes, key: bytes | None) -> bytes | None:
    """The key that belongs to a value, where a topic has one."""
    if topic is topics.TARGETS:
        return msgspec.json.decode(value)["id"].encode()  # type: ignore[no-any-return]
    if topic in {topics.STATE, topics.CHECKPOINTS}:
        return CheckpointKey("w", 1, "head").encode()
    return b"source/maintenance/name" if topic is topics.POLICY else key


def contradicts_itself(topic: Topic, value: bytes) -> bool:
    """Whether the fields of a value exclude each other, each in its range."""
    if topic is topics.RESULTS:
        return contradiction(msgspec.json.decode(value, type=CheckResult)) is not None
    if topic is not topics.INCIDENTS:
        return False
    try:
        incident.decode(value)
    except msgspec.ValidationError:
        return True
    return False


@pytest.mark.parametrize("topic", topics.read_by("sink"), ids=lambda topic: topic.name)
@settings(max_examples=examples(12), deadline=None)
@given(st.data())
def test_what_decodes_fits_into_its_table(topic: Topic, data: st.DataObject) -> None:
    value, at = data.draw(values(topic)), data.draw(STAMPS)
    key = key_of(topic, value, data.draw(KEYS))
    block = build(topic, [record(value, key=key, timestamp=at, topic=f"p.{topic.name}")])
    assert len(block.letters) == contradicts_itself(topic, value)
    check(block.rows)


@pytest.mark.parametrize("topic", topics.read_by("sink"), ids=lambda topic: topic.name)
@settings(max_examples=examples(12), deadline=None)
@given(st.data())
def test_whatever_lies_there_is_a_row_or_one_dead_letter(topic: Topic, data: st.DataObject) -> None:
    drawn = values(topic) | st.none() | st.binary(max_size=50) | st.sampled_from([b"null", b"\xff"])
    made = [
        record(
            data.draw(drawn),
            offset,
            key=data.draw(KEYS),
            headers=data.draw(HEADERS),
            timestamp=data.draw(STAMPS),
            topic=f"p.{topic.name}",
        )
        for offset in range(data.draw(st.integers(1, 4)))
    ]
    block = build(topic, made)
    assert block.pending.last == made[-1].offset
    check(block.rows)
    ids = [found.id for found in block.letters]
    assert len(set(ids)) == len(ids)
    for found in block.letters:
        assert deadletter.decode(msgspec.json.encode(found)) == found
        again = build(topics.DEADLETTER, [record(msgspec.json.encode(found), topic="p.deadletter")])
        assert again.letters == []
        check(again.rows)


def test_the_judge_of_columns_can_say_no() -> None:
    assert not fits("UInt8", 256)
    assert not fits("Nullable(UInt32)", -1)
    assert not fits("Array(LowCardinality(String))", [1])
    assert not fits("DateTime64(3, 'UTC')", 2**62)
    assert not fits("Map(String, String)", {"a": None})
    assert not fits("Float64", float("nan"))
