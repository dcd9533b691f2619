"""A record that can be read and not applied: from the real broker to one row of `deadletter`."""

import asyncio
import base64
import signal
from pathlib import Path

from aiokafka import ConsumerRecord, TopicPartition

from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import control, deadletter, topics
from schemas.control import Beat
from streams.replay.compare import compare
from streams.rules.regions import MOST_REGIONS
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.rig import SinkProcess
from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker, eventually, opened

PARTITION = 0
REFUSED = (
    f"expected beats of at most {MOST_REGIONS} regions within an hour, "
    f"found one of another region, 'r{MOST_REGIONS}'"
)


def beat(number: int) -> Beat:
    return Beat(
        region=f"r{number}",
        prober="p",
        sequence=1,
        started_at=0,
        targets=1,
        failing=0,
        newly_failing=0,
        connectivity=True,
        lag_ms=0,
        spool=0,
        clock_offset_ms=0,
    )


async def letters(settings: Settings) -> list[ConsumerRecord]:
    """All messages on [deadletter]."""
    async with Follower(settings, settings.topic(topics.DEADLETTER.name)) as follower:
        return [record async for record in follower.present()]


async def test_a_record_that_is_refused_is_one_row_also_when_it_is_applied_again(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "refused", partitions=2)
    early, then, late = names = ground.hosts(settings, 3, PARTITION)
    async with Log(settings) as log:
        await log.targets(names)
        await asyncio.gather(
            *(
                log.raw(PARTITION, b"", control.headers(beat(number)))
                for number in range(MOST_REGIONS)
            )
        )
        with SinkProcess(settings, tmp_path / "sink.log") as sink:
            with Worker(settings, tmp_path) as worker:
                await log.outage([early])
                await opened(settings, 1)
                worker.send(signal.SIGTERM)
                assert await worker.ends() == 0
            checkpoint = (await ground.checkpoints(settings, PARTITION))[0].head.offset

            # It is refused, its letter is confirmed, and what comes after it is told.
            headers = control.headers(beat(MOST_REGIONS))
            refused = await log.raw(PARTITION, b"", headers)
            await log.outage([then])
            with Worker(settings, tmp_path) as worker:
                await opened(settings, 2)
                await eventually(lambda: letters(settings), lambda found: len(found) == 1)
                await worker.killed()

            # No checkpoint covers it yet: the next worker reads it once more.
            with Worker(settings, tmp_path) as worker:
                said = await worker.restored(PARTITION)
                assert (said.offset, said.source) == (checkpoint, "state")
                await log.outage([late])
                await opened(settings, 3)
                found = await eventually(lambda: letters(settings), lambda found: len(found) == 2)
                assert worker.process.poll() is None
                worker.send(signal.SIGTERM)
                assert await worker.ends() == 0
            assert len({(record.key, record.value) for record in found}) == 1

            topic = settings.topic(topics.RESULTS.name)
            client = rig.client_of(settings)
            end = TopicPartition(settings.topic(topics.DEADLETTER.name), found[-1].partition)
            await eventually(
                lambda: rig.committed(settings),
                lambda seen: end in seen and seen[end].offset == found[-1].offset + 1,
            )
            rows = rig.ask(
                client,
                settings,
                "SELECT topic, partition, offset, line, part, error, raw "
                "FROM {db}.deadletter FINAL",
            )
            body = control.body(headers)
            assert body is not None
            assert rows == [
                (
                    topic,
                    PARTITION,
                    refused,
                    -1,
                    "control",
                    REFUSED,
                    base64.b64encode(body).decode(),
                )
            ]
            assert deadletter.decode(found[0].value).id == f"{topic}:{PARTITION}:{refused}:-1"
            assert sink.running
    comparison = await compare(settings)
    assert comparison.agrees, comparison
    assert comparison.same >= len(names)
