"""Decodes a message of [results] to the input of the rules."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from schemas import control
from schemas.batch import BatchDecoder
from schemas.control import Control
from schemas.result import CheckResult, LoggedResult


class Record(Struct, frozen=True, gc=False):
    """A batch of results, or a control record; `append_time` is the broker's stamp, UTC ms."""

    offset: int
    append_time: int
    results: Sequence[CheckResult]
    control: Control | None


# Names without their patterns change nothing here: a result counts only if target, kind and region
# are those of a known target, whose names are valid. The sink checks the names of every line.
_batches: Final = BatchDecoder(LoggedResult)


def result_lines(value: bytes) -> list[int]:
    """The line number, from 0, of each result that `decode_record` finds in a message."""
    return [line for line, _ in _batches.decode_numbered(value)[0]]


def decode_record(
    offset: int,
    append_time: int,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes]],
) -> tuple[Record, int]:
    """The record, and the number of its unreadable parts. Never raises.

    Skips unreadable parts; the sink dead-letters them. A control header counts only with an empty
    value, so that nobody can hide results behind one.
    """
    if value:
        results, bad = _batches.decode(value)
        return Record(offset, append_time, results, None), len(bad)
    body = control.body(headers)
    if body is None:
        return Record(offset, append_time, [], None), 1
    try:
        return Record(offset, append_time, [], control.decode(body)), 0
    except msgspec.DecodeError:
        return Record(offset, append_time, [], None), 1
