"""A message that can't be read is one row of `deadletter`, and nothing else changes."""

import asyncio
from pathlib import Path

import msgspec

from foundation.settings import Settings
from schemas import batch, control, topics
from schemas.deadletter import DeadLetter, raw_text
from tests.integration.sinks.clickhouse import rig

GARBAGE = b"\x00\xff garbage"


async def test_garbage_on_each_topic_is_one_row_with_its_coordinates(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "garbage")
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    try:
        sent = {}
        for topic in topics.read_by("sink"):
            where = await producer.send_and_wait(
                settings.topic(topic.name), value=GARBAGE, key=b"\xff", partition=0
            )
            sent[where.topic] = where
        found = rig.results(0, 300)
        await rig.send_results(producer, settings, found)
        with rig.SinkProcess(settings, tmp_path / "log"):
            await rig.until(lambda: rig.count(client, settings, "deadletter") >= len(sent))
            await rig.until(lambda: rig.stored(client, settings) == 300)
        rows = rig.ask(
            client,
            settings,
            "SELECT topic, partition, offset, raw, error, size FROM {db}.deadletter",
        )
        assert len(rows) == len(sent)
        for topic, partition, offset, raw, error, size in rows:
            where = sent.pop(topic)
            assert (partition, offset) == (where.partition, where.offset)
            assert raw in {raw_text(GARBAGE), raw_text(b"\xff")}
            assert error
            assert size in {len(GARBAGE), 1}
        assert sent == {}
        rig.counts_agree(client, settings, 300)
        for table in ("incidents", "region_events", "notifications", "targets", "maintenance"):
            assert rig.count(client, settings, table) == 0
    finally:
        await producer.stop()


async def test_only_the_bad_lines_of_a_batch_are_dead(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "badlines", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    lines = batch.encode(rig.results(0, 4)).split(b"\n")[:4]
    topic = settings.topic("results")
    beat = control.headers(control.Tick("worker"))
    try:
        for value, headers in (
            (b"\n".join([lines[0], b"bad", lines[1], b'{"target": 5}', lines[2]]), []),
            (b"one\ntwo\nthree", []),
            (None, []),
            (b"", []),
            (b"", beat),
            (b"", [(control.HEADER, b"{}")]),
            (lines[3], []),
        ):
            await producer.send_and_wait(topic, value, key=b"k", headers=headers, partition=0)
        with rig.SinkProcess(settings, tmp_path / "log"):
            await rig.until(lambda: rig.stored(client, settings) == 4)
            await rig.until(lambda: rig.count(client, settings, "deadletter") == 6)
        rows = rig.ask(
            client, settings, "SELECT offset, line, part FROM {db}.deadletter ORDER BY offset, line"
        )
        assert rows == [
            (0, 1, "line"),
            (0, 3, "line"),
            (1, -1, "value"),
            (2, -1, "value"),
            (3, -1, "value"),
            (5, -1, "control"),
        ]
        stored = "SELECT log_offset, log_line FROM {db}.results ORDER BY ALL"
        assert rig.ask(client, settings, stored) == [(0, 0), (0, 2), (0, 4), (6, 0)]
    finally:
        await producer.stop()


async def test_a_dead_letter_written_twice_is_one_row(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "twice")
    producer = await rig.ready(settings)
    client = rig.client_of(settings)

    async def send(offset: int) -> None:
        letter = DeadLetter(
            topic=settings.topic("results"),
            partition=1,
            offset=offset,
            line=0,
            part="line",
            error="bad",
            at=1_700_000_000_000,
            size=3,
            raw=raw_text(b"bad"),
        )
        await producer.send_and_wait(
            settings.topic("deadletter"),
            key=letter.id.encode(),
            value=msgspec.json.encode(letter),
        )

    try:
        with rig.SinkProcess(settings, tmp_path / "log"):
            await asyncio.gather(send(1), send(1))
            await rig.until(lambda: rig.count(client, settings, "deadletter") == 1)
            await send(1)
            await send(2)
            await rig.until(lambda: _all_read(settings, 4))
            assert rig.count(client, settings, "deadletter") == 2
    finally:
        await producer.stop()


async def _all_read(settings: Settings, messages: int) -> bool:
    commits = await rig.committed(settings)
    return any(
        where.topic == settings.topic("deadletter") and commit.offset >= messages
        for where, commit in commits.items()
    )
