"""A line says one thing, or it is dead-lettered."""

import msgspec
import pytest
from aiokafka import ConsumerRecord

from schemas import topics
from sinks.clickhouse.block import build
from tests.unit.sinks.clickhouse.messages import record
from tests.unit.sinks.clickhouse.test_result_columns import GOOD

JOB = GOOD | {"kind": "heartbeat", "region": "receiver"}


def said(status: str, reason: str | None, signal: str | None) -> bytes:
    return msgspec.json.encode(JOB | {"status": status, "reason": reason, "signal": signal})


def message(*lines: bytes) -> ConsumerRecord:
    return record(b"\n".join(lines) + b"\n")


@pytest.mark.parametrize(
    ("status", "reason", "signal"),
    [
        ("up", None, "success"),
        ("down", "job_failed", "fail"),
        ("missed", None, "start"),
        ("missed", None, "log"),
        ("missed", "prober_error", None),
        ("down", "job_overran", None),
        ("missed", None, None),  # as the golden log of 0.1 has it
        ("up", None, None),
    ],
)
def test_what_says_one_thing_is_a_row(status: str, reason: str | None, signal: str | None) -> None:
    block = build(topics.RESULTS, [message(said(status, reason, signal))])
    assert [len(rows) for rows in block.rows] == [1]
    assert block.letters == []


@pytest.mark.parametrize(
    ("status", "reason", "signal", "error"),
    [
        ("missed", None, "success", "expected the status up and the reason None with the signal"),
        ("up", None, "start", "found up and None"),
        ("down", "timed_out", "fail", "found down and timed_out"),
        ("missed", "prober_error", "log", "found missed and prober_error"),
    ],
)
def test_what_contradicts_itself_is_a_dead_letter_and_its_neighbours_are_rows(
    status: str, reason: str | None, signal: str | None, error: str
) -> None:
    good = said("up", None, "success")
    block = build(topics.RESULTS, [message(good, said(status, reason, signal), good)])
    assert [len(rows) for rows in block.rows] == [2]
    (letter,) = block.letters
    assert (letter.line, letter.part) == (1, "line")
    assert error in letter.error


def test_no_count_hides_a_contradiction() -> None:
    """An up with a reason and a failure without one: as many of each as there should be."""
    odd = said("up", "too_slow", None)
    block = build(topics.RESULTS, [message(odd, said("up", None, None))])
    assert [len(rows) for rows in block.rows] == [2]
    block = build(topics.RESULTS, [message(odd, said("missed", None, "fail"))])
    assert [letter.line for letter in block.letters] == [1]
