"""One message of [results], decoded: what the rules take."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from schemas import batch, control
from schemas.control import Control
from schemas.result import CheckResult


class Record(Struct, frozen=True, gc=False):
    """A batch of results, or a control record; `append_time` is the broker's stamp, UTC ms."""

    offset: int
    append_time: int
    results: list[CheckResult]
    control: Control | None


def decode_record(
    offset: int,
    append_time: int,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes]],
) -> tuple[Record, int]:
    """The record, and how many of its parts could not be read. Never raises.

    What can't be read is skipped here; the sink dead-letters it. A control header counts only
    beside an empty value, so that nobody can hide results behind one.
    """
    if value:
        results, bad = batch.decode(value)
        return Record(offset, append_time, results, None), len(bad)
    body = control.body(headers)
    if body is None:
        return Record(offset, append_time, [], None), 1
    try:
        return Record(offset, append_time, [], control.decode(body)), 0
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Record(offset, append_time, [], None), 1
