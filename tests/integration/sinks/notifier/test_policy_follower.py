"""Who is told, as [policy] has it now: the follower on the real broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from foundation import kafka
from foundation.settings import Settings
from schemas import policy
from schemas.policy import Route, Team
from sinks.notifier.policy_follower import PolicyFollower
from sinks.notifier.routing import CONSOLE
from tests.integration.sinks.notifier.rig import incident_event, publish_policy, until

ROUTES = [Route(name=name, urls=(f"json://{name}",)) for name in ("day", "night")]


@asynccontextmanager
async def following(settings: Settings) -> AsyncIterator[PolicyFollower]:
    """A follower that knows what lay on the topic at its start."""
    follower = PolicyFollower(settings)
    task = asyncio.create_task(follower.run())
    try:
        await asyncio.wait_for(follower.present(), 60)
        yield follower
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def told(follower: PolicyFollower, team: str | None = None) -> list[str]:
    """The routes that an incident is told by, at this moment."""
    return [one.route for one in follower.routes.channels(incident_event("db1", team=team), 0)]


async def become(follower: PolicyFollower, wanted: list[str], team: str | None = None) -> None:
    await until(lambda: told(follower, team) == wanted, f"{wanted} are told")


async def write(settings: Settings, key: bytes, value: bytes | None) -> None:
    async with kafka.producer(settings) as producer:
        await producer.send_and_wait(settings.topic("policy"), value, key=key)


async def test_routes_that_were_asked_for_before_are_those_of_now_after_each_change(
    settings: Settings,
) -> None:
    day, night = ROUTES
    async with following(settings) as follower:
        # Asked for at each step, so that what was sorted before must be forgotten.
        assert told(follower) == [CONSOLE.name]
        await publish_policy(settings, day)
        await become(follower, ["day"])
        await publish_policy(settings, night, Team(name="ops", routes=("night",)))
        await become(follower, ["night"], team="ops")
        assert told(follower) == ["day"]
        await publish_policy(settings, Team(name="ops", routes=("day", "night")))
        await become(follower, ["day", "night"], team="ops")
        await write(settings, policy.key("test", day), None)
        await become(follower, ["night"], team="ops")
        # What can't be read is no route any more, and the others are told as before.
        await write(settings, policy.key("test", night), b"{")
        await become(follower, [CONSOLE.name], team="ops")
        await publish_policy(settings, night)
        await become(follower, ["night"], team="ops")


async def test_routes_are_sorted_once_between_two_changes(
    settings: Settings,
) -> None:
    await publish_policy(settings, *ROUTES)
    async with following(settings) as follower:
        first = follower.routes
        assert follower.routes is first
        await publish_policy(settings, ROUTES[0])
        await until(lambda: follower.routes is not first, "the routes are sorted again")
        assert follower.routes == first


async def test_what_was_compacted_away_while_nobody_followed_is_gone(settings: Settings) -> None:
    day, night = ROUTES
    follower = PolicyFollower(settings)
    await publish_policy(settings, day)
    async with run_of(follower):
        await become(follower, ["day"])
    await write(settings, policy.key("test", day), None)
    await remove_all_records(settings)
    await publish_policy(settings, night)
    async with run_of(follower):
        await become(follower, ["night"])


@asynccontextmanager
async def run_of(follower: PolicyFollower) -> AsyncIterator[None]:
    task = asyncio.create_task(follower.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def remove_all_records(settings: Settings) -> None:
    """As compaction does it with an entry, and after a day with its removal."""
    partition = TopicPartition(settings.topic("policy"), 0)
    async with kafka.producer(settings) as producer:
        sent = await producer.send_and_wait(partition.topic, None, key=b"test/route/none")
    client = kafka.admin(settings)
    await client.start()
    try:
        deletable = {"cleanup.policy": "compact,delete"}
        await client.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, partition.topic, deletable)]
        )
        await client.delete_records({partition: RecordsToDelete(before_offset=sent.offset + 1)})
    finally:
        await client.close()
