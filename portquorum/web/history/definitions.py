"""What each definition of a target changed. Pure."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from portquorum.web.history.answers import DefinitionChange, FieldChange

_NOT_SHOWN: Final = frozenset({"id", "version", "source", "depends_on_hosts"})
"""Fields that say nothing to people: the id is the target, the version the time of `apply`."""

_LONGEST: Final = 2_000
"""The longest JSON of a field, in characters."""


def changes(found: Sequence[Sequence[Any]], most: int) -> tuple[DefinitionChange, ...]:
    """The last `most` changes, the newest first.

    A row has the time (UTC ms), partition and offset, source, 1 for a removal, and the JSON. One
    row more than `most` tells what the oldest of them changed. A definition that was published
    again without a change is none.
    """
    told: list[DefinitionChange] = []
    before: dict[str, Any] | None = None
    first = True
    for at, _, _, source, removed, raw in sorted(found, key=lambda row: tuple(row[:3])):
        now = None if removed else _fields(raw)
        fields = () if before is None or now is None else _differences(before, now)
        what = "removed" if now is None else "applied" if before is None else "changed"
        is_news = first or (before is None) != (now is None) or bool(fields)
        if is_news:
            told.append(DefinitionChange(at=at, source=source, what=what, fields=fields))
        before, first = now, False
    return tuple(reversed(told[-most:]))


def _fields(raw: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _differences(before: dict[str, Any], after: dict[str, Any]) -> tuple[FieldChange, ...]:
    names = sorted((before.keys() | after.keys()) - _NOT_SHOWN)
    return tuple(
        FieldChange(field=name, before=_json(before.get(name)), after=_json(after.get(name)))
        for name in names
        if before.get(name) != after.get(name)
    )


def _json(value: Any) -> str | None:
    if value is None:
        return None
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
