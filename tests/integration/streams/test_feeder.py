"""What escapes from an agent would be acknowledged and passed over: nothing escapes."""

import signal
import sys
from pathlib import Path

from streams.replay.compare import compare
from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker, eventually

# A fault of ours beneath the rules, where nothing is caught, at the third record.
FAULTY = """
from foundation import settings
from streams.worker.partition_processor import Partition
from streams.worker.main import main
process = Partition.process
async def fail(self, offset, *rest):
    if offset == 2:
        raise OverflowError("a fault")
    await process(self, offset, *rest)
Partition.process = fail
main(settings.load())
"""


async def test_a_fault_ends_the_process_and_its_record_is_not_passed_over(
    kafka: str, tmp_path: Path
) -> None:
    settings = ground.fresh(kafka)
    [name] = ground.hosts(settings, 1, partition=0)
    async with Log(settings) as log:
        await log.targets([name])
        await log.outage([name])
        command = [sys.executable, "-c", FAULTY]
        with Worker(settings, tmp_path, checkpoint_s=0.1, command=command) as worker:
            assert await worker.ends() == 70
            assert "the stream failed (OverflowError: a fault)" in worker.said()
        assert (await ground.acknowledged(settings)).get(0, 0) <= 2
        with Worker(settings, tmp_path) as worker:
            await eventually(
                lambda: ground.event_counts(settings), lambda counts: counts.get("opened") == 1
            )
            worker.send(signal.SIGTERM)
            assert await worker.ends() == 0
    assert (await compare(settings)).agrees
