"""What another sink promised is finished as it was promised: odd ranges, and every topic."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetMetadataTooLargeError
from msgspec import structs

from foundation.settings import Settings
from schemas import batch, topics
from sinks.clickhouse.block import Block, build
from sinks.clickhouse.pending_block import MAX_METADATA_BYTES, from_metadata
from sinks.clickhouse.suspend_detector import awake_clock
from sinks.clickhouse.writer import Writer
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.gate import Held, gate

EXAMPLES = Path(batch.__file__).parent / "examples"


async def promise(settings: Settings, topic: topics.Topic, messages: int) -> Block:
    """A block of the first messages of partition 0, pending, as a sink leaves it that is killed."""
    records: list[ConsumerRecord] = await rig.messages(settings, topic.name, 0, messages)
    block = build(topic, records)
    await rig.commit(settings, topic.name, 0, block.pending.first, block.pending.metadata())
    return block


async def insert(settings: Settings, topic: topics.Topic, block: Block) -> None:
    """As the sink does that promised it."""
    writer = Writer(settings)
    try:
        for rows in block.rows:
            token = block.pending.token(settings.topic(topic.name), 0, rows.table.name)
            await writer.insert(rows, token, awake_clock() + 60)
    finally:
        await writer.close()


@pytest.mark.parametrize(("landed", "stored"), [(True, 1_000), (False, 700)])
async def test_a_pending_range_that_retention_cut_is_finished_with_what_is_left_of_it(
    kafka: str, clickhouse: str, tmp_path: Path, landed: bool, stored: int
) -> None:
    """Its token stays the same, so that what had landed whole is not there twice."""
    settings = rig.used_place(kafka, clickhouse, "cut", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    try:
        await rig.send_results(producer, settings, rig.results(0, 1_000))
        block = await promise(settings, topics.RESULTS, 7)
        if landed:
            await insert(settings, topics.RESULTS, block)
        await rig.delete_before(settings, "results", 0, 3)
        with rig.SinkProcess(settings, tmp_path / "log") as sink:
            await rig.until(lambda: rig.stored(client, settings) >= stored)
            await rig.until(lambda: rig.count(client, settings, "gaps") == 1)
            await rig.until(lambda: all_done(settings, 10))
            assert sink.end() == 0
        assert rig.ask(client, settings, "SELECT expected, found FROM {db}.gaps") == [(0, 3)]
        rig.counts_agree(client, settings, stored)
    finally:
        await producer.stop()


async def test_a_pending_range_of_a_topic_that_was_made_anew_is_not_taken_for_its_own(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "otherlog", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    try:
        await rig.send_results(producer, settings, rig.results(0, 1_000))
        block = await promise(settings, topics.RESULTS, 7)
        old = structs.replace(block.pending, at=block.pending.at - 1, rejected=((0, 0, 99),))
        await rig.commit(settings, "results", 0, old.first, old.metadata())
        with rig.SinkProcess(settings, tmp_path / "log") as sink:
            await rig.until(lambda: rig.stored(client, settings) >= 1_000)
            await rig.until(lambda: all_done(settings, 10))
            assert sink.end() == 0
        assert rig.count(client, settings, "deadletter") == 0
        assert rig.ask(client, settings, "SELECT expected, found FROM {db}.gaps") == [(0, 0)]
        rig.counts_agree(client, settings, 1_000)
    finally:
        await producer.stop()


async def test_every_topics_block_that_had_landed_is_there_once(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    """Killed between the insert and the commit: by tokens, or by ids where each is one row."""
    settings = rig.used_place(kafka, clickhouse, "topics", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    others = [found for found in topics.ALL if found.name in _TABLES]
    assert {found.name for found in others} == set(_TABLES)
    try:
        sent = {found.name: await send_examples(producer, settings, found) for found in others}
        before: dict[str, int] = {}
        for topic in others:
            block = await promise(settings, topic, sent[topic.name])
            await insert(settings, topic, block)
            before |= {rows.table.name: len(rows) for rows in block.rows}
        assert set(before) == {table for tables in _TABLES.values() for table in tables}
        with rig.SinkProcess(settings, tmp_path / "log") as sink:
            for topic in others:
                await rig.until(lambda t=topic: all_done(settings, sent[t.name], t.name))
            assert sink.end() == 0
        assert {table: rig.count(client, settings, table) for table in before} == before
        said = [line for line in rig.log_of(tmp_path / "log") if "pending" in line["event"]]
        assert len(said) == len(others)
    finally:
        await producer.stop()


async def test_a_broker_takes_as_much_metadata_as_we_write(kafka: str) -> None:
    settings = rig.place(kafka, "http://127.0.0.1:1", "metadata", partitions=1)
    await (await rig.ready(settings)).stop()
    await rig.commit(settings, "results", 0, 0, "x" * MAX_METADATA_BYTES)
    found = await rig.committed(settings)
    kept = found[TopicPartition(settings.topic("results"), 0)].metadata
    assert kept == "x" * MAX_METADATA_BYTES
    with pytest.raises(OffsetMetadataTooLargeError):
        await rig.commit(settings, "results", 0, 0, "x" * (MAX_METADATA_BYTES + 1))


async def test_more_rejected_lines_than_a_commit_can_name_are_fixed_all_the_same(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    """The block ends where the commit is full; a killed sink's is finished by another."""
    settings = rig.place(
        kafka, clickhouse, "holes", partitions=1, sink_block_rows=50_000, sink_bad_lines_ratio=1.0
    )
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    good = rig.results(0, 1_200)
    lines = batch.encode(good).splitlines()
    # Every third line is bad: 60 runs in a message, 600 in all, of which a commit names some 400.
    values = [
        b"\n".join(line for two in range(start, start + 120, 2) for line in _pair(lines, two))
        for start in range(0, 1_200, 120)
    ]
    held = Held()
    try:
        for value in values:
            await producer.send_and_wait(settings.topic("results"), value, partition=0)
        with gate(settings.clickhouse) as there:
            there.rule = held
            way = structs.replace(settings, clickhouse=there.url)
            with rig.SinkProcess(way, tmp_path / "first") as first:
                await rig.until(lambda: held.token)
                where = TopicPartition(settings.topic("results"), 0)
                written = (await rig.committed(settings))[where].metadata
                first.kill()
        pending = from_metadata(written)
        assert pending is not None
        assert pending.rejected
        assert 0 < pending.last < len(values) - 1
        assert MAX_METADATA_BYTES // 2 < len(written) <= MAX_METADATA_BYTES
        with rig.SinkProcess(settings, tmp_path / "second") as second:
            await rig.until(lambda: rig.stored(client, settings) >= 1_200)
            await rig.until(lambda: rig.count(client, settings, "deadletter") >= 600)
            assert second.end() == 0
        rig.counts_agree(client, settings, 1_200)
        assert rig.count(client, settings, "deadletter") == 600
        assert rig.count(client, settings, "gaps") == 0
    finally:
        held.let_go()
        await producer.stop()


def _pair(lines: list[bytes], first: int) -> tuple[bytes, bytes, bytes]:
    return lines[first], b"bad", lines[first + 1]


_TABLES = {
    "incidents": {"incidents", "region_events", "targets_events"},
    "notifications": {"notifications"},
    "targets": {"targets"},
    "policy": {"maintenance", "pauses"},
    "deadletter": {"deadletter"},
}


async def send_examples(producer: AIOKafkaProducer, settings: Settings, topic: topics.Topic) -> int:
    """Sends every example of a topic; returns how many there are."""
    files = sorted((EXAMPLES / topic.name).glob("*.json"))
    for file in files:
        value = file.read_bytes()
        found: Any = msgspec.json.decode(value)
        await producer.send_and_wait(
            settings.topic(topic.name), value, key=_key(topic, found), partition=0
        )
    return len(files)


def _key(topic: topics.Topic, found: Any) -> bytes:
    if topic.name == "targets":
        return str(found["id"]).encode()
    if found.get("policy") == "pause":
        return f"pause/pause/{found['name']}".encode()
    return b"source/maintenance/name"


async def all_done(settings: Settings, messages: int, topic: str = "results") -> bool:
    """Whether so many messages of a topic's partition 0 are committed, and nothing is pending."""
    found = (await rig.committed(settings)).get(TopicPartition(settings.topic(topic), 0))
    return found is not None and (found.offset, found.metadata) == (messages, "")
