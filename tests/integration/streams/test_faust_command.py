"""`faust -A streams.app worker` is the same worker."""

import asyncio
import signal
import sys
from pathlib import Path

from foundation import kafka as clients
from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker, eventually

ARGUMENTS = ["-A", "streams.app", "worker", "--without-web"]

# Nobody who was killed is waited for here.
IMPATIENT = f"""
import runpy, sys
from foundation.kafka import running_roles
running_roles.PATIENCE_S = 0
sys.argv = ["faust", *{ARGUMENTS!r}]
runpy.run_module("faust", run_name="__main__")
"""


async def test_faust_s_own_command_runs_the_app_and_leaves_no_file(
    kafka: str, tmp_path: Path
) -> None:
    settings = ground.fresh(kafka)
    names = ground.hosts(settings, 2)
    command = [sys.executable, "-m", "faust", *ARGUMENTS]
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


async def test_faust_s_own_command_keeps_to_the_order_of_upgrades(
    kafka: str, tmp_path: Path
) -> None:
    settings = ground.fresh(kafka)
    await clients.topics_ready(settings)
    # A sink of before: its client id is that of its library.
    sink = clients.consumer(settings, settings.topic("policy"), group_id=settings.group("sink"))
    async with clients.started(sink):
        await eventually(lambda: sink.getmany(timeout_ms=50), lambda _: bool(sink.assignment()))
        with Worker(settings, tmp_path, command=[sys.executable, "-c", IMPATIENT]) as worker:
            await eventually(
                lambda: asyncio.sleep(0, worker.process.poll()), lambda code: code == 1
            )
    assert "does not start beside a sink of an older version" in worker.said()
