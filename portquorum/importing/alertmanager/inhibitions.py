"""Rules by which one alert holds back another: what here does the same."""

from collections.abc import Sequence
from typing import Final

from portquorum.importing.alertmanager.matchers import Matcher, matchers_of
from portquorum.importing.model import Found
from portquorum.importing.source_yaml import Fields, WrongValueError

_SAME_PLACE: Final = frozenset({"instance", "host", "hostname", "node", "target", "alertname"})
_SEVERITY: Final = frozenset({"severity", "level", "priority"})


def inhibition(fields: Fields, number: int) -> Found:
    """The entry of one rule: nearly, if the rules of incidents do it; else what to write."""
    name = fields.text("name") or f"inhibition {number}"
    entry = Found(place=fields.place(), name=name, group="inhibit_rules")
    try:
        source = matchers_of(fields, "source_")
        target = matchers_of(fields, "target_")
        equal = {str(one) for one in fields.listed("equal")}
    except (ValueError, WrongValueError) as error:
        entry.left_out = str(error)
        return entry
    entry.ignored = fields.unused()
    if equal & _SAME_PLACE and _of_severity(target):
        entry.taken = True
        entry.differences.append(
            "a target has one incident of a type at a time, with one severity, and ports of a host "
            "that fail together are one message: that is the rule here, and can't be changed"
        )
        return entry
    entry.left_out = (
        f"{_said(source)} holds back {_said(target)}: write `depends_on:` at the targets that are "
        "to be silent while another one is down"
    )
    entry.networked = _of_severity(source) or not _foreign(source)
    return entry


def _of_severity(matchers: Sequence[Matcher]) -> bool:
    return bool(matchers) and all(one.label in _SEVERITY for one in matchers)


def _foreign(matchers: Sequence[Matcher]) -> bool:
    return any(one.label == "alertname" for one in matchers)


def _said(matchers: Sequence[Matcher]) -> str:
    return "{" + ", ".join(map(str, matchers)) + "}"
