"""Whole messages are what the roles write, and all of them are in the AsyncAPI document."""

import json
from pathlib import Path
from typing import Final

import jsonschema
import pytest

import schemas
from schemas import asyncapi, batch, control, incident, notification, policy, target, topics
from schemas.json_schema import all_schemas, closed
from schemas.messages import all_messages
from streams.rules import messages as streams_messages

FOLDER: Final = Path(schemas.__file__).parent
MESSAGES: Final = all_messages()
DOCUMENT: Final = asyncapi.document()


def test_every_example_is_a_message() -> None:
    for topic in ("incidents", "incidents.open", "targets", "policy", "notifications"):
        names = {path.stem for path in (FOLDER / "examples" / topic).glob("*.json")}
        assert names <= MESSAGES[topic].keys(), topic


def test_events_are_as_the_stream_writes_them() -> None:
    for name, message in MESSAGES["incidents"].items():
        path = FOLDER / "examples" / "incidents" / f"{name}.json"
        written = streams_messages.encode(incident.decode(path.read_bytes()), 16)
        assert message.topic == "portquorum.incidents"
        assert message.key == written.key.decode()
        assert message.value == written.value.decode()
        assert list(message.headers.items()) == [(k, v.decode()) for k, v in written.headers]


def test_the_schema_that_an_event_names_is_there() -> None:
    written = {schema["$id"] for schema in all_schemas().values()}
    for topic in ("incidents", "incidents.open"):
        for message in MESSAGES[topic].values():
            assert message.headers["ce_dataschema"] in written


def test_open_incidents_are_events_under_the_incidents_id() -> None:
    for name, message in MESSAGES["incidents.open"].items():
        if message.value is None:
            assert message.headers["ce_type"] == "portquorum.incident.closed.v1"
            continue
        event = incident.decode(message.value.encode())
        assert isinstance(event, incident.IncidentEvent), name
        assert (message.key, event.closed_at) == (event.incident_id, None)
        assert message.headers["ce_id"] == event.event_id


def test_results_have_values_or_control_records() -> None:
    for name, message in MESSAGES["results"].items():
        assert message.key is None
        assert message.value is not None
        headers = [(key, text.encode()) for key, text in message.headers.items()]
        body = control.body(headers)
        if body is None:
            results, bad = batch.decode(message.value.encode())
            assert results, name
            assert not bad
        else:
            assert message.value == ""
            assert control.headers(control.decode(body)) == headers


def test_keys_are_those_of_the_values() -> None:
    for message in MESSAGES["targets"].values():
        if message.value is not None:
            assert message.key == target.decode(message.value.encode()).id
    for message in MESSAGES["policy"].values():
        if message.value is not None:
            entry = policy.decode(message.value.encode())
            assert message.key is not None
            assert policy.key(message.key.split("/")[0], entry) == message.key.encode()
    for message in MESSAGES["notifications"].values():
        assert message.value is not None
        assert notification.decode(message.value.encode()).key.decode() == message.key


def test_removals_have_a_null_value_and_a_key() -> None:
    removals = [
        message for listed in MESSAGES.values() for message in listed.values() if not message.value
    ]
    tombstones = [one for one in removals if one.value is None]
    assert {one.topic for one in tombstones} == {
        "portquorum.incidents.open",
        "portquorum.policy",
        "portquorum.targets",
    }
    assert all(one.key for one in tombstones)


@pytest.mark.parametrize("topic", ["incidents", "incidents.open", "policy", "targets"])
def test_values_hold_against_the_schema(topic: str) -> None:
    validator = jsonschema.Draft202012Validator(closed(all_schemas()[topic]))
    for message in MESSAGES[topic].values():
        if message.value is not None:
            validator.validate(json.loads(message.value))


def test_each_type_of_event_is_a_message_of_asyncapi_with_examples() -> None:
    listed = DOCUMENT["channels"]["incidents"]["messages"]
    types = {DOCUMENT["components"]["messages"][name]["name"] for name in listed}
    found = {message.headers["ce_type"] for message in MESSAGES["incidents"].values()}
    assert found == types
    for name in listed:
        message = DOCUMENT["components"]["messages"][name]
        headers = jsonschema.Draft7Validator(message["headers"])
        assert message["examples"]
        for example in message["examples"]:
            headers.validate(example["headers"])
            assert example["headers"].keys() == message["headers"]["properties"].keys()
            assert example["headers"]["ce_type"] == message["name"]


def test_the_channels_are_the_topics_for_readers_outside() -> None:
    addresses = {one["address"] for one in DOCUMENT["channels"].values()}
    assert addresses == {f"{{prefix}}.{topic}" for topic in MESSAGES}
    assert topics.STATE.full_name("{prefix}") not in addresses


def test_each_message_has_a_name_of_its_own() -> None:
    listed = [name for one in DOCUMENT["channels"].values() for name in one["messages"]]
    assert sorted(listed) == sorted(DOCUMENT["components"]["messages"])


def test_payloads_hold_against_the_documents_own_schemas() -> None:
    checked = 0
    for message in DOCUMENT["components"]["messages"].values():
        schema = message["payload"] | {"components": DOCUMENT["components"]}
        for example in message.get("examples", []):
            jsonschema.Draft7Validator(schema).validate(example["payload"])
            checked += 1
    assert checked > 30
