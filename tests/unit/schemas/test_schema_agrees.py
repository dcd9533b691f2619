"""What our decoders take is what the JSON Schemas (with closed enumerations) take."""

import functools
from collections.abc import Callable
from typing import Any, Final

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from schemas import control, incident, topics, webhook
from schemas.json_schema import CONTROL_SUFFIX, all_schemas, closed
from schemas.webhook import WebhookData
from tests.examples import examples
from tests.unit.schemas.edges import ends_of, values_of

OPEN: Final = {
    name: jsonschema.Draft202012Validator(schema) for name, schema in all_schemas().items()
}
CLOSED: Final = {
    name: jsonschema.Draft202012Validator(closed(schema)) for name, schema in all_schemas().items()
}
STRUCTS: Final[list[tuple[str, type[Struct]]]] = [
    *((topic.name, struct) for topic in topics.ALL for struct in topic.schema),
    *((topic.name + CONTROL_SUFFIX, struct) for topic in topics.ALL for struct in topic.control),
]
every_struct = pytest.mark.parametrize(
    ("name", "struct"), STRUCTS, ids=[f"{name}-{struct.__name__}" for name, struct in STRUCTS]
)


@functools.cache
def ends(struct: type[Struct]) -> tuple[Any, Any]:
    return ends_of(struct)


def decoder(name: str, struct: type[Struct]) -> Callable[[bytes], object]:
    if name.startswith(topics.INCIDENTS.name):
        return incident.decode
    if name.endswith(CONTROL_SUFFIX):
        return control.decode
    return msgspec.json.Decoder(struct).decode


def decodes(name: str, struct: type[Struct], value: object) -> bool:
    try:
        decoder(name, struct)(msgspec.json.encode(value))
    except msgspec.ValidationError:
        return False
    return True


def faults(validator: Any, value: object) -> list[str]:
    found = validator.iter_errors(value)
    return [f"{list(one.absolute_path)}: {one.message[:300]}" for one in found]


def assert_agreed(name: str, struct: type[Struct], value: object) -> None:
    said = faults(CLOSED[name], value)
    assert decodes(name, struct, value) == (not said), said
    if not said:
        assert not faults(OPEN[name], value)


@every_struct
def test_ends_of_all_ranges(name: str, struct: type[Struct]) -> None:
    for value in ends(struct):
        assert_agreed(name, struct, value)


@every_struct
@settings(max_examples=examples(8), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_values_within_ranges(name: str, struct: type[Struct], data: st.DataObject) -> None:
    assert_agreed(name, struct, data.draw(values_of(struct)))


@every_struct
@settings(max_examples=examples(8), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_one_field_of_another_kind(name: str, struct: type[Struct], data: st.DataObject) -> None:
    value = ends(struct)[1]
    field = data.draw(st.sampled_from(sorted(value)))
    odd = st.sampled_from([None, -1, 10**20, "", "x\x00", [], [None], {}, {"a": {}}, True, 0.5])
    assert_agreed(name, struct, value | {field: data.draw(odd)})


@settings(max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_ends_of_incidents(data: st.DataObject) -> None:
    event = ends(incident.IncidentEvent)[0] | {
        "event": data.draw(
            st.sampled_from(["opened", "updated", "improved", "worsened", "closed"])
        ),
        "closed_at": data.draw(st.sampled_from([None, 5])),
        "closed_because": data.draw(
            st.sampled_from([None, "recovered", "resolved", "target_paused"])
        ),
    }
    for field in ("resolved_by", "resolved_note", "paused_by", "paused_note", "paused_until"):
        if data.draw(st.booleans()):
            event[field] = 5 if field == "paused_until" else "ann"
    assert_agreed("incidents", incident.IncidentEvent, event)


def test_the_data_of_webhooks() -> None:
    low, _ = ends(WebhookData)
    assert not faults(CLOSED["webhook"], low)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("incident", {"event": "opened", "closed_at": 5}),
        ("incident", {"event": "closed"}),
        ("incident", {"event": "updated", "resolved_by": "ann"}),
        ("incident", {"event": "updated", "paused_until": 5}),
        ("incident", {"incident_id": ""}),
        ("targets", {"event": "targets.watched", "count": 1}),
        ("targets", {"event": "targets.unwatched", "count": 0}),
    ],
)
def test_a_webhooks_event_may_not_contradict_itself(kind: str, changes: dict[str, Any]) -> None:
    event = ends(incident.IncidentEvent if kind == "incident" else incident.TargetsEvent)[0]
    right = {"incident": {"event": "opened"}, "targets": {"event": "targets.watched"}}
    low = ends(WebhookData)[0]
    good = low | {kind: event | right[kind]}
    assert not faults(CLOSED["webhook"], good)
    webhook.decode(msgspec.json.encode(good))
    bad = low | {kind: event | right[kind] | changes}
    assert faults(CLOSED["webhook"], bad)
    with pytest.raises(msgspec.ValidationError):
        webhook.decode(msgspec.json.encode(bad))
