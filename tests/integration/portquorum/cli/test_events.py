"""`portquorum events` beside a real broker."""

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from msgspec import structs

from foundation import kafka as clients
from foundation.settings import Settings
from portquorum.embedded.kafka.main import EmbeddedKafka
from portquorum.embedded.service.addresses import ListenAddress, reserve
from schemas import incident, topics
from schemas.incident import Event
from tests.commands import Said, called
from tests.integration.streams import ground

EXAMPLES = Path(__file__).parents[4] / "schemas" / "examples" / "incidents"
DEADLINE_S = 100
HOUR_MS = 3_600_000
NOW = int(time.time() * 1000)


def example(name: str, at: int) -> Event:
    event = incident.decode((EXAMPLES / f"{name}.json").read_bytes())
    return structs.replace(event, event_id=str(uuid.uuid4()), at=at)


async def send(
    producer: AIOKafkaProducer, settings: Settings, event: Event, partition: int
) -> None:
    await producer.send_and_wait(
        settings.topic(topics.INCIDENTS.name),
        incident.encode(event),
        key=b"db1.example.com",
        headers=incident.headers(event),
        partition=partition,
    )


def environment(settings: Settings, folder: Path) -> dict[str, str]:
    # Side by side the tests have a width of the whole run's terminal in their environment.
    ours = ("PORTQUORUM_", "COLUMNS")
    clean = {name: v for name, v in os.environ.items() if not name.startswith(ours)}
    return clean | {
        "PORTQUORUM_KAFKA": settings.kafka,
        "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
        "PORTQUORUM_DATA_DIR": str(folder),
        # Nothing listens there: the command needs none.
        "PORTQUORUM_CLICKHOUSE": "http://127.0.0.1:1/portquorum",
    }


async def events(settings: Settings, folder: Path, *arguments: str, **env: str) -> Said:
    names = environment(settings, folder) | env
    done = await asyncio.to_thread(called, folder, names, "events", *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
async def settings(kafka: str) -> Settings:
    settings = ground.fresh(kafka, partitions=4)
    await clients.create_topics(settings)
    return settings


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    async with clients.producer(settings) as producer:
        yield producer


async def hourly(producer: AIOKafkaProducer, settings: Settings, hours: int) -> list[str]:
    """An event an hour until now, in all partitions; their ids in the order of time."""
    made = [example("opened", NOW - back * HOUR_MS) for back in range(hours, 0, -1)]
    for number, event in enumerate(made):
        await send(producer, settings, event, number % settings.partitions)
    return [one.event_id for one in made]


def ids(done: Said) -> list[str]:
    return [json.loads(line)["id"] for line in done.stdout.splitlines()]


async def test_events_of_all_partitions_come_by_time(
    settings: Settings, producer: AIOKafkaProducer, tmp_path: Path
) -> None:
    made = await hourly(producer, settings, 50)
    assert ids(await events(settings, tmp_path, "--json")) == made[-20:]
    assert ids(await events(settings, tmp_path, "--json", "--limit", "3")) == made[-3:]
    assert ids(await events(settings, tmp_path, "--json", "--limit", "0")) == made
    assert ids(await events(settings, tmp_path, "--json", "--since", "beginning")) == made
    assert ids(await events(settings, tmp_path, "--json", "--since", "630m")) == made[-10:]
    moment = datetime.fromtimestamp((NOW - 10 * HOUR_MS) / 1000, UTC).isoformat()
    before = await events(settings, tmp_path, "--json", "--until", moment)
    assert ids(before) == made[:-10]
    assert before.returncode == 0
    hinted = await events(settings, tmp_path)
    assert len(hinted.stdout.splitlines()) == 20
    assert "--limit 0 shows all" in hinted.stderr


async def test_a_line_of_json_has_the_whole_message(
    settings: Settings, producer: AIOKafkaProducer, tmp_path: Path
) -> None:
    event = example("opened", NOW)
    await send(producer, settings, event, 2)
    (line,) = (await events(settings, tmp_path, "--json")).stdout.splitlines()
    found = json.loads(line)
    assert found["data"] == json.loads(incident.encode(event))
    assert found["type"] == "portquorum.incident.opened.v1"
    assert found["partitionkey"] == "db1.example.com"
    assert (found["kafkapartition"], found["kafkaoffset"]) == (2, "0")
    for name, value in incident.headers(event):
        if name.startswith("ce_"):
            assert found[name.removeprefix("ce_")] == value.decode()


async def test_conditions(settings: Settings, producer: AIOKafkaProducer, tmp_path: Path) -> None:
    for number, name in enumerate(("opened", "region-silent", "opened-expiring", "closed")):
        await send(producer, settings, example(name, NOW + number), number)

    async def types(*arguments: str) -> list[str]:
        done = await events(settings, tmp_path, "--json", *arguments)
        return [json.loads(line)["type"].split(".", 1)[1] for line in done.stdout.splitlines()]

    both = ["incident.opened.v1", "incident.opened.v1"]
    assert await types("--type", "opened") == both
    assert await types("--type", "region.*") == ["region.silent.v1"]
    assert await types("--type", "portquorum.incident.closed.v1", "--type", "opened") == [
        *both,
        "incident.closed.v1",
    ]
    assert await types("--target", "shop.example.com:443") == ["incident.opened.v1"]
    assert await types("--team", "database", "--type", "closed") == ["incident.closed.v1"]
    none = await events(settings, tmp_path, "--type", "opend")
    assert (none.stdout, none.returncode) == ("no such event\n", 0)
    assert "'opend'" in none.stderr
    assert "incident.opened" in none.stderr


async def test_what_can_not_be_read_is_named_and_what_is_new_is_shown(
    settings: Settings, producer: AIOKafkaProducer, tmp_path: Path
) -> None:
    topic = settings.topic(topics.INCIDENTS.name)
    event = example("opened", NOW)
    newer = dict(incident.headers(event)) | {
        "ce_id": b"new",
        "ce_type": b"portquorum.incident.paused.v2",
    }
    value = b'{"event":"paused","severity":"grave","name":"A\\u001b[31mB","summary":"so\\nnew"}'
    for sent, headers in (
        (b"\xff\x00", list(newer.items())),
        (incident.encode(event), []),
        (None, list(newer.items())),
        (value, list(newer.items())),
    ):
        await producer.send_and_wait(topic, sent, key=b"k", headers=headers, partition=1)
    await send(producer, settings, event, 1)
    for arguments in ((), ("--since", "1h"), ("--follow",), ("--json",)):
        if arguments == ("--follow",):
            async with following(settings, tmp_path) as program:
                out = [await line_of(program)]
        else:
            done = await events(settings, tmp_path, *arguments)
            out = done.stdout.splitlines()
            assert (len(out), done.returncode) == (2, 0)
            for offset in range(3):
                assert f"topic {topic} partition 1 offset {offset} is left out" in done.stderr
        assert "paused" in out[0]
        assert "\x1b" not in "".join(out)
        if "--json" not in arguments:
            assert "incident.paused" in out[0]
            assert "grave" in out[0]
            assert "A\ufffd[31mB  so new" in out[0]


async def test_an_event_that_came_twice(
    settings: Settings, producer: AIOKafkaProducer, tmp_path: Path
) -> None:
    event = example("opened", NOW)
    for _ in range(3):
        await send(producer, settings, event, 0)
    assert len((await events(settings, tmp_path)).stdout.splitlines()) == 1
    assert len(ids(await events(settings, tmp_path, "--json"))) == 3


async def test_what_is_open(settings: Settings, producer: AIOKafkaProducer, tmp_path: Path) -> None:
    topic = settings.topic(topics.INCIDENTS_OPEN.name)
    none = await events(settings, tmp_path, "--open")
    assert (none.stdout, none.returncode) == ("no such incident is open\n", 0)
    for number, name in enumerate(("one", "two", "three")):
        event = example("opened" if name == "one" else "opened-slow", NOW + number)
        assert isinstance(event, incident.IncidentEvent)
        event = structs.replace(event, opened_at=NOW - number)
        for value in (incident.encode(event), None) if name == "two" else (incident.encode(event),):
            await producer.send_and_wait(
                topic, value, key=name.encode(), headers=incident.headers(event), partition=number
            )
    # Somebody's removal in a partition where the incident is not.
    await producer.send_and_wait(topic, None, key=b"three", partition=3)
    found = await events(settings, tmp_path, "--open", "--json")
    keys = [json.loads(line)["partitionkey"] for line in found.stdout.splitlines()]
    assert (keys, found.returncode) == (["three", "one"], 1)
    shown = await events(settings, tmp_path, "--open", "--type", "opened", COLUMNS="80")
    assert max(map(len, shown.stdout.splitlines())) <= 80
    wrong = await events(settings, tmp_path, "--open", "--follow")
    assert wrong.returncode == 2


@asynccontextmanager
async def following(
    settings: Settings, folder: Path, *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "portquorum.cli", "events", "--follow", *arguments),
        env=environment(settings, folder),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield program
    finally:
        if program.returncode is None:
            program.kill()
        await program.communicate()


async def line_of(program: asyncio.subprocess.Process) -> str:
    assert program.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        return (await program.stdout.readline()).decode()


async def ended(program: asyncio.subprocess.Process) -> tuple[int, str]:
    """The exit code, and what is left of standard error."""
    async with asyncio.timeout(DEADLINE_S):
        assert program.stderr is not None
        said = (await program.stderr.read()).decode()
        return await program.wait(), said


async def groups(settings: Settings) -> set[str]:
    client = clients.admin(settings)
    await client.start()
    try:
        return {str(one[0]) for one in await client.list_consumer_groups()}
    finally:
        await client.close()


async def test_following_shows_what_comes_until_ctrl_c(
    settings: Settings, producer: AIOKafkaProducer, tmp_path: Path
) -> None:
    before = await groups(settings)
    await send(producer, settings, example("opened", NOW), 0)
    async with following(settings, tmp_path) as program:
        assert "incident.opened" in await line_of(program)
        await send(producer, settings, example("closed", NOW), 3)
        assert "incident.closed" in await line_of(program)
        await send(producer, settings, example("region-silent", NOW), 1)
        assert "region.silent" in await line_of(program)
        assert await groups(settings) == before
        program.send_signal(signal.SIGINT)
        assert await ended(program) == (130, "")
    assert await groups(settings) == before


async def test_following_from_now_on(
    settings: Settings, producer: AIOKafkaProducer, tmp_path: Path
) -> None:
    await hourly(producer, settings, 8)
    async with following(settings, tmp_path, "--since", "now", "--json") as program:
        # When it has begun can't be seen: the first line is one of those that came since.
        sent = {}
        line = asyncio.create_task(line_of(program))
        while not line.done():
            event = example("opened", NOW)
            sent[event.event_id] = event
            await send(producer, settings, event, 0)
            await asyncio.wait({line}, timeout=0.2)
        assert json.loads(line.result())["id"] in sent
    assert (await events(settings, tmp_path, "--since", "now")).returncode == 2


async def test_a_reader_that_goes_away_ends_it_without_a_word(
    settings: Settings, producer: AIOKafkaProducer, tmp_path: Path
) -> None:
    await hourly(producer, settings, 30)
    command = f"{shlex.quote(sys.executable)} -m portquorum.cli events"
    for options in ("--limit 0", "--limit 0 --json", "--follow"):
        done = await asyncio.to_thread(
            subprocess.run,
            ["/bin/bash", "-c", f"{command} {options} | head -1; echo ${{PIPESTATUS[0]}}"],
            env=environment(settings, tmp_path),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert done.stdout.splitlines()[-1] in {"0", "1"}, done
        assert done.stderr == "", done


async def test_without_the_topic_or_without_kafka(kafka: str, tmp_path: Path) -> None:
    nothing = ground.fresh(kafka)
    for option, name in (("--json", "incidents"), ("--open", "incidents.open")):
        done = await events(nothing, tmp_path, option)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"expected the topic {nothing.topic(name)}, found none" in done.stderr
    away = structs.replace(nothing, kafka=str(reserve(ListenAddress("127.0.0.1", 0))))
    done = await events(away, tmp_path, "--follow")
    assert done.returncode == 1
    assert done.stderr.startswith("portquorum: Kafka can't be reached")
    assert len(done.stderr.splitlines()) == 1


async def test_following_survives_a_restart_of_the_broker(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path / "kafka", "127.0.0.1:0") as broker:
        settings = ground.fresh(broker.bootstrap_servers)
        await clients.create_topics(settings)
        async with clients.producer(settings) as producer:
            await send(producer, settings, example("opened", NOW), 0)
        running = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "portquorum.cli", "events", "--follow"),
            env=environment(settings, tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert "incident.opened" in await line_of(running)
    try:
        assert running.stderr is not None
        async with asyncio.timeout(DEADLINE_S):
            assert b"Kafka does not answer" in await running.stderr.readline()
        with EmbeddedKafka(tmp_path / "kafka", settings.kafka):
            async with clients.producer(settings) as producer:
                await send(producer, settings, example("closed", NOW), 1)
            assert "incident.closed" in await line_of(running)
            running.send_signal(signal.SIGINT)
            code, said = await ended(running)
            assert code == 130
            assert "Traceback" not in said
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()
