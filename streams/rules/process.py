"""Processes one message of [results]: changes the state and returns messages to send.

The worker, its catch-up and the replay all use this function, so that the same log gives the same
bytes for every reader.
"""

from collections.abc import Iterable

import structlog
from msgspec import Struct

from schemas import control
from schemas.incident import SOURCE
from streams.rules.apply import RuleError, apply
from streams.rules.messages import OutMessage, encode
from streams.rules.record import Record, decode_record, result_lines
from streams.rules.refused import RecordRefusedError
from streams.state.partition_state import PartitionState

_log = structlog.stdlib.get_logger(__name__)


class NotApplied(Struct, frozen=True, gc=False):
    """A readable part of a message that was not applied: the state is as if it were absent.

    `line` counts from 0, -1 for a control record. `raw` is the part.
    """

    line: int
    error: str
    raw: bytes


class Processed(Struct, frozen=True, gc=False):
    """The result of processing one message.

    `unreadable` counts the parts that can't be decoded (the sink dead-letters them), `not_applied`
    are those that the rules refused or failed on. `failed`: the rules raised, which is a bug in our
    code.
    """

    results: int
    unreadable: int
    messages: tuple[OutMessage, ...]
    failed: bool = False
    not_applied: tuple[NotApplied, ...] = ()


def step(
    state: PartitionState,
    offset: int,
    append_time: int,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes]],
    *,
    source: str = SOURCE,
) -> Processed:
    """Applies one message at an `offset` beyond `state.offset`, which is `offset` on return.

    `append_time` is the broker's stamp, UTC ms. `source` is the `ce_source` of events. A part of a
    record on which the rules raise is left out and reported: it would raise again after every
    restart, and one record must not stop the monitoring of a whole partition. The messages of the
    other parts are sent.
    """
    headers = tuple(headers)
    before = state.now
    record, unreadable = decode_record(offset, append_time, value, headers)
    failed = False
    not_applied: tuple[NotApplied, ...] = ()
    try:
        outputs = apply(state, record)
    except RuleError as error:
        if any(isinstance(cause, MemoryError) for cause in error.causes):
            raise  # the machine's fault, not the record's: it may go well the next time
        failed = not all(isinstance(cause, RecordRefusedError) for cause in error.causes)
        _say_failure(state, record, error, ours=failed)
        outputs = error.outputs
        not_applied = _not_applied(error, value, headers)
    if state.now < before:
        _log.warning(
            "the broker's clock was set back: deadlines and windows are carried over",
            partition=state.partition,
            offset=offset,
            by_ms=before - state.now,
        )
    messages = tuple([encode(output, state.partitions, source) for output in outputs])
    return Processed(len(record.results), unreadable, messages, failed, not_applied)


def _not_applied(
    error: RuleError, value: bytes | None, headers: tuple[tuple[str, bytes], ...]
) -> tuple[NotApplied, ...]:
    """The parts at fault, in the form of the message."""
    blamed = [part for part in error.parts if part.blamed]
    if not value:
        raw = control.body(headers) or b""
        return tuple(NotApplied(-1, in_words(part.error), raw) for part in blamed)
    lines = result_lines(value)
    split = value.split(b"\n")
    return tuple(
        NotApplied(lines[part.result], in_words(part.error), split[lines[part.result]])
        for part in blamed
        if part.result is not None
    )


def in_words(error: Exception) -> str:
    """The error text of a dead letter: the same on every replay."""
    if isinstance(error, RecordRefusedError):
        return str(error)
    return f"expected a record that the rules can apply, found one on which they fail: {error!r}"


def _say_failure(state: PartitionState, record: Record, error: RuleError, *, ours: bool) -> None:
    about = {"partition": state.partition, "offset": record.offset}
    if ours:
        _log.error(
            "the rules failed on parts of a record, which are left out; please report this",
            **about,
            exc_info=error,
        )
    else:
        _log.warning("parts of a record were not applied", **about, error=str(error.causes[0]))
