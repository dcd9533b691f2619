"""Crashes at every point: each decoded line stays one row, in the table and in the roll-up."""

import asyncio
from pathlib import Path

from aiokafka import ConsumerRecord, TopicPartition

from foundation.awake_clock import awake_clock
from foundation.settings import Settings
from schemas.topics import RESULTS
from sinks.clickhouse.block import build
from sinks.clickhouse.pending_block import Pending
from sinks.clickhouse.tables import Rows
from sinks.clickhouse.writer import Writer
from tests.integration.sinks.clickhouse import rig


async def insert(settings: Settings, rows: Rows, token: str) -> None:
    writer = Writer(settings)
    try:
        await writer.insert(rows, token, awake_clock() + 60)
    finally:
        await writer.close()


async def block_of(settings: Settings, messages: int) -> tuple[Pending, Rows, str]:
    """A block as a sink would have made it of the first messages, and its token."""
    records: list[ConsumerRecord] = await rig.messages(settings, "results", 0, messages)
    block = build(RESULTS, records)
    token = block.pending.token(settings.topic("results"), 0, "results")
    return block.pending, block.rows[0], token


async def test_killed_after_the_insert_before_the_commit(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "landed", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    try:
        await rig.send_results(producer, settings, rig.results(0, 1_000))
        pending, rows, token = await block_of(settings, 7)
        await rig.commit(settings, "results", 0, pending.first, pending.metadata())
        await insert(settings, rows, token)
        assert rig.stored(client, settings) == 700
        with rig.SinkProcess(settings, tmp_path / "log"):
            await rig.until(lambda: rig.stored(client, settings) == 1_000)
        assert any(
            line["event"] == "finishing a pending block" for line in rig.log_of(tmp_path / "log")
        )
        # A sink that stood still before its insert, and a second with the same pending range.
        await asyncio.gather(insert(settings, rows, token), insert(settings, rows, token))
        rig.counts_agree(client, settings, 1_000)
    finally:
        await producer.stop()


async def test_killed_after_the_pending_commit_before_the_insert(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "promised", partitions=1, sink_block_rows=100)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    try:
        await rig.send_results(producer, settings, rig.results(0, 1_000))
        # The range is larger than a block of this sink: it is replayed as it was promised.
        pending, rows, token = await block_of(settings, 7)
        await rig.commit(settings, "results", 0, pending.first, pending.metadata())
        with rig.SinkProcess(settings, tmp_path / "log"):
            await rig.until(lambda: rig.stored(client, settings) == 1_000)
        await insert(settings, rows, token)
        rig.counts_agree(client, settings, 1_000)
    finally:
        await producer.stop()


async def test_what_was_rejected_stays_rejected_when_the_block_is_replayed(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "fixed", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    try:
        await rig.send_results(producer, settings, rig.results(0, 20), size=10)
        pending, _, _ = await block_of(settings, 2)
        another = Pending(
            first=pending.first, last=pending.last, at=pending.at, rejected=((1, 3, 4),)
        )
        await rig.commit(settings, "results", 0, another.first, another.metadata())
        with rig.SinkProcess(settings, tmp_path / "log"):
            await rig.until(lambda: rig.count(client, settings, "deadletter") == 2)
            await rig.until(lambda: rig.stored(client, settings) == 18)
        dead = rig.ask(client, settings, "SELECT offset, line FROM {db}.deadletter ORDER BY line")
        assert dead == [(1, 3), (1, 4)]
        rig.counts_agree(client, settings, 18)
    finally:
        await producer.stop()


async def test_without_a_commit_it_goes_on_after_the_highest_stored(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "stored", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    try:
        await rig.send_results(producer, settings, rig.results(0, 1_000))
        _, rows, _ = await block_of(settings, 4)
        # As it is when the group's offsets are gone: rows, but no commit and another token.
        await insert(settings, rows, "of a sink of long ago")
        with rig.SinkProcess(settings, tmp_path / "log"):
            await rig.until(lambda: rig.stored(client, settings) == 1_000)
        rig.counts_agree(client, settings, 1_000)
    finally:
        await producer.stop()


async def test_rows_of_a_topic_that_was_made_anew_are_no_place_to_go_on_from(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "anew", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    try:
        await rig.send_results(producer, settings, rig.results(0, 1_000))
        _, rows, token = await block_of(settings, 4)
        # The same offsets, but other messages: their time in the log tells them apart.
        other = [[at - 1 for at in column] for column in rows.columns[-2:-1]]
        old = Rows(rows.table, [*rows.columns[:-2], *other, rows.columns[-1]])
        await insert(settings, old, token + " of the old topic")
        with rig.SinkProcess(settings, tmp_path / "log"):
            await rig.until(lambda: rig.stored(client, settings) == 1_400)
        assert rig.ask(client, settings, "SELECT expected, found FROM {db}.gaps") == [(4, 0)]
    finally:
        await producer.stop()


async def test_what_retention_took_before_it_was_read_is_a_recorded_gap(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "late", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    try:
        await rig.send_results(producer, settings, rig.results(0, 1_000))
        await rig.commit(settings, "results", 0, 3, "")
        await rig.delete_before(settings, "results", 0, 8)
        with rig.SinkProcess(settings, tmp_path / "log"):
            await rig.until(lambda: rig.stored(client, settings) == 200)
        assert rig.ask(client, settings, "SELECT expected, found FROM {db}.gaps") == [(3, 8)]
        rig.counts_agree(client, settings, 200)
    finally:
        await producer.stop()


async def test_any_valid_result_can_be_stored(kafka: str, clickhouse: str, tmp_path: Path) -> None:
    settings = rig.used_place(kafka, clickhouse, "extremes", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    last = 9_999_999_999_999
    wide = [
        rig.result(0, 0, host=None, port=None, detail="\x00'\\\t\U0001f525", banner="\n" * 300),
        rig.result(1, last - 1, total_ms=86_400_000.0, dns_ms=0.0, cert_expires_at=last),
        rig.result(2, 0, attempt=255, http_status=999, address="::1", target_version=last),
        # More days than ClickHouse takes in one insert unless it is told so.
        *(rig.result(3, day * 86_400_000 * 20) for day in range(1, 700)),
    ]
    try:
        await rig.send_results(producer, settings, wide, size=1_000)
        with rig.SinkProcess(settings, tmp_path / "log"):
            await rig.until(lambda: rig.count(client, settings) == len(wide))
        (total,) = rig.ask(
            client, settings, "SELECT max(total_ms), max(total_us) FROM {db}.results"
        )
        assert total[1] == 2**32 - 1
        text = "SELECT detail FROM {db}.results WHERE host = ''"
        assert rig.ask(client, settings, text) == [(wide[0].detail,)]
    finally:
        await producer.stop()


async def test_an_offset_that_the_log_does_not_have_is_a_recorded_gap(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "gap", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    try:
        await rig.send_results(producer, settings, rig.results(0, 300))
        await rig.commit(settings, "results", 0, 77, "")
        with rig.SinkProcess(settings, tmp_path / "log"):
            await rig.until(lambda: rig.stored(client, settings) == 300)
        assert rig.ask(client, settings, "SELECT expected, found FROM {db}.gaps") == [(77, 0)]
    finally:
        await producer.stop()


async def test_every_partition_ends_committed_and_nothing_pending(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "ends")
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    try:
        await rig.send_results(producer, settings, rig.results(0, 900))
        with rig.SinkProcess(settings, tmp_path / "log") as sink:
            await rig.until(lambda: rig.stored(client, settings) == 900)
            assert sink.end() == 0
        commits = await rig.committed(settings)
        for partition in range(3):
            found = commits[TopicPartition(settings.topic("results"), partition)]
            assert (found.offset, found.metadata) == (3, "")
    finally:
        await producer.stop()
