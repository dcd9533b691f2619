"""Today's JSON Schemas break no reader of a release; each kind of break would be noticed."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

import schemas
from schemas import asyncapi
from schemas.json_schema import all_schemas
from tests.unit.schemas.compatibility import LIMITS, Broken, breaks, document_breaks

RELEASED: Final = Path(schemas.__file__).parent / "released"
SUFFIX: Final = ".schema.json"
TODAY: Final = all_schemas()

ACCEPTED: Final[dict[str, list[tuple[str, str, str]]]] = {
    "0.1.0": [
        (
            r".*",
            rf"narrowed: ({'|'.join(LIMITS)}) was None, is .*",
            "0.1 named no bound for many values; what it wrote keeps them (tests/golden)",
        ),
        (
            r"(incidents|webhook) .*(Incident|Targets)Event",
            r"the condition `(if|then|else)` is new",
            "what 0.1 wrote does not contradict itself either (tests/golden)",
        ),
        (
            r"policy \.Route\.urls",
            r"the field was required, and is not|widened: minItems was 1, is None",
            "a route may have a rotation alone; readers of routes are our own roles",
        ),
        (
            r"(results\.control \.TargetSet\.target|targets )\.?Target\.probe\..*",
            r"no longer the member (GET|HEAD)|pattern was .*|may be string|widened: .*|may be null",
            "checks say more than in 0.1; readers of options are our own probers",
        ),
    ]
}
"""Release → breaks that are meant: topic and path, words (regular expressions), and why."""

Change = Callable[[dict[str, Any]], object]


def found_since(release: Path) -> list[tuple[str, Broken]]:
    found: list[tuple[str, Broken]] = []
    for path in sorted(release.glob(f"*{SUFFIX}")):
        name = path.name.removesuffix(SUFFIX)
        if name not in TODAY:
            found.append((name, Broken("", "the schema is gone")))
            continue
        found += [(name, one) for one in breaks(json.loads(path.read_bytes()), TODAY[name])]
    document = release / "asyncapi.yaml"
    if document.exists():  # 0.1 had none
        old = yaml.safe_load(document.read_text())
        found += [("asyncapi", one) for one in document_breaks(old, asyncapi.document())]
    return found


def is_accepted(entry: tuple[str, str, str], name: str, one: Broken) -> bool:
    where, what, _ = entry
    place = re.fullmatch(where, f"{name} {one.path}")
    return place is not None and re.fullmatch(what, one.what) is not None


every_release = pytest.mark.parametrize(
    "release", sorted(RELEASED.iterdir()), ids=lambda path: str(path.name)
)


@every_release
def test_readers_of_a_release_are_not_broken(release: Path) -> None:
    accepted = ACCEPTED.get(release.name, [])
    broken = [
        f"{name} {one.path}: {one.what}"
        for name, one in found_since(release)
        if not any(is_accepted(entry, name, one) for entry in accepted)
    ]
    assert broken == [], (
        "a reader of this release would break: keep what it knows, or make version 2 "
        "(schemas/schema_ids.py)"
    )


@every_release
def test_each_accepted_break_is_there(release: Path) -> None:
    found = found_since(release)
    for entry in ACCEPTED.get(release.name, []):
        assert any(is_accepted(entry, name, one) for name, one in found), entry


def test_the_first_release_is_held() -> None:
    names = {path.name.removesuffix(SUFFIX) for path in (RELEASED / "0.1.0").iterdir()}
    assert {"incidents", "results", "targets", "policy", "notifications"} <= names


def event(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["$defs"]["IncidentEvent"]
    return found


def field(schema: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = event(schema)["properties"][name]
    return found


BREAKS: Final[dict[str, tuple[Change, str]]] = {
    "a required field is gone": (
        lambda new: (event(new)["properties"].pop("team"), event(new)["required"].remove("team")),
        ".IncidentEvent.team: the field is gone",
    ),
    "an optional field is gone": (
        lambda new: event(new)["properties"].pop("expires_at"),
        ".IncidentEvent.expires_at: the field is gone",
    ),
    "a field of an inner object is gone": (
        lambda new: new["$defs"]["Votes"]["properties"].pop("fresh"),
        ".IncidentEvent.votes.Votes.fresh: the field is gone",
    ),
    "a new field is required": (
        lambda new: (
            event(new)["properties"].update(news={"type": "string"}),
            event(new)["required"].append("news"),
        ),
        ".IncidentEvent.news: the field is required, and was not",
    ),
    "an optional field is required": (
        lambda new: event(new)["required"].append("changes"),
        ".IncidentEvent.changes: the field is required, and was not",
    ),
    "a required field is optional": (
        lambda new: event(new)["required"].remove("summary"),
        ".IncidentEvent.summary: the field was required, and is not",
    ),
    "another type": (
        lambda new: field(new, "at").update(type="string"),
        ".IncidentEvent.at: no longer integer",
    ),
    "null is new": (
        lambda new: field(new, "summary").update(type=["string", "null"]),
        ".IncidentEvent.summary: may be null",
    ),
    "null is no more": (
        lambda new: field(new, "host").update(type="string"),
        ".IncidentEvent.host: no longer null",
    ),
    "a narrower range": (
        lambda new: field(new, "at").update(maximum=5),
        ".IncidentEvent.at: narrowed: maximum was 9999999999999, is 5",
    ),
    "a wider range": (
        lambda new: field(new, "port").update(minimum=0),
        ".IncidentEvent.port: widened: minimum was 1, is 0",
    ),
    "a bound where none was": (
        lambda new: field(new, "tags").update(minItems=1),
        ".IncidentEvent.tags: narrowed: minItems was None, is 1",
    ),
    "shorter texts in a list": (
        lambda new: field(new, "tags")["items"].update(maxLength=10),
        ".IncidentEvent.tags[]: narrowed: maxLength was 255, is 10",
    ),
    "another pattern": (
        lambda new: field(new, "kind").update(pattern="^a$"),
        ".IncidentEvent.kind: pattern was ^[a-z][a-z0-9_]{0,31}$, is ^a$",
    ),
    "another pattern of keys": (
        lambda new: field(new, "regions")["propertyNames"].update(pattern="^a$"),
        ".IncidentEvent.regions.propertyNames: pattern was ^[a-z0-9][a-z0-9_-]{0,62}$, is ^a$",
    ),
    "a member is gone": (
        lambda new: new["$defs"]["Severity"]["enum"].remove("info"),
        ".IncidentEvent.severity: no longer the member info",
    ),
    "a member of a nullable enumeration is gone": (
        lambda new: new["$defs"]["ClosedBecause"]["enum"].remove("steady"),
        ".IncidentEvent.closed_because: no longer the member steady",
    ),
    "an open enumeration is closed": (
        lambda new: field(new, "severity")["anyOf"].pop(),
        ".IncidentEvent.severity: the enumeration was open, is closed",
    ),
    "a text is an enumeration": (
        lambda new: field(new, "summary").update(enum=["yes", "no"]),
        ".IncidentEvent.summary: narrowed: any text was allowed, now ['yes', 'no']",
    ),
    "an event is gone": (
        lambda new: new["anyOf"].pop(),
        ": no longer TargetsEvent",
    ),
    "another condition": (
        lambda new: event(new)["then"]["properties"].update(summary={"type": "null"}),
        ".IncidentEvent: the condition `then` is another",
    ),
    "a new condition": (
        lambda new: new["$defs"]["Votes"].update({"not": {"properties": {"down": {"const": 0}}}}),
        ".IncidentEvent.votes.Votes: the condition `not` is new",
    ),
    "no further fields": (
        lambda new: event(new).update(additionalProperties=False),
        ".IncidentEvent.additionalProperties: was True, is False",
    ),
    "another name of the same version": (
        lambda new: new.update({"$id": "urn:example:v1"}),
        "$id: was urn:portquorum:schema:incidents:v1, is urn:example:v1, of the same version",
    ),
    "no name": (
        lambda new: new.pop("$id"),
        "$id: was urn:portquorum:schema:incidents:v1, is None, of the same version",
    ),
}

NO_BREAKS: Final[dict[str, Change]] = {
    "nothing": lambda _: None,
    "a new optional field": lambda new: event(new)["properties"].update(news={"type": "string"}),
    "a new member": lambda new: new["$defs"]["Severity"]["enum"].append("fatal"),
    "another description": lambda new: event(new).update(description="Other words."),
    "null in other words": lambda new: event(new)["properties"].update(
        port={"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 1, "maximum": 65535}]}
    ),
    "a new event": lambda new: (
        new["anyOf"].append({"$ref": "#/$defs/News"}),
        new["$defs"].update(News={"title": "News", "type": "object", "properties": {}}),
    ),
    "a new version": lambda new: (
        new.update({"$id": "urn:portquorum:schema:incidents:v2"}),
        event(new)["properties"].pop("team"),
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_noticed(name: str) -> None:
    change, said = BREAKS[name]
    new = deepcopy(TODAY["incidents"])
    change(new)
    assert said in [f"{one.path}: {one.what}" for one in breaks(TODAY["incidents"], new)]


@pytest.mark.parametrize("name", NO_BREAKS)
def test_what_breaks_nobody_is_let_through(name: str) -> None:
    new = deepcopy(TODAY["incidents"])
    NO_BREAKS[name](new)
    assert breaks(TODAY["incidents"], new) == []


def test_another_tag_is_a_break() -> None:
    new = deepcopy(TODAY["results.control"])
    new["$defs"]["Beat"]["properties"]["control"]["const"] = "pulse"
    assert Broken(".Beat.control", "no longer the member beat") in breaks(
        TODAY["results.control"], new
    )


@pytest.mark.parametrize("name", TODAY)
def test_a_schema_has_no_break_with_itself(name: str) -> None:
    assert breaks(TODAY[name], deepcopy(TODAY[name])) == []


INCIDENTS: Final = "{prefix}.incidents"
OPENED: Final = "portquorum.incident.opened.v1"
DOCUMENT_BREAKS: Final[dict[str, tuple[Change, str]]] = {
    "another address": (
        lambda new: new["channels"]["incidents"].update(address="{prefix}.events"),
        f"{INCIDENTS}: the channel is gone",
    ),
    "a message is gone": (
        lambda new: new["channels"]["incidents"]["messages"].pop("incidentOpened"),
        f"{INCIDENTS} {OPENED}: the message is gone",
    ),
    "another ce_type": (
        lambda new: new["components"]["messages"]["incidentOpened"].update(name="x.v1"),
        f"{INCIDENTS} {OPENED}: the message is gone",
    ),
    "a header is gone": (
        lambda new: new["components"]["messages"]["incidentOpened"]["headers"]["properties"].pop(
            "traceparent"
        ),
        f"{INCIDENTS} {OPENED} headers.traceparent: the field is gone",
    ),
    "a header is not always there": (
        lambda new: new["components"]["messages"]["incidentOpened"]["headers"]["required"].remove(
            "ce_id"
        ),
        f"{INCIDENTS} {OPENED} headers.ce_id: the field was required, and is not",
    ),
    "no headers": (
        lambda new: new["components"]["messages"]["incidentOpened"].pop("headers"),
        f"{INCIDENTS} {OPENED} headers: may be null",
    ),
    "another key": (
        lambda new: new["components"]["messages"]["incidentOpened"]["bindings"]["kafka"][
            "key"
        ].update(description="target id"),
        f"{INCIDENTS} {OPENED}: the key was",
    ),
    "no key": (
        lambda new: new["components"]["messages"]["target"].pop("bindings"),
        "{prefix}.targets Target: the key was",
    ),
    "another content type": (
        lambda new: new["components"]["messages"]["resultBatch"].update(contentType="text/csv"),
        "{prefix}.results resultBatch: contentType was application/x-ndjson, is text/csv",
    ),
    "another cleanup": (
        lambda new: new["channels"]["openIncidents"]["bindings"]["kafka"][
            "topicConfiguration"
        ].update({"cleanup.policy": ["delete"]}),
        "{prefix}.incidents.open: cleanup was ['compact'], is ['delete']",
    ),
    "other partitions": (
        lambda new: new["channels"]["policy"]["bindings"]["kafka"].update(partitions=3),
        "{prefix}.policy: another number of partitions",
    ),
}


@pytest.mark.parametrize("name", DOCUMENT_BREAKS)
def test_a_break_of_the_asyncapi_document_is_noticed(name: str) -> None:
    change, said = DOCUMENT_BREAKS[name]
    old, new = asyncapi.document(), deepcopy(asyncapi.document())
    change(new)
    found = [f"{one.path}: {one.what}" for one in document_breaks(old, new)]
    assert any(one.startswith(said) for one in found), found


def test_the_asyncapi_document_has_no_break_with_itself() -> None:
    written = yaml.safe_load(asyncapi.text())
    assert written == asyncapi.document()
    assert document_breaks(written, asyncapi.document()) == []


def test_new_channels_and_messages_break_nobody() -> None:
    new = deepcopy(asyncapi.document())
    new["channels"]["news"] = deepcopy(new["channels"]["incidents"]) | {"address": "{prefix}.news"}
    new["components"]["messages"]["news"] = {"name": "portquorum.news.v1"}
    new["channels"]["incidents"]["messages"]["news"] = {}
    assert document_breaks(asyncapi.document(), new) == []
