"""What an event must have so that a route or a silence matches it."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.incident import RegionEvent, RegionVerdict
from schemas.policy import Match, Silence
from sinks.notifier.matching import Patterns, matches
from sinks.notifier.model import ChannelEvent, MassEvent
from tests.unit.sinks.notifier.events import AT, incident_event, targets_event

REGION = RegionEvent(event_id="e", event="region.silent", region="a", at=AT, summary="s")
CHANNEL = ChannelEvent(
    event_id="e", event="channel.broken", channel="r/1/json", since=AT, at=AT, error="", waiting=1
)
MASS = MassEvent(event_id="e", event="mass.down", down=30, total=100, since=AT, at=AT)


@pytest.mark.parametrize(
    ("field", "fits", "fits_not"),
    [
        ("teams", ("database",), ("web",)),
        ("teams", ("data*",), ("*data",)),
        ("teams", ("*",), ("?atabase",)),
        ("tags", ("x", "pr*"), ("x",)),
        ("targets", ("*-db",), ("prod",)),
        ("kinds", ("tcp", "udp"), ("tcps",)),
        ("regions", ("eu-west",), ("us-east",)),
        ("severities", ("critical",), ("warning", "info")),
        ("incident_types", ("unreachable",), ("slow",)),
        ("criticalities", ("critical",), ("normal",)),
    ],
)
def test_every_field_that_is_not_empty_must_fit(
    field: str, fits: tuple[str, ...], fits_not: tuple[str, ...]
) -> None:
    event = incident_event(team="database", tags=("prod", "core"))
    assert matches(Match(), event)
    assert matches(Match(**{field: fits}), event)  # type: ignore[arg-type]
    assert not matches(Match(**{field: fits_not}), event)  # type: ignore[arg-type]
    both = {"kinds": ("tcp",), "targets": ("*",)} | {field: fits_not}
    assert not matches(Match(**both), event)  # type: ignore[arg-type]


def test_a_star_alone_matches_a_target_without_a_team_and_a_name_does_not() -> None:
    assert matches(Match(teams=("*",)), incident_event(team=None))
    assert not matches(Match(teams=("a*",)), incident_event(team=None))
    assert not matches(Match(tags=("*",)), incident_event(tags=()))


def test_regions_are_those_that_see_it_down_and_all_of_them_when_none_does_any_more() -> None:
    def event(event: str = "opened", kind: str = "unreachable", **verdicts: str) -> object:
        said = {name: RegionVerdict(verdict=one) for name, one in verdicts.items()}  # type: ignore[arg-type]
        return incident_event(event=event, incident_type=kind, regions=said)

    eu = Match(regions=("eu",))
    assert matches(eu, event(eu="down", us="up"))  # type: ignore[arg-type]
    assert not matches(eu, event(eu="up", us="down"))  # type: ignore[arg-type]
    assert not matches(eu, event(eu="slow", us="down"))  # type: ignore[arg-type]
    assert matches(eu, event(kind="slow", eu="slow", us="up"))  # type: ignore[arg-type]
    assert matches(eu, event("closed", eu="up", us="up"))  # type: ignore[arg-type]
    assert matches(eu, event(kind="expiring", eu="up", us="down"))  # type: ignore[arg-type]
    aside = {
        "eu": RegionVerdict(verdict="down", set_aside=True),
        "us": RegionVerdict(verdict="down"),
    }
    assert not matches(eu, incident_event(regions=aside))


@pytest.mark.parametrize("event", [REGION, CHANNEL, MASS, targets_event()])
def test_what_is_no_incident_has_a_severity_and_regions_alone(event: object) -> None:
    assert matches(Match(), event)  # type: ignore[arg-type]
    assert matches(Match(severities=("critical", "warning")), event)  # type: ignore[arg-type]
    assert not matches(Match(severities=("info",)), event)  # type: ignore[arg-type]
    for field in ("teams", "tags", "targets", "kinds"):
        assert not matches(Match(**{field: ("*",)}), event)  # type: ignore[arg-type]
    assert not matches(Match(incident_types=("unreachable",)), event)  # type: ignore[arg-type]
    assert not matches(Match(criticalities=("critical",)), event)  # type: ignore[arg-type]


def test_a_region_event_is_of_its_region() -> None:
    assert matches(Match(regions=("a", "b"), severities=("warning",)), REGION)
    assert not matches(Match(regions=("b",)), REGION)
    assert not matches(Match(severities=("critical",)), REGION)
    assert not matches(Match(regions=("a",)), MASS)
    blind = targets_event(silent_regions={"a": None})
    assert matches(Match(regions=("a",)), blind)
    assert not matches(Match(regions=("b",)), blind)


def test_a_silence_matches_as_a_route_does() -> None:
    silence = Silence(
        name="s1",
        begins_at=AT,
        ends_at=AT + 1,
        reason="moving the rack",
        by="ann",
        created_at=AT,
        targets=("prod-*",),
    )
    assert matches(silence, incident_event())
    assert not matches(silence, incident_event(target="test-db"))


@example("*ab*b", "ab")  # the end is not used twice
@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_a_star_stands_for_any_characters(pattern: str, text: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text)
    assert Patterns.of((pattern,)).fit(text) == (expected is not None)


def test_a_pattern_of_many_stars_takes_no_powers_of_its_length() -> None:
    assert not Patterns.of(("*a" * 500 + "b",)).fit("a" * 1_000)
