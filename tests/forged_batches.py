"""Messages that our own producer would not write: record batches made by hand."""

from collections.abc import Sequence
from typing import Any, Self

import aiokafka.producer.message_accumulator as accumulator
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from msgspec import Struct


class OddName(str):
    """A header's name that is these bytes on the wire, whatever they are."""

    __slots__ = ("raw",)

    def __new__(cls, raw: bytes) -> Self:
        name = super().__new__(cls, raw.decode(errors="replace"))
        name.raw = raw
        return name

    def encode(self, *_: str) -> bytes:  # type: ignore[override]
        return self.raw


class Forged(Struct, frozen=True):
    """One message; its time is the writer's, UTC ms (the broker replaces it on [results])."""

    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    at: int = -1


async def send(
    client: AIOKafkaProducer, topic: str, partition: int, messages: Sequence[Forged]
) -> int:
    """Writes them as one batch; returns the offset of the first.

    Until then no other producer of this process may send anything.

    Raises:
        aiokafka.errors.KafkaError: the broker refused the batch.
    """
    ours, accumulator.DefaultRecordBatchBuilder = (
        accumulator.DefaultRecordBatchBuilder,
        _DefaultRecordBatchBuilderPy,  # aiokafka's other one takes nothing but `str`
    )
    try:
        batch: Any = client.create_batch()
        for one in messages:
            fits = batch.append(key=one.key, value=one.value, timestamp=one.at, headers=one.headers)
            if fits is None:
                raise ValueError("expected messages that fit into one batch")
        batch.close()
        sent = await client.send_batch(batch, topic, partition=partition)
        return int((await sent).offset)
    finally:
        accumulator.DefaultRecordBatchBuilder = ours
