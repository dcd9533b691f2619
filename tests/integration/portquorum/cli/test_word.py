"""`portquorum ack` and `resolve`: a word that the stream can read, or none at all."""

import asyncio
import signal
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from foundation import kafka as clients
from foundation.clickhouse import connect
from foundation.settings import Settings
from schemas import control, incident, topics
from schemas.control import Acknowledged, Control, Resolved
from schemas.incident import IncidentEvent
from schemas.partition import partition_for
from sinks.clickhouse.queries import open_incidents
from tests.commands import Said, called
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.rig import SinkProcess
from tests.integration.streams import ground
from tests.unit.sinks.notifier.events import incident_event

ID = "3f2c9a1e-0000-4000-8000-000000000000"
EVENT = incident_event(event_id=ID, incident_id=ID)


@pytest.fixture
async def settings(kafka: str, clickhouse: str, tmp_path: Path) -> Settings:
    """Topics, and a table of incidents in which `EVENT` is open."""
    settings = rig.used_place(kafka, clickhouse, "word")
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


def say(settings: Settings, folder: Path, *arguments: str) -> Said:
    return called(folder, rig.environment(settings) | {"COLUMNS": "300"}, *arguments)


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
        longest_words = ("--by", "ö" * 255, "--note", "€" * 500)
        done = say(settings, tmp_path, word, "3f2c", "--no-wait", *longest_words)
        assert done.returncode == 0, done
        assert "written Production DB (unreachable)" in done.stdout
    partition = partition_for("db1.example.com", settings.partitions)
    names = {"target": "prod-db", "incident_id": ID, "by": "ö" * 255, "note": "€" * 500}
    assert await written(settings) == [
        (partition, Acknowledged(**names)),
        (partition, Resolved(**names)),
    ]


async def events_of(settings: Settings) -> list[IncidentEvent]:
    found = [incident.decode(one.value) for one in await ground.incidents(settings)]
    return [event for event in found if isinstance(event, IncidentEvent)]


async def test_the_stream_takes_what_people_say_and_they_see_it(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    settings = rig.used_place(kafka, clickhouse, "said")
    hosts = one, two, three = ground.hosts(settings, 3)
    async with ground.Log(settings) as log:
        await log.targets(hosts)
        await log.outage(hosts)
        with (
            SinkProcess(settings, tmp_path / "sink.log"),
            ground.Worker(settings, tmp_path) as worker,
        ):
            await rig.until(lambda: len(open_incidents(connect(settings))) == 3)

            note = "the disk\nis \x1b[31mfull"
            words = ("--note", note, "--by", "ann")
            done = say(settings, tmp_path, "ack", "--target", f"{one}:80", *words)
            assert done.returncode == 0, done
            assert done.stdout.startswith(f"acknowledged {one.upper()} (unreachable) by ann")
            last = [event for event in await events_of(settings) if event.target == one][-1]
            assert (last.event, last.acknowledged_by) == ("updated", "ann")
            assert last.acknowledged_note == "the disk\nis \ufffd[31mfull"

            ids = {event.target: event.incident_id for event in await events_of(settings)}
            resolving = ("resolve", ids[one][:13], ids[two].upper(), "--by", "bob")
            done = say(settings, tmp_path, *resolving, "--note", "gone", "--json")
            assert done.returncode == 0, done
            found = msgspec.json.decode(done.stdout)
            assert [(o["target"], o["outcome"], o["still_down"]) for o in found] == [
                (one, "resolved", True),
                (two, "resolved", True),
            ]
            closed = [event for event in await events_of(settings) if event.event == "closed"]
            assert {(o.target, o.resolved_by, o.resolved_note) for o in closed} == {
                (one, "bob", "gone"),
                (two, "bob", "gone"),
            }
            # The help's word: none opens for the same outage, one does for the next.
            await log.outage([one])
            await log.recovery([one])
            await log.outage([one])
            await ground.opened(settings, 4)
            told = [event.event for event in await events_of(settings) if event.target == one]
            assert [kind for kind in told if kind != "updated"] == ["opened", "closed", "opened"]

            worker.send(signal.SIGKILL)
            done = say(settings, tmp_path, "ack", "--target", three)
            assert done.returncode == 1, done
            assert "the stream has not answered within 10 s: does it run?" in done.stderr
            assert f"holds when it has read it: {three.upper()}" in done.stderr
            with ground.Worker(settings, tmp_path):
                await ground.eventually(
                    lambda: events_of(settings),
                    lambda events: any(o.target == three and o.acknowledged_by for o in events),
                )


async def test_a_closing_that_the_table_does_not_have_yet_is_told(
    settings: Settings, tmp_path: Path
) -> None:
    """Nothing comes of such a word: the event that closes the incident is the answer."""
    over = structs.replace(
        EVENT, event="closed", event_id="over", closed_at=EVENT.at, closed_because="recovered"
    )
    told = asyncio.create_task(
        asyncio.to_thread(say, settings, tmp_path, "resolve", "3f2c", "--by", "ann")
    )
    await ground.eventually(lambda: written(settings), bool)
    async with clients.producer(settings) as producer:
        await producer.send_and_wait(
            settings.topic(topics.INCIDENTS.name),
            incident.encode(over),
            partition=partition_for("db1.example.com", settings.partitions),
        )
    done = await told
    assert done.returncode == 1, done
    assert done.stdout == "too late Production DB: its incident has closed (recovered)\n"
