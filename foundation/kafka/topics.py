"""Creates the topics before any role starts, and refuses a cluster whose topics differ."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidReplicationFactorError,
    PolicyViolationError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

from foundation.kafka.authorized import RightsError
from foundation.kafka.clients import admin
from foundation.kafka.rights import creating, seeing
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

BROKERS_DEFAULT: Final = -1
"""Replication factor of a new topic: what the brokers are set to (KIP-464)."""

FEW_BROKERS: Final = 3
"""From so many brokers on a topic with one copy is an oversight."""

_REFUSED: Final = {TopicAuthorizationFailedError.errno, ClusterAuthorizationFailedError.errno}

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


_CANT_SAY: Final = frozenset(
    [TopicAuthorizationFailedError.errno, UnknownTopicOrPartitionError.errno]
)


async def create_topics(settings: Settings) -> list[str]:
    """Creates the topics that are missing and checks all; returns the names of the new ones.

    Safe to call from several processes at once.

    Raises:
        TopicMismatchError: a topic has other partitions or another timestamp type.
        foundation.kafka.authorized.RightsError: topics can't be seen, or made.
        aiokafka.errors.KafkaError: the cluster can't be reached or refuses.
    """
    created = await make_missing(settings)
    await _check(settings, await _visible(settings))
    return created


async def make_missing(settings: Settings) -> list[str]:
    """Creates the topics that are missing, and checks none; returns their names.

    Raises:
        TopicMismatchError: the brokers refuse one of them; the text says why.
        foundation.kafka.authorized.RightsError: topics can't be seen, or made.
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    client = admin(settings)
    await client.start()
    try:
        existing = await _counts(client, settings)
        created = []
        for topic in topics.ALL:
            name = topic.full_name(settings.topic_prefix)
            if name in existing:
                continue
            response = await client.create_topics([_new_topic(settings, topic)])
            for error in response.topic_errors:
                code, text = error[1], error[2] if len(error) > 2 else ""
                if code == 0:
                    created.append(name)
                elif code in _REFUSED:
                    raise RightsError(settings, [creating(settings)])
                elif code != TopicAlreadyExistsError.errno:
                    raise TopicMismatchError(_not_made(name, code, text))
    finally:
        await client.close()
    return created


async def _visible(settings: Settings) -> dict[str, int]:
    """Waits until a broker's metadata has every topic; returns the counts that it has then.

    Each broker's metadata lags behind a creation for itself: the next one that is asked may not
    have them yet, so what was seen here is what is checked.
    """
    names = [topic.full_name(settings.topic_prefix) for topic in topics.ALL]
    deadline = time.monotonic() + VISIBLE_WITHIN_S
    while time.monotonic() < deadline:
        found = await _partition_counts(settings)
        if all(found.get(name) for name in names):
            return found
        await asyncio.sleep(0.05)
    return await _partition_counts(settings)


async def check_topics(settings: Settings) -> None:
    """Checks that every topic exists with its partitions and timestamp type.

    Raises:
        TopicMismatchError: names each topic that is missing or differs, and what to do.
        foundation.kafka.authorized.RightsError: topics can't be seen.
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    await _check(settings, await _partition_counts(settings))


async def _check(settings: Settings, found: Mapping[str, int]) -> None:
    """`check_topics` of these partition counts."""
    if not found:
        raise TopicMismatchError(
            f"Kafka ({settings.kafka}) has none of the topics {settings.topic_prefix}.*: no role "
            "has run here yet. `portquorum up`, `portquorum inventory apply` or a role makes them; "
            "if they have another prefix, set PORTQUORUM_TOPIC_PREFIX to it."
        )
    counts = fleet_counts(settings, found)
    wrong: list[tuple[str, str]] = []
    for topic in topics.ALL:
        name = topic.full_name(settings.topic_prefix)
        if found.get(name) is None:
            wrong.append((f"{name} does not exist", "`portquorum topics repair` makes it, empty"))
        elif found[name] != topic.partition_count(settings.partitions):
            wrong.append(partition_difference(settings, topic, found[name], counts))
    if not wrong:
        stamp = await _timestamp_type(settings)
        if stamp not in {None, "LogAppendTime"}:
            name = settings.topic("results")
            fact = f"{name} has {_TIMESTAMP_TYPE}={stamp}, LogAppendTime is needed"
            wrong.append((fact, "`portquorum topics repair` sets it"))
    if wrong:
        raise TopicMismatchError(_together(wrong))


def _together(wrong: Sequence[tuple[str, str]]) -> str:
    """Differences, those with the same way out beside each other."""
    ways = dict.fromkeys(way for _, way in wrong)
    alike = ("; ".join(fact for fact, its_way in wrong if its_way == way) for way in ways)
    return ". ".join(f"{facts}: {way}" for facts, way in zip(alike, ways, strict=True))


def fleet_counts(settings: Settings, found: Mapping[str, int]) -> set[int]:
    """The partition counts that the topics of the fleet have; more than one: some were altered."""
    names = (one.full_name(settings.topic_prefix) for one in topics.ALL if is_of_fleet(one))
    return {found[name] for name in names if found.get(name)}


def is_of_fleet(topic: Topic) -> bool:
    """Whether the topic is partitioned by host."""
    return topic.partitions == "fleet"


def partition_difference(
    settings: Settings, topic: Topic, found: int, counts: set[int]
) -> tuple[str, str]:
    """What is wrong with a topic of `found` partitions, and what to do.

    Args:
        settings: which say another count.
        topic: the declaration.
        found: the topic's count.
        counts: see `fleet_counts`.
    """
    name = topic.full_name(settings.topic_prefix)
    want = topic.partition_count(settings.partitions)
    if not is_of_fleet(topic):
        way = (
            "its records have one order; it was made or altered by hand, and Kafka takes no "
            "partition away (docs/kafka.md, More partitions)"
        )
        return f"{name} has {found} partitions and must have {want}", way
    fact = f"{name} has {found} partitions, the settings say {want}"
    if len(counts) == 1:
        return fact, (
            f"set PORTQUORUM_PARTITIONS={found} (the count is fixed when topics are made), or use "
            "another PORTQUORUM_TOPIC_PREFIX"
        )
    return fact, (
        f"topics of this prefix have different counts ({_listed(counts)}): one was altered or made "
        "by hand, and what is known of a host is looked for in one partition (docs/kafka.md, More "
        "partitions)"
    )


def _listed(counts: set[int]) -> str:
    return ", ".join(map(str, sorted(counts)))


def _new_topic(settings: Settings, topic: Topic) -> NewTopic:
    factor = settings.replication_factor
    return NewTopic(
        topic.full_name(settings.topic_prefix),
        topic.partition_count(settings.partitions),
        factor or BROKERS_DEFAULT,
        # aiokafka (0.14) takes -1 only beside assignments; an empty list of them is none.
        replica_assignments=None if factor else {},
        topic_configs=topic_config(topic),
    )


def _not_made(name: str, code: int, text: str | None) -> str:
    """Why a topic was not made, and what to do."""
    why = f"can't create {name}: {for_code(code).__name__} {text or ''}".rstrip()
    if code == InvalidReplicationFactorError.errno:
        return f"{why}. PORTQUORUM_REPLICATION_FACTOR is at most the number of brokers"
    if code == PolicyViolationError.errno:
        return f"{why}. A rule of this cluster forbids it: who runs Kafka can make the topic"
    return why


async def lone_copies(settings: Settings) -> str | None:
    """The remark that topics have one copy although there are brokers enough; None: they do not.

    None too where the settings want one copy.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    if settings.replication_factor == 1:
        return None
    client = admin(settings)
    await client.start()
    try:
        answer = await metadata(client, settings)
    finally:
        await client.close()
    lone = [one["topic"] for one in answer["topics"] if _lowest_copies(one) == 1]
    brokers = len(answer["brokers"])
    if not lone or brokers < FEW_BROKERS:
        return None
    some = lone[0] + (f" and {len(lone) - 1} others" if len(lone) > 1 else "")
    return (
        f"{some} have one copy on a cluster of {brokers} brokers: what is on a broker is lost with "
        "it, and nobody is watched while it is away. PORTQUORUM_REPLICATION_FACTOR=3 is for new "
        "topics; `portquorum topics check` says how those that are there get more"
    )


async def metadata(client: AIOKafkaAdminClient, settings: Settings) -> dict[str, Any]:
    """What the broker says of our topics, and of the brokers; it makes no topic for it.

    `describe_topics` of aiokafka (0.14) would, where topics are made automatically.
    """
    ours = [topic.full_name(settings.topic_prefix) for topic in topics.ALL]
    request = MetadataRequest(ours, allow_auto_topic_creation=False)
    answer = await client._send_request(request)  # noqa: SLF001 - see above
    found: dict[str, Any] = answer.to_object()
    return found


def _lowest_copies(topic: Mapping[str, Any]) -> int | None:
    return min((len(one["replicas"]) for one in topic["partitions"]), default=None)


async def _partition_counts(settings: Settings) -> dict[str, int]:
    client = admin(settings)
    await client.start()
    try:
        return await _counts(client, settings)
    finally:
        await client.close()


async def _counts(client: AIOKafkaAdminClient, settings: Settings) -> dict[str, int]:
    """The partition count of each topic that is there.

    Raises:
        foundation.kafka.authorized.RightsError: one may not be seen (so nobody knows whether it is
            there).
    """
    # Asks the broker; a consumer's `partitions_for_topic` returns the metadata of its start.
    found = (await metadata(client, settings))["topics"]
    if any(one["error_code"] == TopicAuthorizationFailedError.errno for one in found):
        raise RightsError(settings, [seeing(settings)])
    return {one["topic"]: len(one["partitions"]) for one in found if one["partitions"]}


async def _timestamp_type(settings: Settings) -> str | None:
    """The timestamp type of [results]; None if that can't be had.

    Who asks may not know it (DescribeConfigs), or the broker that is asked does not have the topic
    yet. The topic may be used all the same, and whoever made it has checked it.
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
                if entry[0] in _CANT_SAY:
                    return None
                for config in entry[4]:
                    if config[0] == _TIMESTAMP_TYPE:
                        return str(config[1])
    finally:
        await client.close()
    return "unknown"
