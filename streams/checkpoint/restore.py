"""Finds the state from which a partition starts."""

from msgspec import Struct

from foundation.settings import Settings
from foundation.telemetry import logger
from schemas import topics
from schemas.checkpoint import FORMAT
from streams.checkpoint import decoder, store
from streams.checkpoint.model import Checkpoint, PartitionCheckpoints
from streams.state.partition_state import PartitionState, new_state

_log = logger(__name__)


class StateTooNewError(Exception):
    """A newer version has judged what this one would judge again from an older state."""


class Start(Struct, frozen=True):
    """A state to start from. `source` is its origin: `state`, `checkpoints` or `nothing`."""

    state: PartitionState
    source: str


def from_shelf(
    shelf: PartitionCheckpoints, partitions: int, *, log_end: int
) -> tuple[PartitionState | None, list[Checkpoint]]:
    """The state of the complete checkpoint with the highest offset, None if there is none.

    Skips a checkpoint that can't be decoded. Checkpoints with an offset beyond the log's end belong
    to a deleted log (the topic was deleted and created again): they are returned for deletion,
    because the new log will grow past them one day.
    """
    impossible: list[Checkpoint] = []
    for checkpoint in shelf.complete():
        if checkpoint.head.offset >= log_end:
            impossible.append(checkpoint)
            continue
        try:
            return decoded(checkpoint, shelf.partition, partitions), impossible
        except ValueError as error:
            _log.error(
                "a checkpoint can't be read; the one before it is used",
                partition=shelf.partition,
                offset=checkpoint.head.offset,
                writer=checkpoint.writer,
                error=str(error),
            )
    return None, impossible


def refuse_newer(shelf: PartitionCheckpoints, offset: int, log_end: int) -> None:
    """Refuses a partition that a newer version has judged beyond `offset`, where ours would begin.

    Raises:
        StateTooNewError: there is such a checkpoint, in a format that this version can't read.
    """
    newer = shelf.newest_of_later_format()
    if newer is not None and offset < newer.offset < log_end:
        raise StateTooNewError(
            f"the checkpoint of partition {shelf.partition} has format {newer.format}, this "
            f"portquorum reads {FORMAT}: start the stream of version {newer.version or 'before'} "
            "again, or restore a copy of Kafka from before the upgrade"
        )


def decoded(checkpoint: Checkpoint, partition: int, partitions: int) -> PartitionState:
    """The state of a complete checkpoint.

    Raises:
        ValueError: the chunks are not a state, or do not match the head.
    """
    state, head = decoder.decode(checkpoint.chunks, partition, partitions), checkpoint.head
    if (state.offset, state.now) != (head.offset, head.now):
        raise ValueError(
            f"expected the state at offset {head.offset} and time {head.now}, found that at "
            f"{state.offset} and {state.now}"
        )
    return state


async def from_archive(settings: Settings, partition: int, before: int) -> Start:
    """The newest checkpoint on [checkpoints] below offset `before`, or an empty state.

    Raises:
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    found = await store.read(settings, topics.CHECKPOINTS.name, [partition])
    shelf = found[partition]
    for checkpoint in shelf.complete():
        if checkpoint.head.offset < before:
            try:
                state = decoded(checkpoint, partition, settings.partitions)
            except ValueError as error:
                _log.error("an archived checkpoint can't be read", error=str(error))
            else:
                return Start(state, "checkpoints")
    return Start(new_state(partition, settings.partitions), "nothing")
