"""The foundation on a real broker: topics, and the follower of a compacted one."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from foundation.kafka import (
    Follower,
    TopicMismatchError,
    admin,
    check_topics,
    create_topics,
    producer,
)
from foundation.kafka.clients import LATER_MS, SOON_MS
from foundation.kafka.topics import topic_config
from foundation.settings import Settings
from portquorum.embedded.kafka.main import EmbeddedKafka
from schemas import topics

DEADLINE_S = 100


@pytest.fixture
def settings(kafka: str, request: pytest.FixtureRequest) -> Settings:
    prefix = request.node.name.replace("[", "-").rstrip("]")[:80]
    return Settings(kafka=kafka, topic_prefix=prefix, partitions=3)


async def names(settings: Settings) -> set[str]:
    client = admin(settings)
    await client.start()
    try:
        found = await client.list_topics()
        return {name for name in found if name.startswith(f"{settings.topic_prefix}.")}
    finally:
        await client.close()


async def test_topics_are_created_once(settings: Settings) -> None:
    ours = {topic.full_name(settings.topic_prefix) for topic in topics.ALL}
    assert set(await create_topics(settings)) == ours
    assert await create_topics(settings) == []
    assert await names(settings) == ours
    await check_topics(settings)


async def test_many_may_create_at_once(settings: Settings) -> None:
    created = await asyncio.gather(*(create_topics(settings) for _ in range(5)))
    each = [name for some in created for name in some]
    assert sorted(each) == sorted(topic.full_name(settings.topic_prefix) for topic in topics.ALL)


async def test_other_partitions_are_refused_with_the_way_out(settings: Settings) -> None:
    await create_topics(settings)
    other = Settings(kafka=settings.kafka, topic_prefix=settings.topic_prefix, partitions=4)
    with pytest.raises(TopicMismatchError) as caught:
        await create_topics(other)
    text = str(caught.value)
    assert f"{settings.topic('results')} has 3 partitions, the settings say 4" in text
    assert "PORTQUORUM_PARTITIONS" in text
    assert settings.topic("policy") not in text


async def test_a_log_without_the_brokers_time_is_refused(settings: Settings) -> None:
    config = topic_config(topics.RESULTS) | {"message.timestamp.type": "CreateTime"}
    client = admin(settings)
    await client.start()
    try:
        await client.create_topics(
            [NewTopic(settings.topic("results"), 3, 1, topic_configs=config)]
        )
    finally:
        await client.close()
    with pytest.raises(TopicMismatchError, match="LogAppendTime is needed"):
        await create_topics(settings)


async def test_the_send_log_keeps_the_newest_of_each_key_and_that_for_30_days(
    settings: Settings,
) -> None:
    await create_topics(settings)
    wanted = {"cleanup.policy": None, "retention.ms": None}
    client = admin(settings)
    await client.start()
    try:
        (answer,) = await client.describe_configs(
            [
                ConfigResource(
                    ConfigResourceType.TOPIC, settings.topic(topics.NOTIFICATIONS.name), wanted
                )
            ]
        )
    finally:
        await client.close()
    ((*_, configs),) = answer.resources
    found = {config[0]: config[1] for config in configs}
    assert set(found["cleanup.policy"].split(",")) == {"compact", "delete"}
    assert found["retention.ms"] == str(30 * topics.DAY_MS)


async def test_a_kafka_without_any_topic_is_new_and_no_mismatch(settings: Settings) -> None:
    with pytest.raises(TopicMismatchError) as caught:
        await check_topics(settings)
    text = str(caught.value)
    assert f"none of the topics {settings.topic_prefix}.*: no role has run here yet" in text
    assert "PORTQUORUM_PARTITIONS" not in text


async def test_missing_topics_are_named(settings: Settings) -> None:
    await create_topics(settings)
    client = admin(settings)
    await client.start()
    try:
        await client.delete_topics([settings.topic("incidents")])
    finally:
        await client.close()
    with pytest.raises(TopicMismatchError) as caught:
        await check_topics(settings)
    assert f"{settings.topic('incidents')} does not exist" in str(caught.value)


async def publish(settings: Settings, *records: tuple[bytes, bytes | None]) -> None:
    async with producer(settings) as client:
        for number, (key, value) in enumerate(records):
            await client.send_and_wait(
                settings.topic("targets"), value, key=key, partition=number % settings.partitions
            )


async def test_the_follower_gives_what_is_there_then_each_change(settings: Settings) -> None:
    await create_topics(settings)
    await publish(settings, (b"a", b"1"), (b"b", b"2"), (b"c", b"3"))
    async with (
        asyncio.timeout(DEADLINE_S),
        Follower(settings, settings.topic("targets")) as follower,
    ):
        present = {record.key: record.value async for record in follower.present()}
        assert present == {b"a": b"1", b"b": b"2", b"c": b"3"}
        await publish(settings, (b"a", None), (b"d", b"4"))
        assert follower._client._fetcher._fetch_max_wait_ms == SOON_MS
        assert await take(follower.changes(), 2) == {b"a": None, b"d": b"4"}
        assert follower._client._fetcher._fetch_max_wait_ms == LATER_MS


async def test_the_follower_of_an_empty_topic_comes_to_an_end(settings: Settings) -> None:
    await create_topics(settings)
    async with (
        asyncio.timeout(DEADLINE_S),
        Follower(settings, settings.topic("policy")) as follower,
    ):
        assert [record async for record in follower.present()] == []


async def test_what_came_before_is_not_given_again_as_a_change(settings: Settings) -> None:
    await create_topics(settings)
    await publish(settings, (b"a", b"1"))
    async with (
        asyncio.timeout(DEADLINE_S),
        Follower(settings, settings.topic("targets")) as follower,
    ):
        assert [record.key async for record in follower.present()] == [b"a"]
        await publish(settings, (b"b", b"2"))
        assert await take(follower.changes(), 1) == {b"b": b"2"}


async def test_a_topic_that_does_not_exist_is_named(settings: Settings) -> None:
    with pytest.raises(LookupError, match=r"nothing\.here does not exist"):
        async with asyncio.timeout(DEADLINE_S), Follower(settings, "nothing.here"):
            pass


async def take(records: AsyncIterator[object], count: int) -> dict[bytes, bytes | None]:
    found: dict[bytes, bytes | None] = {}
    async for record in records:
        found[record.key] = record.value  # type: ignore[attr-defined]
        if len(found) == count:
            break
    return found


async def test_what_is_there_is_waited_for_no_longer_than_asked_for(tmp_path: Path) -> None:
    """The broker ends in the middle of a topic; the client holds some of its records."""
    with ExitStack() as running:
        broker = running.enter_context(EmbeddedKafka(tmp_path / "kafka", "127.0.0.1:0"))
        settings = Settings(kafka=broker.bootstrap_servers, topic_prefix="away", partitions=1)
        await create_topics(settings)
        topic = settings.topic(topics.INCIDENTS_OPEN.name)
        async with producer(settings, compression_type=None) as client:
            for number in range(8):
                await client.send_and_wait(topic, os.urandom(900_000), key=b"%d" % number)
        async with Follower(settings, topic) as follower:
            records = follower.present(stalled_s=3)
            assert (await anext(records)).offset == 0
            running.close()
            with pytest.raises(TimeoutError):
                async for _ in records:
                    pass
