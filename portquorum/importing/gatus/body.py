"""Conditions on a body as conditions of kind `http` (docs/kinds.md, "Conditions").

Gatus reads paths of its own (jsonpath/jsonpath.go): keys, dots and `[0]`, no `[*]`. A value is a
text to it, so that 18 and "18" are the same; what is not there equals nothing, and is 0.
"""

import json
import re
from typing import Any, Final

from portquorum.importing.gatus.check import NEVER, Check
from portquorum.importing.gatus.condition import (
    Condition,
    Subject,
    glob_regex,
    holds,
    integer,
    number,
    subject_of,
)
from portquorum.importing.gatus.texts import LeaveOutError

_INDEX: Final = re.compile(r"\[([^\[\]]*)\]")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SURROUNDED: Final = re.compile(r"\*+([^*?\[\]\\/]+)\*+\Z")
_NOT_JSON: Final = "the body must be JSON; Gatus takes one that is not"
_EXPONENT: Final = 1_000_000
"""Gatus writes a number of JSON as 1e+06 from here on, and compares that with 1000000."""

_EMPTY: Final = r"^(\[\s*\])?$"

Written = dict[str, Any]


def of_body(condition: Condition, check: Check) -> list[Written]:
    """The conditions that are one of Gatus' on `[BODY]`; none if it always holds.

    Raises:
        LeaveOutError: it can't be said here.
    """
    subject = condition.subject
    if subject is None or subject.placeholder != "[BODY]":
        raise LeaveOutError(f"it is no condition on the body: {condition.text}")
    if subject_of(condition.right) is not None:
        raise LeaveOutError(f"two parts of an answer are not compared: {condition.text}")
    if subject.function == "has":
        return _has(condition, subject, check)
    if subject.function == "len":
        return _length(condition, subject, check)
    if condition.operator in {"==", "!="}:
        return _equal(condition, subject, check)
    return _bound(condition, _about(subject), check)


def path_of(path: str) -> str | None:
    """The JSONPath (RFC 9535) of a path of Gatus; None if Gatus itself finds nothing by it."""
    found = "$"
    for key in _keys(path):
        name, _, rest = key.partition("[")
        indices = _INDEX.findall(f"[{rest}" if rest else "")
        if name:
            found += f".{name}" if _NAME.match(name) else f"['{_quoted(name)}']"
        if not name and not indices:
            return None
        for index in indices:
            if not index.isascii() or not index.isdecimal():
                return None
            found += f"[{int(index)}]"
    return found


def _keys(path: str) -> list[str]:
    """The parts between dots that are in no brackets."""
    keys, depth = [""], 0
    for char in path:
        depth += {"[": 1, "]": -1}.get(char, 0)
        if char == "." and depth == 0:
            keys.append("")
        else:
            keys[-1] += char
    return keys


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'")


def _about(subject: Subject) -> Written:
    if not subject.path:
        return {"body": True}
    path = path_of(subject.path)
    if path is None:
        raise LeaveOutError(f"{NEVER}: Gatus knows no such path as [BODY].{subject.path}")
    return {"json": path}


def _negated(written: Written, condition: Condition, check: Check) -> Written:
    if condition.operator != "!=":
        return written
    if "json" in written:
        check.differs(_NOT_JSON)
    return written | {"not": True}


def _equal(condition: Condition, subject: Subject, check: Check) -> list[Written]:
    about, (call, inner) = _about(subject), condition.call
    if call == "pat":
        if set(inner) == {"*"}:
            if condition.operator == "!=":
                raise LeaveOutError(f"{NEVER}: {condition.text}")
            return []
        plain = _SURROUNDED.match(inner)
        demand: Written = {"contains": plain[1]} if plain else {"matches": glob_regex(inner)}
        return [_negated(about | demand, condition, check)]
    texts = [one.strip() for one in inner.split(",")] if call == "any" else [inner]
    if "json" not in about and texts == [""]:
        demand = {"matches": "^$"}
    elif "json" not in about:
        demand = {"equals": texts[0]} if len(texts) == 1 else {"any_of": texts}
    else:
        values = [value for text in texts for value in _values(text)]
        demand = {"equals": values[0]} if len(values) == 1 else {"any_of": values}
    if "json" in about and any(abs(integer(text) or 0) >= _EXPONENT for text in texts):
        check.differs(f"Gatus never finds numbers from {_EXPONENT} on equal ({condition.text})")
    if "json" in about and "null" in texts:
        check.differs(f"null is a value here; in Gatus {condition.text} is about its absence")
    return [_negated(about | demand, condition, check)]


def _values(text: str) -> list[Any]:
    """The values of JSON that are this text to Gatus."""
    whole = integer(text)
    if whole is not None:
        return [whole, text]
    if text in {"true", "false"}:
        return [text == "true", text]
    if text == "null":
        return [None]
    if re.fullmatch(r"-?[0-9]{1,300}\.[0-9]{1,300}", text):
        return [float(text), text]
    return [*_composed(text), text]


def _composed(text: str) -> list[Any]:
    """An object or an empty list as Gatus writes it."""
    try:
        value = json.loads(text) if text[:1] in {"{", "["} else None
    except (ValueError, RecursionError):
        return []
    return [value] if isinstance(value, dict) or value == [] else []


def _bound(condition: Condition, about: Written, check: Check) -> list[Written]:
    """A comparison of numbers: Gatus cuts decimals off, and what is no number is 0."""
    limit, operator = number(condition.right), condition.operator
    if re.search(r"[0-9]\.[0-9]", condition.right) and float_of(condition.right) != limit:
        check.differs(f"Gatus cuts the decimals off ({condition.text}); here they count")
        words = {"<": "less_than", "<=": "at_most", ">": "more_than", ">=": "at_least"}
        return [about | {words[operator]: float_of(condition.right)}]
    if not holds(Condition("", "0", operator, str(limit)), {}):
        return [about | _demand(operator, limit)]
    if "json" in about:
        check.differs(_NOT_JSON)
    opposite = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[operator]
    return [about | _demand(opposite, limit) | {"not": True}]


def _demand(operator: str, limit: int) -> Written:
    """A bound that 0 is not within, for what Gatus cuts towards 0: 5.7 is not above 5."""
    if operator in {">", ">="}:
        return {"at_least": limit + (operator == ">")}
    return {"at_most": limit - (operator == "<")}


def float_of(text: str) -> float:
    """The number in a text; that of `number` where it is more than a number."""
    try:
        return float(text)
    except ValueError:
        return number(text)


def _has(condition: Condition, subject: Subject, check: Check) -> list[Written]:
    """`has(x) == true`; null is not there to Gatus."""
    wanted = {"true": True, "false": False}.get(condition.right)
    if wanted is None or condition.operator not in {"==", "!="}:
        raise LeaveOutError(f"has(…) is true or false, and nothing else: {condition.text}")
    there = wanted == (condition.operator == "==")
    if not subject.path:
        return [{"body": True, "matches": "^$"} | ({"not": True} if there else {})]
    about = _about(subject)
    if there:
        return [about | {"exists": True}, about | {"equals": None, "not": True}]
    check.differs(_NOT_JSON)
    return [about | {"equals": None, "or_missing": True}]


def _length(condition: Condition, subject: Subject, check: Check) -> list[Written]:
    limit, operator = number(condition.right), condition.operator
    if not subject.path:
        of_all = _emptiness(operator, limit)
        if of_all is not None:
            return [of_all]
        check.differs("the length of a body is that of its JSON array; Gatus counts other bytes")
        about: Written = {"json": "$", "length": True}
    else:
        about = _about(subject) | {"length": True}
    if operator in {"==", "!="}:
        if condition.call[0]:
            raise LeaveOutError(f"a length is a number here: {condition.text}")
        return [_negated(about | {"equals": limit}, condition, check)]
    return _bound(condition, about, check)


def _emptiness(operator: str, limit: int) -> Written | None:
    """An empty body or array, or one that is not: what `len([BODY])` is most often asked for."""
    empty: Written = {"body": True, "matches": _EMPTY}
    if (operator, limit) in {("==", 0), ("<", 1), ("<=", 0)}:
        return empty
    if (operator, limit) in {("!=", 0), (">", 0), (">=", 1)}:
        return empty | {"not": True}
    return None
