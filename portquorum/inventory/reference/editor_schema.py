"""The JSON Schema of an inventory file for editors: completion, words on hovering, errors.

Its keywords are those that JSON Schema 2020-12 and draft-07 read alike (`$defs` is found by its
pointer), since editors know the one or the other. `errorMessage` and `enumDescriptions` are of the
YAML language server; others pass over them.
"""

from typing import Final

import msgspec
from msgspec import Struct

from portquorum.inventory.document import Document, FileTargetEntry, TargetTemplateEntry
from portquorum.inventory.reference import by_kind, kinds
from portquorum.inventory.reference.fact import Fact
from portquorum.inventory.reference.facts import default_of, default_text, facts_of
from portquorum.inventory.reference.probes import OPTIONS
from portquorum.inventory.reference.shapes import (
    NULL,
    Schema,
    enumeration,
    fields_of,
    or_null,
    shape,
)
from producers.kinds.registry import KINDS
from schemas.json_schema import DIALECT
from schemas.probe import HandshakeProbe

_NO_VERSION: Final = {**NULL, "errorMessage": "This protocol has no versions to choose from."}


_CONDITIONS: Final = {
    FileTargetEntry: by_kind.of_target,
    TargetTemplateEntry: by_kind.of_template,
}
_WORDS: Final = ("description", "markdownDescription", "default")
_LISTS: Final = ("targets", "maintenance")
"""Sections that are lists, also with one entry."""


def editor_schema() -> Schema:
    """The schema of an inventory file."""
    definitions: dict[str, Schema] = {}
    top = _of_struct(Document, definitions)
    for section in _LISTS:
        top["properties"][section] = _listed(top["properties"][section])
    for kind, known in KINDS.items():
        if known.options is not None:
            definitions[by_kind.probe_name(kind)] = _probe(kind, known.options, definitions)
    definitions[by_kind.ANY_PROBE] = _probe_of_any_kind(definitions)
    for struct, conditions in _CONDITIONS.items():
        definitions[struct.__name__] |= conditions()
        kind = definitions[struct.__name__]["properties"]["kind"]
        kind |= or_null({"type": "string", "enum": by_kind.names()})
        kind["enumDescriptions"] = kind["markdownEnumDescriptions"] = by_kind.descriptions()
    whole = {
        "$schema": DIALECT,
        "title": "Inventory of portquorum",
        "description": "What is watched, from where, and who is told.",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }
    return _shared(whole)


def _listed(section: Schema) -> Schema:
    """A section without the choice to write one entry in place of a list."""
    (several,) = (one for one in section["anyOf"] if one.get("type") == "array")
    words = {key: value for key, value in section.items() if key != "anyOf"}
    return words | or_null(several)


def _of_struct(struct: type[Struct], definitions: dict[str, Schema]) -> Schema:
    """The schema of a mapping; the Structs in it go to `definitions`."""
    facts = facts_of(struct)
    properties: dict[str, Schema] = {}
    fields = fields_of(struct)
    for field in fields:
        name = field.encode_name
        schema = shape(field.type, lambda inner: _reference(inner, definitions))
        if not field.required:
            schema = or_null(schema)
        described = _described(schema, facts[name], default_of(struct, name))
        if struct in OPTIONS:  # an editor would write all of them with `probe:`
            described.pop("default", None)
        properties[name] = described
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    required = [field.encode_name for field in fields if field.required]
    return found | ({"required": required} if required else {})


def _reference(struct: type[Struct], definitions: dict[str, Schema]) -> Schema:
    name = struct.__name__
    if name not in definitions:
        definitions[name] = {}  # a Struct that has itself in it
        definitions[name] = _of_struct(struct, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _described(schema: Schema, known: Fact, default: object) -> Schema:
    """The schema with what an editor shows; siblings of a `$ref` are passed over by draft-07."""
    inner = {"allOf": [schema]} if "$ref" in schema else schema
    says = known.default or ("" if default is None else f"`{default_text(default)}`")
    parts = [known.text, f"Default: {says}." if says else "", f"Example: `{known.example}`"]
    text = "\n\n".join(part for part in parts if part)
    shown: Schema = {"description": text.replace("`", ""), "markdownDescription": text}
    return shown | ({} if default is None else {"default": default}) | inner


def _shared(schema: Schema) -> Schema:
    """The same schema, in which fields that are alike in several mappings stand once."""
    seen: dict[str, list[str]] = {}
    for definition in schema["$defs"].values():
        for name, field in definition.get("properties", {}).items():
            seen.setdefault(msgspec.json.encode(field).decode(), []).append(name)
    taken: dict[str, str] = {}
    for text, names in seen.items():
        if len(names) > 1:
            same = sum(name.startswith(names[0]) for name in taken.values())
            taken[text] = f"{names[0]}_{same + 1}"
    for definition in list(schema["$defs"].values()):
        properties = definition.get("properties", {})
        for name, field in properties.items():
            shared = taken.get(msgspec.json.encode(field).decode())
            if shared is not None:
                schema["$defs"][shared] = field
                properties[name] = {"$ref": f"#/$defs/{shared}"}
    return schema


# Options by kind


def _probe(kind: str, options: type[Struct], definitions: dict[str, Schema]) -> Schema:
    """The options of one kind: of a handshake those values alone that this protocol has."""
    found = _of_struct(options, definitions)
    properties = found["properties"]
    for place in KINDS[kind].json_options:
        _any_value(properties, place, definitions)
    if options is HandshakeProbe:
        properties["tls"] |= or_null(enumeration(kinds.tls_ways(kind)))
        words = {key: properties["version"][key] for key in _WORDS if key in properties["version"]}
        versions = kinds.versions(kind)
        only = or_null(enumeration(versions)) if versions else _NO_VERSION
        properties["version"] = words | only
    return {"title": f"options of {kind}", **or_null(found)}


def _any_value(properties: Schema, place: tuple[str, ...], definitions: dict[str, Schema]) -> None:
    """Lets any value of YAML stand at this place of the options."""
    name, *rest = place
    old = properties[name]
    if rest in ([], ["*"]):
        properties[name] = {key: old[key] for key in _WORDS if key in old}
    else:  # a list of Structs
        (inner,) = {one["$ref"] for one in old["anyOf"] if "$ref" in one}
        _any_value(
            definitions[inner.rpartition("/")[2]]["properties"], tuple(rest[1:]), definitions
        )


def _probe_of_any_kind(definitions: dict[str, Schema]) -> Schema:
    """The options of a target or template whose kind is not known here: those of all kinds."""
    names: dict[str, Schema] = {}
    for kind in KINDS:
        for name, schema in definitions[by_kind.probe_name(kind)]["properties"].items():
            names.setdefault(name, {key: schema[key] for key in _WORDS[:2]})
    return {
        "type": ["object", "null"],
        "properties": dict(sorted(names.items())),
        "additionalProperties": False,
    }
