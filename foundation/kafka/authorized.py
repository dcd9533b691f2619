"""What this process may do in Kafka: asked of the broker before a role begins, said in a sentence.

Metadata (v8) and DescribeGroups (v3) tell the operations that the caller is authorized for
(KIP-430). A broker without an authorizer allows everything. What can't be known, as of a topic that
is not there yet, is not missing; of a topic that may not even be seen, everything is.
"""

import asyncio
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from msgspec import Struct

from foundation.kafka.authorized_protocol import DescribeGroups, Metadata
from foundation.kafka.clients import admin
from foundation.kafka.rights import Right, grant_lines
from foundation.settings import Settings
from schemas import topics

NO_RIGHT: Final = (
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    ClusterAuthorizationFailedError,
)
"""The errors of a client that lacks a right."""

CODES: Final = {
    "READ": 3,
    "WRITE": 4,
    "CREATE": 5,
    "DELETE": 6,
    "DESCRIBE": 8,
    "DESCRIBE_CONFIGS": 10,
    "ALTER_CONFIGS": 11,
}
"""The bit of each operation (org.apache.kafka.common.acl.AclOperation)."""

UNKNOWN: Final = -(2**31)
"""The broker's "was not asked, or can't be said"."""

_ALL: Final = sum(1 << bit for bit in (3, 4, 5, 6, 7, 8, 10, 11))
"""All operations on a topic."""

_GROUPS: Final = ("stream", "sink", "notify")

_GROUP_WITHIN_S: Final = 5.0
_GROUP_AGAIN_S: Final = 0.2
_LINES: Final = 3


class RightsError(KafkaError):  # type: ignore[misc]  # aiokafka has no types
    """Rights are missing; the text says whose, which, and how they are granted."""

    def __init__(self, settings: Settings, missing: Sequence[Right]) -> None:
        self.missing = tuple(missing)
        super().__init__(sentence(settings, missing))

    def __str__(self) -> str:
        return str(self.args[0])


class Allowed(Struct, frozen=True):
    """The broker's answer: the operations of each topic and group, a bit each."""

    topics: Mapping[str, int] = {}
    groups: Mapping[str, int] = {}

    @property
    def everything(self) -> bool:
        """Whether all is allowed: there is no authorizer, or this is a super user."""
        return all(bits in {_ALL, UNKNOWN} for bits in self.topics.values())

    def missing(self, rights: Iterable[Right]) -> tuple[Right, ...]:
        """Those of `rights` that are not in it, in their order.

        A right on a prefix is missing if it is on one of the names known to begin so.
        """
        return tuple(
            right
            for right in rights
            if any(
                bits != UNKNOWN and not bits >> CODES[right.operation] & 1
                for bits in self._of(right)
            )
        )

    def _of(self, right: Right) -> Collection[int]:
        found = self.topics if right.resource == "topic" else self.groups
        if not right.prefixed:
            return [found.get(right.name, UNKNOWN)]
        return [bits for name, bits in found.items() if name.startswith(right.name)]


async def allowed(settings: Settings, rights: Iterable[Right]) -> Allowed:
    """What this process may do with the topics and groups of `rights`.

    Raises:
        aiokafka.errors.KafkaError, OSError: the cluster can't be asked.
    """
    asked = tuple(rights)
    names = _topics_asked(settings, asked)
    groups = _groups_asked(settings, asked)
    client = admin(settings)
    await client.start()
    try:
        of_topics, of_groups = await asyncio.gather(
            _topic_operations(client, names),
            asyncio.gather(*(_group_operations(client, name) for name in groups)),
        )
    finally:
        await client.close()
    return Allowed(of_topics, dict(zip(groups, of_groups, strict=True)))


async def why_refused(
    settings: Settings, rights: Iterable[Right], error: BaseException
) -> str | None:
    """The sentence for an error of `NO_RIGHT`; None: all is allowed now, or nobody can be asked.

    Of `rights` those are looked at that the error can be about.
    """
    asked = [right for right in rights if _may_be_about(error, right)]
    try:
        missing = (await allowed(settings, asked)).missing(asked)
    except (KafkaError, OSError):
        return None
    return sentence(settings, missing) if missing else None


def _may_be_about(error: BaseException, right: Right) -> bool:
    if isinstance(error, ClusterAuthorizationFailedError):
        # An idempotent producer that may write to no topic at all (KIP-679).
        return right.operation == "WRITE"
    if isinstance(error, GroupAuthorizationFailedError):
        return right.resource == "group"
    named = set(re.findall(r"[A-Za-z0-9._-]+", str(error)))
    return right.resource == "topic" and (
        right.name in named or (right.prefixed and any(one.startswith(right.name) for one in named))
    )


def sentence(settings: Settings, missing: Sequence[Right]) -> str:
    """Who lacks what, and the lines that grant it."""
    who = principal(settings)
    lines = grant_lines(missing, who, settings.kafka)
    what = ", ".join(str(right) for right in missing)
    if any(right.operation == "CREATE" for right in missing):
        what += ", and topics are missing (`portquorum topics repair` makes them, too, for who may)"
    shown = "; ".join(lines[:_LINES])
    if len(lines) > _LINES:
        shown += f"; and {len(lines) - _LINES} more lines: `portquorum acl` prints all"
    return f"{who} lacks the right {what}. Who runs Kafka grants it: {shown}"


def principal(settings: Settings) -> str:
    """Who this process is for Kafka's authorizer, if the broker maps no names.

    (`sasl.mechanism` says the user, a client's certificate its subject, in the order of RFC 4514.)
    """
    if settings.kafka_security_protocol.startswith("SASL"):
        return f"User:{settings.kafka_username or ''}"
    if settings.kafka_security_protocol == "SSL" and settings.kafka_cert_file:
        return f"User:{_subject(Path(settings.kafka_cert_file))}"
    return "User:ANONYMOUS"


def _subject(certificate: Path) -> str:
    from cryptography import x509  # noqa: PLC0415 - for an error, and for few

    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError):
        return "CN=… (the subject of PORTQUORUM_KAFKA_CERT_FILE)"
    return found.subject.rfc4514_string()


def _topics_asked(settings: Settings, rights: Iterable[Right]) -> list[str]:
    names = {one.name for one in rights if one.resource == "topic" and not one.prefixed}
    begins = tuple(one.name for one in rights if one.resource == "topic" and one.prefixed)
    ours = {topic.full_name(settings.topic_prefix) for topic in topics.ALL}
    return sorted(names | {name for name in ours if name.startswith(begins)})


def _groups_asked(settings: Settings, rights: Iterable[Right]) -> list[str]:
    """Of a prefix the groups that every installation has."""
    names = {one.name for one in rights if one.resource == "group" and not one.prefixed}
    begins = tuple(one.name for one in rights if one.resource == "group" and one.prefixed)
    ours = {settings.group(role) for role in _GROUPS}
    return sorted(names | {name for name in ours if name.startswith(begins)})


async def _topic_operations(client: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    if not names:
        return {}
    answer = await client._send_request(Metadata(names))  # noqa: SLF001 - it has no method for it
    found = {}
    for code, name, _internal, _partitions, operations in answer.topics:
        if code == TopicAuthorizationFailedError.errno:
            found[name] = 0
        elif code in {0, UnknownTopicOrPartitionError.errno}:
            found[name] = operations
        else:  # without a leader, for instance: it is there
            found[name] = operations or UNKNOWN
    return found


async def _group_operations(client: AIOKafkaAdminClient, group: str) -> int:
    """The coordinator of a new cluster takes a second to be there: it is waited for, not long."""
    end = asyncio.get_running_loop().time() + _GROUP_WITHIN_S
    while True:
        try:
            coordinator = await client.find_coordinator(group)
            answer = await client._send_request(DescribeGroups([group]), coordinator)  # noqa: SLF001
            ((code, *_rest, operations),) = answer.groups
            if not code:
                return int(operations)
            raise for_code(code)(f"group {group}")
        except GroupAuthorizationFailedError:
            return 0
        except KafkaError as error:
            if not error.retriable:
                raise
            if asyncio.get_running_loop().time() > end:
                return UNKNOWN
        await asyncio.sleep(_GROUP_AGAIN_S)
