"""Decodes [results]: batches of check results become rows; control records become none."""

from collections.abc import Sequence
from typing import Final

import msgspec
from aiokafka import ConsumerRecord

from schemas import batch, control
from schemas.deadletter import DeadLetter
from schemas.result import CheckResult
from sinks.clickhouse.decoding import (
    Read,
    Rejected,
    Unreadable,
    letter,
    letter_of,
    words,
)
from sinks.clickhouse.job_reports import contradiction
from sinks.clickhouse.pending_block import WHOLE
from sinks.clickhouse.result_columns import ResultColumns

_EXPECTED: Final = "lines of check results, or an empty value with the header " + control.HEADER


def read(records: Sequence[ConsumerRecord], before: Rejected) -> Read:
    """The rows of the results, and a dead letter for each unreadable line or message.

    A message of several lines without a readable one gives one dead letter, not many. Lines that
    were rejected `before` are no rows even if this version can read them.
    """
    columns = ResultColumns()
    letters: list[DeadLetter] = []
    for record in records:
        if record.value and record.offset not in before and columns.take(record):
            continue
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
            columns.add(results, lines, record)
    return Read([columns.rows()], letters)


def _lines(
    record: ConsumerRecord, before: set[int]
) -> tuple[list[CheckResult], Sequence[int], list[batch.BadLine]]:
    """The results of any message with their lines, and the parts that are no results."""
    value = record.value
    if not value:
        _check_control(record)
        return [], [], []
    if WHOLE in before:
        raise Unreadable("value", "rejected when it was first read", value)
    numbered, bad = batch.decode_numbered(value)
    numbered, bad = _without_contradictions(numbered, bad, value)
    if before:
        now_fine = [number for number, _ in numbered if number in before]
        numbered = [(number, result) for number, result in numbered if number not in before]
        split = value.split(b"\n") if now_fine else []
        bad += [batch.BadLine(n, split[n], "rejected when it was first read") for n in now_fine]
    elif not numbered and len(bad) != 1:
        error = bad[0].error if bad else "found blank lines only"
        raise Unreadable("value", f"expected {_EXPECTED}; no line can be read: {error}", value)
    return [result for _, result in numbered], [number for number, _ in numbered], bad


def _without_contradictions(
    numbered: list[tuple[int, CheckResult]], bad: list[batch.BadLine], value: bytes
) -> tuple[list[tuple[int, CheckResult]], list[batch.BadLine]]:
    """The results that say one thing; the others are bad lines, too."""
    wrong = {number: text for number, one in numbered if (text := contradiction(one))}
    if not wrong:
        return numbered, bad
    split = value.split(b"\n")
    bad = [*bad, *(batch.BadLine(number, split[number], text) for number, text in wrong.items())]
    return [(number, one) for number, one in numbered if number not in wrong], bad


def _check_control(record: ConsumerRecord) -> None:
    body = None if record.value is None else control.body(record.headers)
    if body is None:
        found = "no value" if record.value is None else "an empty value without the header"
        raise Unreadable("value", f"expected {_EXPECTED}; found {found}", b"")
    try:
        control.decode(body)
    except msgspec.DecodeError as error:
        raise Unreadable("control", words(error), body) from error
