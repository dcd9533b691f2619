"""The columns of `results`, filled message by message: most of the cost of a backlog.

Three optimisations make it fast, and none of them changes a row (a test compares it with the plain
way, field by field):

- Names are not held against their patterns with each result, which takes longer than all the rest
  of decoding, but once for each name (`Names`).
- Equal strings are one string. The client's encoder knows it again by its address.
- A message is turned over as a whole, while it lies in the processor's cache.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from aiokafka import ConsumerRecord
from msgspec.structs import astuple

from schemas._types import Kind, RegionName, TargetId
from schemas.batch import BatchDecoder
from schemas.result import CheckResult, LoggedResult
from sinks.clickhouse.decoding import log_time
from sinks.clickhouse.job_reports import contradiction, may_contradict
from sinks.clickhouse.tables import LOG, RESULTS, Rows

MAX_US: Final = 2**32 - 1
MAX_MS: Final = MAX_US / 1000

MOST_NAMES: Final = 200_000
"""Most names of a kind in the cache, some 40 MB; then it is emptied."""


class Names(dict[str | None, str]):
    """A cache with one string for all equal ones; empty for None. Each name in it is valid.

    Threads may share it: if two of them add the same entry, both are equal.
    """

    def __init__(self, kind: Any) -> None:
        """`kind` is the type, with its pattern, that validates each name."""
        super().__init__()
        self._kind = kind

    def __missing__(self, name: str | None) -> str:
        """Raises `msgspec.ValidationError` for an invalid name."""
        msgspec.convert(name, self._kind)
        if len(self) >= MOST_NAMES:
            self.clear()
        return self.setdefault(name, name or "")


_decode: Final = BatchDecoder(LoggedResult).decode
_fields: Final = LoggedResult.__struct_fields__

_text = str | None
_NAMES: Final = {
    "target": Names(TargetId),
    "kind": Names(Kind),
    "region": Names(RegionName),
    "host": Names(_text),
    "prober": Names(str),
    "reason": Names(_text),
    "address": Names(_text),
    "signal": Names(_text),
}
_SPANS: Final = {f"{name}_us": f"{name}_ms" for name in ("dns", "connect", "tls", "total")}
_NONE: Final[dict[str, Any]] = {
    "port": 0,
    "http_status": 0,
    "detail": "",
    "banner": "",
    "run": "",
    "output": "",
}
"""The value for None in columns that have no NULL."""

_OF_LOG: Final = (*(name for name, _ in LOG), "log_line")
_OF_RESULT: Final = RESULTS.names[: -len(_OF_LOG)]
"""The columns of a result; the columns after them are its position in the log."""

_PLACES: Final = tuple(_fields.index(_SPANS.get(name, name)) for name in _OF_RESULT)


class ResultColumns:
    """Rows under construction."""

    def __init__(self) -> None:
        self._columns: list[list[Any]] = [[] for _ in RESULTS.columns]

    def rows(self) -> Rows:
        """The rows so far."""
        return Rows(RESULTS, self._columns)

    def take(self, record: ConsumerRecord) -> bool:
        """Adds a message of nothing but results that say one thing each; else adds nothing."""
        value: bytes = record.value
        results, bad = _decode(value)
        if bad or not results or len(results) != line_count(value):
            return False
        turned = list(zip(*map(astuple, results), strict=True))
        if may_contradict(turned) and any(map(contradiction, results)):
            return False
        try:
            self._add(turned, range(len(results)), record)
        except msgspec.ValidationError:
            return False
        return True

    def add(
        self, results: Sequence[CheckResult], lines: Iterable[int], record: ConsumerRecord
    ) -> None:
        """Adds results of a message (at least one) with their line numbers.

        Raises:
            msgspec.ValidationError: an invalid name; nothing was added.
        """
        self._add(list(zip(*map(astuple, results), strict=True)), lines, record)

    def _add(
        self, turned: list[tuple[Any, ...]], lines: Iterable[int], record: ConsumerRecord
    ) -> None:
        made = [
            _column(name, turned[place]) for name, place in zip(_OF_RESULT, _PLACES, strict=True)
        ]
        count = len(turned[0])
        log = ([record.partition] * count, [record.offset] * count, [log_time(record)] * count)
        for column, values in zip(self._columns, (*made, *log, lines), strict=True):
            column.extend(values)


def _column(name: str, values: tuple[Any, ...]) -> Sequence[Any]:
    names = _NAMES.get(name)
    if names is not None:
        return list(map(names.__getitem__, values))
    if name in _SPANS:
        return whole_us(values)
    if name in _NONE:
        none = _NONE[name]
        if values.count(None) == len(values):
            return [none] * len(values)
        return [value or none for value in values]
    return values


def line_count(value: bytes) -> int:
    """Number of lines of a message; text after the last newline counts as one."""
    return value.count(b"\n") + (not value.endswith(b"\n"))


def whole_us(spans_ms: Sequence[float | None]) -> list[int | None]:
    """Milliseconds as whole µs, limited to the range of a column (71 min)."""
    if spans_ms.count(None) == len(spans_ms):
        return [None] * len(spans_ms)
    return [
        None if span is None else int(span * 1000 + 0.5) if span < MAX_MS else MAX_US
        for span in spans_ms
    ]
