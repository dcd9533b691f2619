"""Who runs, by the groups of a real Kafka, and who may begin beside it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from foundation import upgrade_order
from foundation.kafka import VersionOrderError, consumer, in_order, running_roles, topics_ready
from foundation.settings import Settings
from foundation.upgrade_order import ROLES, Role

DEADLINE_S = 60
OWN = upgrade_order.own_version()

# A role that refuses at once: who was killed is waited for elsewhere.
AT_ONCE = """
from foundation.kafka import running_roles
running_roles.PATIENCE_S = 0
from portquorum.cli.main import main
main()
"""

# A member that is killed leaves no group.
MEMBER = """
import asyncio, sys
from aiokafka import AIOKafkaConsumer
async def stay(kafka, group, topic):
    member = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, group_id=group,
        session_timeout_ms=6000, heartbeat_interval_ms=1500,
    )
    await member.start()
    while not member.assignment():
        await member.getmany(timeout_ms=50)
    print("joined", flush=True)
    await asyncio.Event().wait()
asyncio.run(stay(*sys.argv[1:]))
"""


@pytest.fixture
def settings(kafka: str, request: pytest.FixtureRequest) -> Settings:
    prefix = request.node.name.replace("[", "-").rstrip("]")[:80]
    return Settings(kafka=kafka, topic_prefix=prefix, partitions=1)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_roles, "PATIENCE_S", 0.0)


def claim(version: str) -> dict[Role, str]:
    return {role: f"portquorum-{role}-{version}" for role in ROLES}


@asynccontextmanager
async def joined(settings: Settings, group: str, **options: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A member of a group, until the end."""
    name = settings.group(group)
    client = consumer(settings, settings.topic("policy"), group_id=name, **options)
    await client.start()
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not client.assignment():
                await client.getmany(timeout_ms=50)
        yield client
    finally:
        await client.stop()


async def seen(settings: Settings) -> set[tuple[str, str | None, str]]:
    found = await running_roles.running_roles(settings)
    assert all(one.host == "127.0.0.1" for one in found)
    return {(one.role, one.version, one.region) for one in found}


async def test_what_runs_is_known_by_its_group_and_its_client_id(settings: Settings) -> None:
    assert await seen(settings) == set()
    await topics_ready(settings)
    async with AsyncExitStack() as stack:
        for group, options in {
            "sink": {"client_id": "portquorum-sink-0.9.1"},
            "stream": {},
            "probe-eu": {"client_id": "portquorum-probe-7.0.0"},
            "notify": {"client_id": "somebody-else"},
            "other": {"client_id": "portquorum-sink-0.9.1"},
        }.items():
            await stack.enter_async_context(joined(settings, group, **options))
        # One of another installation, whose prefix begins as ours does.
        other = Settings(kafka=settings.kafka, topic_prefix=f"{settings.topic_prefix}-probe")
        await topics_ready(other)
        await stack.enter_async_context(joined(other, "stream"))
        ours = {("sink", "0.9.1", ""), ("stream", None, ""), ("probe", "7.0.0", "eu")}
        assert await seen(settings) >= ours
        assert {one for one in await seen(settings) if one[0] != "probe"} == {
            one for one in ours if one[0] != "probe"
        }
    assert await seen(settings) == set()


@pytest.mark.usefixtures("impatient")
async def test_each_role_ends_with_a_sentence_where_it_may_not_begin(
    settings: Settings, tmp_path: Path
) -> None:
    """An older sink runs, which readers before it don't mind, and a newer prober elsewhere."""
    await topics_ready(settings)
    env = {k: v for k, v in os.environ.items() if not k.startswith("PORTQUORUM_")} | {
        "PORTQUORUM_KAFKA": settings.kafka,
        "PORTQUORUM_CLICKHOUSE": "http://127.0.0.1:1/x",
        "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
        "PORTQUORUM_PARTITIONS": "1",
        "PORTQUORUM_METRICS": "127.0.0.1:0",
        "PORTQUORUM_DATA_DIR": str(tmp_path),
    }
    expected = {
        "notify": "a notifier of {} does not start beside a sink of an older version (at",
        "stream": "a stream of {} does not start beside a sink of an older version (at",
        "probe": "a prober of {} does not start beside a sink of an older version (at",
        "sink": "a sink of {} does not start beside a prober of 999.0.0 (at 127.0.0.1 in far)",
    }
    newer = claim("999.0.0")["probe"]
    async with joined(settings, "sink"), joined(settings, "probe-far", client_id=newer):
        started = {
            role: await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", AT_ONCE, role),
                *(("--region", "here") if role == "probe" else ()),
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            for role in expected
        }
        for role, process in started.items():
            async with asyncio.timeout(DEADLINE_S):
                written, _ = await process.communicate()
            last = written.decode().splitlines()[-1]
            assert expected[role].format(OWN) in last, written.decode()
            assert "docs/operations.md#upgrade" in last
            assert process.returncode == 1, written.decode()


async def test_a_role_waits_for_an_older_one_that_is_ending(settings: Settings) -> None:
    await topics_ready(settings)
    async with joined(settings, "sink"):
        waiting = asyncio.create_task(in_order(settings, "stream"))
        done, _ = await asyncio.wait({waiting}, timeout=1.0)
        assert not done
    async with asyncio.timeout(DEADLINE_S):
        await waiting


@pytest.mark.usefixtures("impatient")
async def test_what_was_killed_counts_no_more_once_its_session_is_over(settings: Settings) -> None:
    await topics_ready(settings)
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", MEMBER, settings.kafka),
        *(settings.group("sink"), settings.topic("policy")),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        assert started.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            assert await started.stdout.readline() == b"joined\n"
        with pytest.raises(VersionOrderError, match="beside a sink of an older version"):
            await in_order(settings, "stream")
    finally:
        started.kill()
        await started.wait()
    # Killed, it is a member for the rest of its session.
    assert await seen(settings) == {("sink", None, "")}
    async with asyncio.timeout(DEADLINE_S):
        while await seen(settings):  # noqa: ASYNC110 - Kafka tells nobody
            await asyncio.sleep(0.2)
    await in_order(settings, "stream")


async def test_a_cluster_that_says_nothing_stops_nobody(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_roles, "LOOK_WITHIN_S", 0.0)
    async with joined_after_topics(settings):
        await in_order(settings, "stream")


@asynccontextmanager
async def joined_after_topics(settings: Settings) -> AsyncIterator[None]:
    await topics_ready(settings)
    async with joined(settings, "sink"):
        yield
