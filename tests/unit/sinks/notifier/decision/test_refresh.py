"""Systems that forget are told each minute what is open."""

from typing import Any

import pytest

from schemas.policy import Route
from sinks.notifier.channels.facts import facts
from sinks.notifier.model import SendOutcome
from tests.unit.sinks.notifier.decision.office import MINUTE, SECOND, Office
from tests.unit.sinks.notifier.events import AT, incident_event

MANAGER = "alertmanager://m"


def office(count: int) -> Office:
    there = Office(Route(name="all", urls=(MANAGER,)))
    there.take(
        *(incident_event(incident_id=f"i{n}", event_id=f"e{n}", host=f"h{n}") for n in range(count))
    )
    return there


def refreshes(there: Office) -> list[tuple[int, int]]:
    return [
        ((one.at - AT) // SECOND, len(one.news)) for one in there.sent if one.action == "refresh"
    ]


def test_what_is_refreshed_and_resolved_is_called_as_when_it_opened() -> None:
    """Alertmanager knows an alert by its labels: other ones would be another alert."""
    there = Office(Route(name="all", urls=(MANAGER,)))
    there.take(incident_event(name="shop", team="web"))
    renamed = {"name": "store", "team": "database"}
    there.take(incident_event(event="updated", event_id="u", at=AT + 1, **renamed))
    there.wait(2 * MINUTE)
    there.restart()
    there.take(
        incident_event(
            event="closed", event_id="c", at=AT + 9, closed_because="recovered", **renamed
        )
    )
    there.wait(2 * MINUTE)
    assert [one.action for one in there.sent][-1] == "resolve"
    assert {facts(one.news[0]).labels["name"] for one in there.sent} == {"shop"}
    assert {facts(one.news[0]).labels["team"] for one in there.sent} == {"web"}
    assert {one.news[0].event.name for one in there.sent} == {"shop", "store"}  # type: ignore[union-attr]


def test_one_delivery_a_minute_has_all_open_keys() -> None:
    there = office(20)
    there.wait(2 * MINUTE)
    assert refreshes(there) == [(60, 20), (120, 20)]


def test_it_has_a_thousand_keys_at_most() -> None:
    there = office(2_500)
    there.wait(MINUTE)
    assert refreshes(there) == [(60, 1000), (60, 1000), (60, 500)]


def test_it_comes_at_once_after_a_takeover() -> None:
    there = office(3)
    there.wait(10 * SECOND)
    there.restart()
    assert refreshes(there) == [(10, 3)]
    there.desk.forget_in_flight()
    there.wait(5 * SECOND)
    assert refreshes(there)[1:] == [(10, 3)]


def test_what_is_resolved_is_not_repeated_and_no_resolve_overtakes_a_refresh() -> None:
    there = office(2)
    there.answers[MANAGER] = "hangs"
    there.wait(MINUTE)
    assert [one.action for one in there.hanging] == ["refresh"]
    there.take(
        incident_event(
            incident_id="i1", event_id="x", event="closed", at=AT + 1, closed_because="recovered"
        )
    )
    there.wait(5 * SECOND)
    assert [one.action for one in there.hanging] == ["refresh"]
    there.answers.clear()
    there.land_all()
    there.wait(MINUTE)
    assert there.told(MANAGER)[-1] == "resolve"
    assert refreshes(there)[-1] == (120, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"event": "closed", "closed_because": "recovered"},
        {"event": "worsened", "episode": 2},
    ],
)
def test_what_ended_while_a_refresh_waited_for_its_channel_is_not_in_it(
    change: dict[str, Any],
) -> None:
    """Alertmanager would have an alert again that is over, or one before it was triggered."""
    there = office(2)
    there.wait(59 * SECOND)
    there.answers[MANAGER] = "unreachable"
    there.take(incident_event(incident_id="i9", event_id="e9", host="h9"))
    there.wait(SECOND)
    there.answers.clear()
    there.take(incident_event(incident_id="i1", event_id="x", host="h1", at=there.now, **change))
    there.wait(10 * SECOND)
    first, *_ = [one for one in there.sent if one.action == "refresh"]
    assert [one.key for one in first.news] == ["i0/1"]
    assert "resolve" in there.told(MANAGER)


def test_what_opened_while_a_refresh_waited_for_its_channel_is_in_it() -> None:
    there = office(2)
    there.answers[MANAGER] = SendOutcome(kind="unreachable", error="429", retry_after_s=70)
    there.wait(MINUTE)
    there.answers.clear()
    there.take(incident_event(incident_id="i9", event_id="e9", host="h9"))
    there.wait(MINUTE + 15 * SECOND)
    assert refreshes(there) == [(60, 2), (130, 3)]


def test_no_refresh_overtakes_what_is_on_its_way_with_the_same_key() -> None:
    there = office(2)
    there.wait(50 * SECOND)
    there.answers[MANAGER] = "hangs"
    there.take(
        incident_event(
            incident_id="i1", event_id="x", event="updated", at=AT + 1, acknowledged_by="ann"
        )
    )
    there.wait(15 * SECOND)
    on_the_way = [(one.action, [news.key for news in one.news]) for one in there.hanging]
    assert on_the_way == [("acknowledge", ["i1/1"]), ("refresh", ["i0/1"])]


def test_a_refresh_that_fails_holds_the_news_back_as_any_failure() -> None:
    there = office(2)
    there.answers[MANAGER] = "unreachable"
    there.wait(MINUTE)
    there.take(incident_event(incident_id="i9", event_id="e9", host="h9"))
    assert there.told(MANAGER) == ["trigger"] * 2
    there.answers.clear()
    there.wait(10 * SECOND)
    assert there.told(MANAGER) == ["trigger"] * 3
