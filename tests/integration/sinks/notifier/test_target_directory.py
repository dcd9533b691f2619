"""What the notifier knows of targets, as [targets] has them now: on the real broker."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

import msgspec

from foundation import kafka
from foundation.settings import Settings
from schemas.partition import host_key, partition_for
from schemas.target import Target
from sinks.notifier.facts_table import facts
from sinks.notifier.target_directory import TargetDirectory
from tests.integration.sinks.notifier.rig import until
from tests.unit.streams.rules.fleet import target


async def publish(settings: Settings, *targets: Target, removed: Iterable[Target] = ()) -> None:
    values = [(one, msgspec.json.encode(one)) for one in targets]
    async with kafka.producer(settings) as producer:
        for one, value in [*values, *((one, None) for one in removed)]:
            place = partition_for(host_key(one.host, one.id), settings.partitions)
            await producer.send_and_wait(
                settings.topic("targets"), value, key=one.id.encode(), partition=place
            )


@asynccontextmanager
async def following(settings: Settings) -> AsyncIterator[tuple[TargetDirectory, list[str]]]:
    """A directory that has been read once, and the ids of what has changed since."""
    changed: list[str] = []
    directory = TargetDirectory(settings, changed.extend)
    task = asyncio.create_task(directory.run())
    try:
        assert await directory.present(60)
        yield directory, changed
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_definitions_changes_moves_and_removals(settings: Settings) -> None:
    await kafka.topics_ready(settings)
    gateway = target("gw", host="gw.example.com", tags=("prod",))
    app = target("app", host="app.example.com", depends_on=("gw",))
    await publish(settings, gateway, app)
    async with following(settings) as (directory, changed):
        assert directory.on_hosts == 2
        assert directory.facts_of("app") == facts(app)
        assert sorted(changed) == ["app", "gw"]
        changed.clear()
        # A new purpose is nothing that the notifier decides by; a new tag is.
        await publish(settings, msgspec.structs.replace(gateway, version=2, purpose="the way out"))
        tagged = msgspec.structs.replace(gateway, version=3, tags=("prod", "core"))
        await publish(settings, tagged)
        await until(lambda: directory.facts_of("gw") == facts(tagged), "the tag is there")
        assert changed == ["gw"]
        hosts = (f"h{number}.example.com" for number in range(100))
        moved = next(
            one
            for host in hosts
            if partition_for(host, settings.partitions)
            != partition_for("app.example.com", settings.partitions)
            for one in (msgspec.structs.replace(app, host=host, version=4),)
        )
        await publish(settings, moved, removed=(app,))
        await until(lambda: directory.facts_of("app") == facts(moved), "it has moved")
        await publish(settings, removed=(moved, gateway))
        await until(lambda: directory.on_hosts == 0, "all are gone")
        assert directory.facts_of("app") is None


async def test_what_cannot_be_read_changes_nothing(settings: Settings) -> None:
    await kafka.topics_ready(settings)
    app = target("app", host="app.example.com")
    await publish(settings, app)
    async with following(settings) as (directory, _):
        async with kafka.producer(settings) as producer:
            for value in (b"{", b"null", b"\xff", b"[" * 5000):
                await producer.send_and_wait(settings.topic("targets"), value, key=b"app")
        other = target("other", host="app.example.com")
        await publish(settings, other)
        await until(lambda: directory.on_hosts == 2, "it reads on")
        assert directory.facts_of("app") == facts(app)


async def test_without_the_topic_nobody_waits_for_ever(settings: Settings) -> None:
    directory = TargetDirectory(msgspec.structs.replace(settings, topic_prefix="nowhere"))
    task = asyncio.create_task(directory.run())
    try:
        assert not await directory.present(0.2)
        assert directory.on_hosts == 0
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
