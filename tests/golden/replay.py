"""A golden log through today's rules, from its beginning or from a checkpoint."""

from collections.abc import Iterable, Mapping

from schemas.checkpoint import HEAD, CheckpointKey
from streams.checkpoint import decoder
from streams.checkpoint.model import PartitionCheckpoints
from streams.checkpoint.restore import from_shelf
from streams.rules.process import step
from streams.state.partition_state import PartitionState, new_state
from tests.golden.container import Message, by_partition

Outputs = dict[str, list[Message]]
"""What the stream sends, by topic; the offsets count on from 0 in each partition."""


def beginning(partitions: int) -> dict[int, PartitionState]:
    """The states before any record."""
    return {number: new_state(number, partitions) for number in range(partitions)}


def restored(checkpoint: Iterable[Message], partitions: int) -> dict[int, PartitionState]:
    """The states as a worker finds them on [state]."""
    found = {}
    for number, messages in by_partition(checkpoint).items():
        shelf = PartitionCheckpoints(number)
        for one in messages:
            shelf.add(one.key or b"", one.value)
        state, impossible = from_shelf(shelf, partitions, log_end=2**62)
        if state is None or impossible:
            raise LookupError(f"partition {number}: expected a checkpoint that can be read")
        found[number] = state
    return found


def replay(log: Iterable[Message], states: Mapping[int, PartitionState]) -> Outputs:
    """What comes of the records beyond the states' offsets; the states move along."""
    outputs: Outputs = {"incidents": [], "rechecks": []}
    ends: dict[tuple[str, int], int] = {}
    for one in log:
        state = states[one.partition]
        if one.offset <= state.offset:
            continue
        done = step(state, one.offset, one.at, one.value, one.headers)
        if done.failed:
            raise AssertionError(
                f"the rules failed on partition {one.partition}, offset {one.offset}"
            )
        for out in done.messages:
            place = out.topic, one.partition
            offset = ends[place] = ends.get(place, -1) + 1
            outputs[out.topic].append(
                Message(
                    partition=one.partition,
                    offset=offset,
                    at=one.at,
                    key=out.key,
                    headers=out.headers,
                    value=out.value,
                    because=one.offset,
                )
            )
    return outputs


def chunks(checkpoint: Iterable[Message]) -> dict[int, list[bytes]]:
    """The chunks of a checkpoint's partitions, without the heads."""
    return {
        number: [
            one.value or b""
            for one in messages
            if CheckpointKey.decode(one.key or b"").part != HEAD
        ]
        for number, messages in by_partition(checkpoint).items()
    }


def encoded(states: Mapping[int, PartitionState]) -> dict[int, list[bytes]]:
    """The chunks of the states."""
    return {number: decoder.encode(state) for number, state in states.items()}
