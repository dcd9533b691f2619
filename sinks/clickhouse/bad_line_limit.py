"""Decides whether to read on from a topic, by the share of bad lines among the last ones."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from aiokafka import ConsumerRecord

from schemas.deadletter import DeadLetter
from sinks.clickhouse.pending_block import WHOLE

WINDOW: Final = 10_000
"""Number of last lines that count, for each topic."""

LEAST: Final = 1_000
"""Fewer bad lines never stop the sink, whatever their share."""

OF_A_MESSAGE: Final = 100
"""Most lines that a message counts for: a single bad message, of any size, stops nothing."""

_STEP: Final = 500
"""Number of good lines that are forgotten at a time."""


class TooManyBadLinesError(RuntimeError):
    """Most content of a topic is unreadable for this version; a person must look."""


class BadLines:
    """The last lines of one topic, over all of its partitions, in the order of arrival.

    The decision does not depend on the log alone: it only ends the sink, and changes nothing that
    is promised.
    """

    def __init__(self, topic: str, most: float) -> None:
        """`most` is the greatest accepted share, above 0; 1 accepts everything."""
        self._topic = topic
        self._most = most
        self._last: deque[tuple[int, int]] = deque()
        self._lines = 0
        self._bad = 0
        self._seen: dict[int, int] = {}

    def look(
        self, records: Sequence[ConsumerRecord], letters: Sequence[DeadLetter], rows: int
    ) -> None:
        """Counts the lines of a partition's messages, before they are reported or stored.

        `rows` is the number of rows of the messages. A block that is read again, because it could
        not be finished, is not counted again.

        Raises:
            TooManyBadLinesError: at least `LEAST` of the last lines are bad, and more than the
                share.
        """
        records = self._new(records)
        if not letters:
            lines = min(WINDOW, rows) if records else 0
            for start in range(0, lines, _STEP):
                self._add(min(_STEP, lines - start), 0)
            return
        for lines, bad in _weights(records, letters):
            self._add(lines, bad)
        if self._bad >= LEAST and self._bad > self._most * self._lines:
            last = letters[-1]
            raise TooManyBadLinesError(
                f"{self._bad} of the last {self._lines} lines on {self._topic} can't be read, the "
                f"last at {last.id}: {last.error}. The sink stops here instead of draining the "
                "topic into the dead letters; nothing is lost. Look at who writes there, or at "
                "whether this portquorum is older than they are; to go on and have them as dead "
                "letters, set PORTQUORUM_SINK_BAD_LINES_RATIO=1"
            )

    def _new(self, records: Sequence[ConsumerRecord]) -> Sequence[ConsumerRecord]:
        partition, last = records[0].partition, records[-1].offset
        seen = self._seen.get(partition, -1)
        self._seen[partition] = max(seen, last)
        return records if records[0].offset > seen else [r for r in records if r.offset > seen]

    def _add(self, lines: int, bad: int) -> None:
        self._last.append((lines, bad))
        self._lines += lines
        self._bad += bad
        while self._lines - self._last[0][0] >= WINDOW:
            lines, bad = self._last.popleft()
            self._lines -= lines
            self._bad -= bad


def line_count(record: ConsumerRecord) -> int:
    """Lines of a message; 1 for an empty message and for the part after a last newline."""
    value = record.value or b""
    return int(value.count(b"\n")) + (not value.endswith(b"\n"))


def _weights(
    records: Sequence[ConsumerRecord], letters: Sequence[DeadLetter]
) -> Iterator[tuple[int, int]]:
    """The weight of each message: its lines and its bad ones, limited to `OF_A_MESSAGE`."""
    bad: dict[int, int] = {}
    whole: set[int] = set()
    for letter in letters:
        if letter.line == WHOLE:
            whole.add(letter.offset)
        bad[letter.offset] = bad.get(letter.offset, 0) + 1
    for record in records:
        lines = line_count(record)
        wrong = lines if record.offset in whole else min(bad.get(record.offset, 0), lines)
        if lines > OF_A_MESSAGE:
            wrong = -(-wrong * OF_A_MESSAGE // lines)
            lines = OF_A_MESSAGE
        yield lines, wrong
