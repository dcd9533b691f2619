"""What a silence matches."""

import pytest

from portquorum.silencing.matching import (
    is_everything,
    matched,
    matches_target,
    words,
)
from schemas.policy import Match
from schemas.target import Target
from tests.unit.sinks.notifier.events import incident_event

TARGET = Target(
    id="prod-db",
    name="Production DB",
    kind="postgres",
    host="db1.example.com",
    port=5432,
    team="database",
    tags=("rack-7", "prod"),
    criticality="critical",
    regions=("eu-west", "us-east"),
    interval_ms=30_000,
    timeout_ms=3_000,
    version=1,
    source="main",
)


@pytest.mark.parametrize(
    ("match", "taken"),
    [
        (Match(), True),
        (Match(teams=("database",)), True),
        (Match(teams=("data*", "web")), True),
        (Match(teams=("data",)), False),
        (Match(tags=("rack-*",)), True),
        (Match(tags=("rack-8",)), False),
        (Match(targets=("prod-*",)), True),
        (Match(targets=("*-db",)), True),
        (Match(targets=("p.od-db",)), False),
        (Match(kinds=("post*", "tcp")), True),
        (Match(regions=("us-east", "ap")), True),
        (Match(regions=("ap",)), False),
        (Match(criticalities=("critical",)), True),
        (Match(criticalities=("normal",)), False),
        (Match(teams=("database",), tags=("other",)), False),
        # Not known before there is an incident.
        (Match(severities=("info",), incident_types=("slow",)), True),
    ],
)
def test_a_target(match: Match, taken: bool) -> None:
    assert matches_target(match, TARGET) is taken


@pytest.mark.parametrize(
    ("match", "everything"),
    [
        (Match(), True),
        (Match(targets=("*",)), True),
        (Match(teams=("a", "**"), kinds=("*",)), True),
        (Match(tags=("*",)), False),
        (Match(targets=("*", "a"), severities=("info",)), False),
        (Match(targets=("a*",)), False),
    ],
)
def test_everything(match: Match, everything: bool) -> None:
    assert is_everything(match) is everything


def test_both_at_once_and_in_words() -> None:
    match = Match(teams=("database", "web"), severities=("critical",))
    found = matched(match, [TARGET], [incident_event(team="web"), incident_event(team="x")])
    assert found.targets == ("prod-db",)
    assert [one.team for one in found.incidents] == ["web"]
    assert words(match) == "team database or web, severity critical"
    assert words(Match()) == "everything"
