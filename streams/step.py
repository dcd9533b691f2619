"""One step of the stream: a message of [results] changes the state and gives messages to send.

The worker, its catching up and the replay all go through here, so that the same log gives the same
bytes whoever reads it.
"""

from collections.abc import Iterable

import structlog
from msgspec import Struct

from streams import rules
from streams.outputs import OutMessage, encode
from streams.records import Record, decode_record
from streams.state import PartitionState

_log = structlog.stdlib.get_logger(__name__)


class Step(Struct, frozen=True, gc=False):
    """What came of one message.

    `unreadable` counts its parts that could not be read (the sink dead-letters them). `failed`:
    the rules raised, which is a fault of ours; the record was passed over.
    """

    results: int
    unreadable: int
    messages: tuple[OutMessage, ...]
    failed: bool = False


def step(
    state: PartitionState,
    offset: int,
    append_time: int,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes]],
) -> Step:
    """Applies one message; on return `state.offset` is `offset`. It must be beyond it before.

    `append_time` is the broker's stamp, UTC ms. A record that makes the rules raise is passed
    over where it did, and said: it would do so again after every restart, and one record must not
    end the watching of a whole partition. What the rest of it decided is sent.
    """
    record, unreadable = decode_record(offset, append_time, value, headers)
    failed = False
    try:
        outputs = rules.apply(state, record)
    except rules.RuleError as error:
        if any(isinstance(cause, MemoryError) for cause in error.causes):
            raise  # the machine's fault, not the record's: it may go well the next time
        _say_failure(state, record)
        outputs, failed = error.outputs, True
    return Step(len(record.results), unreadable, tuple(map(encode, outputs)), failed)


def _say_failure(state: PartitionState, record: Record) -> None:
    _log.exception(
        "the rules failed on a record, which is passed over; please report this",
        partition=state.partition,
        offset=record.offset,
    )
