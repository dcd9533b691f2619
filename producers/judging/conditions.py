"""Conditions on an answer of HTTP, judged: values found in JSON, header values, a body as text.

A condition holds if it does for one of the values; with `not`, if it does for none.
"""

import contextlib
import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

import jsonpath
import re2
from msgspec import Struct

from producers.checks.os_errors import shown
from producers.judging.json_values import found_by, in_utf8, is_singular, parsed, same
from schemas.probe import Condition

SMALL_BYTES: Final = 4_096
"""The most bytes, over all conditions, that are judged in the event loop (see `jobs.SMALL_BYTES`).
"""

_SHOWN_VALUES: Final = 5
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,300})(\.[0-9]{1,300})?([eE][-+]?[0-9]{1,3})?")
_BOUNDS: Final = {
    "less_than": "less than",
    "at_most": "at most",
    "more_than": "more than",
    "at_least": "at least",
}

_OPTIONS: Final = re2.Options()
_OPTIONS.dot_nl = True
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


class JsonConditions(Struct, frozen=True, tag="json_conditions"):
    """The first of `conditions` that does not hold for a body of JSON, in words; None: all hold.

    `charset`: see `json_values.in_utf8`.
    """

    conditions: tuple[Condition, ...]
    body: bytes
    charset: str | None = None

    @property
    def small(self) -> bool:
        """Paths that are not singular can be quadratic and worse, also in a small body."""
        return _is_small(self.conditions, len(self.body)) and all(
            is_singular(one.json or "$") for one in self.conditions
        )

    def verdict(self) -> str | None:
        """See the class."""
        try:
            document = parsed(in_utf8(self.body, self.charset))
            known: dict[str, list[Any]] = {}  # several conditions may look at the same values
            for one in self.conditions:
                path = one.json or "$"
                if path not in known:
                    known[path] = list(found_by(path, document))
                wrong = _failure(one, _measured(one, path, known[path]))
                if wrong is not None:
                    return wrong
        except (ValueError, RecursionError, jsonpath.JSONPathError) as error:
            return f"expected JSON, found {shown(self.body)!r} ({type(error).__name__})"
        return None


class TextConditions(Struct, frozen=True, tag="text_conditions"):
    """The first of `conditions` that holds for none of the texts, in words; None: all hold.

    `values` are those of a header, or the body alone; blanks around them do not count. `charset`
    is Python's name of their encoding, None: UTF-8.
    """

    conditions: tuple[Condition, ...]
    values: tuple[bytes, ...]
    charset: str | None = None

    @property
    def small(self) -> bool:
        """The cost is that of the regular expressions."""
        return _is_small(self.conditions, sum(map(len, self.values)))

    def verdict(self) -> str | None:
        """See the class."""
        texts = [_decoded(value, self.charset) for value in self.values]
        for one in self.conditions:
            wrong = _failure(one, _lengths(texts) if one.length else texts, texts=True)
            if wrong is not None:
                return wrong
        return None


class AnyMatch(Struct, frozen=True, tag="any_match"):
    """The position of the first of `texts` that has a match of `regex` (RE2), None without one."""

    regex: str
    texts: tuple[str, ...]

    @property
    def small(self) -> bool:
        """See `SMALL_BYTES`."""
        return sum(map(len, self.texts)) <= SMALL_BYTES

    def verdict(self) -> int | None:
        """See the class."""
        found = pattern(self.regex)
        return next(
            (at for at, text in enumerate(self.texts) if found.search(_bytes(text)) is not None),
            None,
        )


@lru_cache(maxsize=4096)
def pattern(text: str) -> Any:
    """The regular expression of characters; `.` is a line end, too.

    Raises:
        ValueError: RE2 has no such expression.
    """
    try:
        return re2.compile(text.encode(), _OPTIONS)
    except (re2.error, UnicodeEncodeError) as error:
        why = error.args[0] if error.args and isinstance(error, re2.error) else str(error)
        why = why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)
        wanted = f"expected a regular expression (RE2), found {text!r}"
        raise ValueError(f"{wanted}: {why}") from error


def subject(condition: Condition) -> str:
    """The thing that a condition is about, for people."""
    if condition.json is not None:
        what = condition.json
    else:
        what = "body" if condition.header is None else f"header {condition.header}"
    return f"length of {what}" if condition.length else what


def wanted(condition: Condition) -> str:
    """The content of a condition, for people."""
    parts: list[str] = []
    if condition.equals is not None:
        parts.append(shown(condition.equals.encode()))
    if condition.any_of is not None:
        parts.append(f"one of {shown(', '.join(condition.any_of).encode())}")
    for name, words in _BOUNDS.items():
        bound: float | None = getattr(condition, name)
        if bound is not None:
            parts.append(f"{words} {bound:.15g}")
    if condition.contains is not None:
        parts.append(f"text with {condition.contains!r}")
    if condition.matches is not None:
        parts.append(f"a match of {condition.matches!r}")
    if not parts:
        return "no value" if condition.negated else "a value"
    text = " and ".join(parts)
    if not condition.negated:
        return text
    alone = len(parts) == 1 and condition.contains is not None
    return f"no {text}" if alone else f"not {text}"


def _failure(condition: Condition, values: Sequence[Any], *, texts: bool = False) -> str | None:
    holding = next((one for one in values if _holds(condition, one, is_text=texts)), _NOTHING)
    if condition.negated:
        if holding is _NOTHING:
            return None
        found = _told([holding], texts=texts)
    else:
        if holding is not _NOTHING or (condition.or_missing and not values):
            return None
        found = _told(values, texts=texts)
    return f"{subject(condition)}: expected {wanted(condition)}, found {found}"


_NOTHING: Final = object()


def _holds(condition: Condition, value: Any, *, is_text: bool) -> bool:
    return (
        _is_wanted(condition, value, is_text=is_text)
        and _within(condition, value)
        and _says(condition, value)
    )


def _is_wanted(condition: Condition, value: Any, *, is_text: bool) -> bool:
    if condition.equals is None and condition.any_of is None:
        return True
    one_of = [_wanted_value(text) for text in condition.any_of or ()]
    only = [] if condition.equals is None else [_wanted_value(condition.equals)]
    seen = [value]
    if is_text and isinstance(value, str) and not all(isinstance(w, str) for w in one_of + only):
        # All of HTTP is text: the number 5 is the text that JSON reads as 5.
        with contextlib.suppress(ValueError, RecursionError):
            seen.append(parsed(value))
    return all(
        any(same(found, w) for w in among for found in seen) for among in (one_of, only) if among
    )


@lru_cache(maxsize=4096)
def _wanted_value(text: str) -> Any:
    """The value of a JSON text; nobody changes it."""
    return parsed(text)


def _within(condition: Condition, value: Any) -> bool:
    less, most = condition.less_than, condition.at_most
    more, least = condition.more_than, condition.at_least
    if less is most is more is least is None:
        return True
    number = _number(value)
    return (
        number is not None
        and (less is None or number < less)
        and (most is None or number <= most)
        and (more is None or number > more)
        and (least is None or number >= least)
    )


def _number(value: Any) -> float | None:
    """The number that a value is, or that its text is."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value.strip())
    return None


def _says(condition: Condition, value: Any) -> bool:
    if condition.contains is None and condition.matches is None:
        return True
    text = value if isinstance(value, str) else _json(value)
    if condition.contains is not None and condition.contains not in text:
        return False
    return condition.matches is None or bool(pattern(condition.matches).search(_bytes(text)))


def _measured(condition: Condition, path: str, found: list[Any]) -> list[Any]:
    """The values that the path has found, or the length that is asked for."""
    if not condition.length:
        return found
    return _lengths(found) if is_singular(path) else [len(found)]


def _lengths(values: Iterable[Any]) -> list[int]:
    return [len(one) for one in values if isinstance(one, str | list | dict)]


def _decoded(value: bytes, charset: str | None) -> str:
    if charset is not None:
        return value.decode(charset, "replace").strip()
    return value.decode("utf-8-sig", "replace").strip()


def _told(values: Sequence[Any], *, texts: bool) -> str:
    if not values:
        return "none"
    few = values[:_SHOWN_VALUES]
    if texts and all(isinstance(one, str) for one in few):
        return ", ".join(repr(shown(_bytes(one[:1_000]))) for one in few)
    return shown(", ".join(map(_json, few)).encode("utf-8", "backslashreplace"))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _bytes(text: str) -> bytes:
    """JSON has lone surrogates, which no encoding takes."""
    return text.encode("utf-8", "backslashreplace")


def _is_small(conditions: Sequence[Condition], size: int) -> bool:
    return size * max(1, len(conditions)) <= SMALL_BYTES and not any(
        len(one.equals or "") + sum(map(len, one.any_of or ())) > SMALL_BYTES for one in conditions
    )
