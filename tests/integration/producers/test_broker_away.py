"""What a prober, and the whole line, does while the broker is frozen, dead and back."""

import asyncio
import socket
from pathlib import Path

from foundation.settings import Settings
from tests.integration.producers.ground import Ground
from tests.soak.prober_outage import run
from tests.soak.prober_scene import Away, Plan


def _free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


async def test_outages_of_the_broker_lose_double_and_move_nothing(tmp_path: Path) -> None:
    """The short form of `make soak`'s: longer than a session of the group lasts."""
    plan = Plan(
        seed=6,
        targets=300,
        interval_ms=1_000,
        timeout_ms=400,
        retry_delay_ms=200,
        away=(Away(how="stopped", seconds=12), Away(how="killed", seconds=12)),
        calm_s=1.0,
        in_memory=500,
        partitions=3,
    )
    outcome = await run(plan, tmp_path)
    assert outcome.wrong == [], outcome.report
    assert outcome.orders <= 2, "the fresh, the spooled"


async def test_a_prober_without_a_broker_waits_and_ends_in_order() -> None:
    ground = Ground(Settings(kafka=_free_address()))
    process = await ground.probe("p1", errors=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    async with asyncio.timeout(60):
        said = b""
        while b"waiting for Kafka" not in said:
            said = await process.stderr.readline()
            assert said, "it ended instead of waiting"
        process.terminate()
        _, rest = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in rest
