"""Values of JSON (RFC 8259): read as browsers do, compared as JSON has them, found by a path."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NoReturn

import jsonpath


def parsed(text: str | bytes) -> Any:
    """The value of a JSON text; of a repeated name the last value counts (section 4).

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is too deep.
    """
    try:
        return json.loads(text, parse_constant=_no_number)
    except (json.JSONDecodeError, UnicodeDecodeError, _NoNumberError):
        raise
    except ValueError:
        # An integer of more than 4,300 digits, which Python does not convert.
        return json.loads(text, parse_int=float, parse_constant=_no_number)


def in_utf8(body: bytes, charset: str | None) -> bytes:
    """A body in UTF-8, which JSON is whatever its head says (RFC 8259, section 8.1).

    `charset` is Python's name of the encoding that head or page name, None: UTF-8. It counts for
    what is no UTF-8 alone.
    """
    if charset is not None and not charset.startswith("utf-"):
        try:
            body.decode()
        except UnicodeDecodeError:
            return body.decode(charset, "replace").encode()
    return body


def same(one: Any, other: Any) -> bool:
    """Whether two values of JSON are equal.

    Python takes `true` for 1, also within arrays and objects.

    Raises:
        RecursionError: they are too deep.
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            same(value, other[name]) for name, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def found_by(path: str, document: Any) -> Iterator[Any]:
    """The values that a JSONPath (RFC 9535) finds, in their order.

    Raises:
        jsonpath.JSONPathError: no such path, or one that this document can't be asked for.
    """
    return (match.obj for match in _compiled(path).finditer(document))


def is_singular(path: str) -> bool:
    """Whether a JSONPath finds at most one value (RFC 9535, section 2.3.5.1: singular query)."""
    compiled = _compiled(path)
    return isinstance(compiled, jsonpath.JSONPath) and compiled.singular_query()


@lru_cache(maxsize=4096)
def _compiled(path: str) -> Any:
    """To compile a path takes longer than to follow it."""
    return jsonpath.compile(path)


class _NoNumberError(ValueError):
    """NaN or Infinity, which JSON does not have (section 6): no browser reads it."""


def _no_number(name: str) -> NoReturn:
    raise _NoNumberError(name)
