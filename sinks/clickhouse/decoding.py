"""What a reader of a topic gives back, and how unreadable things are put into words."""

from typing import Any, Final

from aiokafka import ConsumerRecord
from msgspec import Struct

from schemas.deadletter import MAX_ERROR_CHARS, DeadLetter, raw_text
from sinks.clickhouse.pending_block import WHOLE
from sinks.clickhouse.tables import Rows

MAX_TIME_MS: Final = 9_999_999_999_999

Rejected = dict[int, set[int]]
"""Lines that were rejected before, by offset; `WHOLE` for a message."""


class Read(Struct, frozen=True):
    """The messages of a range: rows by table, and a dead letter for each thing unreadable."""

    rows: list[Rows]
    letters: list[DeadLetter]


class Unreadable(Exception):  # noqa: N818 - it is a finding about a message, not a fault of ours
    """A message that can't be read; `part` says what of it, `raw` is that part."""

    def __init__(self, part: str, error: str, raw: bytes) -> None:
        """`error` is a sentence: what was expected, what was found."""
        super().__init__(error)
        self.part = part
        self.error = error
        self.raw = raw


def log_time(record: ConsumerRecord) -> int:
    """The time of a message, UTC ms, within what a table holds.

    Only [results] has the broker's stamp; elsewhere it is the writer's word and may be anything.
    """
    written: int = record.timestamp
    return min(max(written, 0), MAX_TIME_MS)


def log_columns(record: ConsumerRecord) -> tuple[int, int, int]:
    """Partition, offset and time, as each row has them."""
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
        Unreadable: it has none.
    """
    if record.value is None:
        raise Unreadable("value", f"expected {expected}, found no value", b"")
    value: bytes = record.value
    return value


def words(error: Exception) -> str:
    """An error of a decoder with its kind."""
    return f"{type(error).__name__}: {error}"


def u16(value: int | None) -> int:
    """A number as UInt16 holds it; 0 stands for none."""
    return min(max(value or 0, 0), 0xFFFF)


def u32(value: int) -> int:
    """A number as UInt32 holds it."""
    return min(max(value, 0), 0xFFFF_FFFF)


def texts(values: tuple[str, ...] | list[str]) -> list[Any]:
    """A tuple as an Array column takes it."""
    return list(values)
