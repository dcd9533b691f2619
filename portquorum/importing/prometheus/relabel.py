"""Relabelling as Prometheus does it (model/relabel): rules that change or drop labels."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from portquorum.importing.prometheus import go_regexp
from portquorum.importing.source_yaml import Fields

_ANYTHING: Final = "(.*)"
_ACTIONS: Final = frozenset(
    {"replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap", "labeldrop"}
    | {"labelkeep", "lowercase", "uppercase"}
)

_LONGEST: Final = 10_000
Labels = dict[str, str]


class Rule(Struct, frozen=True, kw_only=True):
    """One of `relabel_configs`, with Prometheus' defaults."""

    source_labels: tuple[str, ...] = ()
    separator: str = ";"
    regex: str = _ANYTHING
    modulus: int = 0
    target_label: str = ""
    replacement: str = "$1"
    action: str = "replace"


def rule_of(written: Fields) -> Rule:
    """A rule as it is written, in Prometheus' own words or in those of its operator (camelCase).

    Raises:
        ValueError: it is none.
    """

    def text(name: str, default: str) -> str:
        other = _camel(name)
        has = name if name in written else other
        # An empty text is meant: `replacement: ""` deletes the label.
        return written.text(has, default) if written.value.get(has) is not None else default

    names = written.listed("source_labels") or written.listed("sourceLabels")
    action = text("action", "replace").lower()
    if action not in _ACTIONS:
        raise ValueError(f"expected an action of relabelling, found {action[:40]!r}")
    rule = Rule(
        source_labels=tuple(str(name) for name in names),
        separator=text("separator", ";"),
        regex=text("regex", _ANYTHING),
        modulus=int(written.number("modulus")),
        target_label=text("target_label", ""),
        replacement=text("replacement", "$1"),
        action=action,
    )
    go_regexp.anchored(rule.regex)
    if action == "hashmod" and rule.modulus <= 0:
        raise ValueError("expected a modulus with the action hashmod, found none")
    return rule


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def relabelled(labels: Mapping[str, str], rules: Iterable[Rule]) -> Labels | None:
    """The labels after all rules; None if one of them drops the target. No label is empty."""
    found = {name: value for name, value in labels.items() if value}
    for rule in rules:
        if not _apply(rule, found):
            return None
    return found


def _apply(rule: Rule, labels: Labels) -> bool:
    """Changes `labels`; False if the rule drops the target."""
    value = rule.separator.join(labels.get(name, "") for name in rule.source_labels)
    if rule.action in {"drop", "keep"}:
        matches = go_regexp.anchored(rule.regex).search(value) is not None
        return matches == (rule.action == "keep")
    if rule.action in {"dropequal", "keepequal"}:
        return (labels.get(rule.target_label, "") == value) == (rule.action == "keepequal")
    if rule.action == "replace":
        _replace(rule, value, labels)
    elif rule.action in {"lowercase", "uppercase"}:
        changed = value.lower() if rule.action == "lowercase" else value.upper()
        _put(labels, rule.target_label, changed)
    elif rule.action == "hashmod":
        digest = hashlib.md5(value.encode(), usedforsecurity=False).digest()
        _put(labels, rule.target_label, str(int.from_bytes(digest[8:], "big") % rule.modulus))
    else:
        _rename(rule, labels)
    return True


def _replace(rule: Rule, value: str, labels: Labels) -> None:
    match = go_regexp.anchored(rule.regex).search(value)
    if match is None:
        return
    name = go_regexp.expand(rule.target_label, match)
    if name:
        _put(labels, name, go_regexp.expand(rule.replacement, match))


def _rename(rule: Rule, labels: Labels) -> None:
    """`labelmap`, `labeldrop` and `labelkeep`, which look at the names."""
    regex = go_regexp.anchored(rule.regex)
    for name, value in list(labels.items()):
        match = regex.search(name)
        if rule.action == "labelmap":
            if match is not None:
                _put(labels, go_regexp.expand(rule.replacement, match), value)
        elif (match is None) == (rule.action == "labelkeep"):
            del labels[name]


def _put(labels: Labels, name: str, value: str) -> None:
    if not name:
        return
    if len(value) > _LONGEST or len(name) > _LONGEST:
        raise ValueError(f"relabelling makes a label of more than {_LONGEST:,} characters")
    if value:
        labels[name] = value
    else:
        labels.pop(name, None)
