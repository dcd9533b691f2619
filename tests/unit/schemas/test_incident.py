"""CloudEvents 1.0, binary mode: what a subscriber may count on in the headers."""

import json
import re
import uuid
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from foundation.settings import Settings
from schemas import incident
from schemas.schema_ids import schema_id

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


EXAMPLES = {path.stem: path for path in PATHS}


def changed(example: str, **fields: object) -> bytes:
    """An example with other fields; None removes nothing, `...` does."""
    value = json.loads(EXAMPLES[example].read_bytes()) | fields
    return json.dumps({name: one for name, one in value.items() if one is not ...}).encode()


@pytest.mark.parametrize(
    ("example", "fields", "says"),
    [
        ("opened", {"closed_at": 1}, "`opened` without `closed_at`, found one with it"),
        ("opened", {"closed_because": "recovered"}, "`opened` without `closed_because`"),
        ("updated", {"closed_at": 1, "closed_because": "recovered"}, "`updated` without"),
        ("closed", {"closed_at": None}, "`closed` with `closed_at`, found one without it"),
        ("closed", {"closed_because": None}, "`closed` with `closed_because`"),
        ("opened", {"event_id": ""}, "length >= 1 - at `$.event_id`"),
        ("opened", {"incident_id": ""}, "length >= 1 - at `$.incident_id`"),
        ("opened", {"target": ""}, r"`$.target`"),
        ("opened", {"resolved_by": "alice"}, "`resolved_by` with closed_because `resolved` only"),
        ("closed", {"resolved_note": "x"}, "`resolved_note` with closed_because `resolved` only"),
        ("opened", {"paused_by": "ann"}, "`paused_by` with closed_because `target_paused` only"),
        ("closed-resolved", {"paused_until": 1}, "with `resolved`"),
        ("closed-paused", {"resolved_by": "ann"}, "found it with `target_paused`"),
        ("region-silent", {"event_id": ""}, "`$.event_id`"),
        ("targets-watched", {"count": 3}, "a count of 0 with `targets.watched` only"),
        ("targets-unwatched", {"count": 0}, "found `targets.unwatched` with 0"),
        ("targets-unwatched", {"cause_id": ""}, "`$.cause_id`"),
    ],
)
def test_what_contradicts_itself_is_no_event(
    example: str, fields: dict[str, object], says: str
) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        incident.decode(changed(example, **fields))
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_event_of_the_first_version_has_no_target_version() -> None:
    event = incident.decode(changed("opened", target_version=...))
    assert isinstance(event, incident.IncidentEvent)
    assert event.target_version is msgspec.UNSET
    assert b"target_version" not in incident.encode(event)
    other = incident.decode(changed("opened", target_version=7))
    assert msgspec.json.decode(incident.encode(other))["target_version"] == 7


@every_event
def test_the_schema_and_the_trace_are_where_libraries_of_cloudevents_look(path: Path) -> None:
    found = dict(incident.headers(incident.decode(path.read_bytes())))
    assert found["ce_dataschema"] == schema_id("incidents").encode()
    assert found["ce_traceparent"] == found["traceparent"]


@given(
    st.from_regex(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z") | st.none(),
    st.from_regex(r"^[A-Za-z0-9._-]{1,100}\Z"),
)
def test_the_source_is_a_uri_reference_for_every_name(name: str | None, prefix: str) -> None:
    source = Settings(installation=name, topic_prefix=prefix).event_source("stream")
    assert source == f"/{name or prefix}/stream"
    # path-absolute of RFC 3986, appendix A, of unreserved characters alone.
    assert re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", source)
    event = incident.decode(PATHS[0].read_bytes())
    assert dict(incident.headers(event, source))["ce_source"].decode() == source


def test_without_a_name_the_source_is_the_one_of_the_first_version() -> None:
    assert Settings().event_source("stream") == incident.SOURCE
