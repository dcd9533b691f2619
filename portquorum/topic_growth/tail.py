"""Applies the records of [results] that no stream has seen. Pure, but for the log's records."""

from collections.abc import AsyncIterable

from aiokafka import ConsumerRecord
from msgspec import Struct

from schemas.partition import partition_for
from streams.rules.messages import OutMessage
from streams.rules.process import step
from streams.state.partition_state import PartitionState


class Placed(Struct, frozen=True):
    """A message, and its partition among the new ones."""

    message: OutMessage
    partition: int


class Tail(Struct):
    """What came of the records: their number, the messages in order."""

    records: int = 0
    messages: list[Placed] = []
    refused: int = 0


async def apply_tail(
    states: dict[int, PartitionState],
    records: AsyncIterable[ConsumerRecord],
    partitions: int,
    source: str,
) -> Tail:
    """Applies each record to the state of its partition.

    Requests for rechecks are left out: the probers do not run. `source` is the events' `ce_source`.
    """
    tail = Tail()
    async for record in records:
        state = states[record.partition]
        done = step(
            state, record.offset, record.timestamp, record.value, record.headers, source=source
        )
        tail.records += 1
        tail.refused += len(done.not_applied)
        tail.messages += [
            Placed(message, place_of(message.key, record.partition, state.partitions, partitions))
            for message in done.messages
            if message.topic == "incidents"
        ]
    return tail


def place_of(key: bytes, before: int, partitions: int, more: int) -> int:
    """The new partition of an event with this key, whose partition was `before`.

    That of its host or region; an event that tells of a whole partition keeps its number.
    """
    place = partition_for(key, more)
    return place if place % partitions == before else before
