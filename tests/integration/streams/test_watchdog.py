"""A way through Faust that is broken is noticed."""

import sys
from pathlib import Path

from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker

# Faust stops feeding, as it may after a rebalance that went wrong; the looks are made quick.
STUCK = """
import asyncio
from foundation import settings, telemetry
from streams.worker import watchdog
from streams.worker.faust_app import StreamApp
watchdog.IDLE_S, watchdog.DEAF_LOOKS, watchdog._LOOK_S = 0.5, 5, 0.1
async def main():
    chosen = settings.load()
    telemetry.configure_logging("stream", chosen)
    app = StreamApp(chosen)
    await app.start()
    while not app.assignment.partitions:
        await asyncio.sleep(0.1)
    app.consumer.stop_flow()
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_a_worker_that_is_fed_nothing_ends(kafka: str, tmp_path: Path) -> None:
    settings = ground.fresh(kafka)
    async with Log(settings):
        with Worker(settings, tmp_path, command=[sys.executable, "-c", STUCK]) as worker:
            assert await worker.ends(100) == 70
            assert "and Faust has fed none for" in worker.said()
