"""Expressions of CEL on a JSON body, as far as they are comparisons: `body.a.b == "x" && …`."""

import json
import re
from typing import Any, Final

_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<path>body(?:\.[A-Za-z_]\w*|\[(?:\d{1,6}|"[^"\\]{1,100}"|'[^'\\]{1,100}')\])*)
    |(?P<text>"(?:[^"\\]|\\["\\/bfnrt])*"|'[^'\\"]*')
    |(?P<number>-?\d{1,18}(?:\.\d{1,18})?(?:[eE][-+]?\d{1,3})?)
    |(?P<word>true|false|null)
    |(?P<sign>&&|==|!=|<=|>=|<|>|!|\(|\))
    |(?P<call>size|has)
    )""",
    re.VERBOSE,
)
_TURNED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_BOUND: Final = {"<": "less_than", "<=": "at_most", ">": "more_than", ">=": "at_least"}
_OPPOSITE: Final = {"==": "!=", "!=": "==", "<": ">=", ">": "<=", "<=": ">", ">=": "<"}
_MOST: Final = 4_096

Token = tuple[str, str]


def conditions(expression: str) -> list[dict[str, Any]]:
    """The conditions that all hold where the expression is true.

    Raises:
        ValueError: it is more than comparisons of parts of `body` that are joined by `&&`.
    """
    return [one for part in _parts(expression) for one in _written(*_comparison(part))]


def no_conditions(expression: str) -> list[dict[str, Any]]:
    """The conditions that hold where the expression is false: of one comparison only.

    Raises:
        ValueError: as `conditions`.
    """
    parts = _parts(expression)
    if len(parts) != 1:
        raise ValueError("several comparisons that must not hold together")
    subject, operator, value = _comparison(parts[0])
    if operator not in _OPPOSITE:
        raise ValueError("a field that must not be there")
    return _written(subject, _OPPOSITE[operator], value)


def _parts(expression: str) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for kind, text in _tokens(expression):
        depth += {"(": 1, ")": -1}.get(text, 0) if kind == "sign" else 0
        if text == "&&" and kind == "sign":
            if depth:
                raise ValueError("parentheses around several comparisons")
            parts.append([])
        else:
            parts[-1].append((kind, text))
    return parts


def _tokens(expression: str) -> list[Token]:
    if len(expression) > _MOST:
        raise ValueError("very long")
    found: list[Token] = []
    at, end = 0, len(expression.rstrip())
    while at < end:
        match = _TOKEN.match(expression, at)
        if match is None or match.lastgroup is None:
            raise ValueError(f"found {expression[at : at + 20].strip()!r}")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def _comparison(tokens: list[Token]) -> tuple[dict[str, Any], str, Any]:
    """The subject of a condition, the sign, and the value that it is compared with."""
    while len(tokens) > 2 and tokens[0][1] == "(" and tokens[-1][1] == ")":
        tokens = tokens[1:-1]
    if len(tokens) == 2 and tokens[0] == ("sign", "!") and tokens[1][0] == "path":
        return _subject(tokens[1:]), "==", False
    if len(tokens) == 1 and tokens[0][0] == "path":
        return _subject(tokens), "==", True
    if tokens[:1] == [("call", "has")]:
        return _subject(tokens[2:-1]), "has", None
    at = next((at for at, token in enumerate(tokens) if token[1] in _TURNED), None)
    if at is None:
        raise ValueError("no comparison")
    left, right, sign = tokens[:at], tokens[at + 1 :], tokens[at][1]
    if len(left) == 1 and left[0][0] != "path":
        left, right, sign = right, left, _TURNED[sign]
    if len(right) != 1 or right[0][0] not in {"text", "number", "word"}:
        raise ValueError("a comparison of two parts of the body")
    return _subject(left), sign, _value(right[0])


def _subject(tokens: list[Token]) -> dict[str, Any]:
    if tokens[:1] == [("call", "size")]:
        return _subject(tokens[2:-1]) | {"length": True}
    if len(tokens) != 1 or tokens[0][0] != "path":
        raise ValueError("something else than a part of the body")
    return {"json": "$" + tokens[0][1].removeprefix("body")}


def _value(token: Token) -> Any:
    kind, text = token
    if kind == "text" and text.startswith("'"):
        return text[1:-1]
    return json.loads(text)


def _written(subject: dict[str, Any], sign: str, value: Any) -> list[dict[str, Any]]:
    if sign == "has":
        return [subject | {"exists": True}]
    if sign == "==":
        return [subject | {"equals": value}]
    if sign == "!=":  # CEL has an error for what is not there
        there = {name: one for name, one in subject.items() if name != "length"}
        return [there | {"exists": True}, subject | {"equals": value, "not": True}]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [subject | {_BOUND[sign]: value}]
    raise ValueError("an order of what is no number")
