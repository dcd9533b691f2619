"""Matchers of labels: `severity=~"a|b"`, lists of them, and the older `match:` and `match_re:`.

Source: https://prometheus.io/docs/alerting/latest/configuration/#label-matchers
"""

import re
from collections.abc import Iterable
from typing import Any, Final, Literal

from msgspec import Struct

from portquorum.importing.source_yaml import Fields

Operator = Literal["=", "!=", "=~", "!~"]

_MATCHER: Final = re.compile(
    r"""\s*(?:"((?:[^"\\]|\\.)*)"|([^\s{}!=~,"]+))\s*(=~|!~|!=|=)\s*"""
    r"""(?:"((?:[^"\\]|\\.)*)"|([^"]*?))\s*(?:,|\}|$)"""
)
_LONGEST: Final = 4_000
_PLAIN: Final = re.compile(r"[\w :/@%-]*")


class Matcher(Struct, frozen=True):
    """One condition on a label of alerts."""

    label: str
    operator: Operator
    value: str

    @property
    def negative(self) -> bool:
        """True if it keeps away what has the value."""
        return self.operator.startswith("!")

    @property
    def values(self) -> tuple[str, ...] | None:
        """The values that it names, `*` for any characters; None: an expression of another form.

        Expressions are anchored: `a|b` are two values, `a.*` is `a*`.
        """
        if self.operator in {"=", "!="}:
            return (self.value,)
        inner = self.value.removeprefix("^").removesuffix("$")
        if inner.startswith("(") and inner.endswith(")") and inner.count("(") == 1:
            inner = inner[1:-1].removeprefix("?:")
        found = [_pattern(one) for one in inner.split("|")]
        return None if None in found else tuple(one for one in found if one is not None)

    def __str__(self) -> str:
        return f'{self.label}{self.operator}"{self.value}"'


def _pattern(text: str) -> str | None:
    """An expression of letters and `.*` as a pattern with `*`; None: another one."""
    plain = text.replace(r"\.", "\0").replace(".*", "*").replace(".+", "*")
    if "." in plain or not _PLAIN.fullmatch(plain.replace("*", "").replace("\0", "")):
        return None
    return plain.replace("\0", ".")


def matchers_of(fields: Fields, prefix: str = "") -> list[Matcher]:
    """The matchers of a route (`prefix` empty) or of a side of an inhibition (`source_`).

    Raises:
        ValueError: one can't be read.
    """
    found: list[Matcher] = []
    for name, operator in ((f"{prefix}match", "="), (f"{prefix}match_re", "=~")):
        pairs = fields.child(name)
        found += [
            Matcher(str(label), operator, pairs.text(label))  # type: ignore[arg-type]
            for label in list(pairs.value)
        ]
    for one in fields.listed(f"{prefix}matchers"):
        found += _one(one)
    return found


def _one(written: Any) -> Iterable[Matcher]:
    """The matchers of one item: a text, or a mapping of the operator of Kubernetes."""
    if isinstance(written, dict):
        operator = str(
            written.get("matchType")
            or written.get("match_type")
            or ("=~" if written.get("regex") else "=")
        )
        if operator not in {"=", "!=", "=~", "!~"}:
            raise ValueError("expected a matchType of =, !=, =~ or !~, found another one")
        return [Matcher(str(written.get("name")), operator, str(written.get("value") or ""))]  # type: ignore[arg-type]
    text = str(written).strip()[:_LONGEST]
    inner = text.removeprefix("{").removesuffix("}").strip().removesuffix(",")
    found: list[Matcher] = []
    at = 0
    while at < len(inner):
        match = _MATCHER.match(inner, at)
        if match is None or match.end() == at:
            raise ValueError(f'expected matchers such as severity="critical", found {text[:80]!r}')
        label = _unquoted(match[1]) if match[1] is not None else match[2]
        value = _unquoted(match[4]) if match[4] is not None else match[5]
        found.append(Matcher(label, match[3], value))  # type: ignore[arg-type]
        at = match.end()
    return found


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda one: "\n" if one[1] == "n" else one[1], text)
