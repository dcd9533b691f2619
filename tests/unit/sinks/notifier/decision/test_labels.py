"""An alert that is known by its labels has the same ones to its end, whatever is renamed."""

from typing import Any

from schemas.policy import Route
from sinks.notifier.channels.facts import facts
from tests.unit.sinks.notifier.decision.office import MINUTE, Office
from tests.unit.sinks.notifier.events import AT, incident_event

MANAGER = "alertmanager://m"
RENAMED: dict[str, Any] = {"name": "Orders", "team": "shop"}


def labels(there: Office) -> list[tuple[str, dict[str, str]]]:
    return [(one.action, facts(news).labels) for one in there.sent for news in one.news]


def test_a_target_that_got_another_name_and_team_is_the_same_alert() -> None:
    there = Office(Route(name="all", urls=(MANAGER,)))
    there.take(incident_event(team="db"))
    there.take(incident_event(event="updated", event_id="e2", at=AT + 1, **RENAMED))
    there.wait(2 * MINUTE)
    there.restart()
    end = {"closed_at": AT + 2, "closed_because": "recovered"}
    there.take(incident_event(event="closed", event_id="e3", at=AT + 2, **end, **RENAMED))
    told = labels(there)
    assert {"trigger", "refresh", "resolve"} == {action for action, _ in told}
    first = told[0][1]
    assert (first["name"], first["team"]) == ("Production DB", "db")
    assert all(found == first for _, found in told)


def test_one_that_was_abandoned_is_continued_as_what_it_was() -> None:
    there = Office(Route(name="all", urls=(MANAGER,)))
    there.take(incident_event())
    end = {"closed_at": AT + 1, "closed_because": "abandoned"}
    there.take(incident_event(event="closed", event_id="e2", at=AT + 1, **end))
    there.take(incident_event(incident_id="i2", event_id="e3", at=AT + 2, **RENAMED))
    told = labels(there)
    assert [action for action, _ in told] == ["trigger", "trigger"]
    assert told[1] == told[0]
