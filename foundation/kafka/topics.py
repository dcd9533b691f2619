"""Creates the topics before any role starts, and refuses a cluster whose topics differ."""

import asyncio
import time
from typing import Any, Final

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, TopicAuthorizationFailedError

from foundation.kafka.clients import admin
from foundation.settings import Settings
from schemas import topics
from schemas.duration import HOUR_MS
from schemas.topics import Topic

VISIBLE_WITHIN_S: Final = 60.0
"""Time for new topics to appear in the metadata of a busy broker."""

WEB_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""The largest message of [web]."""

WEB_LAG_MS: Final = HOUR_MS // 6
"""Compaction removes nothing from [web] that is younger."""

_TIMESTAMP_TYPE: Final = "message.timestamp.type"


class TopicMismatchError(RuntimeError):
    """The cluster's topics are not those of the settings; the text names each difference."""


def topic_config(topic: Topic) -> dict[str, str]:
    """The broker's settings of a topic."""
    config = {
        "cleanup.policy": topic.cleanup,
        "retention.ms": str(-1 if topic.retention_ms is None else topic.retention_ms),
        _TIMESTAMP_TYPE: "LogAppendTime" if topic.log_append_time else "CreateTime",
        # Batches of our producers have this codec, and the broker leaves them as they are. Others,
        # those of a role of an older version for instance, are packed anew by the broker.
        "compression.type": topic.compression,
    }
    if "compact" in topic.cleanup:
        config |= {"min.cleanable.dirty.ratio": "0.2", "segment.ms": str(HOUR_MS)}
    if topic is topics.STATE:
        # A worker reads an assigned partition from its beginning, and Kafka never compacts the
        # active segment: small segments keep this read short.
        config |= {
            "segment.bytes": str(32 * 1024 * 1024),
            "segment.ms": str(HOUR_MS // 6),
            "delete.retention.ms": str(HOUR_MS),
        }
    if topic is topics.WEB:
        # A part of a bulk change may have some MB. A reader that is behind must see which of
        # two edits of a version was the first: nothing that is young is removed.
        config |= {
            "max.message.bytes": str(WEB_MESSAGE_BYTES),
            "min.compaction.lag.ms": str(WEB_LAG_MS),
        }
    return config


async def create_topics(settings: Settings) -> list[str]:
    """Creates the topics that are missing and checks all; returns the names of the new ones.

    Safe to call from several processes at once.

    Raises:
        TopicMismatchError: a topic has other partitions or another timestamp type.
        aiokafka.errors.KafkaError: the cluster can't be reached or refuses.
    """
    client = admin(settings)
    await client.start()
    try:
        existing = set(await client.list_topics())
        created = []
        for topic in topics.ALL:
            name = topic.full_name(settings.topic_prefix)
            if name in existing:
                continue
            new = NewTopic(
                name,
                topic.partition_count(settings.partitions),
                settings.replication_factor,
                topic_configs=topic_config(topic),
            )
            response = await client.create_topics([new])
            for error in response.topic_errors:
                code, text = error[1], error[2] if len(error) > 2 else ""
                if code == 0:
                    created.append(name)
                elif code != TopicAlreadyExistsError.errno:
                    raise TopicMismatchError(f"can't create {name}: error {code} {text}")
    finally:
        await client.close()
    await _visible(settings)
    await check_topics(settings)
    return created


async def _visible(settings: Settings) -> None:
    """Waits until the broker's metadata has every topic; it lags behind a creation."""
    names = [topic.full_name(settings.topic_prefix) for topic in topics.ALL]
    deadline = time.monotonic() + VISIBLE_WITHIN_S
    while time.monotonic() < deadline:
        found = await _partition_counts(settings)
        if all(found.get(name) for name in names):
            return
        await asyncio.sleep(0.05)


async def check_topics(settings: Settings) -> None:
    """Checks that every topic exists with its partitions and timestamp type.

    Raises:
        TopicMismatchError: names each topic that is missing or differs, and what to do.
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    found = await _partition_counts(settings)
    if not found:
        raise TopicMismatchError(
            f"Kafka ({settings.kafka}) has none of the topics {settings.topic_prefix}.*: no role "
            "has run here yet. `portquorum up`, `portquorum inventory apply` or a role makes them; "
            "if they have another prefix, set PORTQUORUM_TOPIC_PREFIX to it."
        )
    wrong = []
    for topic in topics.ALL:
        name = topic.full_name(settings.topic_prefix)
        want = topic.partition_count(settings.partitions)
        if found.get(name) is None:
            wrong.append(f"{name} does not exist")
        elif found[name] != want:
            wrong.append(f"{name} has {found[name]} partitions, the settings say {want}")
    if not wrong:
        stamp = await _timestamp_type(settings)
        if stamp not in {None, "LogAppendTime"}:
            wrong.append(
                f"{settings.topic('results')} has {_TIMESTAMP_TYPE}={stamp}, "
                "LogAppendTime is needed"
            )
    if wrong:
        raise TopicMismatchError(
            "; ".join(wrong) + ". The partition count is fixed when the topics are created: set"
            " PORTQUORUM_PARTITIONS to it, or use another PORTQUORUM_TOPIC_PREFIX."
        )


async def _partition_counts(settings: Settings) -> dict[str, int]:
    client = admin(settings)
    await client.start()
    try:
        existing = set(await client.list_topics())
        ours = [topic.full_name(settings.topic_prefix) for topic in topics.ALL]
        # Asks the broker; a consumer's `partitions_for_topic` returns the metadata of its start.
        described = await client.describe_topics([name for name in ours if name in existing])
        return {topic["topic"]: len(topic["partitions"]) for topic in described}
    finally:
        await client.close()


async def _timestamp_type(settings: Settings) -> str | None:
    """The timestamp type of [results]; None: who asks may not know it (DescribeConfigs).

    They may use the topic all the same, and whoever made it has checked it.
    """
    client = admin(settings)
    await client.start()
    try:
        resource = ConfigResource(
            ConfigResourceType.TOPIC, settings.topic(topics.RESULTS.name), {_TIMESTAMP_TYPE: None}
        )
        responses: list[Any] = await client.describe_configs([resource])
        for response in responses:
            for entry in response.resources:
                if entry[0] == TopicAuthorizationFailedError.errno:
                    return None
                for config in entry[4]:
                    if config[0] == _TIMESTAMP_TYPE:
                        return str(config[1])
    finally:
        await client.close()
    return "unknown"
