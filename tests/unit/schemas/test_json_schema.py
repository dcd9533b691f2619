"""What the JSON Schemas take and refuse, and how they are written."""

import json
import re
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

import schemas
from schemas import asyncapi
from schemas.json_schema import DIALECT, all_schemas, closed
from schemas.schema_ids import VERSION, schema_id

EXAMPLES: Final = Path(schemas.__file__).parent / "examples"
SCHEMAS: Final = all_schemas()
KEYWORDS: Final = {
    *("$schema", "$id", "$ref", "$defs", "title", "description", "default"),
    *("type", "enum", "const", "anyOf", "not", "if", "then", "else"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minLength", "maxLength", "pattern", "items", "minItems", "maxItems"),
    *("properties", "required", "additionalProperties", "propertyNames"),
    *("minProperties", "maxProperties"),
}
"""All of them are keywords of the dialect, and of draft 07 (AsyncAPI's own) but for `$defs`."""

every_schema = pytest.mark.parametrize("name", SCHEMAS)


def example(folder: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLES / folder / f"{name}.json").read_bytes())
    return found


def takes(schema: dict[str, Any], value: object) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


def keywords(node: dict[str, Any]) -> set[str]:
    found = set(node)
    for key, value in node.items():
        if key in {"properties", "$defs"}:
            below = list(value.values())
        elif key == "anyOf":
            below = value
        elif key in {"default", "enum", "const"}:
            below = []
        else:
            below = [value]
        for one in below:
            if isinstance(one, dict):
                found |= keywords(one)
    return found


@every_schema
def test_a_schema_names_itself_dialect_and_version(name: str) -> None:
    schema = SCHEMAS[name]
    assert schema["$schema"] == DIALECT
    assert schema["$id"] == schema_id(name)
    assert schema["$id"].endswith(f":v{VERSION}")
    assert schema["title"]


@every_schema
def test_a_schema_has_keywords_of_its_dialect_alone(name: str) -> None:
    assert keywords(SCHEMAS[name]) - KEYWORDS == set()


@every_schema
def test_every_definition_has_its_name_as_title_and_is_needed(name: str) -> None:
    text = json.dumps(SCHEMAS[name])
    for title, one in SCHEMAS[name]["$defs"].items():
        assert one["title"] == title
        assert f'"$ref": "#/$defs/{title}"' in text


@every_schema
def test_enumerations_of_several_members_are_definitions(name: str) -> None:
    rest = SCHEMAS[name] | {"$defs": {}}
    found = re.findall(r'"properties": {[^{}]*"enum"', json.dumps(rest))
    assert found == []


@pytest.mark.parametrize(
    ("field", "member"),
    [
        ("event", "paused"),
        ("severity", "fatal"),
        ("incident_type", "odd"),
        ("criticality", "vital"),
    ],
)
def test_readers_take_unknown_members_and_our_own_check_does_not(field: str, member: str) -> None:
    event = example("incidents", "opened") | {field: member}
    assert takes(SCHEMAS["incidents"], event)
    assert takes(SCHEMAS["incidents/IncidentEvent"], event)
    assert not takes(closed(SCHEMAS["incidents"]), event)


def test_readers_take_unknown_members_in_nullable_fields_and_in_lists() -> None:
    event = example("incidents", "closed") | {"closed_because": "tired"}
    assert takes(SCHEMAS["incidents"], event)
    assert not takes(closed(SCHEMAS["incidents"]), event)
    route = example("policy", "route") | {"severities": ["fatal"]}
    assert takes(SCHEMAS["policy"], route)
    assert not takes(closed(SCHEMAS["policy"]), route)


def test_readers_take_unknown_fields() -> None:
    event = example("incidents", "opened") | {"news": {"a": [1]}}
    assert takes(SCHEMAS["incidents"], event)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("policy", {"policy": "holiday", "name": "x"}),
        ("results.control", {"control": "pause", "since": 1}),
        ("targets", example("targets", "smtp") | {"probe": {"kind": "gopher", "x": 1}}),
    ],
)
def test_readers_take_unknown_tags_and_our_own_check_does_not(
    name: str, value: dict[str, Any]
) -> None:
    assert takes(SCHEMAS[name], value)
    assert not takes(closed(SCHEMAS[name]), value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("policy", {"policy": "region"}),
        ("policy", {"name": "no tag"}),
        ("results.control", {"control": "tick"}),
        ("targets", example("targets", "smtp") | {"probe": {"kind": "icmp", "count": 0}}),
    ],
)
def test_a_known_tag_is_held_to_its_fields(name: str, value: dict[str, Any]) -> None:
    assert not takes(SCHEMAS[name], value)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("opened", {"closed_at": 1}),
        ("updated", {"closed_because": "recovered"}),
        ("worsened", {"resolved_by": "ann"}),
        ("closed", {"closed_at": None}),
        ("closed", {"closed_because": None}),
        ("closed", {"resolved_note": "by hand"}),
        ("closed", {"resolved_by": "ann"}),
        ("closed-resolved", {"paused_by": "ann"}),
        ("closed-paused", {"resolved_by": "ann"}),
        ("opened", {"paused_note": "disk"}),
        ("opened", {"event": 5}),
        ("opened", {"severity": None}),
        ("targets-watched", {"count": 1}),
        ("targets-unwatched", {"count": 0}),
    ],
)
def test_what_an_event_can_not_say_is_refused(name: str, changed: dict[str, Any]) -> None:
    event = example("incidents", name)
    assert takes(SCHEMAS["incidents"], event)
    assert not takes(SCHEMAS["incidents"], event | changed)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("opened", "event_id"),
        ("opened", "incident_id"),
        ("region-silent", "event_id"),
        ("targets-unwatched", "cause_id"),
    ],
)
def test_empty_ids_are_refused(name: str, field: str) -> None:
    assert not takes(SCHEMAS["incidents"], example("incidents", name) | {field: ""})


def test_an_unknown_event_may_have_an_end() -> None:
    event = example("incidents", "closed") | {"event": "merged"}
    assert takes(SCHEMAS["incidents"], event)
    assert takes(SCHEMAS["incidents"], event | {"closed_at": None, "closed_because": None})


def test_schemas_of_one_type_take_it_alone() -> None:
    assert takes(SCHEMAS["incidents/RegionEvent"], example("incidents", "region-silent"))
    assert not takes(SCHEMAS["incidents/RegionEvent"], example("incidents", "opened"))
    assert not takes(SCHEMAS["incidents/IncidentEvent"], example("incidents", "region-silent"))


def test_no_text_of_a_schema_has_a_word_of_pythons() -> None:
    texts = [json.dumps(schema) for schema in all_schemas().values()] + [asyncapi.text()]
    assert not [text for text in texts if re.search(r"\bNone\b", text)]
