"""CloudEvents 1.0, binary mode: what a subscriber may count on in the headers."""

import re
import uuid
from pathlib import Path

import pytest

import schemas
from schemas import incident

PATHS = sorted((Path(schemas.__file__).parent / "examples" / "incidents").glob("*.json"))
every_event = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


@every_event
def test_required_attributes_are_there(path: Path) -> None:
    event = incident.decode(path.read_bytes())
    found = {name: value.decode() for name, value in incident.headers(event)}
    assert found["ce_specversion"] == "1.0"
    assert found["ce_id"] == event.event_id == str(uuid.UUID(event.event_id))
    assert found["ce_source"] == incident.SOURCE
    assert found["ce_subject"] == incident.subject(event)
    assert found["content-type"] == "application/json"
    assert re.fullmatch(r"portquorum\.(incident|region|targets)\.[a-z_]+\.v1", found["ce_type"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["ce_time"])
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", found["traceparent"])


@every_event
def test_the_same_event_gives_the_same_bytes(path: Path) -> None:
    event = incident.decode(path.read_bytes())
    raw = incident.encode(event)
    assert incident.encode(incident.decode(raw)) == raw
    assert incident.headers(incident.decode(raw)) == incident.headers(event)


def test_types_and_subjects() -> None:
    found = {}
    for path in PATHS:
        event = incident.decode(path.read_bytes())
        found[incident.event_type(event)] = incident.subject(event)
    assert found["portquorum.incident.opened.v1"] == "prod-db"
    assert found["portquorum.incident.closed.v1"] == "prod-db"
    assert found["portquorum.region.silent.v1"] == "us-east"
    unwatched = found["portquorum.targets.unwatched.v1"]
    assert unwatched == found["portquorum.targets.watched.v1"] == str(uuid.UUID(unwatched))


def test_the_trace_belongs_to_the_event() -> None:
    one, two = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
    assert incident.traceparent(one) == incident.traceparent(one)
    assert incident.traceparent(one) != incident.traceparent(two)
    assert uuid.UUID(one).hex in incident.traceparent(one)
