"""Writes the checkpoints of one partition for one assignment, and deletes old ones."""

import asyncio
import time
import uuid
from typing import Final

from aiokafka import AIOKafkaProducer

from foundation.settings import Settings
from foundation.standstill import write_begins
from schemas import topics
from schemas.checkpoint import FORMAT, HEAD, CheckpointHead, CheckpointKey, encode_head
from streams.checkpoint import store
from streams.checkpoint.judged import NOT_KNOWN, Judged
from streams.checkpoint.model import PartitionCheckpoints, checksums

OTHERS_KEPT_S: Final = 600.0
"""Time after our first confirmed checkpoint during which checkpoints of earlier writers stay, in s:
readers of the partition find the newer one within this time."""

OWN_KEPT: Final = 2
"""Number of own generations to keep: if a chunk of the newest is lost, the previous one replaces
it."""


class CheckpointWriter:
    """The writer of one partition of [state], with a new name for each instance.

    It deletes only what it found at its creation and what it wrote itself: a writer that slept
    through a reassignment does not know its successor's checkpoints, so it can't delete them.
    """

    def __init__(
        self,
        settings: Settings,
        producer: AIOKafkaProducer,
        found: PartitionCheckpoints,
        judged: Judged = NOT_KNOWN,
    ) -> None:
        """`judged` is what the heads say of who has decided, and since when."""
        self.writer = uuid.uuid4().hex
        self.partition = found.partition
        self.judged = judged
        self._topic = settings.topic(topics.STATE.name)
        self._archive = settings.topic(topics.CHECKPOINTS.name)
        self._producer = producer
        self._generation = 0
        self._found = [key for keys in found.keys().values() for key in keys]
        self._own: list[list[bytes]] = []
        self._first_confirmed: float | None = None

    async def write(self, chunks: list[bytes], offset: int, now: int) -> CheckpointHead:
        """Writes a checkpoint to [state]; on return the broker has confirmed all of it.

        `offset` is the last record applied, `now` the state's newest append time.

        Raises:
            aiokafka.errors.KafkaError: a part was not confirmed; the checkpoint is incomplete.
        """
        self._generation += 1
        head = self._head(chunks, offset, now)
        self._own.append(await self._put(self._topic, chunks, head))
        if self._first_confirmed is None:
            self._first_confirmed = time.monotonic()
        return head

    async def archive(self, chunks: list[bytes], offset: int, now: int) -> None:
        """Writes the checkpoint to [checkpoints] too; confirmed on return.

        Raises:
            aiokafka.errors.KafkaError: a part was not confirmed.
        """
        await self._put(self._archive, chunks, self._head(chunks, offset, now))

    async def tidy(self) -> None:
        """Deletes own generations except the newest two, and after 10 min those of others.

        Call it only after a `write`. Deletes heads before their chunks, so that no head is ever
        without its chunks.

        Raises:
            aiokafka.errors.KafkaError: a deletion was not confirmed.
        """
        while len(self._own) > OWN_KEPT:
            await self._delete(self._own[0])
            self._own.pop(0)
        first = self._first_confirmed
        if self._found and first is not None and time.monotonic() - first >= OTHERS_KEPT_S:
            await self._delete(self._found)
            self._found = []

    async def _put(self, topic: str, chunks: list[bytes], head: CheckpointHead) -> list[bytes]:
        """Writes the chunks, then the head; returns the keys, that of the head first."""
        keys = [self._key(str(number)) for number in range(len(chunks))]
        write = write_begins(topics.STATE.name, self.partition)
        try:
            await self._send(topic, keys, chunks, head)
        except BaseException:
            write.failed()
            raise
        write.confirmed()
        return [self._key(HEAD), *keys]

    async def _send(
        self, topic: str, keys: list[bytes], chunks: list[bytes], head: CheckpointHead
    ) -> None:
        sent = [
            await self._producer.send(topic, value=chunk, key=key, partition=self.partition)
            for key, chunk in zip(keys, chunks, strict=True)
        ]
        await asyncio.gather(*sent)
        await self._producer.send_and_wait(
            topic, value=encode_head(head), key=self._key(HEAD), partition=self.partition
        )

    def _key(self, part: str) -> bytes:
        return CheckpointKey(self.writer, self._generation, part).encode()

    async def _delete(self, keys: list[bytes]) -> None:
        await store.delete(self._producer, self._topic, self.partition, keys)

    def _head(self, chunks: list[bytes], offset: int, now: int) -> CheckpointHead:
        return CheckpointHead(
            format=FORMAT,
            partition=self.partition,
            offset=offset,
            now=now,
            written_at=int(time.time() * 1000),
            crc32=checksums(chunks),
            version=self.judged.version,
            judged_from=self.judged.since,
        )
