"""Fields of a form made from a Struct, and its values back from what was sent. Pure.

Text, numbers, choices, boxes and lists of texts get a field of their kind; whatever else (mappings,
lists of mappings) is YAML in a text field.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import yaml
from msgspec import NODEFAULT, Struct, inspect
from msgspec.structs import replace

from portquorum.changing.errors import FieldError
from portquorum.inventory import tree
from portquorum.web.forms.form import Field, FieldKind, Option
from portquorum.web.forms.posted import Posted
from portquorum.web.pages.number_words import fill
from portquorum.web.words import ENGLISH

_W: Final = ENGLISH.forms
_LONG: Final = frozenset({"body", "purpose", "summary"})
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")


def fields_of(
    kind: type[Struct],
    sent: Posted,
    *,
    prefix: str = "",
    only: Collection[str] | None = None,
    labels: Mapping[str, str] | None = None,
    hints: Mapping[str, str] | None = None,
    is_sent: bool = False,
    any_value: Collection[str] = (),
) -> list[Field]:
    """Fields for a Struct, in its order, or those of `only`, with what was sent in them.

    `is_sent`: a box that was not sent is not checked, else it is as usual. `any_value`: texts that
    are any value in an inventory, written as JSON.
    """
    labels, hints = labels or {}, hints or {}
    made = [
        _field(
            one,
            sent,
            name=f"{prefix}{one.encode_name}",
            label=labels.get(one.encode_name, ""),
            hint=hints.get(one.encode_name, ""),
            is_sent=is_sent,
        )
        for one in _known(kind)
        if only is None or one.encode_name in only
    ]
    values = {f"{prefix}{one}" for one in any_value}
    return [
        replace(one, kind="textarea", hint=_W.as_yaml, is_code=True) if one.name in values else one
        for one in made
    ]


def texts_of(
    kind: type[Struct],
    values: Mapping[str, Any],
    prefix: str = "",
    *,
    any_value: Collection[str] = (),
) -> dict[str, str]:
    """The texts of the fields for plain values (as in an inventory)."""
    return {
        f"{prefix}{one.encode_name}": _json(values[one.encode_name])
        if one.encode_name in any_value
        else _text(one, values[one.encode_name])
        for one in _known(kind)
        if values.get(one.encode_name) is not None
    }


def values_of(
    kind: type[Struct],
    sent: Posted,
    *,
    prefix: str = "",
    only: Collection[str] | None = None,
    any_value: Collection[str] = (),
) -> tuple[dict[str, Any], list[FieldError]]:
    """Plain values of what was sent, without empty and usual ones; and what can't be read."""
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for one in _known(kind):
        if only is not None and one.encode_name not in only:
            continue
        name = f"{prefix}{one.encode_name}"
        try:
            found = (
                _yaml(sent.raw(name)) if one.encode_name in any_value else _value(one, sent, name)
            )
        except ValueError as error:
            errors.append(FieldError(field=name, message=str(error)))
            continue
        if found is not None:
            values[one.encode_name] = found
    return values, errors


def _known(kind: type[Struct]) -> Sequence[inspect.Field]:
    found = inspect.type_info(kind)
    return found.fields if isinstance(found, inspect.StructType) else ()


def _types(one: inspect.Field) -> list[inspect.Type]:
    """The types that a field can have, without None."""
    found = [_plain_type(each) for each in _alternatives(one.type)]
    return [each for each in found if not isinstance(each, inspect.NoneType)]


def _alternatives(found: inspect.Type) -> Sequence[inspect.Type]:
    bare = _plain_type(found)
    return bare.types if isinstance(bare, inspect.UnionType) else (bare,)


def _plain_type(found: inspect.Type) -> inspect.Type:
    """A type without what JSON Schema says of it."""
    return found.type if isinstance(found, inspect.Metadata) else found


def _is_optional(one: inspect.Field) -> bool:
    return any(isinstance(each, inspect.NoneType) for each in _alternatives(one.type))


def _is_box(one: inspect.Field) -> bool:
    return isinstance(_only(one), inspect.BoolType) and not _is_optional(one)


def _only(one: inspect.Field) -> inspect.Type | None:
    found = _types(one)
    return found[0] if len(found) == 1 else None


def _is_list(found: inspect.Type | None) -> bool:
    """A list of texts, numbers or choices: one a line."""
    if not isinstance(found, inspect.VarTupleType):
        return False
    items = _alternatives(found.item_type)
    return all(isinstance(_plain_type(one), _PLAIN) for one in items)


_PLAIN: Final = (inspect.StrType, inspect.IntType, inspect.FloatType, inspect.LiteralType)
_NUMBERS: Final = (inspect.IntType, inspect.FloatType)


def _is_plain(one: inspect.Field) -> bool:
    return all(isinstance(each, (*_PLAIN, inspect.BoolType)) for each in _types(one))


def _field(
    one: inspect.Field,
    sent: Posted,
    *,
    name: str,
    label: str,
    hint: str,
    is_sent: bool,
) -> Field:
    kind = _kind(one)
    found = _only(one)
    most = found.max_length if isinstance(found, inspect.StrType) else None
    return Field(
        name=name,
        label=label or one.encode_name.replace("_", " "),
        kind=kind,
        value=sent.raw(name, "" if is_sent and kind == "checkbox" else _usual_text(one)),
        hint=hint or _hint(one, kind),
        options=_options(one),
        is_needed=one.required,
        is_code=not _is_plain(one) and not _is_list(found),
        inputmode="decimal" if isinstance(found, _NUMBERS) else "",
        most=most if most and kind == "text" else None,
    )


def _kind(one: inspect.Field) -> FieldKind:
    found = _only(one)
    if isinstance(found, inspect.BoolType):
        return "select" if _is_optional(one) else "checkbox"
    if isinstance(found, inspect.LiteralType):
        return "select"
    if not _is_plain(one):
        return "textarea"
    return "textarea" if one.encode_name in _LONG else "text"


def _usual_text(one: inspect.Field) -> str:
    return _text(one, one.default) if _kind(one) in {"checkbox", "select"} else ""


def _options(one: inspect.Field) -> list[Option]:
    found = _only(one)
    none = [Option("", _W.usual)] if _is_optional(one) else []
    if isinstance(found, inspect.BoolType) and _is_optional(one):
        return [*none, Option("1", _W.yes), Option("0", _W.no)]
    if isinstance(found, inspect.LiteralType):
        return [*none, *(Option(str(each), str(each)) for each in found.values)]
    return []


def _hint(one: inspect.Field, kind: FieldKind) -> str:
    """What is usual, and in which form several are written."""
    said = []
    if kind == "textarea" and _is_list(_only(one)):
        said.append(_W.one_a_line)
    elif kind == "textarea" and not _is_plain(one):
        said.append(_W.as_yaml)
    if kind == "text" and one.default not in (NODEFAULT, None, "", (), {}):
        said.append(fill(_W.usually, value=one.default))
    return " ".join(said)


def _text(one: inspect.Field, value: object) -> str:
    """A value as its field has it."""
    if value is None or value is NODEFAULT:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str | int | float):
        return str(value)
    if _is_list(_only(one)) and isinstance(value, list | tuple):
        return "\n".join(str(each) for each in value)
    plain = json.loads(json.dumps(value))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True).rstrip() if plain else ""


def _value(one: inspect.Field, sent: Posted, name: str) -> object:
    """What a field means; None: nothing.

    Raises:
        ValueError: it can't be read.
    """
    found = _only(one)
    if _is_box(one):
        checked = sent.flag(name)
        return None if checked == one.default else checked
    text = sent.raw(name).strip() if not _keeps_blanks(one) else sent.raw(name)
    if not text:
        return None
    if isinstance(found, inspect.BoolType):
        return text == "1"
    if _is_list(found):
        return [_scalar(each) if _has_numbers(found) else each for each in sent.lines(name)] or None
    if not _is_plain(one):
        return _yaml(text)
    is_number = any(isinstance(each, _NUMBERS) for each in _types(one))
    value = _scalar(text) if is_number else text
    return None if value == one.default else value


def _keeps_blanks(one: inspect.Field) -> bool:
    """A text that is sent to a server, or looked for in its answer, may begin with a blank."""
    return one.encode_name in {"send", "expect", "body"}


def _has_numbers(found: inspect.Type | None) -> bool:
    items = _alternatives(found.item_type) if isinstance(found, inspect.VarTupleType) else ()
    return any(isinstance(_plain_type(one), _NUMBERS) for one in items)


def _scalar(text: str) -> object:
    """A number if it is one, else the text: whoever checks it says what was expected."""
    if _NUMBER.fullmatch(text) is None:
        return text
    return float(text) if "." in text else int(text)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _yaml(text: str) -> object:
    """The value of a YAML text, JSON too, read as an inventory is."""
    roots, problems = tree.read(text, "")
    if problems:
        raise ValueError(problems[0].message)
    return roots[0].value if roots else None
