"""The types of fields in words: what may be written, and within which limits."""

from typing import Final

from msgspec import Struct, inspect

from portquorum.inventory.document import PATTERN_TEXT, Duration
from portquorum.inventory.reference.shapes import fields_of, text_pattern
from schemas.probe import Condition, HttpProbe

_DURATION: Final = text_pattern(Duration)


def type_words(struct: type[Struct], name: str) -> str:
    """What a field takes: `text`, `whole number`, `list of durations`, `one of …`."""
    field = next(one for one in fields_of(struct) if one.encode_name == name)
    if (struct, name) in _ANY_VALUE:
        return "list: any value" if name == "any_of" else "any value"
    return _words(field.type)


def limit_words(struct: type[Struct], name: str) -> str:
    """Its least and greatest value, or its greatest length; empty if it has none."""
    field = next(one for one in fields_of(struct) if one.encode_name == name)
    return "" if (struct, name) in _ANY_VALUE else _limits(field.type)


def _words(of: inspect.Type) -> str:
    match of:
        case inspect.UnionType():
            kinds = [_words(one) for one in of.types if not isinstance(one, inspect.NoneType)]
            return " or ".join(dict.fromkeys(kinds))
        case inspect.VarTupleType():
            return f"list: {_words(of.item_type)}"
        case inspect.LiteralType():
            return ", ".join(f"`{value}`" for value in of.values)
        case inspect.StructType():
            return "mapping"
        case inspect.DictType():
            return f"names with {_words(of.value_type)}" if not _is_any(of) else "mapping"
        case _:
            return _scalar(of)


def _is_any(of: inspect.DictType) -> bool:
    return isinstance(of.value_type, inspect.AnyType)


def _scalar(of: inspect.Type) -> str:
    if isinstance(of, inspect.Metadata):
        return _words(of.type)
    if isinstance(of, inspect.StrType):
        if of.pattern == _DURATION:
            return "duration"
        return PATTERN_TEXT.get(of.pattern or "", "text").removeprefix("a ").removeprefix("an ")
    return _NAMES.get(type(of), "any value")


_ANY_VALUE: Final = frozenset({(HttpProbe, "json"), (Condition, "equals"), (Condition, "any_of")})
"""Options that are published as the text of JSON (`producers.kinds.kind.Kind.json_options`)."""

_NAMES: Final[dict[type[inspect.Type], str]] = {
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
    inspect.BoolType: "`true`, `false`",
}


def _limits(of: inspect.Type) -> str:
    match of:
        case inspect.Metadata():
            return _limits(of.type)
        case inspect.UnionType():
            return "; ".join(dict.fromkeys(filter(None, map(_limits, of.types))))
        case inspect.IntType() | inspect.FloatType():
            return _range(of)
        case inspect.StrType() if of.pattern is None and of.max_length is not None:
            return f"up to {of.max_length:,} characters"
        case inspect.VarTupleType() if of.max_length is not None:
            inner = _limits(of.item_type)
            return f"up to {of.max_length:,}" + (f", each {inner}" if inner else "")
        case _:
            return ""


def _range(of: inspect.IntType | inspect.FloatType) -> str:
    if of.ge is not None and of.ge <= -1e300:
        return ""
    low = f"above {_number(of.gt)}" if of.gt is not None else _number(of.ge)
    if of.lt is not None:
        return f"{low} to below {_number(of.lt)}"
    return f"{low} to {_number(of.le)}" if of.le is not None else f"from {low}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.10g}"
