"""The newest checkpoint of each partition: its head, and of one the regions.

The chunks of a checkpoint lie before its head, deletions of an older one after it. Only the end of
a partition is read, and of the chunks one, which has no targets.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from aiokafka import ConsumerRecord, TopicPartition
from msgspec import Struct

from foundation.settings import Settings
from portquorum.health.facts import CheckpointFacts
from portquorum.health.reading import first_at, tails
from schemas.checkpoint import FORMAT, HEAD, CheckpointHead, CheckpointKey, decode_head
from streams.checkpoint.decoder import frame_of
from streams.checkpoint.format import Frame

_LOOK_BACK: Final = (8, 16, 32, 64, 256)
"""Records before the end of a partition, until a head is among them."""


class FoundHead(Struct, frozen=True):
    """A head, its key, and its offset in [state]."""

    key: CheckpointKey
    head: CheckpointHead
    offset: int


async def newest_heads(
    settings: Settings, begins: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, FoundHead]:
    """The newest head of each partition that has one near its end.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't say, or the right to read is missing.
    """
    found: dict[TopicPartition, FoundHead] = {}
    left = {part for part, end in ends.items() if begins[part] < end}
    for look_back in _LOOK_BACK:
        starts = {part: max(begins[part], ends[part] - look_back) for part in left}
        for part, records in (await tails(settings, starts, ends)).items():
            head = newest_head(records, part.partition)
            if head is not None:
                found[part] = head
        left = {part for part in left - found.keys() if starts[part] > begins[part]}
        if not left:
            break
    return found


def newest_head(records: Sequence[ConsumerRecord], partition: int) -> FoundHead | None:
    """The last head among the records that nothing after it deletes."""
    gone: set[bytes] = set()
    for record in reversed(records):
        key = bytes(record.key or b"")
        if record.value is None:
            gone.add(key)
            continue
        try:
            parsed = CheckpointKey.decode(key)
            if parsed.part != HEAD or key in gone:
                continue
            head = decode_head(record.value)
        except (ValueError, msgspec.DecodeError):
            continue  # forged, or of a later version
        if (head.format, head.partition) == (FORMAT, partition):
            return FoundHead(parsed, head, record.offset)
    return None


async def frame(settings: Settings, part: TopicPartition, found: FoundHead) -> Frame | None:
    """The first chunk of a checkpoint; None if it does not lie where its writer put it.

    Raises:
        aiokafka.errors.KafkaError: as `newest_heads`.
    """
    place = found.offset - len(found.head.crc32)
    if place < 0:
        return None
    record = (await first_at(settings, {part: (place, found.offset)})).get(part)
    expected = CheckpointKey(found.key.writer, found.key.generation, "0").encode()
    if record is None or record.key != expected or record.value is None:
        return None
    try:
        return frame_of(record.value)
    except ValueError:
        return None


def checkpoint_facts(found: Mapping[TopicPartition, FoundHead]) -> CheckpointFacts:
    """The ages and sizes of the heads."""
    times = [one.head.now for one in found.values()]
    return CheckpointFacts(
        partitions=len(found),
        oldest=min(times, default=None),
        newest=max(times, default=None),
        chunks=sum(len(one.head.crc32) for one in found.values()),
    )
