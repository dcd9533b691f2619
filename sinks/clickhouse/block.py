"""A block: messages of one partition that are inserted, committed and replayed together."""

from collections.abc import Sequence

from aiokafka import ConsumerRecord
from msgspec import Struct

from schemas.deadletter import DeadLetter
from schemas.topics import DEADLETTER, RESULTS, Topic
from sinks.clickhouse import decode_results, decode_topics
from sinks.clickhouse.decoding import Read, Rejected, log_time
from sinks.clickhouse.pending_block import Pending, runs
from sinks.clickhouse.tables import Rows


class Block(Struct, frozen=True):
    """The content of the messages of `pending`. `rows` has no empty ones."""

    pending: Pending
    rows: list[Rows]
    letters: list[DeadLetter]


def build(topic: Topic, records: Sequence[ConsumerRecord]) -> Block:
    """Decodes new messages (at least one, in offset order); fixes the rejected lines.

    If a commit can't carry all rejected lines, the block is shorter than `records`: it ends before
    the first message that does not fit. Pure: the same messages give the same block.
    """
    while True:
        block = _build(topic, records)
        if block.pending.fits:
            return block
        if len(records) == 1:
            return _unnamed(block)
        records = records[: len(records) // 2]


def rebuild(topic: Topic, records: Sequence[ConsumerRecord], pending: Pending) -> Block:
    """Decodes the messages of a pending range again: the same rows in every version.

    Lines that only this version rejects, beyond `pending.rejected`, are no rows either; they get a
    dead letter, so that none is ever lost.
    """
    found = _read(topic, records, pending.rejected_lines())
    return Block(pending, [rows for rows in found.rows if len(rows)], found.letters)


def _build(topic: Topic, records: Sequence[ConsumerRecord]) -> Block:
    found = _read(topic, records, {})
    first = records[0].offset
    pending = Pending(
        first=first,
        last=records[-1].offset,
        at=log_time(records[0]),
        rejected=runs(first, ((letter.offset, letter.line) for letter in found.letters)),
    )
    return Block(pending, [rows for rows in found.rows if len(rows)], found.letters)


def _unnamed(block: Block) -> Block:
    pending = block.pending
    return Block(
        Pending(first=pending.first, last=pending.last, at=pending.at, rejected=None),
        block.rows,
        block.letters,
    )


def _read(topic: Topic, records: Sequence[ConsumerRecord], before: Rejected) -> Read:
    if topic is RESULTS:
        return decode_results.read(records, before)
    return decode_topics.read(decode_topics.ROWS[topic.name], records, before)


def row_estimate(topic: Topic, record: ConsumerRecord) -> int:
    """Most rows that a message may give: 0 for one that is only checked."""
    if topic is RESULTS:
        value = record.value
        return value.count(b"\n") + 1 if value else 0
    return 1 if topic.name in _STORED else 0


_STORED = frozenset({"incidents", "notifications", "targets", "policy", DEADLETTER.name})
