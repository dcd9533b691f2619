"""Rows of silences: what each matches, found without a look at each target for each question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portquorum.silencing.matching import matches_target
from portquorum.web.fleet.name_index import NameIndex
from schemas.incident import IncidentEvent
from sinks.notifier.matching import Matcher, Patterns
from tests.unit.portquorum.web.fleet.fleet_story import NOW, FleetStory, target

HOUR = 3_600_000
names = st.text("ab*\U0010ffff", max_size=5)


@given(there=st.sets(names), wanted=st.lists(names, max_size=4))
def test_the_names_that_patterns_fit(there: set[str], wanted: list[str]) -> None:
    patterns = Patterns.of(wanted)
    assert set(NameIndex(there).fitting(patterns)) == {one for one in there if patterns.fit(one)}


@pytest.mark.parametrize(
    "match",
    [
        {"targets": ("db-1", "web-*", "*-2")},
        {"tags": ("pro*",), "targets": ("db*",)},
        {"tags": ("none", "x*")},
        {"teams": ("*",), "regions": ("ams",), "kinds": ("tcp", "http*")},
        {},
    ],
)
def test_the_number_of_targets_is_that_of_the_rule(match: dict[str, tuple[str, ...]]) -> None:
    fleet = [target(f"{kind}-{one}", team=kind) for kind in ("db", "web") for one in range(4)]
    fleet.append(target("odd", team=None, tags=("prod", "old"), regions=("ams",)))
    story = FleetStory(*fleet)
    story.silence("s", begins=NOW - HOUR, ends=NOW + HOUR, **match)
    (row,) = story.fleet.silences().silences
    (silence,) = story.fleet.policy.silences()
    fitting = sorted(one.id for one in fleet if matches_target(silence, one))
    assert row.targets == len(fitting)
    assert story.fleet.matching(silence, 3) == (tuple(fitting[:3]), len(fitting))
    story.set(target("web-9"))
    (row,) = story.fleet.silences().silences
    assert row.targets == sum(matches_target(silence, one) for one in [*fleet, target("web-9")])


def test_viewers_of_the_page_share_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 silences, 20,000 targets: 2.3 s of each who asked, in which nobody else was answered."""
    asked: list[IncidentEvent] = []
    differs = Matcher.differs

    def counted(matcher: Matcher, event: IncidentEvent) -> str | None:
        asked.append(event)
        return differs(matcher, event)

    monkeypatch.setattr(Matcher, "differs", counted)
    story = FleetStory(*(target(f"db-{one}") for one in range(50)))
    for one in range(40):
        story.silence(f"s{one}", begins=NOW - HOUR, ends=NOW + HOUR, targets=(f"db-{one}*",))
        story.open(target(f"db-{one}"))
    asked.clear()
    first = story.fleet.silences().silences
    assert len(asked) == 40 * 40
    assert story.fleet.silences().silences is first
    story.open(target("db-41"))
    assert story.fleet.silences().silences is first
    story.fleet.tick(NOW + 60_000)
    assert story.fleet.silences().silences is not first
    story.silence("new", begins=NOW - HOUR, ends=NOW + HOUR, targets=("db-41",))
    (new,) = (one for one in story.fleet.silences().silences if one.id == "new")
    assert (new.targets, new.incidents) == (1, 1)
