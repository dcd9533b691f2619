"""The result of decoding a topic's messages, and the texts for unreadable parts."""

from typing import Any, Final

from aiokafka import ConsumerRecord
from msgspec import Struct

from schemas.deadletter import MAX_ERROR_CHARS, DeadLetter, raw_text
from sinks.clickhouse.pending_block import WHOLE
from sinks.clickhouse.tables import Rows

MAX_TIME_MS: Final = 9_999_999_999_999

Rejected = dict[int, set[int]]
"""Rejected lines by offset; `WHOLE` stands for the whole message."""


class Read(Struct, frozen=True):
    """The decoded messages of a range: rows by table, a dead letter for each unreadable part."""

    rows: list[Rows]
    letters: list[DeadLetter]


class Unreadable(Exception):  # noqa: N818 - it is a finding about a message, not a fault of ours
    """An unreadable message; `part` names the unreadable part, `raw` is that part."""

    def __init__(self, part: str, error: str, raw: bytes) -> None:
        """`error` is a sentence: what was expected, and what was found."""
        super().__init__(error)
        self.part = part
        self.error = error
        self.raw = raw


def log_time(record: ConsumerRecord) -> int:
    """The time of a message, UTC ms, limited to the range of a table.

    Only [results] has the broker's stamp; on other topics the writer sets it, to any value.
    """
    written: int = record.timestamp
    return min(max(written, 0), MAX_TIME_MS)


def log_columns(record: ConsumerRecord) -> tuple[int, int, int]:
    """Partition, offset and time: the log columns of each row."""
    return record.partition, record.offset, log_time(record)


def letter(record: ConsumerRecord, line: int, part: str, error: str, raw: bytes) -> DeadLetter:
    """The dead letter of a message (`line` is `WHOLE`) or of one of its lines."""
    return DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        line=line,
        part=part,
        error=error[:MAX_ERROR_CHARS],
        at=log_time(record),
        size=len(raw),
        raw=raw_text(raw),
    )


def letter_of(record: ConsumerRecord, found: Unreadable) -> DeadLetter:
    """The dead letter of a whole message."""
    return letter(record, WHOLE, found.part, found.error, found.raw)


def value_of(record: ConsumerRecord, expected: str) -> bytes:
    """The value of a message on a topic that is not compacted.

    Raises:
        Unreadable: the message has no value.
    """
    if record.value is None:
        raise Unreadable("value", f"expected {expected}, found no value", b"")
    value: bytes = record.value
    return value


def words(error: Exception) -> str:
    """The text of a decoder's error, with its type."""
    return f"{type(error).__name__}: {error}"


def u16(value: int | None) -> int:
    """A number for a UInt16 column; 0 stands for None."""
    return min(max(value or 0, 0), 0xFFFF)


def u32(value: int) -> int:
    """A number for a UInt32 column."""
    return min(max(value, 0), 0xFFFF_FFFF)


def texts(values: tuple[str, ...] | list[str]) -> list[Any]:
    """A tuple for an Array column."""
    return list(values)
