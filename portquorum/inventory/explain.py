"""The sentence for a value that a Struct does not take: what was expected, found, and meant."""

import re
import reprlib
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, inspect

from portquorum.inventory import duration, peer_words, shorthand
from portquorum.inventory.document import (
    DURATION_TEXT,
    PATTERN_TEXT,
    FileTargetEntry,
    MaintenanceEntry,
    RegionEntry,
    RouteEntry,
    TargetEntry,
    TargetTemplateEntry,
    TeamEntry,
)
from portquorum.inventory.errors import Path
from portquorum.inventory.suggest import alike
from portquorum.inventory.yaml_errors import odd_blank

_AT: Final = re.compile(r"(.*) - at (`key` in )?`\$(.*)`\Z", re.DOTALL)
_PATH_PART: Final = re.compile(r"\.([^.\[]+)|\[([0-9]+|\.\.\.)\]")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`\Z", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`\Z", re.DOTALL)
_PATTERN: Final = re.compile(r"Expected `str` matching regex (['\"])(.*)\1\Z", re.DOTALL)
_UNION: Final = re.compile(r"`([a-z]+)(?: \\| [a-z | ]+)?`")
_TYPE_TEXT: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_FIELD_TEXT: Final = {
    "port": "a port from 1 to 65535",
    "ports": "ports from 1 to 65535 and ranges, such as [25, 587, 8000-8003]",
    "status": "statuses from 100 to 599 and ranges, such as [200-299, 401, 403]",
    "conditions": "up to 50 conditions, such as [{json: $.state, equals: up}]",
    "criticality": "critical, important or normal",
    "consensus": "quorum, unanimous or a fraction above 0 and up to 1",
    "severities": "some of critical, warning, info",
    "limit": "a limit such as 20 in 1h",
    "schedule": "five fields of crontab(5) such as 0 3 * * *",
    "unless": "some of critical, warning, info",
    "incident_types": "some of unreachable, slow, flapping, expiring",
    "criticalities": "some of critical, important, normal",
    "slo": "a percentage from 50 to 100 such as 99.9",
    "downtime_cost_per_hour": "a price of 0 or more an hour",
    **dict.fromkeys(
        (
            *("interval", "timeout", "retry_delay", "open_after", "abandon_after", "duration"),
            *("every", "after", "fallback_after", "group_interval", "remind_every"),
            *("grace", "max_runtime"),
        ),
        DURATION_TEXT,
    ),
}
"""The expected value of a field in words, where msgspec's own text would not help."""

_LIST: Final = inspect.VarTupleType
_TRUE: Final = frozenset({"yes", "on", "y", "1", "enabled", "true"})
_FALSE: Final = frozenset({"no", "off", "n", "0", "disabled", "false"})
_TRUTH: Final = _TRUE | _FALSE
_STATUS_CLASS: Final = re.compile(r"([1-5])[xX]{2}\Z")
_VARIABLE: Final = re.compile(r"\$\{[^}]*\}?|\$[A-Za-z_][A-Za-z0-9_]*")
_TARGETS: Final = (TargetEntry, FileTargetEntry, TargetTemplateEntry)
_OF_ONE_TARGET: Final = frozenset({"id", "name", "host"})
LINE_MISSING: Final = "whose line may be missing"
_SEVERAL: Final = 3
_SECTION_STRUCTS: Final[dict[str, type[Struct]]] = {
    "routes": RouteEntry,
    "regions": RegionEntry,
    "teams": TeamEntry,
    "maintenance": MaintenanceEntry,
    "targets": FileTargetEntry,
}

NO_VARIABLE: Final = (
    "variables (${NAME}) stand for secrets alone, in probe: and in urls of routes; for others "
    "write the value, or make the file from one with variables (envsubst < FILE)"
)
NO_TEMPLATE: Final = "a template ({{ }} of Jinja, Helm or Ansible) is to be filled in before"

short: Final = reprlib.Repr()
short.maxstring = short.maxother = 80
short.maxlist = short.maxdict = 3
short.maxlevel = 2


def explain(
    text: str, item: Mapping[str, Any], kind: type[Struct] | None = None
) -> tuple[Path, str]:
    """The path within `item` and the sentence of a validation error of its conversion to `kind`."""
    at = _AT.match(text)
    message, inner = (at[1], _path(at[3])) if at else (text, ())
    unknown = _UNKNOWN.match(message)
    if unknown:
        return (*inner, unknown[1]), _no_field(unknown[1], kind, inner)
    missing = _MISSING.match(message)
    if missing:
        return (*inner, missing[1]), "expected a value, for it has no default; found none"
    found: Any = item
    for part in inner:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            break
    field = next((part for part in reversed(inner) if isinstance(part, str)), "")
    types = _types_at(kind, inner)
    if isinstance(found, Mapping) and at is not None and (at[2] or at[3].endswith("[...]")):
        inner, found = _wrong_entry(found, types, inner, is_key=bool(at[2]))
    expected = _expected(message, field)
    choices = _choices(types)
    if choices and field not in _FIELD_TEXT:
        expected = f"expected {_listed(choices)}"
    said = _said(found)
    return inner, f"{expected}, found {said}{_meant(found, field, types, choices)}"


def fields_meant(text: str, kind: type[Struct]) -> frozenset[str]:
    """The fields of `kind` that an unknown one was meant to be, by the error of a conversion."""
    at = _AT.match(text)
    unknown = _UNKNOWN.match(at[1] if at else text)
    if unknown is None or (at is not None and _path(at[3])):
        return frozenset()
    name = re.sub(r"\A\W+", "", unknown[1])
    return peer_words.fields_meant(name, kind.__struct_encode_fields__)


def misplaced_fields(item: Mapping[str, Any], kind: type[Struct]) -> tuple[str, str] | None:
    """The first of several fields that are none of `kind`, and a sentence for all of them.

    None for fewer, and where each may be a mistake of its own.
    """
    known = kind.__struct_encode_fields__
    strange = [name for name in item if name not in known]
    names = ", ".join(strange[:_SEVERAL]) + (", …" if len(strange) > _SEVERAL else "")
    sections = (name for name, other in _SECTION_STRUCTS.items() if set(strange) <= _fields(other))
    section = next(sections, None)
    if section is not None and len(strange) > 1:
        return strange[0], f"no such fields ({names}); they are of `{section}:`, {LINE_MISSING}"
    if len(strange) < _SEVERAL:
        return None
    meant = kind in _TARGETS and any(peer_words.of_target(name) for name in strange)
    if meant or any(alike(name, known) for name in strange):
        return None
    return strange[0], f"no such fields ({names}); there are {', '.join(known)}"


def _fields(kind: type[Struct]) -> set[str]:
    return set(kind.__struct_encode_fields__)


def told(found: object) -> str:
    """A value as YAML has it, short."""
    if found is None:
        return "null"
    return str(found).lower() if isinstance(found, bool) else short.repr(found)


def placeholder(found: object) -> str:
    """What to do about a value with a variable or a template in it; empty for others."""
    if not isinstance(found, str):
        return ""
    if "{{" in found:
        return f": {NO_TEMPLATE}"
    return f": {NO_VARIABLE}" if _VARIABLE.search(found) else ""


def _said(found: object) -> str:
    if isinstance(found, Mapping):
        return "a mapping"
    return "an empty text" if found == "" else told(found)


def _no_field(name: str, kind: type[Struct] | None, inner: Path) -> str:
    """The sentence of a field that a Struct does not have."""
    odd = odd_blank(name)
    if odd is not None:
        return odd
    if name.startswith("-") and name[1:2].isalpha():
        return f"expected a field, found {name!r}: a blank is missing, write `- {name[1:]}: …`"
    here = _kind_at(kind, inner)
    known = () if here is None else here.__struct_encode_fields__
    meant = alike(name, known)
    of_target = _no_field_of_target(name, here, meant) if here in _TARGETS else None
    if of_target is not None:
        return of_target
    if meant is not None:
        return f"no such field; did you mean `{meant}`?"
    return f"no such field; there are {', '.join(known)}" if known else "no such field"


def _no_field_of_target(name: str, here: type[Struct] | None, meant: str | None) -> str | None:
    if here is TargetTemplateEntry and name in _OF_ONE_TARGET:
        return f"no template has a {name}: each target has its own"
    if here is TargetEntry and name in {"ports", "extends"}:
        return f"no such field; {name} is one of inventory files alone"
    other = peer_words.of_target(name)
    if other is not None and (meant is None or name.lower() in peer_words.TARGET_WORDS):
        return f"no such field; {other}"
    return None


def _meant(found: object, field: str, types: shorthand.Types, choices: list[str]) -> str:
    """What was probably meant, or how to write it; empty if that is unclear."""
    variable = placeholder(found)
    if variable:
        return variable
    if _is_length_of_time(types, field):
        meant = duration.meant(found)
    elif isinstance(found, str):
        meant = _meant_by_text(found, field, types, choices)
    elif isinstance(found, float) and found.is_integer() and 0 <= found < 2**53:
        meant = str(int(found))
    else:
        word = peer_words.of_value(str(found), choices) if isinstance(found, bool) else None
        meant = None if word is None else repr(word)
    return "" if meant is None else f"; did you mean {meant}?"


def _meant_by_text(
    found: str, field: str, types: shorthand.Types, choices: list[str]
) -> str | None:
    word: str | None = None
    status = _STATUS_CLASS.match(found)
    if any(isinstance(one, inspect.BoolType) for one in types) and found.strip().lower() in _TRUTH:
        return _truth(found)
    if choices:
        word = peer_words.of_value(found, choices) or alike(found, choices)
    elif field == "status" and status:
        return f"{status[1]}00-{status[1]}99"
    elif "," in found and any(isinstance(one, _LIST) for one in types):
        return f"[{', '.join(part.strip() for part in found.split(','))[:80]}]"
    else:
        word = _lower(found, types)
    return None if word is None else repr(word)


def _truth(found: str) -> str:
    word = found.strip().lower()
    quotes = " (without quotes)" if word in {"true", "false"} else ""
    return f"{'true' if word in _TRUE else 'false'}{quotes}"


def _lower(found: str, types: shorthand.Types) -> str | None:
    """A name in small letters with hyphens, where that alone is wrong with it."""
    for made in (found.lower(), found.upper(), re.sub(r"[\s_]+", "-", found.strip().lower())):
        patterns = (one.pattern for one in types if isinstance(one, inspect.StrType))
        if made != found and any(one and re.search(one, made) for one in patterns):
            return made
    return None


def _is_length_of_time(types: shorthand.Types, field: str) -> bool:
    if _FIELD_TEXT.get(field) == DURATION_TEXT:
        return True
    of_text = [one for one in types if isinstance(one, inspect.StrType)]
    return any(
        one.pattern is not None and PATTERN_TEXT.get(one.pattern) == DURATION_TEXT
        for one in of_text
    )


def _types_at(kind: type[Struct] | None, path: Path) -> shorthand.Types:
    """The types of what stands at `path` within an entry of `kind`; none if that is unknown."""
    here: shorthand.Types = () if kind is None else (inspect.type_info(kind),)
    for part in path:
        inner: list[inspect.Type] = []
        for one in here:
            if isinstance(part, int) and isinstance(one, inspect.VarTupleType):
                inner += shorthand.among(one.item_type)
            elif isinstance(one, inspect.StructType):
                fields = (each.type for each in one.fields if each.encode_name == part)
                inner += (each for found in fields for each in shorthand.among(found))
            elif isinstance(one, inspect.DictType):
                inner += shorthand.among(one.value_type)
        here = tuple(inner)
    return here


def _kind_at(kind: type[Struct] | None, path: Path) -> type[Struct] | None:
    """The Struct of what stands at `path` within an entry of `kind`; None if it is none."""
    found = _types_at(kind, path)
    return next((one.cls for one in found if isinstance(one, inspect.StructType)), None)


def _choices(types: shorthand.Types) -> list[str]:
    """The allowed values of an enumeration; none if it is not one."""
    inner = [
        each
        for one in types
        for each in (shorthand.among(one.item_type) if isinstance(one, _LIST) else (one,))
    ]
    return [str(v) for one in inner if isinstance(one, inspect.LiteralType) for v in one.values]


def _listed(choices: list[str]) -> str:
    return " or ".join((", ".join(choices[:-1]), choices[-1])) if len(choices) > 1 else choices[0]


def _wrong_entry(
    found: Mapping[str, Any], types: shorthand.Types, inner: Path, *, is_key: bool
) -> tuple[Path, object]:
    """The first key or value of a mapping that is none of its type: msgspec names none of them."""
    mappings = [one for one in types if isinstance(one, inspect.DictType)]
    wanted = [
        each
        for one in mappings
        for each in shorthand.among(one.key_type if is_key else one.value_type)
    ]
    for key, value in found.items():
        entry = key if is_key else value
        if wanted and not any(_may_be(entry, one) for one in wanted):
            return (inner, entry) if is_key else ((*inner, key), entry)
    return inner, found


def _may_be(value: object, one: inspect.Type) -> bool:
    """Whether a text is one of this type; others than texts are not judged."""
    if not isinstance(one, inspect.StrType):
        return not isinstance(value, str)
    return isinstance(value, str) and (one.pattern is None or bool(re.search(one.pattern, value)))


def _expected(message: str, field: str) -> str:
    if field in _FIELD_TEXT:
        return f"expected {_FIELD_TEXT[field]}"
    pattern = _PATTERN.match(message)
    wanted = PATTERN_TEXT.get(pattern[2].replace("\\\\", "\\")) if pattern else None
    if wanted:  # msgspec shows the pattern as Python writes it
        return f"expected {wanted}"
    message = re.sub(r", got `[^`]*`\Z", "", message)
    message = _UNION.sub(lambda union: _TYPE_TEXT.get(union[1], union[1]), message)
    return message[0].lower() + message[1:]


def _path(text: str) -> Path:
    parts: list[str | int] = []
    for name, position in _PATH_PART.findall(text):
        if position == "...":
            break
        parts.append(name or int(position))
    return tuple(parts)
