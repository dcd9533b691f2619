"""Fetched messages that are in no block yet: in offset order, with age and size."""

from collections import deque
from typing import Final

from aiokafka import ConsumerRecord
from msgspec import Struct

from schemas.topics import Topic
from sinks.clickhouse.block import row_estimate

MESSAGE_OVERHEAD_BYTES: Final = 500
IDLE_WAIT_S: Final = 3.0
"""Time that messages without rows wait, in s, so that they cost few commits."""


class _Held(Struct, frozen=True, gc=False):
    record: ConsumerRecord
    rows: int
    size: int
    since: float


class Buffer:
    """Messages of one partition. `wait_s` is the longest wait of a message with rows for others."""

    def __init__(self, topic: Topic, wait_s: float) -> None:
        self._topic = topic
        self._wait_s = wait_s
        self._held: deque[_Held] = deque()
        self.rows = 0
        """Number of rows, estimated."""
        self.size = 0
        """Size in bytes, approximate."""
        self._first_with_rows: float | None = None

    def __len__(self) -> int:
        return len(self._held)

    def clear(self) -> None:
        """Drops all messages."""
        self._held.clear()
        self.rows = self.size = 0
        self._first_with_rows = None

    def add(self, record: ConsumerRecord, now: float) -> None:
        """Adds the next message."""
        rows = row_estimate(self._topic, record)
        size = len(record.value or b"") + MESSAGE_OVERHEAD_BYTES
        self._held.append(_Held(record, rows, size, now))
        self.rows += rows
        self.size += size
        if rows and self._first_with_rows is None:
            self._first_with_rows = now

    @property
    def due(self) -> float | None:
        """The time by which the oldest message must be in a block, None without messages."""
        if not self._held:
            return None
        idle = self._held[0].since + IDLE_WAIT_S
        if self._first_with_rows is None:
            return idle
        return min(idle, self._first_with_rows + self._wait_s)

    def take(self, rows: int, size: int) -> list[ConsumerRecord]:
        """Removes and returns the first messages: at least one, then up to both limits."""
        taken: list[ConsumerRecord] = []
        while self._held:
            head = self._held[0]
            if taken and (head.rows > rows or head.size > size):
                break
            rows -= head.rows
            size -= head.size
            taken.append(self._pop())
        self._age()
        return taken

    def take_to(self, last: int) -> list[ConsumerRecord]:
        """Removes and returns the messages up to and including the offset `last`."""
        taken: list[ConsumerRecord] = []
        while self._held and self._held[0].record.offset <= last:
            taken.append(self._pop())
        self._age()
        return taken

    def put_back(self, records: list[ConsumerRecord], now: float) -> None:
        """Puts back taken but unused messages, in their order."""
        for record in reversed(records):
            rows = row_estimate(self._topic, record)
            size = len(record.value or b"") + MESSAGE_OVERHEAD_BYTES
            self._held.appendleft(_Held(record, rows, size, now))
            self.rows += rows
            self.size += size
        self._age()

    def _pop(self) -> ConsumerRecord:
        head = self._held.popleft()
        self.rows -= head.rows
        self.size -= head.size
        return head.record

    def _age(self) -> None:
        self._first_with_rows = next((held.since for held in self._held if held.rows), None)
