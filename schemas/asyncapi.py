"""The AsyncAPI 3.0 document of the topics for readers outside (schemas/asyncapi.yaml)."""

from collections.abc import Iterator
from typing import Any, Final, get_args

import msgspec
import yaml

from schemas import control, incident, messages, schema_ids, topics
from schemas.json_schema import DEFINITIONS, definitions
from schemas.messages import ExampleMessage
from schemas.topics import Topic

VERSION: Final = "3.0.0"
BINDING: Final = "0.5.0"
"""Version of the Kafka bindings (github.com/asyncapi/bindings/tree/master/kafka)."""

_COMPONENTS: Final = "#/components/schemas/"
_JSON: Final = "application/json"
_NDJSON: Final = "application/x-ndjson"
_HEAD: Final = (
    "# Written by `python -m schemas.generate` from schemas/topics.py and the Structs; "
    "change those, not this.\n"
)
_ABOUT: Final = """\
The topics that services outside of portquorum may read. **Two are for subscribers: [incidents] and
[incidents.open]**; docs/subscribers.md tells how to read them. The others are for who keeps or
counts more: [results] (each check; batches, not one JSON a message), [targets] and [policy] (the
inventory), [notifications] (who was told of what). A subscriber needs none of them, and no right to
them. docs/topics.md has all topics.

- Delivery is at least once: a message may come again with the same key, headers and bytes. Make
  `ce_id` (the same as `event_id`) the key of whatever you write.
- Enumerations are open: a field that lists known members (`anyOf` of them and any string) may have
  others, and there may be other types of messages (`ce_type`). Leave out what you do not know.
- New fields may come at any time: ignore those that you do not know. What would break a reader
  makes a version 2 (`ce_type` ends in `.v2`, `ce_dataschema` in `:v2`).
- The type of an event is its header `ce_type`: `portquorum.incident.…` has an `IncidentEvent` as
  value, `portquorum.region.…` a `RegionEvent`, `portquorum.targets.…` a `TargetsEvent`.
- Compare the whole `ce_type`, its version too, and store no id for what you leave out.
- Keep the state by `incident_id`; the events of one incident come in order, in one partition. A
  target has trouble while any of its incidents is open; `incident_type` says which. It is down only
  by `unreachable` that has not improved (an `updated` changes nothing of that); `flapping` is up
  and down in turn, `slow` and `expiring` are up.
- When a target's host changes, its events go on in another partition: of two events from two
  partitions the larger (`target_version`, `at`) is newer, and an absent `target_version` is older
  than any.
- No open incident means "up" only while no `targets.unwatched` holds: keep these by `partition`;
  the newest `at` counts, `targets.watched` ends it. Of each `region` keep two states: `returned`
  ends `silent`, `cleared` ends `suspect`. Neither kind is in [incidents.open].
- To begin with what is open now: note the end offsets of [incidents], then ask for those of ten
  minutes ago; where there is none, or a larger one, take the noted end. Read [incidents.open] from
  its beginning to its end, then follow [incidents] from those offsets.
- An event that is older (`at`) than your state of the same incident does no work; an equal one
  does (two events of one record have the same).
- Times are UTC milliseconds since 1970 unless the field says otherwise."""

_EVENT_STRUCTS: Final = (
    (incident.IncidentEvent, "incident.", incident.EventKind),
    (incident.RegionEvent, "", incident.RegionEventKind),
    (incident.TargetsEvent, "", incident.TargetsEventKind),
)
_GROUP: Final = {
    "type": "string",
    "minLength": 1,
    "description": "A name of the reader's own: each group gets every message.",
}
_SAYS: Final[dict[str, str]] = {
    "opened": "A quorum of regions agrees that the target is down, slow or flapping; or a region "
    "saw a certificate that ends soon.",
    "updated": "Something that a reader would want to know has changed; `changes` says what.",
    "improved": "The regions no longer agree that the target is down, but some still fail. The "
    "incident stays open.",
    "worsened": "An incident that had improved is down again: another `episode`.",
    "closed": "The incident is over; `closed_because` says why. By it the target is up: "
    "`recovered`; gone: `target_removed`; down: `steady`; up and down in turn: `flapping`; no "
    "longer looked at for this: `policy_changed`; not known: `resolved`, `target_changed`, "
    "`target_paused`, `abandoned`, other words.",
    "region.silent": "Nothing is heard of a region's probers.",
    "region.returned": "A region's probers are heard again.",
    "region.suspect": "A region fails where others do not, and is set aside.",
    "region.cleared": "A region counts again.",
    "region.clock_skewed": "The clock of a prober's machine is off by more than 5 s.",
    "region.secrets_missing": "Probers of a region lack secrets that checks need.",
    "region.secrets_found": "No check in a region lacks a secret any more.",
    "targets.unwatched": "Nobody can judge some targets of a partition: their outage would open no "
    "incident. Replaces the partition's earlier ones; alert people on it.",
    "targets.watched": "All targets of a partition are watched again.",
}
"""What each event says."""

_SUBJECTS: Final = {
    "IncidentEvent": "The target's id.",
    "RegionEvent": "The region's name.",
    "TargetsEvent": "The `cause_id`.",
}

_MOST_EXAMPLES: Final = 2
"""Examples of a message here; schemas/messages/ has all of them."""

_TOMBSTONE: Final = {"type": "null"}


def document() -> dict[str, Any]:
    """The whole document."""
    examples = messages.all_messages()
    channels = {
        "incidents": (topics.INCIDENTS, _incident_messages(examples["incidents"])),
        "openIncidents": (topics.INCIDENTS_OPEN, _open_messages(examples["incidents.open"])),
        "results": (topics.RESULTS, _result_messages(examples["results"])),
        "targets": (topics.TARGETS, _compacted(topics.TARGETS, examples["targets"])),
        "policy": (topics.POLICY, _compacted(topics.POLICY, examples["policy"])),
        "notifications": (
            topics.NOTIFICATIONS,
            _plain(topics.NOTIFICATIONS, examples["notifications"]),
        ),
    }
    written = {name: dict(listed) for name, (_, listed) in channels.items()}
    return {
        "asyncapi": VERSION,
        "id": schema_ids.schema_id("asyncapi"),
        "info": {
            "title": "portquorum",
            "version": f"{schema_ids.VERSION}.0.0",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "tags": [{"name": "monitoring"}, {"name": "kafka"}, {"name": "cloudevents"}],
        },
        "defaultContentType": _JSON,
        "servers": _servers(),
        "channels": {name: _channel(topic, written[name]) for name, (topic, _) in channels.items()},
        "operations": {
            f"receive{name[0].upper()}{name[1:]}": _operation(name, topic, written[name])
            for name, (topic, _) in channels.items()
        },
        "components": {
            "messages": {key: one for listed in written.values() for key, one in listed.items()},
            "schemas": _schemas([topic for topic, _ in channels.values()]),
            "correlationIds": {
                "incident": {
                    "description": "All events of one incident.",
                    "location": "$message.payload#/incident_id",
                }
            },
            "securitySchemes": _SECURITY,
        },
    }


def text() -> str:
    """The document as YAML."""
    body = yaml.dump(document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return _HEAD + str(body)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, and no aliases: each part can be read alone."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the interface's name
        return True


def _block(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    if value[:1] in set("+-.0123456789"):
        # PyYAML reads YAML 1.1, others 1.2: they differ in what is a number without quotes (1e3).
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _block)


_SECURITY: Final = {
    "scramSha256": {"type": "scramSha256", "description": "SASL SCRAM-SHA-256."},
    "scramSha512": {"type": "scramSha512", "description": "SASL SCRAM-SHA-512."},
    "plain": {"type": "plain", "description": "SASL PLAIN, over TLS."},
    "clientCertificate": {"type": "X509", "description": "A certificate of the client's (mTLS)."},
}


def _servers() -> dict[str, Any]:
    variables = {
        "host": {"default": "kafka.example.com", "description": "One of the cluster's brokers."},
        "port": {"default": "9092"},
    }
    secured = [{"$ref": f"#/components/securitySchemes/{name}"} for name in _SECURITY]
    return {
        "secured": {
            "host": "{host}:{port}",
            "protocol": "kafka-secure",
            "description": "The installation's Kafka with TLS; who reads logs in in one of these "
            "ways.",
            "variables": variables,
            "security": secured,
        },
        "plaintext": {
            "host": "{host}:{port}",
            "protocol": "kafka",
            "description": "Without TLS and login, as the embedded Kafka on one machine.",
            "variables": variables,
        },
    }


def _channel(topic: Topic, listed: dict[str, Any]) -> dict[str, Any]:
    configuration: dict[str, Any] = {"cleanup.policy": topic.cleanup.split(",")}
    if topic.retention_ms is not None:
        configuration["retention.ms"] = topic.retention_ms
    kafka: dict[str, Any] = {"topicConfiguration": configuration, "bindingVersion": BINDING}
    where = "The fleet's partition count (PORTQUORUM_PARTITIONS, 16 by default)."
    if topic.partitions != "fleet":
        kafka = {"partitions": topic.partitions} | kafka
        where = f"{topic.partitions} partition{'s' if topic.partitions != 1 else ''}."
    return {
        "address": topic.full_name("{prefix}"),
        "title": f"[{topic.name}]",
        "description": f"{topic.about}\n\nKey: {topic.key}.\nPartitions: {where}",
        "parameters": {
            "prefix": {
                "default": messages.PREFIX,
                "description": "The prefix of all topics (PORTQUORUM_TOPIC_PREFIX).",
            }
        },
        "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in listed},
        "bindings": {"kafka": kafka},
    }


def _operation(channel: str, topic: Topic, listed: dict[str, Any]) -> dict[str, Any]:
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": f"Read [{topic.name}].",
        "messages": [{"$ref": f"#/channels/{channel}/messages/{key}"} for key in listed],
        "bindings": {"kafka": {"groupId": _GROUP, "bindingVersion": BINDING}},
    }


def _schemas(listed: list[Topic]) -> dict[str, Any]:
    structs: dict[str, Any] = {}
    for topic in listed:
        structs |= definitions(topic.schema)
        if topic.control:
            structs |= definitions(topic.control)
    found: dict[str, Any] = _moved(dict(sorted(structs.items())))
    return found


def _moved(node: Any) -> Any:
    if isinstance(node, list | tuple):
        return [_moved(value) for value in node]
    if not isinstance(node, dict):
        return node
    return {
        key: value.replace(DEFINITIONS, _COMPONENTS) if key == "$ref" else _moved(value)
        for key, value in node.items()
    }


def _incident_messages(examples: dict[str, ExampleMessage]) -> Iterator[tuple[str, Any]]:
    for struct, prefix, kinds in _EVENT_STRUCTS:
        for kind in get_args(kinds):
            ce_type = f"portquorum.{prefix}{kind}.v1"
            found = {
                name: one for name, one in examples.items() if one.headers["ce_type"] == ce_type
            }
            yield _camel(f"{prefix}{kind}"), _event(struct, ce_type, _SAYS[kind], found)


def _event(
    struct: type[msgspec.Struct], ce_type: str, says: str, examples: dict[str, ExampleMessage]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": ce_type,
        "title": f"{struct.__name__}: {ce_type.removeprefix('portquorum.').removesuffix('.v1')}",
        "summary": says,
        "contentType": _JSON,
        "headers": _event_headers(ce_type, _SUBJECTS[struct.__name__]),
        "payload": {"$ref": _COMPONENTS + struct.__name__},
    }
    if struct is incident.IncidentEvent:
        found["correlationId"] = {"$ref": "#/components/correlationIds/incident"}
        key = "The host, or the target's id where there is none."
    else:
        key = "The region." if struct is incident.RegionEvent else "The `cause_id`."
    return found | {"bindings": _key(key), "examples": _shown(examples)}


def _open_messages(examples: dict[str, ExampleMessage]) -> Iterator[tuple[str, Any]]:
    key = "The `incident_id`."
    events = {name: one for name, one in examples.items() if one.value is not None}
    yield (
        "openIncident",
        {
            "name": "openIncident",
            "title": "The newest event of an open incident",
            "summary": "The same bytes and headers as on [incidents].",
            "contentType": _JSON,
            "headers": _event_headers(None, _SUBJECTS["IncidentEvent"]),
            "correlationId": {"$ref": "#/components/correlationIds/incident"},
            "payload": {"$ref": _COMPONENTS + incident.IncidentEvent.__name__},
            "bindings": _key(key),
            "examples": _shown(events),
        },
    )
    about = "The incident is closed. The headers are those of the event that closed it, or none."
    headers = _event_headers("portquorum.incident.closed.v1", _SUBJECTS["IncidentEvent"])
    del headers["required"]
    yield "openIncidentRemoved", _removed(about, key) | {"headers": headers}


def _result_messages(examples: dict[str, ExampleMessage]) -> Iterator[tuple[str, Any]]:
    line = topics.RESULTS.schema[0].__name__
    yield (
        "resultBatch",
        {
            "name": "resultBatch",
            "title": "A batch of check results",
            "summary": f"NDJSON: each line is one `{line}`, ended by a newline. The header "
            f"`{control.HEADER}` is absent.",
            "contentType": _NDJSON,
            "payload": {"type": "string", "description": f"Lines, each a `{line}` as JSON."},
            "examples": [
                {"name": name, "payload": one.value} for name, one in examples.items() if one.value
            ],
        },
    )
    for struct in topics.RESULTS.control:
        tag = str(struct.__struct_config__.tag)
        yield (
            _camel(f"control_{tag}"),
            {
                "name": f"control.{tag}",
                "title": f"Control record `{tag}`",
                "summary": f"The value is empty (0 bytes, not null). The header `{control.HEADER}` "
                f"is a `{struct.__name__}` as JSON. Readers of results leave it out.",
                "contentType": "application/octet-stream",
                "headers": {
                    "type": "object",
                    "required": [control.HEADER],
                    "properties": {
                        control.HEADER: {
                            "type": "string",
                            "contentMediaType": _JSON,
                            "description": f"`{struct.__name__}` as JSON.",
                        }
                    },
                },
                "payload": {"type": "string", "maxLength": 0},
                "examples": [
                    {"name": name, "headers": one.headers, "payload": ""}
                    for name, one in examples.items()
                    if name.startswith(f"control-{tag.replace('_', '-')}")
                ],
            },
        )


def _compacted(topic: Topic, examples: dict[str, ExampleMessage]) -> Iterator[tuple[str, Any]]:
    yield from _plain(topic, examples)
    yield _camel(f"{topic.name}_removed"), _removed("It is removed.", topic.key)


def _plain(topic: Topic, examples: dict[str, ExampleMessage]) -> Iterator[tuple[str, Any]]:
    for struct in topic.schema:
        name = struct.__name__
        tag, field = struct.__struct_config__.tag, struct.__struct_config__.tag_field
        found = {}
        for key, one in examples.items():
            value = msgspec.json.decode(one.value) if one.value is not None else None
            if value is not None and (tag is None or value[field] == tag):
                found[key] = one
        yield (
            name[0].lower() + name[1:],
            {
                "name": name,
                "title": name,
                "contentType": _JSON,
                "payload": {"$ref": _COMPONENTS + name},
                "bindings": _key(topic.key),
                "examples": _shown(found),
            },
        )


def _removed(about: str, key: str) -> dict[str, Any]:
    return {
        "name": "tombstone",
        "title": "A null value",
        "summary": about,
        "payload": _TOMBSTONE,
        "bindings": _key(key),
    }


def _key(about: str) -> dict[str, Any]:
    key = {"type": "string", "description": about}
    return {"kafka": {"key": key, "bindingVersion": BINDING}}


def _shown(examples: dict[str, ExampleMessage]) -> list[dict[str, Any]]:
    shown = []
    # The plain ones (`opened`) have shorter names than the special ones (`opened-expiring`).
    for name, one in sorted(examples.items(), key=lambda item: len(item[0]))[:_MOST_EXAMPLES]:
        found: dict[str, Any] = {"name": name}
        if one.headers:
            found["headers"] = one.headers
        shown.append(found | {"payload": msgspec.json.decode(one.value or "null")})
    return shown


def _event_headers(ce_type: str | None, subject: str) -> dict[str, Any]:
    """The schema of an event's headers: CloudEvents 1.0 attributes in binary mode."""
    said: dict[str, dict[str, Any]] = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"minLength": 1, "description": "The event's id; the same as `event_id`."},
        "ce_source": {
            "minLength": 1,
            "format": "uri-reference",
            "description": "The installation: `/NAME/stream`.",
        },
        "ce_type": {"const": ce_type}
        if ce_type
        else {"minLength": 1, "description": "The name of a message of [incidents]."},
        "ce_subject": {"description": subject},
        "ce_time": {"format": "date-time", "description": "RFC 3339, UTC, milliseconds."},
        "ce_dataschema": {"format": "uri", "description": "The `$id` of the value's JSON Schema."},
        "ce_traceparent": {"description": "A W3C trace context, derived from the event's id."},
        "content-type": {"const": _JSON},
        "traceparent": {"description": "The same as `ce_traceparent`."},
    }
    required = ["ce_specversion", "ce_id", "ce_source", "ce_type", "content-type"]
    return {
        "type": "object",
        "required": required,
        "properties": {name: {"type": "string"} | one for name, one in said.items()},
    }


def _camel(name: str) -> str:
    first, *rest = name.replace(".", "_").split("_")
    return first + "".join(part.capitalize() for part in rest)
