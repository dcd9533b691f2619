"""The documents that generated types are held against: each example, and its later forms."""

import json
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

import schemas
from tests.integration.contract import strange

PACKAGE: Final = Path(schemas.__file__).parent
TYPES: Final = {
    "incidents/IncidentEvent": "IncidentEvent",
    "incidents/RegionEvent": "RegionEvent",
    "incidents/TargetsEvent": "TargetsEvent",
    "results": "CheckResult",
    "targets": "Target",
    "webhook": "WebhookData",
}
"""Schema of `schemas/json/` → name of the type that is generated from it."""


class Document(Struct, frozen=True):
    """A value of the type `type`, that is valid by the schema `schema`."""

    schema: str
    type: str
    value: Any


def schema_of(name: str) -> dict[str, Any]:
    """A JSON Schema as a stranger has it: from its file."""
    found: dict[str, Any] = json.loads((PACKAGE / "json" / f"{name}.schema.json").read_bytes())
    return found


def documents() -> list[Document]:
    """All of them."""
    return [
        Document(name, kind, value)
        for name, kind in TYPES.items()
        for example in examples(name)
        for value in strange.variants(schema_of(name), example)
    ]


def examples(name: str) -> list[Any]:
    """The examples of the topic of a schema that are of its type."""
    folder, _, kind = name.partition("/")
    found = [json.loads(path.read_bytes()) for path in sorted(folder_of(folder).glob("*.json"))]
    if not kind:
        return found
    return [value for value in found if event_type(value) == kind]


def folder_of(topic: str) -> Path:
    """The folder with the examples of a topic."""
    return PACKAGE / "examples" / topic


def event_type(value: dict[str, Any]) -> str:
    """The type of an example of [incidents], by the words of its `event`."""
    first = value["event"].partition(".")[0]
    return {"region": "RegionEvent", "targets": "TargetsEvent"}.get(first, "IncidentEvent")


def lines(listed: list[Document]) -> str:
    """The documents as the readers take them, one a line."""
    return "".join(
        json.dumps(
            {"type": one.type, "schema": f"{one.schema}.schema.json", "json": json.dumps(one.value)}
        )
        + "\n"
        for one in listed
    )
