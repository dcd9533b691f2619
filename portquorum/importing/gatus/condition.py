"""Gatus' conditions as Gatus reads and judges them (config/endpoint/condition.go of v5).

A condition is split at the first kind of comparison that it has, whatever else stands there; what
is no placeholder is taken as it is. So `[STATUS] == 200 || [STATUS] == 301` compares the status
with `200 || [STATUS]`, and never holds.
"""

import fnmatch
import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from portquorum.importing.durations import seconds

OPERATORS: Final = ("==", "!=", "<=", ">=", ">", "<")
"""In the order in which Gatus looks for them."""

MIRRORED: Final = {"==": "==", "!=": "!=", "<=": ">=", ">=": "<=", ">": "<", "<": ">"}
PLACEHOLDERS: Final = frozenset(
    {
        "[STATUS]",
        "[IP]",
        "[RESPONSE_TIME]",
        "[DNS_RCODE]",
        "[CONNECTED]",
        "[CERTIFICATE_EXPIRATION]",
        "[DOMAIN_EXPIRATION]",
        "[BODY]",
    }
)
NO_ANSWER: Final[Mapping[str, str]] = {
    "[STATUS]": "0",
    "[IP]": "192.0.2.1",
    "[RESPONSE_TIME]": "1",
    "[DNS_RCODE]": "",
    "[CONNECTED]": "false",
    "[CERTIFICATE_EXPIRATION]": "0",
    "[DOMAIN_EXPIRATION]": "0",
    "[BODY]": "",
}
"""The values that Gatus has when nobody answered; the name was found."""

_FUNCTION: Final = re.compile(r"(len|has)\((.*)\)\Z", re.DOTALL)
_CALL: Final = re.compile(r"(pat|any)\((.*)\)\Z", re.DOTALL)
_LONGEST_INT: Final = 70
_INT: Final = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9_]*)\Z")


class Subject(Struct, frozen=True):
    """What a condition is about: a placeholder, for `[BODY]` with a path, in a function or not."""

    placeholder: str
    path: str = ""
    function: str = ""


class Condition(Struct, frozen=True):
    """`left operator right`. If one side alone has a placeholder it is the left one."""

    text: str
    left: str
    operator: str
    right: str

    @property
    def subject(self) -> Subject | None:
        """What the left side is; None if it is a text that no answer changes."""
        return subject_of(self.left)

    @property
    def call(self) -> tuple[str, str]:
        """`pat` or `any` of the right side with what is in it; an empty name without."""
        found = _CALL.match(self.right)
        return (found[1], found[2]) if found else ("", self.right)


def parse(text: str) -> Condition:
    """A condition.

    Raises:
        ValueError: it has no comparison.
    """
    for operator in OPERATORS:
        if f" {operator} " in text:
            left, right = (part.strip() for part in text.split(f" {operator} ")[:2])
            if subject_of(left) is None and subject_of(right) is not None:
                return Condition(text, right, MIRRORED[operator], left)
            return Condition(text, left, operator, right)
    raise ValueError(f"expected a comparison such as [STATUS] == 200, found {text!r}")


def subject_of(text: str) -> Subject | None:
    """The placeholder of one side."""
    found = _FUNCTION.match(text)
    function, inner = (found[1], found[2]) if found else ("", text)
    name = inner.upper()
    if name in PLACEHOLDERS:
        return Subject(name, "", function)
    if name.startswith(("[BODY].", "[BODY][")):
        return Subject("[BODY]", inner[len("[BODY]") :].removeprefix("."), function)
    if name.startswith("[CONTEXT]"):
        return Subject("[CONTEXT]", inner[len("[CONTEXT]") :].removeprefix("."), function)
    return None


def holds(condition: Condition, answer: Mapping[str, str]) -> bool:
    """Whether Gatus takes the condition as fulfilled by an answer of these values.

    A path in a body is found in none: this is for answers without one.
    """
    left, right = (_resolved(side, answer) for side in (condition.left, condition.right))
    if condition.operator in {"==", "!="}:
        return _equal(left, right) == (condition.operator == "==")
    first, second = number(left), number(right)
    return {
        "<": first < second,
        "<=": first <= second,
        ">": first > second,
        ">=": first >= second,
    }[condition.operator]


def number(text: str) -> int:
    """A number as Gatus compares it: a duration in ms, decimals cut off, 0 for what is none."""
    try:
        length = seconds(text)
        if length:
            return int(length * 1000)
    except ValueError:
        pass
    whole = integer(text)
    if whole is not None:
        return whole
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return 0


def integer(text: str) -> int | None:
    """A whole number in Go's notation (`ParseInt` with base 0)."""
    if len(text) > _LONGEST_INT or not _INT.match(text):
        return None
    plain = text.replace("_", "")
    sign = -1 if plain.startswith("-") else 1
    plain = plain.lstrip("+-")
    if plain.startswith("0") and plain.isdecimal() and len(plain) > 1:
        return sign * int(plain, 8)
    return sign * int(plain, 0)


def glob_regex(pattern: str) -> str:
    """RE2 for a pattern of Go's `filepath.Match`, for all of a text; `/` is nothing to Gatus."""
    shown, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if char == "*":
            shown += "" if shown.endswith(".*") else ".*"
        elif char == "?":
            shown += "."
        elif char == "[" and "]" in pattern[at + 2 :]:
            end = pattern.index("]", at + 2)
            shown, at = shown + pattern[at : end + 1], end
        elif char == "\\" and at + 1 < len(pattern):
            at += 1
            shown += re.escape(pattern[at])
        else:
            shown += re.escape(char) if char != "/" else "/?"
        at += 1
    return f"^{shown}$"


def _resolved(text: str, answer: Mapping[str, str]) -> str:
    subject = subject_of(text)
    if subject is None:
        return text
    value = "" if subject.path else answer.get(subject.placeholder, "")
    if subject.function == "has":
        return str(value != "").lower()
    if subject.path:
        return f"{text} (INVALID)"
    return str(len(value)) if subject.function == "len" else value


def _equal(first: str, second: str) -> bool:
    for text, other in ((second, first), (first, second)):
        found = _CALL.match(text)
        if found and found[1] == "pat":
            return fnmatch.fnmatchcase(other.replace("/", ""), found[2].replace("/", ""))
        if found:
            return other in (one.strip() for one in found[2].split(","))
    left, right = integer(first), integer(second)
    if left is not None and right is not None:
        return left == right
    return first == second
