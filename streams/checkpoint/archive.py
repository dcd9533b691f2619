"""Copies the newest checkpoints to [checkpoints] on request."""

from msgspec import Struct

from foundation import kafka
from foundation.settings import Settings
from schemas import topics
from streams import results_log
from streams.checkpoint import store
from streams.checkpoint.judged import Judged
from streams.checkpoint.model import PartitionCheckpoints
from streams.checkpoint.writer import CheckpointWriter


class Archived(Struct, frozen=True, gc=False):
    """A checkpoint copied to [checkpoints]: all records up to `offset` are applied.

    `now` is the partition's newest append time at that offset, `written_at` the time when the
    worker wrote it to [state] (both UTC ms); `bytes` is the total size of its chunks, `chunks`
    their number.
    """

    partition: int
    offset: int
    now: int
    written_at: int
    bytes: int
    chunks: int


async def write_archive(settings: Settings) -> list[Archived]:
    """Copies the complete checkpoint with the highest offset of every partition.

    Reads [state], so it needs no contact with the workers and may run beside them. A partition
    without a checkpoint is left out. All copies are confirmed on return.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached, or did not confirm.
    """
    partitions = range(settings.partitions)
    found = await store.read(settings, topics.STATE.name, partitions)
    bounds = await results_log.bounds(settings, list(partitions))
    archived = []
    async with kafka.producer(
        settings, compression_type=topics.CHECKPOINTS.compression
    ) as producer:
        for number, shelf in found.items():
            possible = (c for c in shelf.complete() if c.head.offset < bounds[number].end)
            best = next(possible, None)
            if best is not None:
                judged = Judged(best.head.version, best.head.judged_from)
                writer = CheckpointWriter(settings, producer, PartitionCheckpoints(number), judged)
                await writer.archive(list(best.chunks), best.head.offset, best.head.now)
                archived.append(
                    Archived(
                        partition=number,
                        offset=best.head.offset,
                        now=best.head.now,
                        written_at=best.head.written_at,
                        bytes=sum(map(len, best.chunks)),
                        chunks=len(best.chunks),
                    )
                )
    return archived
