"""Headers with names that are no UTF-8: the broker takes them, so every reader must, too."""

import asyncio
import uuid

import pytest
from aiokafka import TopicPartition
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords

from foundation import kafka as clients
from foundation.settings import Settings
from tests.forged_batches import Forged, OddName, send

NAMES = [b"\xff\xfe", b"portquorum-control\xff", b"\xed\xa0\x80", b""]


@pytest.mark.parametrize("codec", [None, "lz4", "gzip", "zstd", "snappy"])
async def test_a_name_that_is_no_text_stops_no_reader(kafka: str, codec: str | None) -> None:
    settings = Settings(kafka=kafka, topic_prefix=f"t{uuid.uuid4().hex[:10]}", partitions=1)
    await clients.create_topics(settings)
    part = TopicPartition(settings.topic("rechecks"), 0)
    odd = [Forged(b"one", b"k", (("plain", None), (OddName(name), b"x"))) for name in NAMES]
    async with clients.producer(settings, compression_type=codec) as client:
        await client.send_and_wait(part.topic, b"first", partition=0)
        await send(client, part.topic, 0, [Forged(b"beside"), *odd, Forged(None, b"none")])
        await client.send_and_wait(part.topic, b"last", partition=0)
    found = []
    async with clients.consumer(settings) as reader, asyncio.timeout(60):
        reader.assign([part])
        await reader.seek_to_beginning(part)
        while len(found) < len(NAMES) + 4:
            found += (await reader.getmany(part, timeout_ms=500)).get(part, [])
    assert [one.value for one in found] == [b"first", b"beside", *[b"one"] * 4, None, b"last"]
    assert [one.offset for one in found] == list(range(len(found)))
    assert found[2].headers == (("plain", None), ("\ufffd\ufffd", b"x"))
    assert found[3].headers[1][0] == "portquorum-control\ufffd"


def test_aiokafka_still_raises_by_itself() -> None:
    """When this fails, `foundation/kafka/header_names.py` is of no more use."""
    builder = _DefaultRecordBatchBuilderPy(2, 0, False, -1, -1, -1, 10_000)
    builder.append(0, 0, None, b"x", [(OddName(b"\xff"), b"x")])
    with pytest.raises(UnicodeDecodeError):
        list(MemoryRecords(bytes(builder.build())).next_batch())
