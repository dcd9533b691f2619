"""The configuration in a file: as it is, in a Secret or ConfigMap, or in the values of a chart."""

import base64
import binascii
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from portquorum.importing.alertmanager import operator_config
from portquorum.importing.model import Place, Unreadable
from portquorum.importing.source_yaml import Fields, documents_of, file_text
from portquorum.inventory.tree import Mapping, Sequence

_DEPTH: Final = 12
_MOST: Final = 20_000
_KEYS: Final = tuple(re.compile(rf"^{key}:", re.MULTILINE) for key in ("route", "receivers"))
_TEMPLATE: Final = re.compile(r"^(\s*(?:- )?[\w.-]+:[ \t]+)(\{\{.*\}\})[ \t]*$", re.MULTILINE)
"""A value that is a template of another program, which YAML reads as a mapping of a mapping."""


def configurations(path: Path) -> tuple[list[Fields], list[Unreadable]]:
    """All configurations of Alertmanager in a file, wherever they are within its documents."""
    text = file_text(path)
    if isinstance(text, Unreadable):
        return [], [text]
    found, unreadable = _of_text(text, str(path), 0)
    if not found and not unreadable:
        why = "expected `route:` and `receivers:` of Alertmanager in it, found neither"
        unreadable = [Unreadable(Place(str(path)), why)]
    return found, unreadable


def _of_text(text: str, file: str, line: int) -> tuple[list[Fields], list[Unreadable]]:
    roots, unreadable = documents_of(text, file, line)
    if unreadable and "{{" in text:
        quoted = _TEMPLATE.sub(_quoted, text)
        if quoted != text:
            roots, unreadable = documents_of(quoted, file, line)
    found: list[Fields] = []
    for root in roots:
        for one in _within(root.value):
            if isinstance(one, str):
                more, wrong = _of_text(one, file, line or root.line)
                found += more
                unreadable += wrong
            else:
                found.append(Fields(one, file))
    return found, unreadable


def _quoted(found: re.Match[str]) -> str:
    inner = found[2].replace("'", "''")
    return f"{found[1]}'{inner}'"


def _within(value: Any) -> Iterator[Mapping | str]:
    """Mappings that are configurations, and texts that hold one."""
    todo: list[tuple[Any, int]] = [(value, 0)]
    looked = 0
    while todo and looked < _MOST:
        one, depth = todo.pop()
        looked += 1
        if isinstance(one, Mapping):
            spec = one.get("spec")
            if one.get("kind") == operator_config.KIND and isinstance(spec, Mapping):
                yield operator_config.plain(spec)
            elif isinstance(one.get("route"), Mapping) and "receivers" in one:
                yield one
            elif depth < _DEPTH:
                todo += [(_text_of(name, inner), depth + 1) for name, inner in one.items()]
        elif isinstance(one, Sequence) and depth < _DEPTH:
            todo += [(inner, depth + 1) for inner in one]
        elif isinstance(one, str) and depth and all(key.search(one) for key in _KEYS):
            yield one


def _text_of(name: object, value: Any) -> Any:
    """The text of `data:` of a Secret, which is in Base64; anything else as it is."""
    if not isinstance(value, str) or not re.search(
        r"alertmanager|config", str(name), re.IGNORECASE
    ):
        return value
    packed = "".join(value.split())
    if len(packed) < 40 or not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", packed):
        return value
    try:
        return base64.b64decode(packed, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return value
