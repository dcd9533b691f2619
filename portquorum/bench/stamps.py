"""Switches the timestamps of a topic between the broker's append time and the writer's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Literal

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from foundation import kafka
from foundation.kafka.topics import topic_config
from foundation.settings import Settings
from schemas.topics import Topic

Stamp = Literal["CreateTime", "LogAppendTime"]

_NAME: Final = "message.timestamp.type"


@asynccontextmanager
async def stamped(settings: Settings, topic: Topic, stamp: Stamp) -> AsyncIterator[None]:
    """Sets the kind of timestamp for messages that are written inside; restores it afterwards."""
    await _set(settings, topic, {_NAME: stamp})
    try:
        yield
    finally:
        await _set(settings, topic, {})


async def _set(settings: Settings, topic: Topic, changes: dict[str, str]) -> None:
    client = kafka.admin(settings)
    await client.start()
    try:
        # What is not named would fall back to the broker's default.
        configs = topic_config(topic) | changes
        name = topic.full_name(settings.topic_prefix)
        resource = ConfigResource(ConfigResourceType.TOPIC, name, configs)
        await client.alter_configs([resource])
    finally:
        await client.close()
