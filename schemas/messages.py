"""Whole messages, made from the examples: key, headers and value of each as a reader gets them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from schemas import control, incident, notification, policy, target, topics
from schemas.json_schema import CONTROL_SUFFIX
from schemas.partition import host_key
from schemas.topics import Topic

PREFIX: Final = "portquorum"
EXAMPLES: Final = Path(__file__).parent / "examples"
_SOURCE: Final = "main"
"""The name of the inventory from which the examples of [policy] are."""

_encode: Final = msgspec.json.Encoder().encode


class ExampleMessage(Struct, frozen=True, kw_only=True):
    """One message of the topic `topic`, a name with the default prefix.

    `key` and `value` are text (UTF-8), byte for byte as on the topic; None is Kafka's null. A value
    that is empty, not null, is that of a control record.
    """

    topic: str
    key: str | None
    headers: dict[str, str] = {}
    value: str | None


def all_messages() -> dict[str, dict[str, ExampleMessage]]:
    """Name of a topic → name of an example → the message.

    Those are the topics for readers outside: incidents, results, targets, policy, notifications.
    """
    return {
        topics.INCIDENTS.name: dict(_events(topics.INCIDENTS)),
        topics.INCIDENTS_OPEN.name: dict(_open_incidents()),
        topics.RESULTS.name: dict(_results()),
        topics.TARGETS.name: dict(_targets()),
        topics.POLICY.name: dict(_policy()),
        topics.NOTIFICATIONS.name: dict(_notifications()),
    }


def _examples(folder: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted((EXAMPLES / folder).glob("*.json")):
        yield path.stem, path.read_bytes()


def _events(topic: Topic) -> Iterator[tuple[str, ExampleMessage]]:
    for name, raw in _examples(topic.name):
        event = incident.decode(raw)
        yield (
            name,
            _message(topic, _event_key(event), incident.encode(event), incident.headers(event)),
        )


def _event_key(event: incident.Event) -> str:
    if isinstance(event, incident.IncidentEvent):
        return host_key(event.host, event.target)
    return incident.subject(event)


def _open_incidents() -> Iterator[tuple[str, ExampleMessage]]:
    topic = topics.INCIDENTS_OPEN
    for name, raw in _examples(topic.name):
        event = incident.decode(raw)
        yield (
            name,
            _message(topic, _incident_id(event), incident.encode(event), incident.headers(event)),
        )
    # The tombstone has the headers of the event that closed the incident.
    event = incident.decode((EXAMPLES / topics.INCIDENTS.name / "closed.json").read_bytes())
    yield "closed", _message(topic, _incident_id(event), None, incident.headers(event))


def _incident_id(event: incident.Event) -> str:
    if not isinstance(event, incident.IncidentEvent):
        raise TypeError(f"expected an incident event as example, found {event}")
    return event.incident_id


def _results() -> Iterator[tuple[str, ExampleMessage]]:
    topic = topics.RESULTS
    for path in sorted((EXAMPLES / topic.name).glob("*.ndjson")):
        yield path.stem, _message(topic, None, path.read_bytes())
    for name, raw in _examples(topic.name + CONTROL_SUFFIX):
        headers = control.headers(control.decode(raw))
        yield f"control-{name.replace('_', '-')}", _message(topic, None, b"", headers)


def _targets() -> Iterator[tuple[str, ExampleMessage]]:
    key = None
    for name, raw in _examples(topics.TARGETS.name):
        one = target.decode(raw)
        key = one.id
        yield name, _message(topics.TARGETS, key, _encode(one))
    yield "removed", _message(topics.TARGETS, key, None)


def _policy() -> Iterator[tuple[str, ExampleMessage]]:
    key = None
    for name, raw in _examples(topics.POLICY.name):
        entry = policy.decode(raw)
        source = _SOURCE
        if isinstance(entry, policy.Silence):
            source = policy.SILENCES
        elif isinstance(entry, policy.Pause):
            source = policy.PAUSES
        elif isinstance(entry, policy.DrillDone):
            source = policy.DRILLS
        elif isinstance(entry, policy.ApplyMark):
            source = entry.source
        key = policy.key(source, entry).decode()
        yield name, _message(topics.POLICY, key, policy.encode(entry))
    yield "removed", _message(topics.POLICY, key, None)


def _notifications() -> Iterator[tuple[str, ExampleMessage]]:
    for name, raw in _examples(topics.NOTIFICATIONS.name):
        row = notification.decode(raw)
        yield name, _message(topics.NOTIFICATIONS, row.key.decode(), _encode(row))


def _message(
    topic: Topic,
    key: str | None,
    value: bytes | None,
    headers: list[tuple[str, bytes]] | None = None,
) -> ExampleMessage:
    return ExampleMessage(
        topic=topic.full_name(PREFIX),
        key=key,
        headers={name: text.decode() for name, text in headers or ()},
        value=None if value is None else value.decode(),
    )
