"""The JSON Schema (2020-12) of each topic's values and control records, made from the Structs."""

import inspect
from typing import Any, Final

import msgspec

from schemas import topics
from schemas.topics import Topic

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
CONTROL_SUFFIX: Final = ".control"


def all_schemas() -> dict[str, dict[str, Any]]:
    """Name → schema: one for each topic, and `NAME.control` where control records exist."""
    found = {}
    for topic in topics.ALL:
        found[topic.name] = _schema(topic, topic.schema, topic.about)
        if topic.control:
            about = f"Bodies of the header `portquorum-control` on [{topic.name}]."
            found[topic.name + CONTROL_SUFFIX] = _schema(topic, topic.control, about)
    return found


def _schema(topic: Topic, structs: tuple[type[msgspec.Struct], ...], about: str) -> dict[str, Any]:
    references, definitions = msgspec.json.schema_components(structs, ref_template="#/$defs/{name}")
    listed = list(references)
    choice = listed[0] if len(listed) == 1 else {"anyOf": listed}
    return portable(
        {
            "title": f"portquorum [{topic.name}]",
            "description": about,
            **choice,
            "$defs": dict(sorted(definitions.items())),
        }
    )


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
            portable_node[key] = inspect.cleandoc(value)
        else:
            portable_node[key] = _node(value)
    return portable_node
