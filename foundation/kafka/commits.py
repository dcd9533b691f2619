"""The committed offsets of a consumer group, with their metadata."""

from collections.abc import Sequence

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest
from msgspec import Struct


class Commit(Struct, frozen=True):
    """The next offset to read, and the metadata of the commit."""

    offset: int
    metadata: str


async def commits(
    client: AIOKafkaAdminClient, group: str, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, Commit]:
    """The commits of a group; partitions without one are left out.

    `list_consumer_group_offsets` of aiokafka (0.14) does not check the answer's top-level error
    code (a coordinator that still loads its group sends one) and returns "no commit".

    Raises:
        aiokafka.errors.KafkaError: the cluster can't say; some of these are retriable.
    """
    asked: dict[str, list[int]] = {}
    for partition in partitions:
        asked.setdefault(partition.topic, []).append(partition.partition)
    request = OffsetFetchRequest(group, list(asked.items()))
    coordinator = await client.find_coordinator(group)
    answer = await client._send_request(request, coordinator)  # noqa: SLF001 - see above
    if answer.error_code:
        raise for_code(answer.error_code)(f"the commits of {group} can't be read")
    left, found = set(partitions), {}
    for topic, parts in answer.topics:
        for number, offset, metadata, code in parts:
            partition = TopicPartition(topic, number)
            if code:
                raise for_code(code)(f"the commit of {partition} can't be read")
            left.discard(partition)
            if offset >= 0:
                found[partition] = Commit(int(offset), str(metadata or ""))
    if left:
        raise KafkaError(f"the broker's answer does not speak of {min(left)}")
    return found
