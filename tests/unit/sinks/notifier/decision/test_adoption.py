"""What version 0.1 told is not told again, and what it did not tell is."""

from schemas.policy import Route
from sinks.notifier.model import Channel
from tests.unit.sinks.notifier.decision.office import MINUTE, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT, incident_event

A, B, DUTY = "json://a", "json://b", "pagerduty://k"
CLOSED = incident_event(event="closed", event_id="e9", at=AT + 5000, closed_because="recovered")


def office(*confirmed: str) -> Office:
    there = Office(Route(name="all", urls=(A, B, DUTY)))
    there.desk.adopt(incident_event(), [Channel("all", url) for url in confirmed], there.now)
    there.turn()
    there.wait(MINUTE)
    return there


def test_who_confirmed_is_told_of_the_end_alone() -> None:
    there = office(A, B, DUTY)
    assert there.sent == []
    there.restart()
    there.take(CLOSED)
    there.wait(MINUTE)
    assert there.told() == [f"resolve {DUTY}", f"closed {A}", f"closed {B}"]


def test_who_did_not_is_told_of_what_is_open() -> None:
    there = office(A)
    assert there.told() == [f"trigger {DUTY}", f"opened {B}"]


def test_a_channel_that_confirmed_and_has_no_route_any_more_is_told_of_the_end() -> None:
    there = office(A, B, DUTY, "json://old")
    there.take(CLOSED)
    there.wait(MINUTE)
    assert "closed json://old" in there.told()


def test_an_end_that_one_of_two_confirmed() -> None:
    there = office(A, B, DUTY)
    there.desk.adopt(CLOSED, [Channel("all", A), Channel("all", DUTY)], there.now)
    there.turn()
    there.wait(WAIT_MS)
    assert there.told() == [f"closed {B}"]


def test_an_event_that_was_adopted_is_not_taken_again() -> None:
    there = office(A, B, DUTY)
    there.take(incident_event())
    there.wait(MINUTE)
    assert there.sent == []
