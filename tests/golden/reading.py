"""What the ClickHouse sink reads of the topics: rows, digests of their columns, dead letters."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from schemas import topics
from sinks.clickhouse import block
from tests.golden.container import Message, by_partition

INPUTS: Final = ("results", "targets", "policy", "notifications")
"""The topics that a golden log has by themselves."""


class Letter(Struct, frozen=True, order=True):
    """A dead letter. `line` is -1 for a whole message, `error` the kind of the error."""

    topic: str
    partition: int
    offset: int
    line: int
    part: str
    error: str
    size: int


class Rows(Struct, frozen=True):
    """The rows of a table that come of one partition of a topic.

    `columns` has the SHA-256 of each column's values, as JSON.
    """

    topic: str
    partition: int
    table: str
    rows: int
    columns: dict[str, str]


class Sunk(Struct, frozen=True):
    """All that the sink makes of the topics."""

    rows: list[Rows]
    letters: list[Letter]


def sink(logs: Mapping[str, Iterable[Message]]) -> Sunk:
    """Reads topics (by name without prefix) as the sink does, each partition from its beginning."""
    found: list[Rows] = []
    letters: list[Letter] = []
    by_name = {topic.name: topic for topic in topics.ALL}
    for name, messages in logs.items():
        for partition, some in sorted(by_partition(messages).items()):
            columns: dict[str, dict[str, list[object]]] = {}
            records = [one.record(name) for one in some]
            while records:
                # A block ends early when its commit can't name all that is rejected.
                built = block.build(by_name[name], records)
                records = [one for one in records if one.offset > built.pending.last]
                for rows in built.rows:
                    table = columns.setdefault(rows.table.name, {})
                    for column, values in zip(rows.table.names, rows.columns, strict=True):
                        table.setdefault(column, []).extend(values)
                letters += [
                    Letter(
                        name,
                        one.partition,
                        one.offset,
                        one.line,
                        one.part,
                        one.error.split(":", 1)[0],
                        one.size,
                    )
                    for one in built.letters
                ]
            for table_name, table in columns.items():
                digests = {column: _digest(values) for column, values in table.items()}
                count = len(next(iter(table.values())))
                found.append(Rows(name, partition, table_name, count, digests))
    return Sunk(found, sorted(letters))


def _digest(values: list[object]) -> str:
    return hashlib.sha256(msgspec.json.encode(values)).hexdigest()[:16]
