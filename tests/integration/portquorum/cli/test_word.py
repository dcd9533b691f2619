"""`portquorum ack` and `resolve`: a word that the stream can read, or none at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from foundation import kafka as clients
from foundation.settings import Settings
from schemas import control, incident, topics
from schemas.control import Acknowledged, Control, Resolved
from schemas.partition import partition_for
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.rig import SinkProcess
from tests.unit.sinks.notifier.events import incident_event

ID = "3f2c9a1e-0000-4000-8000-000000000000"
EVENT = incident_event(event_id=ID, incident_id=ID)


@pytest.fixture
async def settings(kafka: str, clickhouse: str, tmp_path: Path) -> Settings:
    """Topics, and a table of incidents in which `EVENT` is open."""
    settings = rig.place(kafka, clickhouse, "word")
    producer = await rig.ready(settings)
    try:
        await producer.send_and_wait(
            settings.topic(topics.INCIDENTS.name),
            incident.encode(EVENT),
            headers=incident.headers(EVENT),
        )
    finally:
        await producer.stop()
    client = rig.client_of(settings)
    with SinkProcess(settings, tmp_path / "sink.log"):
        await rig.until(lambda: rig.count(client, settings, "incidents") == 1)
    return settings


def say(settings: Settings, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "portquorum.cli", *arguments],
        env=os.environ | rig.environment(settings) | {"COLUMNS": "300"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def written(settings: Settings) -> list[tuple[int, Control]]:
    """The control records on [results], each with its partition."""
    async with clients.Follower(settings, settings.topic(topics.RESULTS.name)) as follower:
        records = [record async for record in follower.present()]
    found = []
    for record in records:
        body = control.body(record.headers)
        assert body is not None
        found.append((record.partition, control.decode(body)))
    return found


async def test_what_is_too_long_to_be_read_is_not_written_and_said(
    settings: Settings, tmp_path: Path
) -> None:
    for word, option, longest in (("ack", "--by", 255), ("resolve", "--note", 500)):
        done = say(settings, tmp_path, word, "3f2c", option, "x" * (longest + 1))
        assert done.returncode == 2, done
        assert f"length <= {longest}" in done.stderr
        assert option.replace("--", "$.") in done.stderr
        assert "write a shorter --by or --note" in done.stderr
        assert "Traceback" not in done.stderr
    assert await written(settings) == []

    # As long as it may be, in characters of several bytes, it is written and can be read.
    for word in ("ack", "resolve"):
        done = say(settings, tmp_path, word, "3f2c", "--by", "ö" * 255, "--note", "€" * 500)
        assert done.returncode == 0, done
    partition = partition_for("db1.example.com", settings.partitions)
    names = {"target": "prod-db", "incident_id": ID, "by": "ö" * 255, "note": "€" * 500}
    assert await written(settings) == [
        (partition, Acknowledged(**names)),
        (partition, Resolved(**names)),
    ]
