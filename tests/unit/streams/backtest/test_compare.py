"""Side by side: which incidents are the same one, what they come to, and why they differ."""

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.target import LatencyLimit
from streams.backtest import compare as comparing
from streams.backtest import reasons
from streams.backtest.compare import PolicyComparison
from streams.backtest.outcome import PastIncident
from streams.backtest.plan import Policies
from tests.unit.streams.backtest.past import MINUTE, START, incident, target

DAY = 24 * 60 * MINUTE


def compare(
    present: list[PastIncident], proposed: list[PastIncident], days: int = 2, **changes: Any
) -> PolicyComparison:
    first = {"db": target(team="database"), "web": target("web", host="db.example.com")}
    second = {key: replace(one, **changes) for key, one in first.items()}
    return comparing.compare(
        Policies(first, second),
        present,
        proposed,
        since=START,
        until=START + days * DAY,
        group_wait_ms=2_000,
    )


def test_incidents_that_share_a_moment_are_the_same_one() -> None:
    found = compare([incident(5, 10), incident(60, 1)], [incident(7, 9), incident(90, 1)])
    assert found.kept == 1
    assert [one.incident.opened_at for one in found.gone] == [START + 60 * MINUTE]
    assert [one.incident.opened_at for one in found.new] == [START + 90 * MINUTE]


def test_another_target_or_a_slow_spell_is_another_story_and_flapping_is_not() -> None:
    slow = incident(5, 10, incident_type="slow")
    assert len(compare([incident(5, 10)], [slow]).new) == 1
    assert len(compare([incident(5, 10)], [incident(5, 10, target="web")]).new) == 1
    flapping = incident(6, 10, incident_type="flapping")
    assert compare([incident(5, 10)], [flapping]).new == []


def test_what_opened_before_the_time_is_neither_counted_nor_new() -> None:
    early = incident(-5, 10)
    found = compare([early], [early, incident(1, 2)])
    assert found.present.figures.incidents == 0
    assert found.proposed.figures.incidents == 1
    assert found.new == []


def test_the_figures_are_those_of_the_incidents() -> None:
    mine = [
        incident(5, 10),
        incident(60, 1),
        incident(60 * 30, None),
        incident(60 * 30, 5, incident_type="slow"),
    ]
    figures = compare(mine, mine).present.figures
    assert (figures.incidents, figures.short, figures.open) == (4, 1, 1)
    assert figures.by_type == {"unreachable": 3, "slow": 1}
    assert round(figures.minutes_down, 2) == round(10 + 1 + 18 * 60 + 3 / 60, 2)
    assert (figures.detect_p50_s, figures.detect_p95_s) == (1.0, 1.0)
    assert (figures.alerts, figures.alerts_a_day) == (3, 1.5)


@pytest.mark.parametrize(
    ("count", "p50", "p95"), [(1, 1, 1), (2, 1, 2), (20, 10, 19), (27, 14, 26), (100, 50, 95)]
)
def test_times_to_detect_are_those_at_the_nearest_rank(count: int, p50: int, p95: int) -> None:
    mine = [
        replace(one, first_failed_at=one.opened_at - 1_000 * (number + 1))
        for number, one in enumerate(incident(5 + 5 * n, 1) for n in range(count))
    ]
    figures = compare(mine, mine).present.figures
    assert (figures.detect_p50_s, figures.detect_p95_s) == (p50, p95)


def test_ports_of_one_host_that_fall_together_are_one_alert() -> None:
    both = [incident(5, 10), incident(5, 10, target="web")]
    assert compare(both, both).present.figures.alerts == 1
    apart = [incident(5, 10), incident(6, 10, target="web")]
    assert compare(apart, apart).present.figures.alerts == 2


def test_days_teams_and_targets_add_up() -> None:
    mine = [incident(5, 10), incident(60 * 30, 5, target="web")]
    found = compare(mine, mine[:1])
    assert (found.present.days, found.proposed.days) == ([1, 1], [1, 0])
    teams = {one.name: (one.present.incidents, one.proposed.incidents) for one in found.teams}
    assert teams == {"": (1, 0), "database": (1, 1)}
    assert [one.name for one in found.targets] == ["web"]


def test_a_reason_names_the_field_that_explains_it() -> None:
    mine = target()

    def why(one: PastIncident, **changes: Any) -> str:
        return reasons.why(one, mine, replace(mine, **changes)).partition("; ")[2]

    one = incident(5, 1)
    assert why(one, consensus="unanimous") == "3 of 3 would be needed"
    assert why(one, open_after_ms=120_000) == "over before open_after 2 min"
    assert why(one, retries=3) == "never 2 regions at once with 4 failures in a row"
    assert why(one, recover_after=3) == "recover_after 1 → 3"
    assert reasons.why(one, mine, None).endswith("not watched by the other policy")
    slow = incident(5, 1, incident_type="slow", reasons=())
    limited = replace(mine, latency=LatencyLimit(max_ms=50))
    assert reasons.why(slow, limited, mine).endswith("no limit on the latency")
    assert reasons.changes(mine, limited) == ["latency none → 50 ms × 3"]
    learned = LatencyLimit(max_ms=50, for_results=2, times_usual=2.5, warn_ahead_ms=86_400_000)
    assert reasons.changes(limited, replace(mine, latency=learned)) == [
        "latency 50 ms × 3 → 50 ms or 2.5 times usual × 2, 24 h ahead"
    ]
