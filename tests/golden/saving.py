"""A checkpoint as the worker writes it, by its own writer; Kafka and the clock are told again."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Final
from unittest import mock

from foundation.settings import Settings
from streams.checkpoint import decoder
from streams.checkpoint.model import PartitionCheckpoints
from streams.checkpoint.writer import CheckpointWriter
from streams.state.partition_state import PartitionState
from tests.golden.container import Message

SETTINGS: Final = Settings(kafka="127.0.0.1:9092", partitions=3)


def saved(states: Iterable[PartitionState], now: int) -> list[Message]:
    """What is written to [state] for these partitions at the machine's time `now`, UTC ms."""
    producer = _Producer(now)
    with mock.patch("streams.checkpoint.writer.time.time", return_value=now / 1000):
        for state in states:
            writer = CheckpointWriter(SETTINGS, producer, PartitionCheckpoints(state.partition))
            # It is a new random name each time; here the same states give the same bytes.
            writer.writer = f"golden{state.partition}"
            asyncio.run(writer.write(decoder.encode(state), state.offset, state.now))
    return producer.messages


class _Producer:
    """Keeps what is sent."""

    def __init__(self, now: int) -> None:
        self._now = now
        self.messages: list[Message] = []

    async def send(
        self, _topic: str, *, value: bytes, key: bytes, partition: int
    ) -> Awaitable[None]:
        await self.send_and_wait(_topic, value=value, key=key, partition=partition)
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sent.set_result(None)
        return sent

    async def send_and_wait(self, _topic: str, *, value: bytes, key: bytes, partition: int) -> None:
        before = sum(one.partition == partition for one in self.messages)
        self.messages.append(
            Message(
                partition=partition,
                offset=before,
                at=self._now,
                key=key,
                headers=(),
                value=value,
            )
        )
