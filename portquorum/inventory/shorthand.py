"""What a file may say shorter: values as they stand, made what the types of a Struct want. Pure.

Done only to what could not be converted as it stands:

- a scalar, or a mapping, where a list is meant is a list of one (`regions: eu`); not an empty text,
  and not a text with a comma where the items are names, which is a list without brackets;
- a text that is a number where a number is meant (`port: "5432"`);
- a number or truth value where a text is meant, as it was written (`name: 1.50`); not where a
  length of time is meant, which has a unit;
- null where a field can't be null is a field that is not written.
"""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct, inspect

from portquorum.inventory.document import DURATION_PATTERN
from portquorum.inventory.tree import Mapping as Tree
from portquorum.inventory.tree import Sequence

_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,18}|[0-9]{0,18}\.[0-9]{1,18}|[0-9]{1,18}\.)\Z")
_NAME_LENGTH: Final = 128
"""Texts that can't be longer are names: none of them has a comma."""

_ANY: Final = frozenset[tuple[str, ...]]()
Types = tuple[inspect.Type, ...]


def spelled_out(
    item: Mapping[str, Any], kind: type[Struct], free: Collection[tuple[str, ...]] = _ANY
) -> dict[str, Any]:
    """A copy of `item`, as far as it can be, in the types of `kind`.

    `free`: paths whose values are any (`*` stands for each item of a list); they stay as they are.
    """
    return _struct(item, kind, free, ())


def _struct(item: Any, kind: type[Struct], free: Any, path: Any) -> dict[str, Any]:
    fields = _fields(kind)
    made: dict[str, Any] = {}
    for name, value in item.items():
        types = fields.get(name)
        if types is None:
            made[name] = value
        elif value is None and not _has(types, inspect.NoneType) and (*path, name) not in free:
            continue
        else:
            made[name] = _value(value, types, _text(item, name, value), free, (*path, name))
    return made


def _value(value: Any, types: Types, written: str, free: Any, path: Any) -> Any:
    many = next((one for one in types if isinstance(one, inspect.VarTupleType)), None)
    if path in free:
        return value
    if value is None or (isinstance(value, list | tuple) and many is None):
        return value
    if isinstance(value, dict):
        return _mapping(value, types, many, free, path)
    items = () if many is None else among(many.item_type)
    inside = (*path, "*")
    if isinstance(value, list | tuple):
        texts = (_text(value, place, one) for place, one in enumerate(value))
        pairs = zip(value, texts, strict=True)
        return [_value(one, items, text, free, inside) for one, text in pairs]
    fits, made = _scalar(value, types, written)
    is_list = isinstance(value, str) and "," in value and _are_names(items)
    if fits or many is None or value == "" or is_list:
        return made
    return [_value(value, items, written, free, inside)]


def _mapping(value: Any, types: Types, many: Any, free: Any, path: Any) -> Any:
    for one in types:
        if isinstance(one, inspect.StructType):
            return _struct(value, one.cls, free, path)
        if isinstance(one, inspect.DictType):
            inner = among(one.value_type)
            return {
                name: _value(each, inner, _text(value, name, each), free, (*path, name))
                for name, each in value.items()
            }
    if many is not None and _has(among(many.item_type), inspect.StructType | inspect.DictType):
        return [_value(value, among(many.item_type), "", free, (*path, "*"))]
    return value


def _scalar(value: Any, types: Types, written: str) -> tuple[bool, Any]:
    """Whether a scalar is, or can be made, one of the types; and what it is then."""
    if isinstance(value, str):
        if any(_takes(one, value) for one in types):
            return True, value
        if _has(types, inspect.IntType | inspect.FloatType) and _NUMBER.match(value):
            number = float(value) if "." in value else int(value)
            return True, number
        return any(isinstance(one, inspect.StrType) for one in types), value
    wanted = inspect.BoolType if isinstance(value, bool) else inspect.IntType | inspect.FloatType
    if _has(types, wanted):
        return True, value
    if any(_takes(one, written) for one in types):
        return True, written
    return any(isinstance(one, inspect.StrType | inspect.LiteralType) for one in types), value


def _takes(kind: inspect.Type, text: str) -> bool:
    if isinstance(kind, inspect.LiteralType):
        return text in kind.values
    if not isinstance(kind, inspect.StrType) or kind.pattern == DURATION_PATTERN:
        return isinstance(kind, inspect.AnyType)
    return kind.pattern is None or re.search(kind.pattern, text) is not None


def _are_names(items: Types) -> bool:
    """True if the items of a list are names, or words to choose from."""
    return all(
        isinstance(one, inspect.LiteralType)
        or (
            isinstance(one, inspect.StrType)
            and (one.pattern is not None or (one.max_length or _NAME_LENGTH + 1) <= _NAME_LENGTH)
        )
        for one in items
    )


def _text(around: Any, place: str | int, value: Any) -> str:
    """How a scalar was written, as far as that is known."""
    if isinstance(value, str):
        return value
    texts = around.texts if isinstance(around, Tree | Sequence) else None
    if texts is not None and place in texts:
        return texts[place]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _has(types: Types, wanted: Any) -> bool:
    return any(isinstance(one, wanted) for one in types)


def among(kind: inspect.Type) -> Types:
    """The types that a value may have, without what JSON Schema says of them."""
    if isinstance(kind, inspect.Metadata):
        return among(kind.type)
    if isinstance(kind, inspect.UnionType):
        return tuple(each for one in kind.types for each in among(one))
    return (kind,)


@lru_cache(maxsize=200)
def _fields(kind: type[Struct]) -> dict[str, Types]:
    found = inspect.type_info(kind)
    fields = found.fields if isinstance(found, inspect.StructType) else ()
    return {one.encode_name: among(one.type) for one in fields}
