"""A silence of ours and Alertmanager's matchers take the same incidents, or there is none."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from portquorum.bench.page_fleet import event_of
from portquorum.web.alertmanager.labels import labels_of, values_of
from portquorum.web.alertmanager.matchers import LabelMatcher, MatcherError, parsed
from portquorum.web.alertmanager.silences import match_of, matchers_of
from schemas.incident import IncidentEvent, IncidentType
from schemas.policy import Match
from schemas.target import Target
from sinks.notifier.matching import Matcher
from tests.unit.portquorum.web.fleet.fleet_story import NOW, target

TARGETS = {
    one.id: one
    for one in (
        target("db-1", team="db", tags=("prod", "a,b")),
        target("db-2", team=None, tags=(), regions=("ams",), criticality="critical"),
        target("web-1", kind="http", tags=("prod",)),
        target("shut", expect="closed", tags=()),
        target("name", kind="domain", port=None),
        target("job", kind="heartbeat", host=None, port=None, regions=("receiver",)),
    )
}


def opened(of: Target, kind: IncidentType) -> IncidentEvent:
    event = event_of(of, kind=kind, at=NOW, began=NOW)
    return structs.replace(event, expect="closed") if of.expect == "closed" else event


KINDS: tuple[IncidentType, ...] = get_args(IncidentType)
EVENTS = [opened(one, kind) for one in TARGETS.values() for kind in KINDS]
NAMES: dict[str, list[str]] = {
    "teams": ["db", "web", "*", "w*"],
    "tags": ["prod", "a,b", "p*d"],
    "targets": ["db-1", "db-*", "shut", "name"],
    "kinds": ["tcp", "http", "*t*"],
    "regions": ["ams", "fra"],
    "severities": ["critical", "warning"],
    "incident_types": ["unreachable", "slow"],
    "criticalities": ["critical", "normal"],
}
MATCHES = st.fixed_dictionaries(
    {},
    optional={
        field: st.lists(st.sampled_from(names), max_size=2, unique=True).map(tuple)
        for field, names in NAMES.items()
    },
).map(lambda fields: Match(**fields))  # type: ignore[arg-type]
SIGNS = st.sampled_from(["=", "=~", "!=", "!~"])
VALUES = {
    "alertname": [
        "PortUnreachable",
        "PortOpen",
        "PortSlow",
        "DomainNotRenewed",
        "JobFailing",
        "Port.*",
    ],
    "target": ["db-1", "shut", "name", "db-.*", "db-1|db-2"],
    "team": ["db", "web", "", ".*"],
    "tag": ["prod", "a,b", ".*"],
    "kind": ["tcp", "http", "domain", "heartbeat", "http|domain"],
    "region": ["ams", "nyc"],
    "severity": ["critical", "warning|critical"],
    "incident_type": ["slow", "unreachable|slow", "wrong"],
    "criticality": ["normal"],
    "name": ["Name of db-1", ".*"],
    "host": ["shut.example.com", "x"],
    "port": ["443", ""],
    "tags": ["prod,a,b", ""],
    "job": ["x"],
}
MATCHERS = st.lists(
    st.sampled_from(sorted(VALUES)).flatmap(
        lambda name: st.builds(
            lambda sign, value: parsed(f'{name}{sign}"{value}"'),
            SIGNS,
            st.sampled_from(VALUES[name]),
        )
    ),
    min_size=1,
    max_size=3,
)


def taken_by(matchers: Any, /) -> set[str]:
    found = [LabelMatcher(one.name, one.value, one.is_regex, one.is_equal) for one in matchers]
    return {
        event.incident_id
        for event in EVENTS
        if all(one.holds(values_of(labels_of(event), event)) for one in found)
    }


def silenced_by(match: Match) -> set[str]:
    matcher = Matcher(match)
    return {event.incident_id for event in EVENTS if matcher.differs(event) is None}


@given(MATCHES)
def test_a_silence_as_matchers_takes_the_same_and_comes_back(match: Match) -> None:
    shown = matchers_of(match)
    assert taken_by(shown) == silenced_by(match)
    asked = [LabelMatcher(one.name, one.value, one.is_regex) for one in shown]
    back = match_of(asked, TARGETS.get)
    assert silenced_by(back) == silenced_by(match)
    assert matchers_of(back) == shown or "*" in match.teams


@given(MATCHERS)
def test_matchers_that_are_taken_take_the_same(matchers: list[LabelMatcher]) -> None:
    try:
        match = match_of(matchers, TARGETS.get)
    except MatcherError:
        return
    assert silenced_by(match) == taken_by(matchers)


@pytest.mark.parametrize("of", TARGETS.values())
def test_all_labels_of_an_alert_make_a_silence_of_it(of: Target) -> None:
    """As Grafana and karma fill in their forms."""
    for kind in KINDS:
        event = opened(of, kind)
        asked = [LabelMatcher(name, value) for name, value in labels_of(event).items()]
        assert silenced_by(match_of(asked, TARGETS.get)) == {event.incident_id}


@pytest.mark.parametrize(
    ("matchers", "taken"),
    [
        (["alertname=JobFailing", "kind=heartbeat"], {"job-unreachable"}),
        (["alertname=PortUnreachable", "kind=http"], {"web-1-unreachable"}),
        (["alertname=PortOpen", "target=shut"], {"shut-unreachable"}),
        (["alertname=~PortSlow|PortFlapping", "target=web-1"], {"web-1-slow", "web-1-flapping"}),
        (['alertname=~".+"', "tag=~p.*"], None),
    ],
)
def test_a_name_of_an_alert_is_a_silence_if_nothing_else_has_it(
    matchers: list[str], taken: set[str] | None
) -> None:
    asked = [parsed(one) for one in matchers]
    found = silenced_by(match_of(asked, TARGETS.get))
    assert found == taken_by(asked)
    assert taken is None or {one.rpartition("-")[0] for one in found} == taken


@pytest.mark.parametrize(
    ("matchers", "said"),
    [
        (["team!=db"], "no conditions with !"),
        (['team=""'], "not there"),
        (["alertname=PortUnreachable"], 'incident_type="unreachable"'),
        (["alertname=Nothing"], "Nothing"),
        (["host=db-1.example.com"], "name the target too"),
        (["target=db-1", "host=elsewhere"], "does not hold"),
        (["target=~db-[12]"], "knows names"),
        (["severity=~c.*"], "name each severity"),
        (["severity=loud"], "critical, warning, info"),
        (["team=a", "team=b"], "second one"),
        (["job=x"], "no such condition"),
        (["team=a*"], r"a \* itself"),
    ],
)
def test_what_is_refused_says_why(matchers: list[str], said: str) -> None:
    with pytest.raises(MatcherError, match=said) as error:
        match_of([parsed(one) for one in matchers], TARGETS.get)
    assert "\n" not in str(error.value)
