"""Values at and around the ends of every range, made from the types of the Structs themselves.

`values_of(T)` draws what JSON can carry for `T` and `T`'s decoder takes; nothing else may come in
from outside, so what holds for these holds for whatever decodes.
"""

import functools
import re
from typing import Any, Final

import msgspec
from hypothesis import strategies as st
from msgspec import Struct, inspect

TEXTS: Final = (
    "",
    "x",
    "\x00",
    "\x00\x1b[2J\r\n",
    "\u2028\u202e\ufeff\ufffd\uffff",
    "\U0010ffff" * 3,
    "Ä" * 60,
    "${HOME} %s {0} <b>&amp;</b> @everyone '; DROP",
)
"""Odd texts. A lone surrogate is not among them: JSON that has one does not decode."""

RAW: Final = (None, {"event": "opened", "at": 1, "texts": ["Ä", ""]})
"""Values where a message holds another one, encoded."""


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Plain values (as JSON has them) that decode as `kind`."""
    return _values(inspect.type_info(kind))


def encoded(kind: Any) -> st.SearchStrategy[bytes]:
    """JSON that decodes as `kind`."""
    return values_of(kind).map(msgspec.json.encode)


def decoded(kind: Any) -> st.SearchStrategy[Any]:
    """What comes of it."""
    return encoded(kind).map(msgspec.json.Decoder(kind).decode)


def _values(kind: Any) -> st.SearchStrategy[Any]:  # noqa: C901, PLR0911, PLR0912 - a case a type
    match kind:
        case inspect.Metadata(type=inner):
            return _values(inner)
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.IntType():
            return _numbers(kind, 1)
        case inspect.FloatType():
            return _numbers(kind, 1e-6)
        case inspect.StrType():
            return _texts(kind)
        case inspect.UnionType(types=types):
            return st.one_of(*map(_values, types))
        case inspect.TupleType(item_types=items):
            return st.tuples(*map(_values, items))
        case inspect.VarTupleType(item_type=item):
            least, most = kind.min_length or 0, min(kind.max_length or 3, 3)
            return st.lists(_values(item), min_size=least, max_size=max(least, most))
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(_values(key), _values(value), max_size=3)
        case inspect.StructType():
            return _structs(kind)
        case inspect.RawType():
            return st.sampled_from(RAW)
    raise TypeError(f"no values for {kind}")


def _numbers(kind: Any, step: float) -> st.SearchStrategy[Any]:
    least, most = _limits(kind, step)
    near = {least, least + step, most, most - step, (least + most) / 2}
    if isinstance(kind, inspect.IntType):
        least, most = int(least), int(most)
        ends = sorted(int(value) for value in near if least <= value <= most) or [least]
        return st.sampled_from([least, most, *ends]) | st.integers(least, most)
    ends = sorted(value for value in near if least <= value <= most)
    return st.sampled_from([least, most, *ends]) | st.floats(
        least, most, allow_nan=False, allow_infinity=False
    )


def _texts(kind: Any) -> st.SearchStrategy[str]:
    if kind.pattern is not None:
        drawn = st.from_regex(kind.pattern, fullmatch=True)
        return drawn.filter(lambda text: len(text) <= (kind.max_length or len(text)))
    least, most = kind.min_length or 0, kind.max_length
    odd = [text for text in TEXTS if least <= len(text) <= most]
    long = ["\U0001f600" * min(most, 1_000), "a" * min(most, 10_000)]
    characters = st.characters(exclude_categories=["Cs"])
    return st.sampled_from([*odd, *long]) | st.text(characters, min_size=least, max_size=40)


def _structs(kind: inspect.StructType) -> st.SearchStrategy[Any]:
    must, may = {}, {}
    if kind.tag_field is not None:
        must[kind.tag_field] = st.just(kind.tag)
    for field in kind.fields:
        (must if field.required else may)[field.encode_name] = _values(field.type)
    return st.fixed_dictionaries(must, optional=may)


def ends_of(kind: Any) -> tuple[Any, Any]:
    """Two plain values that decode as `kind`: all of it at the low end, and all at the high one."""
    info = inspect.type_info(kind)
    return _end(info, high=False), _end(info, high=True)


def _end(kind: Any, *, high: bool) -> Any:  # noqa: C901, PLR0911, PLR0912 - a case a type
    match kind:
        case inspect.Metadata(type=inner):
            return _end(inner, high=high)
        case inspect.NoneType():
            return None
        case inspect.BoolType():
            return high
        case inspect.LiteralType(values=values):
            return values[-1 if high else 0]
        case inspect.IntType():
            return int(_limits(kind, 1)[high])
        case inspect.FloatType():
            return _limits(kind, 1e-6)[high]
        case inspect.StrType():
            return _text_end(kind, high=high)
        case inspect.UnionType(types=types):
            none = [one for one in types if isinstance(one, inspect.NoneType)]
            others = [one for one in types if not isinstance(one, inspect.NoneType)]
            return _end(others[-1], high=high) if high or not none else None
        case inspect.TupleType(item_types=items):
            return [_end(one, high=high) for one in items]
        case inspect.VarTupleType(item_type=item):
            return [_end(item, high=high)] * ((kind.min_length or 0) + 2 * high)
        case inspect.DictType(key_type=key, value_type=value):
            return {_end(key, high=True): _end(value, high=True)} if high else {}
        case inspect.RawType():
            return RAW[high]
        case inspect.StructType():
            found = {} if kind.tag_field is None else {kind.tag_field: kind.tag}
            fields = [field for field in kind.fields if high or field.required]
            return found | {one.encode_name: _end(one.type, high=high) for one in fields}
    raise TypeError(f"no ends of {kind}")


def _limits(kind: Any, step: float) -> tuple[Any, Any]:
    least = kind.ge if kind.ge is not None else kind.gt + step
    return least, kind.le if kind.le is not None else kind.lt - step


def _text_end(kind: inspect.StrType, *, high: bool) -> str:
    if kind.pattern is None:
        most = min(kind.max_length or 0, 10_000)
        return "\U0001f600" * most if high else "\x00" * (kind.min_length or 0)
    return _ends_that_match(kind.pattern)[high]


@functools.cache
def _ends_that_match(pattern: str) -> tuple[str, str]:
    """The shortest and the longest of some 70,000 texts that a pattern takes."""
    tried = [
        begin + more * times
        for begin in ("", "a", "/", "https://", "200-", "1.", "PORTQUORUM_SECRET_")
        for more in ("a", "A", "z9", "0a", "~")
        for times in range(2_001)
    ]
    tried += ["00:00", "23:59", "0000-00-00", "9999-99-99"]  # of the clock, of the calendar
    found = [text for text in tried if re.search(pattern, text)]
    return min(found, key=len), max(found, key=len)


def unbounded(kind: type[Struct]) -> list[str]:
    """The places within `kind` where a value has no range, as paths."""
    return sorted(set(_unbounded(inspect.type_info(kind), kind.__name__)))


def _unbounded(kind: Any, path: str) -> list[str]:  # noqa: C901, PLR0911 - a case a type
    match kind:
        case inspect.Metadata(type=inner):
            return _unbounded(inner, path)
        case inspect.IntType() | inspect.FloatType():
            low = kind.ge is not None or kind.gt is not None
            high = kind.le is not None or kind.lt is not None
            return [] if low and high else [path]
        case inspect.StrType():
            return [] if kind.max_length is not None or kind.pattern is not None else [path]
        case inspect.UnionType(types=types):
            return [found for one in types for found in _unbounded(one, path)]
        case inspect.TupleType(item_types=items):
            return [found for one in items for found in _unbounded(one, path)]
        case inspect.VarTupleType(item_type=item):
            return [*([] if kind.max_length else [path]), *_unbounded(item, f"{path}[]")]
        case inspect.DictType(key_type=key, value_type=value):
            inner = [*_unbounded(key, f"{path}{{}}"), *_unbounded(value, f"{path}{{}}")]
            return [*([] if kind.max_length else [path]), *inner]
        case inspect.StructType(fields=fields):
            return [
                found
                for field in fields
                for found in _unbounded(field.type, f"{path}.{field.encode_name}")
            ]
        case inspect.NoneType() | inspect.BoolType() | inspect.LiteralType():
            return []
        case inspect.RawType():
            return []  # decoded later, as the message that it is
    return [f"{path}: {kind}"]
