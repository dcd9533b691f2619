"""What a change of many targets says in the audit log: from what to what, and of how many. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

MOST_VALUES: Final = 5
"""Distinct values of one field that are said; the others are counted."""
_MOST_CHARS: Final = 100

Fields = Mapping[str, Any]


def differences(changes: Iterable[tuple[Fields, Fields]]) -> tuple[dict[str, str], dict[str, str]]:
    """The fields that differ, as they were and as they are: `60s` or `60s (3), none (2)`.

    Each change is an entry before and after it. Tags are said as those that were added or removed.
    """
    was: dict[str, Counter[str]] = {}
    now: dict[str, Counter[str]] = {}
    for before, after in changes:
        for field in before.keys() | after.keys():
            one, other = before.get(field), after.get(field)
            if one == other:
                continue
            if field == "tags":
                _tags(one or (), other or (), was, now)
                continue
            was.setdefault(field, Counter())[_text(one)] += 1
            now.setdefault(field, Counter())[_text(other)] += 1
    return (
        {field: _said(found) for field, found in sorted(was.items())},
        {field: _said(found) for field, found in sorted(now.items())},
    )


def _tags(
    before: Iterable[str],
    after: Iterable[str],
    was: dict[str, Counter[str]],
    now: dict[str, Counter[str]],
) -> None:
    gone, new = set(before) - set(after), set(after) - set(before)
    if gone:
        was.setdefault("tags_removed", Counter()).update(gone)
    if new:
        now.setdefault("tags_added", Counter()).update(new)


def _said(found: Counter[str]) -> str:
    if len(found) == 1:
        return next(iter(found))
    shown = found.most_common(MOST_VALUES)
    words = ", ".join(f"{value} ({number})" for value, number in shown)
    left = len(found) - len(shown)
    return f"{words} and {left} others" if left else words


def _text(value: object) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _MOST_CHARS else f"{text[: _MOST_CHARS - 1]}…"
