"""Reads the topics of a cluster and their settings."""

from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAuthorizationFailedError

from foundation.kafka import admin
from foundation.kafka.topics import metadata
from foundation.settings import Settings
from portquorum.topic_care.model import ClusterFound, ConfigFound, PartitionFound, TopicFound

_AT_TOPIC: Final = 1
"""ConfigSource DYNAMIC_TOPIC_CONFIG: set at the topic."""


async def look(settings: Settings) -> ClusterFound:
    """The topics as they are now; changes nothing, makes no topic.

    Raises:
        aiokafka.errors.KafkaError, OSError: the cluster can't be asked.
    """
    client = admin(settings)
    await client.start()
    try:
        answer = await metadata(client, settings)
        there = [one for one in answer["topics"] if one["partitions"]]
        configs = await _configs(client, [one["topic"] for one in there])
    finally:
        await client.close()
    refused = TopicAuthorizationFailedError.errno
    return ClusterFound(
        brokers=tuple(sorted(one["node_id"] for one in answer["brokers"])),
        topics={
            one["topic"]: TopicFound(
                partitions=tuple(
                    sorted(map(_partition, one["partitions"]), key=lambda part: part.number)
                ),
                configs=configs.get(one["topic"]),
            )
            for one in there
        },
        unseen=frozenset(one["topic"] for one in answer["topics"] if one["error_code"] == refused),
    )


def _partition(found: dict[str, Any]) -> PartitionFound:
    leader = found["leader"]
    return PartitionFound(
        number=found["partition"],
        leader=leader if leader >= 0 else None,
        replicas=tuple(found["replicas"]),
        in_sync=tuple(found["isr"]),
    )


async def _configs(
    client: AIOKafkaAdminClient, names: list[str]
) -> dict[str, dict[str, ConfigFound]]:
    """The settings in force of each topic that may be asked for."""
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, dict[str, ConfigFound]] = {}
    for response in await client.describe_configs(resources):
        for code, _text, _kind, name, entries in response.resources:
            if code == 0:
                found[name] = {
                    entry[0]: ConfigFound(entry[1], entry[3] == _AT_TOPIC)
                    for entry in entries
                    if entry[1] is not None
                }
    return found
