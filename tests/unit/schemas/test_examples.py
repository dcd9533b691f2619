"""Every example holds against the JSON Schema and against the decoder that the roles use."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest

import schemas
from schemas import (
    batch,
    checkpoint,
    control,
    deadletter,
    incident,
    notification,
    notifier_state,
    policy,
    recheck,
    target,
    topics,
    web,
    webhook,
)
from schemas.json_schema import CONTROL_SUFFIX, all_schemas, closed
from schemas.result import REASON_TEXT, CheckResult, Reason

EXAMPLES = Path(schemas.__file__).parent / "examples"
SCHEMAS = {name: closed(schema) for name, schema in all_schemas().items() if "/" not in name}

DECODERS: dict[str, Callable[[bytes], msgspec.Struct]] = {
    "targets": target.decode,
    "policy": policy.decode,
    "results": msgspec.json.Decoder(CheckResult).decode,
    "results.control": control.decode,
    "rechecks": recheck.decode,
    "state": checkpoint.decode_head,
    "checkpoints": checkpoint.decode_head,
    "incidents": incident.decode,
    "incidents.open": incident.decode,
    "notifications": notification.decode,
    "notifier-state": notifier_state.decode,
    "deadletter": deadletter.decode,
    "web": web.decode,
    "webhook": webhook.decode,
}


every_example = pytest.mark.parametrize(
    "path",
    sorted(EXAMPLES.glob("*/*.json")),
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)


def decoded(folder: str) -> list[Any]:
    return [
        DECODERS[folder](path.read_bytes()) for path in sorted((EXAMPLES / folder).glob("*.json"))
    ]


@every_example
def test_example_holds_against_the_json_schema(path: Path) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMAS[path.parent.name])
    validator.validate(msgspec.json.decode(path.read_bytes()))


@every_example
def test_example_is_what_our_own_encoder_writes(path: Path) -> None:
    raw = path.read_bytes()
    again = msgspec.json.encode(DECODERS[path.parent.name](raw))
    assert msgspec.json.format(again, indent=2) + b"\n" == raw


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_itself_is_valid(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def test_every_folder_of_examples_has_its_schema() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == set(SCHEMAS) == set(DECODERS)


@pytest.mark.parametrize("topic", topics.ALL, ids=lambda topic: topic.name)
def test_every_struct_of_a_topic_has_an_example(topic: topics.Topic) -> None:
    assert {type(value) for value in decoded(topic.name)} == set(topic.schema)
    if topic.control:
        bodies = decoded(topic.name + CONTROL_SUFFIX)
        assert {type(body) for body in bodies} == set(topic.control)


def test_each_reason_has_one_example_of_its_name() -> None:
    assert set(get_args(Reason)) == set(REASON_TEXT)
    for reason in REASON_TEXT:
        path = EXAMPLES / "results" / f"{reason.replace('_', '-')}.json"
        assert DECODERS["results"](path.read_bytes()).reason == reason  # type: ignore[attr-defined]


def test_reason_is_null_exactly_when_up_or_when_a_job_only_spoke() -> None:
    for result in decoded("results"):
        measured_nothing = result.signal in {"start", "log"}
        assert (result.reason is None) == (result.status == "up" or measured_nothing)


def test_each_kind_of_incident_event_has_an_example() -> None:
    events = [event for event in decoded("incidents") if isinstance(event, incident.IncidentEvent)]
    assert {event.event for event in events} == set(get_args(incident.EventKind))
    assert {event.incident_type for event in events} == set(get_args(incident.IncidentType))
    regions = [event for event in decoded("incidents") if isinstance(event, incident.RegionEvent)]
    assert {event.event for event in regions} == set(get_args(incident.RegionEventKind))
    others = [event for event in decoded("incidents") if isinstance(event, incident.TargetsEvent)]
    assert {event.event for event in others} == set(get_args(incident.TargetsEventKind))


def test_the_example_batch_reads_as_results() -> None:
    results, bad = batch.decode((EXAMPLES / "results" / "batch.ndjson").read_bytes())
    assert [result.reason for result in results] == [
        None,
        "connection_refused",
        "connection_refused",
    ]
    assert not bad


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("port", 0),
        ("port", 65536),
        ("target", "Prod DB"),
        ("target", "prod-db\n"),
        ("status", "sideways"),
        ("reason", "gremlins"),
        ("started_at", -1),
        ("connect_ms", -0.1),
        ("attempt", 256),
    ],
)
def test_schema_and_decoder_refuse_the_same(field: str, value: object) -> None:
    good = msgspec.json.decode((EXAMPLES / "results" / "up.json").read_bytes())
    bad = good | {field: value}
    with pytest.raises(msgspec.ValidationError):
        DECODERS["results"](msgspec.json.encode(bad))
    validator = jsonschema.Draft202012Validator(SCHEMAS["results"])
    if value != "prod-db\n":  # Python's `$`, unlike ECMA-262's, also matches before a newline
        assert not validator.is_valid(bad)
