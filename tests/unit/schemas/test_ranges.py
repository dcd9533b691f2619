"""Everything that comes in from outside has a range: what decodes can be kept, added up, stored."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from schemas import control, notifier_state, topics
from schemas.control import Beat
from schemas.result import CheckResult, LoggedResult
from tests.examples import examples
from tests.unit.schemas.edges import encoded, ends_of, unbounded

ALL: list[type[Struct]] = [
    struct for topic in topics.ALL for struct in (*topic.schema, *topic.control)
]

JSON_INSIDE = (notifier_state.Subject,)
"""They keep the bytes of other messages as they are, so they are JSON and nothing else."""


@pytest.mark.parametrize("struct", ALL, ids=lambda struct: struct.__name__)
def test_every_number_text_and_list_has_a_range(struct: type[Struct]) -> None:
    assert unbounded(struct) == []


def test_results_are_read_with_their_ranges_by_stream_and_sink() -> None:
    # Names are held against those of known targets, or against their patterns once for each name.
    names = [f"LoggedResult.{name}" for name in ("kind", "region", "target")]
    assert unbounded(LoggedResult) == names


@pytest.mark.parametrize("struct", ALL, ids=lambda struct: struct.__name__)
@settings(max_examples=examples(12))
@given(st.data())
def test_what_decodes_is_encoded_and_decodes_again(
    struct: type[Struct], data: st.DataObject
) -> None:
    value = msgspec.json.decode(data.draw(encoded(struct)), type=struct)
    assert msgspec.json.decode(msgspec.json.encode(value), type=struct) == value
    if struct not in JSON_INSIDE:
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=struct) == value


NUMBERS = ["18446744073709551616", "9223372036854775808", "-1", "1e308", "1e400", "NaN", "-0.5"]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("field", ["targets", "failing", "newly_failing", "sequence", "spool"])
def test_a_beat_out_of_range_is_no_beat(field: str, number: str) -> None:
    beat = Beat(
        region="eu",
        prober="p",
        sequence=0,
        started_at=0,
        targets=0,
        failing=0,
        newly_failing=0,
        connectivity=True,
        lag_ms=0,
        spool=0,
        clock_offset_ms=None,
    )
    raw = msgspec.json.encode(beat).replace(f'"{field}":0'.encode(), f'"{field}":{number}'.encode())
    with pytest.raises(msgspec.DecodeError):
        control.decode(raw)


@pytest.mark.parametrize("number", [*NUMBERS, "9999999999999999"])
def test_a_result_out_of_range_is_no_result(number: str) -> None:
    plain = (
        '{"target":"t","kind":"tcp","host":"h","port":80,"region":"eu","prober":"p","scheduled_at":1,'
        '"started_at":1,"status":"up","reason":null,"attempt":0,"cause":"schedule",'
        '"target_version":1,"connect_ms":1.5}'
    )
    assert msgspec.json.decode(plain, type=CheckResult).started_at == 1
    for field, value in (("started_at", "1"), ("port", "80"), ("connect_ms", "1.5")):
        line = plain.replace(f'"{field}":{value}', f'"{field}":{number}')
        for struct in (CheckResult, LoggedResult):
            with pytest.raises(msgspec.DecodeError):
                msgspec.json.decode(line, type=struct)


@pytest.mark.parametrize("struct", ALL, ids=lambda struct: struct.__name__)
def test_the_ends_of_the_ranges_decode(struct: type[Struct]) -> None:
    for end in ends_of(struct):
        value = msgspec.json.decode(msgspec.json.encode(end), type=struct)
        assert msgspec.json.decode(msgspec.json.encode(value), type=struct) == value
