"""`faust -A streams.app worker` is the same worker."""

import signal
import sys
from pathlib import Path

from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker, eventually


async def test_faust_s_own_command_runs_the_app_and_leaves_no_file(
    kafka: str, tmp_path: Path
) -> None:
    settings = ground.fresh(kafka)
    names = ground.hosts(settings, 2)
    command = [sys.executable, "-m", "faust", "-A", "streams.app", "worker", "--without-web"]
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path, command=command) as worker:
            await eventually(
                lambda: ground.event_counts(settings), lambda counts: counts.get("opened") == 2
            )
            worker.send(signal.SIGTERM)
            await worker.ends()
    assert await ground.acknowledged(settings) == await ground.log_ends(settings)
    assert [path.suffix for path in tmp_path.iterdir()] == [".log"]  # noqa: ASYNC240
