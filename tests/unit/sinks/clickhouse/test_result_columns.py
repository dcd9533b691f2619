"""The fast way of a result into columns against the obvious one: line by line, cell by cell."""

import math
from typing import Any, get_args

import msgspec
import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from schemas import batch, topics
from schemas.result import Cause, CheckResult, LoggedResult, Reason, Signal, Status
from sinks.clickhouse import result_columns
from sinks.clickhouse.block import build, rebuild
from sinks.clickhouse.job_reports import contradiction
from sinks.clickhouse.result_columns import Names
from sinks.clickhouse.tables import RESULTS
from tests.unit.sinks.clickhouse.messages import record

LAST_MS = 9_999_999_999_999
MILLIS = st.integers(0, LAST_MS)
SPAN = st.none() | st.floats(0, 86_400_000) | st.sampled_from([0.0, 0.0005, 4_294_967.295, 1e-9])
TEXT = st.text(max_size=300)
SAID = st.sampled_from(
    [
        *((status, reason, None) for status in get_args(Status) for reason in get_args(Reason)),
        *((status, None, None) for status in get_args(Status) if status != "missed"),
        ("up", None, "success"),
        ("down", "job_failed", "fail"),
        ("missed", None, "start"),
        ("missed", None, "log"),
    ]
)
"""Status, reason and signal."""


def with_said(
    said: tuple[Status, Reason | None, Signal | None], result: CheckResult
) -> CheckResult:
    status, reason, signal = said
    return structs.replace(result, status=status, reason=reason, signal=signal)


CHECKED = st.builds(
    CheckResult,
    target=st.from_regex(r"\A[a-z0-9][a-z0-9._-]{0,5}\Z"),
    kind=st.sampled_from(["tcp", "tls", "http"]),
    host=st.none() | st.text(min_size=1, max_size=20),
    port=st.none() | st.integers(1, 65_535),
    region=st.sampled_from(["eu", "us-east"]),
    prober=st.text(min_size=1, max_size=20),
    scheduled_at=MILLIS,
    started_at=MILLIS,
    status=st.just("up"),
    reason=st.none(),
    attempt=st.integers(0, 255),
    cause=st.sampled_from(get_args(Cause)),
    target_version=MILLIS,
    detail=st.none() | TEXT,
    address=st.none() | st.text(max_size=20),
    dns_ms=SPAN,
    connect_ms=SPAN,
    tls_ms=SPAN,
    total_ms=SPAN,
    cert_expires_at=st.none() | MILLIS,
    http_status=st.none() | st.integers(100, 999),
    banner=st.none() | TEXT,
    exit_code=st.none() | st.integers(0, 255),
    run=st.none() | st.text(max_size=64),
    output=st.none() | TEXT,
)
RESULT = st.builds(with_said, SAID, CHECKED)
WRONG = st.sampled_from(
    [
        {"target": "Upper"},
        {"target": "a" * 129},
        {"target": "a\n"},
        {"target": ""},
        {"kind": "tcp-"},
        {"kind": None},
        {"region": "eu west"},
        {"region": 7},
        {"port": 0},
        {"attempt": 256},
        {"status": "sideways"},
        {"detail": "x" * 301},
        {"unknown": {"deep": [1, "}\n{"]}},
        {"host": ""},
        {"exit_code": 256},
        {"status": "missed", "reason": None, "signal": None},
        {"status": "missed", "reason": None, "signal": "success"},
        {"status": "up", "reason": None, "signal": "fail"},
        {"status": "down", "reason": "timed_out", "signal": "fail"},
        {"status": "missed", "reason": "prober_error", "signal": "start"},
        {"signal": "stop"},
    ]
)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    value = msgspec.json.encode(draw(RESULT))
    if draw(st.integers(0, 7)) == 0:
        value = msgspec.json.encode(msgspec.json.decode(value) | draw(WRONG))
    shape = draw(st.integers(0, 20))
    if shape == 0:
        return draw(st.sampled_from([b"", b" ", b"\r", b"{}", b"null", value + value, value[:-1]]))
    return b" " + value + b"\t" if shape == 1 else value


MESSAGES = st.lists(
    st.tuples(st.lists(lines(), max_size=6), st.sampled_from([b"", b"\n", b"\n\n"])),
    min_size=1,
    max_size=5,
).map(lambda found: [record(b"\n".join(some) + end, 7 + n) for n, (some, end) in enumerate(found)])


def obvious(records: list[ConsumerRecord]) -> list[tuple[Any, ...]]:
    rows = []
    for one in records:
        for number, line in enumerate(one.value.split(b"\n")):
            try:
                result = msgspec.json.decode(line, type=CheckResult)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            if contradiction(result):
                continue
            row = {name: cell(result, name) for name in RESULTS.names if hasattr(result, name)}
            row |= {f"{name}_us": micros(getattr(result, f"{name}_ms")) for name in SPANS}
            row |= {"log_partition": one.partition, "log_offset": one.offset}
            row |= {"appended_at": one.timestamp, "log_line": number}
            rows.append(tuple(row[name] for name in RESULTS.names))
    return rows


SPANS = ("dns", "connect", "tls", "total")


def cell(result: CheckResult, name: str) -> Any:
    value = getattr(result, name)
    kind = dict(RESULTS.columns)[name]
    if value is None and not kind.startswith("Nullable"):
        return "" if "String" in kind else 0
    return value


def micros(span_ms: float | None) -> int | None:
    if span_ms is None:
        return None
    return min(math.floor(span_ms * 1000 + 0.5), 2**32 - 1)


def rows_of(found: Any) -> list[tuple[Any, ...]]:
    return [row for rows in found.rows for row in zip(*rows.columns, strict=True)]


@given(MESSAGES)
def test_the_fast_way_and_the_obvious_way_give_the_same_rows(
    records: list[ConsumerRecord],
) -> None:
    block = build(topics.RESULTS, records)
    used = [one for one in records if one.offset <= block.pending.last]
    assert rows_of(block) == obvious(used)
    assert rows_of(rebuild(topics.RESULTS, used, block.pending)) == obvious(used)


@given(st.lists(RESULT, min_size=1, max_size=8))
def test_what_a_prober_writes_never_takes_the_slow_way(results: list[CheckResult]) -> None:
    columns = result_columns.ResultColumns()
    one = record(batch.encode(results))
    assert columns.take(one)
    assert list(zip(*columns.rows().columns, strict=True)) == obvious([one])


def test_a_message_that_is_not_taken_leaves_nothing_behind() -> None:
    columns = result_columns.ResultColumns()
    good = batch.encode([msgspec.convert(GOOD, CheckResult)] * 3)
    bad = good + msgspec.json.encode(GOOD | {"region": "No Region"}) + b"\n"
    assert not columns.take(record(bad))
    assert len(columns.rows()) == 0
    assert columns.take(record(good))
    assert len(columns.rows()) == 3


GOOD: dict[str, Any] = {
    "target": "db",
    "kind": "tcp",
    "host": None,
    "port": None,
    "region": "eu",
    "prober": "p",
    "scheduled_at": 1,
    "started_at": 1,
    "status": "up",
    "reason": None,
    "attempt": 0,
    "cause": "schedule",
    "target_version": 1,
}


def test_names_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_columns, "MOST_NAMES", 10)
    names = Names(str | None)
    for number in range(95):
        assert names[f"{number}"] == f"{number}"
        assert len(names) <= 10
    assert names[None] == ""


def test_equal_names_are_one_string() -> None:
    names = Names(str)
    first, second = (bytes(raw).decode() for raw in (b"ab", b"ab"))
    assert first is not second
    assert names[first] is names[second]


def test_a_result_with_free_names_has_the_fields_of_a_result() -> None:
    assert LoggedResult.__struct_fields__ == CheckResult.__struct_fields__
