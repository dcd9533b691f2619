"""A message of [incidents] as a CloudEvent, whatever wrote it."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from portquorum.events.message import (
    EventMessage,
    UnreadableMessage,
    read,
    short_type,
    structured,
)
from schemas import incident

EXAMPLES = Path(__file__).parents[4] / "schemas" / "examples" / "incidents"
NAMES = sorted(path.name for path in EXAMPLES.glob("*.json"))
NEEDED = [("ce_specversion", b"1.0"), ("ce_id", b"7"), ("ce_source", b"/x"), ("ce_type", b"t")]


def record(value: bytes | None, headers: Any, key: bytes | None = b"db1") -> ConsumerRecord:
    return ConsumerRecord(
        topic="portquorum.incidents",
        partition=3,
        offset=2**40,
        timestamp=1_700_000_000_000,
        timestamp_type=0,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=headers,
    )


def message(value: bytes, headers: Any = NEEDED) -> EventMessage:
    found = read(record(value, headers))
    assert isinstance(found, EventMessage), found
    return found


@pytest.mark.parametrize("name", NAMES)
def test_an_event_in_structured_mode_has_all_that_the_message_had(name: str) -> None:
    event = incident.decode((EXAMPLES / name).read_bytes())
    headers = dict(incident.headers(event))
    found = json.loads(structured(message(incident.encode(event), list(headers.items()))))
    assert found.pop("data") == json.loads(incident.encode(event))
    assert found.pop("partitionkey") == "db1"
    place = ("kafkatopic", "kafkapartition", "kafkaoffset")
    assert [found.pop(one) for one in place] == ["portquorum.incidents", 3, str(2**40)]
    assert found.pop("datacontenttype") == "application/json"
    assert found.pop("traceparent").encode() == headers.pop("traceparent")
    assert found == {
        name.removeprefix("ce_"): value.decode()
        for name, value in headers.items()
        if name.startswith("ce_") and name != "ce_traceparent"
    }


def test_numbers_and_members_that_we_do_not_know_stay_as_they_were_written() -> None:
    value = b'{ "n": 12345678901234567890123,\n "f": 1.0e2, "\\u001b[31m": null }'
    line = structured(message(value))
    assert '"n": 12345678901234567890123,  "f": 1.0e2, ' in line
    assert "\n" not in line


def test_what_is_nested_too_deeply_is_left_out_and_what_is_read_is_shown() -> None:
    """The limit is Python's own: around it a value was read and then not written."""
    seen = set()
    for depth in (*range(900, 1_030), 100_000):
        for value in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
            found = read(record(value, NEEDED))
            seen.add(type(found))
            if isinstance(found, EventMessage):
                assert value.decode() in structured(found)
    assert seen == {EventMessage, UnreadableMessage}


def test_what_a_terminal_would_obey_is_escaped_and_stays_the_same_value() -> None:
    line = structured(message('{"summary":"\x7f\u202e"}'.encode()))
    assert json.loads(line)["data"] == {"summary": "\x7f\u202e"}
    assert line.isascii()


def test_the_time_is_the_events_else_the_records() -> None:
    headers = [*NEEDED, ("ce_time", b"2026-11-29T10:00:00.250Z")]
    assert message(b"{}", headers).at == 1_795_946_400_250
    for odd in (b"", b"soon", b"9999-12-31T23:59:59-23:59", b"0001-01-01T00:00:00Z", b"\xff"):
        assert 0 <= message(b"{}", [*NEEDED, ("ce_time", odd)]).at <= 253_402_300_799_999
    assert message(b"{}", [*NEEDED, ("ce_time", b"soon")]).at == 1_700_000_000_000


@pytest.mark.parametrize(
    ("value", "headers", "why"),
    [
        (b"{}", [], "found no header ce_id, ce_source, ce_specversion, ce_type"),
        (b"{}", NEEDED[:3], "found no header ce_type"),
        (b"{}", [*NEEDED[:3], ("ce_type", b"")], "found no header ce_type"),
        (b"\xff\x00", NEEDED, "expected JSON, found"),
        (b'{"event":', NEEDED, "expected JSON, found"),
        (b"[" * 100_000, NEEDED, "expected JSON, found"),
        (None, NEEDED, "expected JSON, found no value"),
        (b"", NEEDED, "expected JSON, found no value"),
    ],
)
def test_what_can_not_be_read_says_where_it_is_and_why(
    value: bytes | None, headers: Any, why: str
) -> None:
    found = read(record(value, headers))
    assert isinstance(found, UnreadableMessage)
    assert why in found.sentence
    assert f"topic portquorum.incidents partition 3 offset {2**40}" in found.sentence
    assert found.sentence.isprintable()


@given(
    st.binary()
    | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(msgspec.json.encode),
    st.lists(st.tuples(st.text(), st.none() | st.binary())),
    st.none() | st.binary(),
)
def test_any_message_is_read_or_named(value: bytes, headers: Any, key: bytes | None) -> None:
    found = read(record(value, [*NEEDED, *headers], key))
    if isinstance(found, EventMessage):
        line = structured(found)
        assert "\n" not in line
        assert json.loads(line)["data"] == json.loads(value)


def test_fields_that_are_no_text_are_no_text() -> None:
    found = message(b'{"name":["a"],"port":443,"host":null,"team":true,"summary":"a\\u001bb\\nc"}')
    fields = ("name", "port", "host", "team", "summary", "none")
    assert [found.text(one) for one in fields] == ["", "443", "", "", "a\ufffdb c", ""]
    assert message(b"[1]").text("name") == ""


def test_a_type_without_its_frame() -> None:
    assert short_type("portquorum.region.clock_skewed.v12") == "region.clock_skewed"
    assert short_type("com.example.v") == "com.example.v"
