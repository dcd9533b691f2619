"""The whole line under a forger who may write to every topic: nobody ends, nothing is missed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import ConsumerRecord
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from foundation import kafka
from foundation.kafka.topics import topic_config
from foundation.settings import Settings
from schemas import topics
from schemas.policy import Region
from sinks.clickhouse.block import build
from streams.replay.compare import compare
from streams.rules.process import step
from streams.state.partition_state import new_state
from tests.system.forger import Forger
from tests.system.ground import Listener, Mailbox
from tests.system.stack import Stack, eventually

pytestmark = pytest.mark.timeout(300)

REGIONS = {"north": "127.0.0.21", "south": "127.0.0.22", "west": "127.0.0.23"}
HOSTS = {"steady": "127.0.4.1", "falls": "127.0.4.2", "falls-later": "127.0.4.3"}
PORT = 7300


@pytest.fixture
async def stack(kafka: str, clickhouse: str, tmp_path: Path) -> AsyncIterator[Stack]:
    settings = Settings(
        kafka=kafka,
        clickhouse=f"{clickhouse.rpartition('/')[0]}/forger",
        topic_prefix="forger",
        partitions=2,
        data_dir=tmp_path,
    )
    # Most lines are forged here, which is no reason to stop.
    fleet = Stack(settings, tmp_path, {"PORTQUORUM_SINK_BAD_LINES_RATIO": "1"})
    await fleet.watch()
    await keep_everything(settings)
    for role in ("sink", "stream", "notify"):
        fleet.role(role, role)
    for region, source in REGIONS.items():
        fleet.prober(region, source)
    yield fleet
    await fleet.close()


async def keep_everything(settings: Settings) -> None:
    """No topic loses a message, so that all of them can be judged at the end.

    Forged times begin new segments, and make some so old that the broker's next round deletes or
    compacts them, a minute or less after they were written and read.
    """
    keep = {"retention.ms": "-1", "min.compaction.lag.ms": str(2**62)}
    changes = [
        ConfigResource(
            ConfigResourceType.TOPIC,
            settings.topic(topic.name),
            topic_config(topic) | keep,
        )
        for topic in topics.ALL
    ]
    client = kafka.admin(settings)
    await client.start()
    try:
        for response in await client.alter_configs(changes):
            assert [one[0] for one in response.resources] == [0] * len(response.resources)
    finally:
        await client.close()


def inventory(mailbox: Mailbox) -> dict[str, Any]:
    return {
        "regions": {name: {"internal": True} for name in REGIONS},
        "routes": {"mail": {"urls": [mailbox.url]}},
        "teams": {"ops": {"routes": ["mail"]}},
        "targets": [
            {
                "name": name,
                "host": host,
                "port": PORT,
                "regions": list(REGIONS),
                "interval": "3s",
                "timeout": "1s",
                "team": "ops",
            }
            for name, host in HOSTS.items()
        ],
    }


async def everything(settings: Settings, name: str) -> list[ConsumerRecord]:
    """All that lies on a topic, whatever it is."""
    async with kafka.Follower(settings, settings.topic(name)) as follower:
        return [record async for record in follower.present()]


def letters_of(name: str, records: list[ConsumerRecord]) -> set[str]:
    """The ids of the dead letters that the sink has to write for them."""
    (topic,) = (one for one in topics.ALL if one.name == name)
    found: set[str] = set()
    for record in records:
        found |= {letter.id for letter in build(topic, [record]).letters}
    return found


def not_applied(settings: Settings, records: list[ConsumerRecord]) -> set[str]:
    """The ids of the dead letters that the stream has to write for [results]."""
    found: set[str] = set()
    for partition in range(settings.partitions):
        state = new_state(partition, settings.partitions)
        ours = (one for one in records if one.partition == partition)
        for one in sorted(ours, key=lambda record: record.offset):
            done = step(state, one.offset, one.timestamp, one.value, one.headers)
            assert not done.failed
            for part in done.not_applied:
                found.add(f"{one.topic}:{partition}:{one.offset}:{part.line}")
    return found


async def opens_and_closes(stack: Stack, mailbox: Mailbox, listener: Listener, name: str) -> None:
    listener.close()
    await eventually(f"{name} opened", lambda: "opened" in stack.told(name), 60)
    listener.open()
    await eventually(f"{name} closed", lambda: stack.told(name) == ["opened", "closed"], 60)

    def told() -> bool:
        """Of both ends, or, if it was over before it was due, in one message."""
        heads = [title.split(":")[0] for title in mailbox.about(name)]
        return heads[-1:] in (["TCP Port Reachable Again"], ["TCP Port Was Unreachable"])

    await eventually(f"{name} told", told, 60)


async def test_no_forged_message_ends_a_role(stack: Stack, soak_seed: int) -> None:
    mailbox = Mailbox()
    settings = stack.settings
    listeners = {name: Listener(host, PORT) for name, host in HOSTS.items()}
    try:
        await stack.apply(inventory(mailbox), "forger")

        async def all_up() -> bool:
            ups = {(r.target, r.region) for r in await stack.results() if r.status == "up"}
            return len(ups) == len(HOSTS) * len(REGIONS)

        await eventually("all up", all_up, 60)
        pids = {name: role.process.pid for name, role in stack.roles.items() if role.process}
        forger = Forger(settings, soak_seed)
        await forger.write(60)
        await odd_region(settings)
        assert forger.sent > 1_500

        await opens_and_closes(stack, mailbox, listeners["falls"], "falls")
        await asyncio.to_thread(commands_answer, stack)

        # Who takes over reads [state], forged checkpoints and all.
        for name, role in stack.roles.items():
            assert role.alive, f"{name} ended: {role.tail()}"
            assert role.process is not None
            assert role.process.pid == pids[name]
        assert stack.roles["stream"].stop() == 0
        stack.roles["stream"].start()
        await opens_and_closes(stack, mailbox, listeners["falls-later"], "falls-later")
        assert stack.told("falls") == ["opened", "closed"]
        assert stack.told("steady") == []
        for name, role in stack.roles.items():
            assert role.alive, f"{name} ended: {role.tail()}"

        comparison = await compare(settings, start="beginning", acknowledged=True)
        assert comparison.missing == comparison.different == []
        assert comparison.same >= 4
        await dead_letters_are_the_unreadable_lines(stack)
    finally:
        mailbox.close()
        for listener in listeners.values():
            listener.close()


async def odd_region(settings: Settings) -> None:
    """Our own region, by somebody who can write: references and networks that are none."""
    region = Region(
        name="north",
        internal=True,
        connectivity=("h:" + "9" * 5_000, "\x00:1", "::", "h:\u0663"),
        allow=("no network", "\x00"),
        deny=("0.0.0.0/99", ""),
    )
    async with kafka.producer(settings) as client:
        await client.send_and_wait(
            settings.topic("policy"), msgspec.json.encode(region), key=b"forged/region/north"
        )


def commands_answer(stack: Stack) -> None:
    for arguments in (
        ("status",),
        ("incidents",),
        ("explain", "steady"),
        ("checkpoint",),
        ("replay", "--from", "1h"),
        ("inventory", "diff", str(stack.folder / "forger.yaml"), "--source", "forger"),
    ):
        done = stack.command(*arguments)
        assert "unexpected" not in done.stderr, (arguments, done.stderr)
        assert "Traceback" not in done.stderr, (arguments, done.stderr)
        assert done.returncode in {0, 1}, (arguments, done.stderr)


async def dead_letters_are_the_unreadable_lines(stack: Stack) -> None:
    """Each thing that can't be read or applied is one row, and there are no others."""
    settings = stack.settings
    for role in ("north", "south", "west"):
        assert stack.roles[f"probe-{role}"].stop() == 0
    found = {one.name: await everything(settings, one.name) for one in topics.read_by("sink")}
    expected = not_applied(settings, found["results"])
    for name, records in found.items():
        if name != "deadletter":
            expected |= letters_of(name, records)
    assert len(expected) > 500

    async def stored() -> bool:
        rows = await stack.sql("SELECT id FROM deadletter FINAL")
        return expected <= {row[0] for row in rows}

    await eventually("all dead letters are stored", stored, 60)
    forged = {row for one in await everything(settings, "deadletter") for row in rows_of(one)}
    rows = [row[0] for row in await stack.sql("SELECT id FROM deadletter")]
    assert len(rows) == len(set(rows))
    assert set(rows) - expected <= forged
    assert {one for one in forged if one.startswith("forger.")} <= set(rows)


def rows_of(record: ConsumerRecord) -> list[str]:
    """The id of the row that a message of [deadletter] is."""
    (rows,) = build(topics.DEADLETTER, [record]).rows
    return [str(found) for found in rows.columns[0]]


def test_the_forger_is_the_same_for_the_same_seed() -> None:
    settings = Settings()
    drawn = [Forger(settings, 7)._message(topics.RESULTS).value for _ in range(2)]
    assert drawn[0] == drawn[1]
