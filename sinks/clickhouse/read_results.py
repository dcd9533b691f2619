"""[results]: batches of check results become rows; control records make none."""

from collections.abc import Sequence
from typing import Any, Final

from aiokafka import ConsumerRecord

from schemas import batch, control
from schemas.deadletter import DeadLetter
from schemas.result import CheckResult
from sinks.clickhouse.pending import WHOLE
from sinks.clickhouse.reading import (
    DECODE_ERRORS,
    Read,
    Rejected,
    Unreadable,
    letter,
    letter_of,
    log_time,
    words,
)
from sinks.clickhouse.tables import RESULTS, Rows

MAX_US: Final = 2**32 - 1
MAX_MS: Final = MAX_US / 1000

_EXPECTED: Final = "lines of check results, or an empty value with the header " + control.HEADER


def read(records: Sequence[ConsumerRecord], before: Rejected) -> Read:
    """The rows of the results, and a dead letter for each line or message that can't be read.

    A message of several lines of which none can be read is one dead letter, not many. What was
    rejected `before` is no row even if it can be read now.
    """
    columns: list[list[Any]] = [[] for _ in RESULTS.columns]
    letters: list[DeadLetter] = []
    for record in records:
        try:
            results, lines, bad = _lines(record, before.get(record.offset, set()))
        except Unreadable as found:
            letters.append(letter_of(record, found))
            continue
        letters.extend(
            letter(record, line.line, "line", line.error, line.raw)
            for line in sorted(bad, key=lambda line: line.line)
        )
        if results:
            # Message by message: the results of one stay in the processor's cache, and are gone
            # before the next are made.
            for column, values in zip(columns, _columns(results, lines, record), strict=True):
                column.extend(values)
    return Read([Rows(RESULTS, columns)], letters)


def _lines(
    record: ConsumerRecord, before: set[int]
) -> tuple[list[CheckResult], Sequence[int], list[batch.BadLine]]:
    """The results of a message, the line of each, and what is no result."""
    value = record.value
    if not value:
        _check_control(record)
        return [], [], []
    if WHOLE in before:
        raise Unreadable("value", "rejected when it was first read", value)
    results, bad = batch.decode(value)
    if not bad and not before and len(results) == _line_count(value):
        return results, range(len(results)), []
    numbered, bad = batch.decode_numbered(value)
    if before:
        now_fine = [number for number, _ in numbered if number in before]
        numbered = [(number, result) for number, result in numbered if number not in before]
        split = value.split(b"\n") if now_fine else []
        bad += [batch.BadLine(n, split[n], "rejected when it was first read") for n in now_fine]
    elif not numbered and len(bad) != 1:
        error = bad[0].error if bad else "found blank lines only"
        raise Unreadable("value", f"expected {_EXPECTED}; no line can be read: {error}", value)
    return [result for _, result in numbered], [number for number, _ in numbered], bad


def _line_count(value: bytes) -> int:
    return value.count(b"\n") + (not value.endswith(b"\n"))


def _check_control(record: ConsumerRecord) -> None:
    body = None if record.value is None else control.body(record.headers)
    if body is None:
        found = "no value" if record.value is None else "an empty value without the header"
        raise Unreadable("value", f"expected {_EXPECTED}; found {found}", b"")
    try:
        control.decode(body)
    except DECODE_ERRORS as error:
        raise Unreadable("control", words(error), body) from error


def _columns(
    results: list[CheckResult], lines: Sequence[int], record: ConsumerRecord
) -> list[Sequence[Any]]:
    """The columns of `RESULTS`, in its order: one pass a column is what makes it fast."""
    count = len(results)
    return [
        [r.target for r in results],
        [r.kind for r in results],
        [r.host or "" for r in results],
        [r.port or 0 for r in results],
        [r.region for r in results],
        [r.prober for r in results],
        [r.scheduled_at for r in results],
        [r.started_at for r in results],
        [r.status for r in results],
        [r.reason or "" for r in results],
        [r.attempt for r in results],
        [r.cause for r in results],
        [r.target_version for r in results],
        [r.detail or "" for r in results],
        [r.address or "" for r in results],
        whole_us([r.dns_ms for r in results]),
        whole_us([r.connect_ms for r in results]),
        whole_us([r.tls_ms for r in results]),
        whole_us([r.total_ms for r in results]),
        [r.cert_expires_at for r in results],
        [r.http_status or 0 for r in results],
        [r.banner or "" for r in results],
        [record.partition] * count,
        [record.offset] * count,
        [log_time(record)] * count,
        lines,
    ]


def whole_us(spans_ms: list[float | None]) -> list[int | None]:
    """Milliseconds as whole µs; what is longer than a column holds (71 min) is cut to that."""
    return [
        None if span is None else int(span * 1000 + 0.5) if span < MAX_MS else MAX_US
        for span in spans_ms
    ]
