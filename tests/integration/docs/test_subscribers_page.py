"""The programs of the pages that show what comes run as they stand there."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from foundation.kafka import create_topics, producer
from foundation.settings import Settings
from schemas import incident
from schemas.partition import partition_for

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "schemas" / "examples" / "incidents"
DEADLINE_S = 100


@pytest.mark.parametrize("name", ["subscribers", "incidents"])
async def test_the_program_runs_as_it_stands_there(name: str, kafka: str, tmp_path: Path) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text()
    program = tmp_path / "look.py"
    program.write_text(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0])
    settings = Settings(kafka=kafka, topic_prefix=f"{name}-page", partitions=2)
    await create_topics(settings)
    async with producer(settings) as client:
        # `opened` comes first as a later version's, then twice, as after a restart; the region's
        # event is for others.
        for example in ("opened.v2", "opened", "region-silent", "opened", "closed"):
            path = EXAMPLES / f"{example.removesuffix('.v2')}.json"
            event = incident.decode(path.read_bytes())
            headers = incident.headers(event)
            if example.endswith(".v2"):
                later = b"portquorum.incident.opened.v2"
                headers = [(key, later if key == "ce_type" else one) for key, one in headers]
            await client.send_and_wait(
                settings.topic("incidents"),
                incident.encode(event),
                headers=headers,
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
