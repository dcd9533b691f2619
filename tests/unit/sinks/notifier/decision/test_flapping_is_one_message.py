"""An outage that ends in flapping: people are told of the flapping, not of an end."""

from typing import Any

import pytest

from schemas.policy import Maintenance, Route
from tests.unit.sinks.notifier.decision.office import DAY, HOUR, MINUTE, SECOND, Office
from tests.unit.sinks.notifier.events import AT, incident_event

A, B, PAGER = "json://a", "json://b", "pagerduty://p"
ROUTE = Route(name="all", urls=(A, PAGER), default=True)
WHY = "flapping: told as flapping, not as an end"


def event(there: Office, kind: str, **fields: Any) -> Any:
    values: dict[str, Any] = {"event": kind, "event_id": f"{kind}-{there.now}", "at": there.now}
    if kind == "closed":
        values |= {"closed_at": there.now, "closed_because": "flapping"}
    return incident_event(**(values | fields))


def flaps(there: Office, kind: str, **fields: Any) -> Any:
    values: dict[str, Any] = {
        "event": kind,
        "event_id": f"flapping-{kind}-{there.now}",
        "at": there.now,
        "incident_id": "flap",
        "incident_type": "flapping",
        "opened_at": there.now,
    }
    if kind == "closed":
        values |= {"closed_at": there.now, "closed_because": "recovered"}
    return incident_event(**(values | fields))


def office() -> Office:
    there = Office(ROUTE)
    there.take(event(there, "opened"))
    there.wait(10 * MINUTE)
    return there


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("later", [0, SECOND])
def test_people_get_one_message_and_on_call_a_resolve(restarts: bool, later: int) -> None:
    there = office()
    there.take(event(there, "closed"))
    there.wait(later)
    if restarts:
        there.restart()
    there.take(flaps(there, "opened"))
    there.wait(HOUR)
    assert there.told(A) == ["opened", "opened"]
    assert there.told(PAGER) == ["trigger", "resolve", "trigger"]
    assert there.whys("closed", A) == [WHY]
    there.take(flaps(there, "closed"))
    there.wait(HOUR)
    assert there.told(A) == ["opened", "opened", "closed"]
    there.wait(2 * DAY)
    assert there.log == {}


def test_no_flapping_comes() -> None:
    there = office()
    there.take(event(there, "closed"))
    there.wait(3 * SECOND)
    assert there.told(A) == ["opened", "closed"]


def test_the_flapping_reaches_another_channel() -> None:
    there = office()
    there.take(event(there, "closed"))
    there.route(Route(name="all", urls=(A, PAGER), default=True, incident_types=("unreachable",)))
    there.take(flaps(there, "opened"))
    there.wait(HOUR)
    assert there.told(A) == ["opened", "closed"]


@pytest.mark.parametrize("restarts", [False, True])
def test_the_channel_can_not_be_told_of_the_flapping_before_it_is_over(restarts: bool) -> None:
    """Who was told of an outage is told that it is over, in one way or the other."""
    there = office()
    there.answers[A] = "unreachable"
    there.take(event(there, "closed"), flaps(there, "opened"))
    there.wait(HOUR)
    if restarts:
        there.restart(calm=False)
    there.take(flaps(there, "closed"))
    there.wait(MINUTE)
    there.answers.clear()
    there.wait(HOUR)
    assert [one.action for one in there.sent if one.channel.url == A][-1] == "closed"
    there.wait(2 * DAY)
    assert there.log == {}


def test_the_flapping_is_held() -> None:
    there = office()
    window = Maintenance(name="w", targets=("prod-db",), start=AT, duration_ms=DAY)
    there.route(ROUTE, window)
    there.take(event(there, "closed"), flaps(there, "opened"))
    there.wait(HOUR)
    assert there.told(A) == ["opened", "closed"]


def test_an_earlier_flapping_is_not_this_one() -> None:
    there = Office(ROUTE)
    there.take(flaps(there, "opened"))
    there.wait(MINUTE)
    there.take(flaps(there, "closed"))
    there.wait(MINUTE)
    there.take(event(there, "opened", opened_at=there.now))
    there.wait(MINUTE)
    there.take(event(there, "closed"))
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "closed", "opened", "closed"]


def test_nobody_was_told_of_the_outage_that_became_flapping() -> None:
    there = Office(ROUTE)
    there.take(event(there, "opened"), event(there, "closed"), flaps(there, "opened"))
    there.wait(HOUR)
    assert there.told(A) == ["opened"]
    assert there.sent[-1].news[0].entry == "incident/flap"
