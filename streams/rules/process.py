"""One step of the stream: a message of [results] changes the state and gives messages to send.

The worker, its catching up and the replay all go through here, so that the same log gives the same
bytes whoever reads it.
"""

from collections.abc import Iterable

import structlog
from msgspec import Struct

from schemas import control
from streams.rules.apply import RuleError, apply
from streams.rules.messages import OutMessage, encode
from streams.rules.record import Record, decode_record, result_lines
from streams.rules.refused import RefusedError
from streams.state.partition_state import PartitionState

_log = structlog.stdlib.get_logger(__name__)


class NotApplied(Struct, frozen=True, gc=False):
    """A part of a message that can be read and not applied: the state is what it was without it.

    `line` counts from 0, -1 for a control record. `raw` is the part.
    """

    line: int
    error: str
    raw: bytes


class Step(Struct, frozen=True, gc=False):
    """What came of one message.

    `unreadable` counts its parts that could not be read (the sink dead-letters them),
    `not_applied` are those that the rules refused or failed on. `failed`: the rules raised, which
    is a fault of ours.
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
) -> Step:
    """Applies one message; on return `state.offset` is `offset`. It must be beyond it before.

    `append_time` is the broker's stamp, UTC ms. A part of a record that makes the rules raise is
    left out, and said: it would do so again after every restart, and one record must not end the
    watching of a whole partition. What the rest of it decided is sent.
    """
    headers = tuple(headers)
    record, unreadable = decode_record(offset, append_time, value, headers)
    failed = False
    not_applied: tuple[NotApplied, ...] = ()
    try:
        outputs = apply(state, record)
    except RuleError as error:
        if any(isinstance(cause, MemoryError) for cause in error.causes):
            raise  # the machine's fault, not the record's: it may go well the next time
        failed = not all(isinstance(cause, RefusedError) for cause in error.causes)
        _say_failure(state, record, error, ours=failed)
        outputs = error.outputs
        not_applied = _not_applied(error, value, headers)
    messages = tuple(map(encode, outputs))
    return Step(len(record.results), unreadable, messages, failed, not_applied)


def _not_applied(
    error: RuleError, value: bytes | None, headers: tuple[tuple[str, bytes], ...]
) -> tuple[NotApplied, ...]:
    """The parts that are to blame, as they lie in the message."""
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
    """Why a part was not applied, for its dead letter: the same on every replay."""
    if isinstance(error, RefusedError):
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
