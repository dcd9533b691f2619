"""The broker goes away while a worker runs."""

import signal
from pathlib import Path

from portquorum.embedded.kafka.main import EmbeddedKafka
from streams.replay.compare import compare
from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker, eventually


async def opened(settings: ground.Settings, count: int) -> None:
    await eventually(
        lambda: ground.event_counts(settings), lambda counts: counts.get("opened") == count, 60
    )


async def test_a_worker_goes_on_after_the_broker_s_return_and_stops_without_it(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "kafka"
    with EmbeddedKafka(folder, "127.0.0.1:0") as broker:
        settings = ground.fresh(broker.bootstrap_servers)
        names = ground.hosts(settings, 6)
        worker = Worker(settings, tmp_path, checkpoint_s=0.5)
        async with Log(settings) as log:
            await log.targets(names)
            await log.outage(names[:3])
            await opened(settings, 3)
    with worker:
        await worker.says("Kafka can't be used")
        with EmbeddedKafka(folder, settings.kafka):
            async with Log(settings) as log:
                await log.outage(names[3:])
                await opened(settings, 6)
            comparison = await compare(settings)
            assert comparison.agrees, comparison
        worker.send(signal.SIGTERM)
        assert await worker.ends() == 0
