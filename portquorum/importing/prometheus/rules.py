"""Alert rules as they are written (`groups:` of a rule file, PrometheusRule)."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from portquorum.importing import durations
from portquorum.importing.model import Ignored, Place
from portquorum.importing.prometheus import promql
from portquorum.importing.source_yaml import Fields, WrongValueError


class AlertRule(Struct, frozen=True, kw_only=True):
    """One alert. `wrong`: why its expression can't be read."""

    name: str
    place: Place
    tree: promql.Node | None = None
    wrong: str = ""
    hold_s: float = 0
    keep_s: float = 0
    labels: Mapping[str, str] = {}
    runbook: str = ""


class Recording(Struct, frozen=True):
    """One recording rule: the metric that it makes, and of what."""

    name: str
    tree: promql.Node


def rules_of(groups: list[Fields]) -> Iterator[AlertRule | Recording | Ignored]:
    """All rules of these groups; what is none is said as ignored."""
    for group in groups:
        of_group = _labels(group.child("labels"))
        for name in ("name", "interval", "query_offset", "limit", "partial_response_strategy"):
            group.get(name)  # how often it is looked at is ours to choose
        for written in group.children("rules"):
            try:
                yield _rule(written, of_group)
            except ValueError as error:
                place = error.place if isinstance(error, WrongValueError) else written.place()
                what = written.value.get("alert") or written.value.get("record") or "a rule"
                yield Ignored(place, f"rule {what!s:.60}", str(error))


def _rule(written: Fields, of_group: Mapping[str, str]) -> AlertRule | Recording:
    expression = written.text("expr")
    name = written.text("alert")
    tree, wrong = None, ""
    try:
        tree = promql.parse(expression)
    except ValueError as error:
        wrong = str(error)
    if not name:
        if tree is None:
            raise ValueError(wrong)
        return Recording(written.text("record"), tree)
    annotations = written.child("annotations")
    runbook = annotations.text("runbook_url") or annotations.text("runbook")
    return AlertRule(
        name=name,
        place=written.place("alert"),
        tree=tree,
        wrong=wrong,
        hold_s=_span(written, "for"),
        keep_s=_span(written, "keep_firing_for"),
        labels={**of_group, **_labels(written.child("labels"))},
        runbook=runbook if "{{" not in runbook else "",
    )


def _span(written: Fields, name: str) -> float:
    return 0.0 if written.get(name) is None else durations.seconds(written.text(name))


def _labels(written: Fields) -> dict[str, str]:
    """Labels without those that a template makes."""
    found = {str(name): written.text(str(name)) for name in written.value}
    return {name: value for name, value in found.items() if "{{" not in value}
