"""Who is told by Alertmanager's tree is told by the routes that are made of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portquorum.importing import writer
from portquorum.importing.alertmanager import read
from portquorum.importing.assemble import assemble
from portquorum.importing.model import Options
from portquorum.inventory import check
from sinks.notifier.routing import Routes
from tests.unit.sinks.notifier.events import incident_event

SEVERITIES = ("critical", "warning", "info")
TEAMS = ("red", "blue", None)
EVENTS = [(severity, team) for severity in SEVERITIES for team in TEAMS]
Labels = tuple[str, str | None]
RECEIVERS = ("a", "b", "c", "d")
NOON = 1_800_000_000_000


def told(node: dict[str, Any], labels: Labels) -> Iterator[str]:
    """The receivers, as `dispatch/route.go` of Alertmanager finds them."""
    matched = False
    for child in node.get("routes", []):
        found = list(told(child, labels)) if fits(child, labels) else []
        if found:
            matched = True
            yield from found
            if not child["continue"]:
                break
    if not matched:
        yield node["receiver"]


def fits(node: dict[str, Any], labels: Labels) -> bool:
    (matcher,) = node["matchers"]
    operator = next(one for one in ("=~", "!=", "=") if one in matcher)
    values = matcher.partition(operator)[2].strip('"').split("|")
    value = labels[0] if matcher.startswith("severity") else labels[1]
    return (value in values) != (operator == "!=")


def matcher_texts() -> st.SearchStrategy[str]:
    one = st.sampled_from(SEVERITIES)
    return st.one_of(
        st.sampled_from(["red", "blue"]).map('team="{}"'.format),
        one.map('severity="{}"'.format),
        one.map('severity!="{}"'.format),
        st.lists(one, min_size=1, max_size=2, unique=True).map(
            lambda several: f'severity=~"{"|".join(several)}"'
        ),
    )


def nodes(goes_on: st.SearchStrategy[bool], depth: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    children = st.lists(nodes(goes_on, depth - 1), max_size=2) if depth else st.just([])
    return st.fixed_dictionaries(
        {
            "receiver": st.sampled_from(RECEIVERS),
            "matchers": matcher_texts().map(lambda text: [text]),
            "continue": goes_on,
            "routes": children,
        }
    )


def roots(goes_on: st.SearchStrategy[bool]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"receiver": st.sampled_from(RECEIVERS), "routes": st.lists(nodes(goes_on), max_size=3)}
    )


def ours(root: dict[str, Any], folder: Path) -> Routes:
    receivers = [
        {"name": name, "webhook_configs": [{"url": f"http://{name}.example.com/hook"}]}
        for name in RECEIVERS
    ]
    source = folder / "alertmanager.yml"
    source.write_text(json.dumps({"route": root, "receivers": receivers}))
    document, report = assemble(read([source], Options()), Options())
    document["targets"] = [{"id": "t", "name": "t", "host": "x.example.com", "port": 1}]
    document["teams"] = {"red": {}, "blue": {}}
    inventory = folder / "inventory.yaml"
    inventory.write_text(writer.document(document, report))
    return Routes.of(check([inventory]).policy)


def channels(routes: Routes, labels: Labels) -> set[str]:
    event = incident_event(severity=labels[0], team=labels[1], target="t")
    return {one.url.partition("//")[2][0] for one in routes.channels(event, NOON)}


@settings(max_examples=15, deadline=None)
@given(roots(st.just(False)))
def test_without_continue_the_same_are_told(
    tmp_path_factory: pytest.TempPathFactory, root: dict[str, Any]
) -> None:
    routes = ours(root, tmp_path_factory.mktemp("tree"))
    for labels in EVENTS:
        assert channels(routes, labels) == set(told(root, labels))


@settings(max_examples=15, deadline=None)
@given(roots(st.booleans()))
def test_with_continue_nobody_is_forgotten(
    tmp_path_factory: pytest.TempPathFactory, root: dict[str, Any]
) -> None:
    routes = ours(root, tmp_path_factory.mktemp("tree"))
    for labels in EVENTS:
        assert channels(routes, labels) >= set(told(root, labels))
