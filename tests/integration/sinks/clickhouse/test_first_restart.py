"""A block that a sink sends again after ClickHouse's first restart is counted once.

An ALTER of a view that feeds a roll-up changed the ids of its blocks until the next start of
ClickHouse (26.9): the raw row was there once, its counts twice.
"""

from pathlib import Path

from aiokafka import ConsumerRecord

from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from schemas import batch, topics
from sinks.clickhouse.block import Block, build
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.suspend_detector import awake_clock
from sinks.clickhouse.writer import Writer
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.rig import Settings


def block_of(lines: int) -> Block:
    value = batch.encode(rig.results(0, lines))
    record: ConsumerRecord[bytes, bytes] = ConsumerRecord(
        topic="results",
        partition=0,
        offset=7,
        timestamp=1_800_000_000_000,
        timestamp_type=0,
        key=None,
        value=value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=len(value),
        headers=(),
    )
    return build(topics.RESULTS, [record])


async def insert(settings: Settings, block: Block) -> None:
    writer = Writer(settings)
    try:
        for rows in block.rows:
            token = block.pending.token("results", 0, rows.table.name)
            await writer.insert(rows, token, awake_clock() + 60)
    finally:
        await writer.close()


async def test_a_block_that_comes_again_after_the_first_restart_is_counted_once(
    tmp_path: Path,
) -> None:
    block = block_of(300)
    service = EmbeddedClickHouse(tmp_path, "127.0.0.1:0")
    service.start()
    try:
        settings = rig.place("127.0.0.1:1", service.url, "restart")
        address = settings.clickhouse.rpartition("@")[2].partition("/")[0]
        migrate(settings)
        await insert(settings, block)
        for _ in range(2):
            service.kill()
            service = EmbeddedClickHouse(tmp_path, address)
            service.start()
            assert migrate(settings) == []
            await insert(settings, block)
            client = rig.client_of(settings)
            rig.counts_agree(client, settings, 300)
            client.close()
    finally:
        service.stop()
