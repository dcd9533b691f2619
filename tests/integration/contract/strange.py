"""Documents as a later version may write them: further members and fields, optional ones absent."""

from collections.abc import Iterator
from typing import Any, Final

UNKNOWN: Final = "not_yet_known"
"""A member of every enumeration, and a field of every object, that today's schemas do not have."""


def variants(schema: dict[str, Any], value: Any) -> Iterator[Any]:
    """A document, and the same with unknown members and fields, and without optional fields."""
    yield value
    yield strange(schema, schema, value)
    yield minimal(schema, schema, value)


def strange(schema: dict[str, Any], node: dict[str, Any], value: Any) -> Any:
    """`value` with an unknown member in each enumeration, and an unknown field in each object."""
    if isinstance(value, str):
        return UNKNOWN if is_enumeration(node) else value
    if isinstance(value, list):
        items = only(schema, node, value).get("items", {})
        return [strange(schema, items, one) for one in value]
    if not isinstance(value, dict):
        return value
    kind = only(schema, node, value)
    fields = kind.get("properties")
    if fields is None:
        below = kind.get("additionalProperties", {})
        return {key: strange(schema, below, one) for key, one in value.items()}
    found = {key: strange(schema, fields.get(key, {}), one) for key, one in value.items()}
    return found | {UNKNOWN: {"text": "new", "list": [1, None]}}


def minimal(schema: dict[str, Any], node: dict[str, Any], value: Any) -> Any:
    """`value` without the fields that may be absent."""
    if isinstance(value, list):
        items = only(schema, node, value).get("items", {})
        return [minimal(schema, items, one) for one in value]
    if not isinstance(value, dict):
        return value
    kind = only(schema, node, value)
    fields = kind.get("properties")
    if fields is None:
        below = kind.get("additionalProperties", {})
        return {key: minimal(schema, below, one) for key, one in value.items()}
    return {
        key: minimal(schema, fields.get(key, {}), one)
        for key, one in value.items()
        if key in kind["required"]
    }


def is_enumeration(node: dict[str, Any]) -> bool:
    """Whether the schema of a field is an open enumeration."""
    choices = node.get("anyOf", [])
    return {"type": "string"} in choices and "$ref" in choices[0]


def only(schema: dict[str, Any], node: dict[str, Any], value: Any) -> dict[str, Any]:
    """The one alternative of `node` that is for `value`, an object or a list."""
    if "$ref" in node:
        return only(schema, schema["$defs"][node["$ref"].rpartition("/")[2]], value)
    if "anyOf" not in node:
        return node
    kind = "object" if isinstance(value, dict) else "array"
    for choice in node["anyOf"]:
        found = only(schema, choice, value)
        if found.get("type") != kind:
            continue
        fields = found.get("properties", {})
        tags = [key for key, one in fields.items() if "const" in one]
        if all(value.get(key) == fields[key]["const"] for key in tags):
            return found
    return {}


def same(before: Any, after: Any) -> bool:
    """Whether `after` has all of `before`.

    Null, empty and absent are one: Go leaves out what is empty. Unknown fields are free.
    """
    if after is None:
        return before in (None, [], {})
    if isinstance(before, dict) and isinstance(after, dict):
        return all(same(one, after.get(key)) for key, one in before.items() if key != UNKNOWN)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(same, before, after))
    return bool(before == after)
