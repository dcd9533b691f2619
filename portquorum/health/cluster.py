"""Asks Kafka by the admin client: topics, members of groups, their commits."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest
from msgspec import Struct

from foundation.kafka import Commit, commits
from foundation.settings import Settings
from portquorum.health.facts import KafkaFacts, TopicFacts
from portquorum.health.reading import REFUSED
from schemas import topics

_AGAIN_S: Final = 0.2
_TRIES: Final = 25
"""A coordinator that has just started loads its groups for a moment, and a cluster that never had a
group first makes the topic for them."""


class Members(Struct, frozen=True):
    """The state and number of members of a group, the right that is missing, or an error.

    `clients` are the client ids of the members.
    """

    state: str | None = None
    members: int | None = None
    clients: tuple[str, ...] = ()
    hidden: str | None = None
    error: str | None = None


class Commits(Struct, frozen=True):
    """The commits of a group, or the right that is missing."""

    of: dict[TopicPartition, Commit] = {}
    hidden: str | None = None


async def describe(client: AIOKafkaAdminClient, settings: Settings) -> KafkaFacts:
    """The brokers and our topics. Never creates a topic.

    Raises:
        aiokafka.errors.KafkaError: the cluster does not answer.
    """
    names = {topic.full_name(settings.topic_prefix): topic for topic in topics.ALL}
    # `describe_topics` of aiokafka (0.14) would make the broker create what it asks for.
    request = MetadataRequest(list(names), allow_auto_topic_creation=False)
    answer = (await client._send_request(request)).to_object()  # noqa: SLF001 - see above
    found = {entry["topic"]: entry for entry in answer["topics"]}
    return KafkaFacts(
        servers=settings.kafka,
        brokers=len(answer["brokers"]),
        topics=tuple(
            _topic(topic.name, name, found.get(name), topic.partition_count(settings.partitions))
            for name, topic in names.items()
        ),
    )


def _topic(name: str, full: str, entry: Mapping[str, Any] | None, expected: int) -> TopicFacts:
    code = 0 if entry is None else entry["error_code"]
    if code == TopicAuthorizationFailedError.errno:
        hidden = f"DESCRIBE on topic {full}"
        return TopicFacts(name=name, exists=False, hidden=hidden, expected=expected)
    parts = [] if entry is None else entry["partitions"]
    return TopicFacts(
        name=name,
        exists=bool(parts),
        partitions=len(parts),
        expected=expected,
        leaderless=sum(part["leader"] < 0 for part in parts),
        under_replicated=sum(len(part["isr"]) < len(part["replicas"]) for part in parts),
    )


async def members(client: AIOKafkaAdminClient, groups: Sequence[str]) -> dict[str, Members]:
    """The members of each group; a group that does not exist has none.

    Raises:
        aiokafka.errors.KafkaError: the cluster does not answer.
    """
    found = await asyncio.gather(*(_members(client, group) for group in groups))
    return dict(zip(groups, found, strict=True))


async def _members(client: AIOKafkaAdminClient, group: str) -> Members:
    for left in reversed(range(_TRIES)):
        try:
            (answer,) = await client.describe_consumer_groups([group])
            entry = answer.to_object()["groups"][0]
            code = entry["error_code"]
            if code:
                raise for_code(code)(f"group {group}")
            clients = tuple(sorted(str(one["client_id"]) for one in entry["members"]))
            return Members(entry["state"], len(clients), clients)
        except REFUSED:
            return Members(hidden=f"DESCRIBE on group {group}")
        except KafkaError as error:
            if not error.retriable:
                raise
            if not left:
                return Members(error=type(error).__name__)
            await asyncio.sleep(_AGAIN_S)
    raise AssertionError


async def committed(
    client: AIOKafkaAdminClient, group: str, partitions: Iterable[TopicPartition]
) -> Commits:
    """The commits of a group.

    Raises:
        aiokafka.errors.KafkaError: the cluster does not answer.
    """
    asked = list(partitions)
    for left in reversed(range(_TRIES)):
        try:
            return Commits(await commits(client, group, asked) if asked else {})
        except GroupAuthorizationFailedError:
            return Commits(hidden=f"DESCRIBE on group {group}")
        except REFUSED:
            return Commits(hidden=f"DESCRIBE on the topics of group {group}")
        except KafkaError as error:
            if not error.retriable or not left:
                raise
            await asyncio.sleep(_AGAIN_S)
    raise AssertionError
