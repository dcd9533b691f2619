"""Header names with invalid UTF-8, decoded with U+FFFD as Kafka's Java client does.

The broker accepts any bytes as the name of a header. aiokafka (0.14) raises `UnicodeDecodeError`
for such a record in every call of `getmany`: one message stops every reader of its partition for
ever. `install` replaces the class that decodes fetched bytes by `_Records`, for all consumers of
this process, also for Faust.
"""

from collections.abc import Iterator
from typing import Any, Final, SupportsIndex

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_LENGTH: Final = slice(8, 12)
"""Position of a batch's length field: the bytes after it (Kafka protocol, record batch v2)."""


def install() -> None:
    """Makes every consumer of this process decode such headers. Safe to call more than once."""
    fetcher.MemoryRecords = _Records


class _Records:
    """The batches of one fetch response, each with its own bytes."""

    def __init__(self, raw: bytes) -> None:
        self._raw = memoryview(raw)
        self._records = MemoryRecords(raw)

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def size_in_bytes(self) -> int:
        return int(self._records.size_in_bytes())

    def next_batch(self) -> Any:
        """The next batch, None after the last one."""
        batch = self._records.next_batch()
        if batch is None:
            return None
        end = _LENGTH.stop + int.from_bytes(self._raw[_LENGTH], "big")
        raw, self._raw = self._raw[:end], self._raw[end:]
        return _Batch(batch, raw)


class _Batch:
    """A batch of aiokafka; decodes its records again when a header's name is not UTF-8."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        """The one record of a control batch: aiokafka reads it without an iterator."""
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            records = list(self._batch)
        except UnicodeDecodeError:
            again = iter(_DefaultRecordBatchPy(self._raw))
            again._buffer = _Bytes(again._buffer)  # noqa: SLF001 - it has no other way in
            records = list(again)
        return iter(records)


class _Bytes(bytearray):
    """Bytes whose slices decode without an error."""

    def __getitem__(self, place: SupportsIndex | slice) -> Any:
        found = super().__getitem__(place)
        return _Bytes(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)
