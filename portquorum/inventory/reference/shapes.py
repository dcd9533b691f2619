"""The JSON Schema of a type as it may be written in a file: with every shorthand.

A scalar, or one mapping, where a list is meant; a number or truth value where a text is meant;
a number in quotes. What a number in quotes may be is left to the loader.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from msgspec import Struct, inspect

from portquorum.inventory.document import Duration

Schema = dict[str, Any]


def text_pattern(of: object) -> str | None:
    """The pattern of a type of texts."""
    info = inspect.type_info(of)
    while isinstance(info, inspect.Metadata):
        info = info.type
    return info.pattern if isinstance(info, inspect.StrType) else None


NULL: Final = {"type": "null"}
_DURATION: Final = text_pattern(Duration)
_QUOTED_INT: Final = r"^[+-]?[0-9]{1,18}$"
_NUMBER: Final = r"[0-9]{1,3}(\.[0-9]{1,3})?"
_QUOTED_NUMBER: Final = r"^[+-]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})$"
_ONE_NAME: Final = r"^[^,]*$"
"""Of names a text with a comma is a list without its brackets."""

_NAME_LENGTH: Final = 128

_SIMPLE: Final[Mapping[type[inspect.Type], Schema]] = {
    inspect.BoolType: {"type": "boolean"},
    inspect.NoneType: NULL,
    inspect.AnyType: {},
}

Reference = Callable[[type[Struct]], Schema]
"""The schema that stands for a Struct."""


@cache
def fields_of(struct: type[Struct]) -> tuple[inspect.Field, ...]:
    """The fields of a Struct."""
    info = inspect.type_info(struct)
    return info.fields if isinstance(info, inspect.StructType) else ()


def shape(of: inspect.Type, reference: Reference) -> Schema:
    """The schema of a type; what may be null says so by its list of types.

    Raises:
        KeyError: no document has such a type.
    """
    match of:
        case inspect.StructType():
            return reference(of.cls)
        case inspect.Metadata() | inspect.UnionType() | inspect.VarTupleType():
            return _of_several(of, reference)
        case inspect.DictType():
            return _mapping(of, reference)
        case _:
            return _scalar(of)


def _of_several(
    of: inspect.Metadata | inspect.UnionType | inspect.VarTupleType, reference: Reference
) -> Schema:
    match of:
        case inspect.Metadata():
            return shape(of.type, reference)
        case inspect.UnionType():
            return _union(of, reference)
        case inspect.VarTupleType():
            return _list(of, reference)


def _scalar(of: inspect.Type) -> Schema:
    if isinstance(of, inspect.LiteralType):
        return enumeration([str(one) for one in of.values])
    if isinstance(of, inspect.StrType):
        return _text(of)
    if isinstance(of, inspect.IntType):
        return _number("integer", _QUOTED_INT, of)
    if isinstance(of, inspect.FloatType):
        return _number("number", _QUOTED_NUMBER, of)
    return dict(_SIMPLE[type(of)])


def _union(of: inspect.UnionType, reference: Reference) -> Schema:
    found = [shape(one, reference) for one in of.types if not isinstance(one, inspect.NoneType)]
    may_be_null = any(isinstance(one, inspect.NoneType) for one in of.types)
    choices = _merged([choice for one in found for choice in one.get("anyOf", [one])])
    if not may_be_null:
        return choices[0] if len(choices) == 1 else {"anyOf": choices}
    if len(choices) == 1:
        return or_null(choices[0])
    return {"anyOf": [*choices, NULL]}


def _merged(choices: list[Schema]) -> list[Schema]:
    """Each choice once."""
    kept: list[Schema] = []
    for one in choices:
        if one not in kept:
            kept.append(one)
    return kept


def or_null(schema: Schema) -> Schema:
    """A schema that takes null, too."""
    if "null" in schema.get("type", ()) or NULL in schema.get("anyOf", ()):
        return schema
    if "enum" in schema:
        return {**schema, "type": [*_types(schema), "null"], "enum": [*schema["enum"], None]}
    if "type" in schema:
        return {**schema, "type": [*_types(schema), "null"]}
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], NULL]}
    return {"anyOf": [schema, NULL]} if schema else {}


def _types(schema: Schema) -> list[str]:
    types = schema["type"]
    return list(types) if isinstance(types, list) else [types]


def _list(of: inspect.VarTupleType, reference: Reference) -> Schema:
    """A list, or one item of it.

    Keywords for texts and numbers say nothing of lists, so one schema has both: an editor tells
    then what is wrong, and not that none of two schemas fits.
    """
    item = shape(of.item_type, reference)
    several: Schema = {"type": "array", "items": item}
    if of.min_length:
        several["minItems"] = of.min_length
    if of.max_length is not None:
        several["maxItems"] = of.max_length
    if "type" in item and "enum" not in item:
        alone = {"pattern": _ONE_NAME} if item.get("maxLength", 1000) <= _NAME_LENGTH else {}
        return {**alone, **item, **several, "type": [*_types(item), "array"]}
    return {"anyOf": [*item.get("anyOf", [item]), several]}


def _mapping(of: inspect.DictType, reference: Reference) -> Schema:
    found: Schema = {"type": "object"}
    key = of.key_type
    if isinstance(key, inspect.StrType) and key.pattern is not None:
        found["propertyNames"] = {"pattern": ecma(key.pattern)}
    if of.min_length is not None:
        found["minProperties"] = of.min_length
    if of.max_length is not None:
        found["maxProperties"] = of.max_length
    if not isinstance(of.value_type, inspect.AnyType):
        found["additionalProperties"] = shape(of.value_type, reference)
    return found


def enumeration(values: Sequence[str]) -> Schema:
    """These words; one that is a number need not stand in quotes."""
    numbers = [float(one) for one in values if re.fullmatch(_NUMBER, one)]
    if not numbers:
        return {"type": "string", "enum": list(values)}
    return {"type": ["string", "number"], "enum": [*values, *numbers]}


def _text(of: inspect.StrType) -> Schema:
    found: Schema = {"type": "string"}
    if of.pattern is not None:
        found["pattern"] = ecma(of.pattern)
    if of.min_length is not None:
        found["minLength"] = of.min_length
    if of.max_length is not None:
        found["maxLength"] = of.max_length
    if of.pattern == _DURATION:  # a bare number has no unit
        return found
    also = [name for name, written in _OTHERS.items() if _may_be(of.pattern, written)]
    if not also:
        return found
    found["type"] = ["string", *also]
    if of.pattern is not None:  # said of numbers alone, for what the pattern says of their texts
        found["minimum"] = 0
    return found if "integer" in also else {**found, "not": {"type": "integer"}}


_OTHERS: Final[Mapping[str, tuple[str, ...]]] = {
    "integer": ("7", "2024"),
    "number": ("1.5",),
    "boolean": ("true", "false"),
}
"""Type of JSON → how such values are written, for what is a text all the same."""


def _may_be(pattern: str | None, written: tuple[str, ...]) -> bool:
    return pattern is None or any(re.search(pattern, one) for one in written)


def _number(name: str, quoted: str, of: inspect.IntType | inspect.FloatType) -> Schema:
    found: Schema = {"type": [name, "string"], "pattern": quoted}
    limits = {"minimum": of.ge, "maximum": of.le, "exclusiveMinimum": of.gt}
    limits["exclusiveMaximum"] = of.lt
    return found | {key: limit for key, limit in limits.items() if limit is not None}


def ecma(pattern: str) -> str:
    r"""A pattern of ours as ECMA-262 has it, where `$` is the end alone, as Python's `\Z`."""
    return pattern.replace(r"\Z", "$")
