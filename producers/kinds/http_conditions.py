"""Conditions on an HTTP answer: which parts of it each needs, and what is wrong with one.

Those on headers are judged at once, those on JSON when it is complete, those on the body as text at
its end, save what more bytes can't change.
"""

import json
import re
from collections.abc import Sequence
from typing import Final

import jsonpath
from msgspec import Struct

from producers.checks.errors import CheckFailedError
from producers.judging.conditions import (
    JsonConditions,
    TextConditions,
    pattern,
    subject,
    wanted,
)
from producers.kinds.check_context import CheckContext
from producers.kinds.http_head import Head
from schemas.probe import Condition

_MOST_VALUES: Final = 20
"""The most fields of one name that are looked at, one by one."""

_DEMANDS: Final = (
    *("equals", "any_of", "less_than", "at_most", "more_than", "at_least", "contains", "matches"),
    "exists",
)
# `$`, `\z`, `\b`, `\B`: whether these match at the end of what came depends on what comes next.
_AT_END: Final = re.compile(r"\$|\\[zbB]")


class Group(Struct, frozen=True):
    """Conditions on a body that are judged together.

    `at_end`: only with the whole body, since more bytes could change the verdict.
    """

    conditions: tuple[Condition, ...]
    is_json: bool
    at_end: bool

    @property
    def words(self) -> str:
        """The first of them, for people."""
        first = self.conditions[0]
        if self.is_json:
            return f"JSON with {subject(first)}: {wanted(first)}"
        return f"the whole of it ({subject(first)}: {wanted(first)})"

    def job(self, body: bytes, charset: str | None) -> JsonConditions | TextConditions:
        """The job of a judge; `charset` as in `http_coding.charset_of`."""
        if self.is_json:
            return JsonConditions(self.conditions, body, charset)
        return TextConditions(self.conditions, (body,), charset)


def of_body(conditions: Sequence[Condition]) -> tuple[list[str], list[Group]]:
    """The texts that a body must have wherever they stand, and all other conditions on it."""
    texts: list[str] = []
    of_json: list[Condition] = []
    early: list[Condition] = []
    late: list[Condition] = []
    for one in conditions:
        if one.json is not None:
            of_json.append(one)
        elif one.body:
            if one.contains is not None and one == Condition(body=True, contains=one.contains):
                texts.append(one.contains)
            else:
                (early if _is_lasting(one) else late).append(one)
    groups = (
        Group(tuple(of_json), is_json=True, at_end=False),
        Group(tuple(early), is_json=False, at_end=False),
        Group(tuple(late), is_json=False, at_end=True),
    )
    return texts, [group for group in groups if group.conditions]


def header_values(head: Head, name: str) -> list[bytes]:
    """The values of the fields of this name, as one and one by one; empty without any."""
    joined, values = head.value(name), head.values(name)
    places = [] if joined is None else [joined]
    return places + (values[:_MOST_VALUES] if len(values) > 1 else [])


async def check_headers(context: CheckContext, conditions: Sequence[Condition], head: Head) -> None:
    """Checks the conditions on headers.

    Raises:
        CheckFailedError: `unexpected_response`.
    """
    for one in conditions:
        if one.header is not None:
            job = TextConditions((one,), tuple(header_values(head, one.header)))
            wrong = await context.verdict(job)
            if wrong is not None:
                raise CheckFailedError("unexpected_response", str(wrong))


def check(conditions: Sequence[Condition]) -> None:
    """Looks for conditions that mean nothing.

    Raises:
        ValueError: what was expected and what was found.
    """
    for position, one in enumerate(conditions):
        try:
            _check(one)
        except ValueError as error:
            raise ValueError(f"conditions[{position}]: {error}") from error


def path_error(path: str) -> str | None:
    """The reason why a JSONPath is none, None if it is one.

    `[BODY].a`, as Gatus has it, would be a member of the name "BODY", which no answer has.
    """
    if path.startswith("["):
        return "it begins with $, which is the whole body"
    try:
        jsonpath.compile(path)
    except (ValueError, jsonpath.JSONPathError) as error:
        return str(error.args[0]) if error.args else "no such path"  # str has a drawing of it
    return None


def _check(one: Condition) -> None:
    subjects = [name for name in ("json", "header") if getattr(one, name) is not None]
    subjects += ["body"] if one.body else []
    if len(subjects) != 1:
        found = " and ".join(subjects) or "none"
        raise ValueError(f"expected one of json, header and body: true, found {found}")
    if one.json is not None and (why := path_error(one.json)) is not None:
        text = "json: expected a JSONPath (RFC 9535) such as $.state"
        raise ValueError(f"{text}, found {one.json!r}: {why}")
    if one.matches is not None:
        try:
            pattern(one.matches)
        except ValueError as error:
            raise ValueError(f"matches: {error}") from error
    for text in (*(() if one.equals is None else (one.equals,)), *(one.any_of or ())):
        json.loads(text)
    _check_demands(one)


def _check_demands(one: Condition) -> None:
    values = ((name, getattr(one, name)) for name in _DEMANDS)
    # By identity: a bound of 0 equals False.
    demands = [name for name, value in values if value is not None and value is not False]
    if not demands:
        *names, last = _DEMANDS
        text = f"expected what holds of it ({', '.join(names)} or {last}: true"
        raise ValueError(f"{text}, with not: true for what must not be), found none of these")
    if one.equals is not None and one.any_of is not None:
        raise ValueError("expected equals or any_of, found both")
    of_text = [name for name in ("contains", "matches", "exists") if name in demands]
    if one.length and of_text:
        text = "expected numbers beside length: true (equals, any_of, less_than and the like)"
        raise ValueError(f"{text}, found {' and '.join(of_text)}")
    if one.or_missing and (one.negated or one.exists):
        text = "expected or_missing only where a missing value would be wrong"
        raise ValueError(f"{text}, found it beside {'not' if one.negated else 'exists'}: true")
    if one.body and one.exists:
        raise ValueError("expected exists: true beside json or header, for there always is a body")


def _is_lasting(one: Condition) -> bool:
    """Whether a condition that holds for the beginning of a body holds for all of it."""
    only = one == Condition(body=True, contains=one.contains, matches=one.matches)
    return only and (one.matches is None or _AT_END.search(one.matches) is None)
