"""The JSON Schema (2020-12) of what others read, made from the Structs.

That is each topic's values and control records, and the data of webhooks.

Shapes are those that validators and code generators agree on (docs/schemas.md):

- An enumeration is a definition with a name, and open where a field has it: `anyOf` of it and any
  string.
- A union of tagged Structs is open: `anyOf` of them and an `Other…` with another tag.
- What may be null has a list of types, where that can be said (`["string", "null"]`).
- All keywords are those of the dialect, so that strict validators take them.
"""

import inspect
import re
from copy import deepcopy
from typing import Any, Final

import msgspec

from schemas import topics
from schemas.enumerations import name_of
from schemas.schema_ids import schema_id
from schemas.webhook import WebhookData

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
CONTROL_SUFFIX: Final = ".control"
WEBHOOK: Final = "webhook"
DEFINITIONS: Final = "#/$defs/"

_KNOWN: Final = "The known members. Fields take any string: a reader must expect further members."
_NULL: Final = {"type": "null"}
_TEXT: Final = {"type": "string"}
_OTHERS: Final = {
    "control": "OtherControl",
    "kind": "OtherProbe",
    "policy": "OtherPolicy",
    "state": "OtherState",
    "web": "OtherWeb",
}
"""Tag field → name of the definition for tags that this version does not know."""

_BEFORE_THE_END: Final = ["opened", "updated", "improved", "worsened"]
_OF_RESOLVED: Final = {"resolved_by": False, "resolved_note": False}
_OF_PAUSED: Final = {"paused_by": False, "paused_until": False, "paused_note": False}
_CONDITIONS: Final[dict[str, dict[str, Any]]] = {
    "IncidentEvent": {
        "if": {"properties": {"event": {"const": "closed"}}},
        "then": {
            "properties": {"closed_at": {"type": "integer"}, "closed_because": {"type": "string"}},
            "if": {"properties": {"closed_because": {"const": "resolved"}}},
            "then": {"properties": _OF_PAUSED},
            "else": {
                "properties": _OF_RESOLVED,
                "if": {"properties": {"closed_because": {"const": "target_paused"}}},
                "else": {"properties": _OF_PAUSED},
            },
        },
        "else": {
            "if": {
                "properties": {"event": {"enum": ["opened", "updated", "improved", "worsened"]}}
            },
            "then": {
                "properties": {
                    "closed_at": _NULL,
                    "closed_because": _NULL,
                }
                | _OF_RESOLVED
                | _OF_PAUSED
            },
        },
    },
    "TargetsEvent": {
        "if": {"properties": {"event": {"const": "targets.watched"}}},
        "then": {"properties": {"count": {"const": 0}}},
        "else": {
            "if": {"properties": {"event": {"const": "targets.unwatched"}}},
            "then": {"properties": {"count": {"type": "integer", "minimum": 1}}},
        },
    },
}
"""What fields say of each other, as `schemas.incident.decode` holds it. Unknown events are free."""


def all_schemas() -> dict[str, dict[str, Any]]:
    """Name → schema: one for each topic, `NAME.control` for control records, and `webhook`.

    A topic (or its control records) of several Structs has one for each of them, too, for
    generators that want an object at the root: `NAME/STRUCT`.
    """
    found: dict[str, dict[str, Any]] = {}
    for topic in topics.ALL:
        found |= _family(topic.name, f"[{topic.name}]", topic.schema, topic.about)
        if topic.control:
            about = f"Bodies of the header `portquorum-control` on [{topic.name}]."
            name = topic.name + CONTROL_SUFFIX
            found |= _family(name, f"[{topic.name}] control record", topic.control, about)
    about = "The data of the CloudEvents that a channel `webhook+http(s)://` posts."
    return found | _family(WEBHOOK, WEBHOOK, (WebhookData,), about)


def closed(node: Any) -> Any:
    """A schema with enumerations that take their known members alone.

    For our own examples and fixtures: whoever reads what another version wrote needs open ones.
    """
    if isinstance(node, list):
        return [closed(value) for value in node]
    if not isinstance(node, dict):
        return node
    found = {key: closed(value) for key, value in node.items()}
    if _is_open(node):
        return found | {"anyOf": [choice for choice in node["anyOf"] if choice != _TEXT]}
    if "anyOf" in node:
        found["anyOf"] = [choice for choice in found["anyOf"] if not _is_other(choice)]
    return found


def _is_open(node: dict[str, Any]) -> bool:
    choices = node.get("anyOf")
    return isinstance(choices, list) and "$ref" in choices[0] and choices[1:2] == [_TEXT]


def _is_other(choice: dict[str, Any]) -> bool:
    return choice.get("$ref", "").removeprefix(DEFINITIONS) in _OTHERS.values()


def definitions(structs: tuple[type[msgspec.Struct], ...]) -> dict[str, Any]:
    """The definitions of the Structs, of all that they have, and of their enumerations, by name."""
    _, components = msgspec.json.schema_components(structs, ref_template=DEFINITIONS + "{name}")
    added: dict[str, Any] = {}
    found = {name: _opened(_node(one), added) for name, one in components.items()}
    for name in _CONDITIONS.keys() & found.keys():
        found[name] |= deepcopy(_CONDITIONS[name])
    if structs[0].__struct_config__.tag is not None and len(structs) > 1:
        tags = [str(struct.__struct_config__.tag) for struct in structs]
        _add_other(str(structs[0].__struct_config__.tag_field), tags, added)
    return dict(sorted((found | added).items()))


def _family(
    name: str, title: str, structs: tuple[type[msgspec.Struct], ...], about: str
) -> dict[str, dict[str, Any]]:
    found = {name: _schema(name, title, structs, about)}
    if len(structs) > 1:
        for struct in structs:
            own = f"{name}/{struct.__name__}"
            found[own] = _object(own, struct)
    return found


def _schema(
    name: str, title: str, structs: tuple[type[msgspec.Struct], ...], about: str
) -> dict[str, Any]:
    defined = definitions(structs)
    listed = [{"$ref": DEFINITIONS + struct.__name__} for struct in structs]
    other = _OTHERS.get(structs[0].__struct_config__.tag_field or "")
    if other in defined and len(structs) > 1:
        listed.append({"$ref": DEFINITIONS + other})
    return _head(name) | {
        "title": f"portquorum {title}",
        "description": about,
        **(listed[0] if len(listed) == 1 else {"anyOf": listed}),
        "$defs": defined,
    }


def _object(name: str, struct: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema of one Struct, with its properties at the root."""
    found = definitions((struct,))
    root: dict[str, Any] = found.pop(struct.__name__)
    return _head(name) | root | {"$defs": found}


def _head(name: str) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": schema_id(name)}


def _opened(node: Any, added: dict[str, Any]) -> Any:
    """`node` in the shapes above; the definitions that it needs for them go to `added`."""
    if isinstance(node, list):
        return [_opened(value, added) for value in node]
    if not isinstance(node, dict):
        return node
    members = node.get("enum")
    if members is not None:
        if len(members) == 1:  # the tag of a Struct
            return {"type": "string", "const": members[0]}
        name = name_of(members)
        added[name] = {"title": name, "description": _KNOWN, "type": "string", "enum": members}
        rest = {key: value for key, value in node.items() if key != "enum"}
        return {"type": "string", "anyOf": [{"$ref": DEFINITIONS + name}, _TEXT], **rest}
    # OpenAPI has the keyword `discriminator`, JSON Schema does not; the tags say the same.
    tagged = node.get("discriminator")
    found = {key: _opened(value, added) for key, value in node.items() if key != "discriminator"}
    if tagged is not None:
        name = _add_other(tagged["propertyName"], list(tagged["mapping"]), added)
        found["anyOf"].append({"$ref": DEFINITIONS + name})
    return _flat(found)


def _add_other(field: str, tags: list[str], added: dict[str, Any]) -> str:
    name = _OTHERS[field]
    added[name] = {
        "title": name,
        "description": f"An object whose `{field}` this version of the schema does not know.",
        "type": "object",
        "properties": {field: {"type": "string", "not": {"enum": sorted(tags)}}},
        "required": [field],
    }
    return name


def _flat(node: dict[str, Any]) -> dict[str, Any]:
    """`node` with one list of choices, and one of types where all choices have types."""
    choices = node.get("anyOf")
    if choices is None:
        return node
    flat: list[dict[str, Any]] = []
    for choice in choices:
        flat += choice.get("anyOf", [choice])
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    if len(flat) == 2 and flat[1] == _NULL and "type" in flat[0]:
        return flat[0] | {"type": [flat[0]["type"], "null"]} | rest
    if _TEXT not in flat:
        return {"anyOf": flat} | rest
    types = [choice["type"] for choice in flat if "type" in choice]
    return {"type": types, "anyOf": flat} | rest


def portable(schema: dict[str, Any]) -> dict[str, Any]:
    r"""A schema of msgspec, made independent of Python and its version.

    In Python `$` also matches before a final newline, so our patterns end in `\Z`; ECMA-262,
    to which JSON Schema refers, has no `\Z`, and its `$` matches only at the end. Descriptions are
    docstrings; Python keeps their indentation up to 3.12 and drops it from 3.13 on.
    """
    return {"$schema": DIALECT, **_node(schema)}


def _node(node: Any) -> Any:
    if isinstance(node, list):
        return [_node(value) for value in node]
    if not isinstance(node, dict):
        return node
    portable_node = {}
    for key, value in node.items():
        if key == "pattern" and isinstance(value, str):
            portable_node[key] = value.replace(r"\Z", "$")
        elif key == "description" and isinstance(value, str):
            # The texts are Python's docstrings; whoever reads the schema may know JSON alone.
            portable_node[key] = re.sub(r"\bNone\b", "null", inspect.cleandoc(value))
        else:
            portable_node[key] = _node(value)
    return portable_node
