"""The subscriber of docs/incidents.md runs as it stands there."""

import asyncio
import re
import sys
from pathlib import Path

from foundation.kafka import create_topics, producer
from foundation.settings import Settings
from schemas import incident
from schemas.partition import partition_for

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "schemas" / "examples" / "incidents"
DEADLINE_S = 60


async def test_the_subscriber_runs_as_it_stands_there(kafka: str, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "incidents.md").read_text()
    program = tmp_path / "subscriber.py"
    program.write_text(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0])
    settings = Settings(kafka=kafka, topic_prefix="incidents-page", partitions=2)
    await create_topics(settings)
    async with producer(settings) as client:
        # `opened` comes twice, as after a restart; the region's event is for others.
        for name in ("opened", "region-silent", "opened", "closed"):
            event = incident.decode((EXAMPLES / f"{name}.json").read_bytes())
            await client.send_and_wait(
                settings.topic("incidents"),
                incident.encode(event),
                headers=incident.headers(event),
                partition=partition_for("db1.example.com", settings.partitions),
            )
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        program,
        kafka,
        settings.topic("incidents"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert running.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE_S):
            lines = [(await running.stdout.readline()).decode() for _ in range(2)]
    finally:
        running.terminate()
        await running.wait()
    assert "".join(lines) == re.findall(r"```\n(opened .*?)```", page, re.DOTALL)[0]
