"""An outage that began and ended before anybody could be told: one message, or none."""

from typing import Literal

from schemas.policy import Route
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT, incident_event

A, B, DUTY = "json://a", "json://b", "pagerduty://k"
CLOSED = incident_event(event="closed", event_id="e2", at=AT + 1000, closed_because="recovered")


def office(missed: Literal["tell", "drop"] = "tell") -> Office:
    return Office(Route(name="all", urls=(A, B, DUTY), missed=missed))


def test_it_is_one_message_to_each_channel_of_people() -> None:
    there = office()
    there.desk.take(incident_event(), there.now)
    there.take(CLOSED)
    there.wait(HOUR)
    assert sorted(there.told()) == [f"missed {A}", f"missed {B}"]
    assert there.whys("closed", DUTY) == ["not told of the outage"]
    assert {row.event for row in there.rows if row.status == "sent"} == {"closed"}


def test_it_is_none_if_the_route_drops_it() -> None:
    there = office("drop")
    there.desk.take(incident_event(), there.now)
    there.take(CLOSED)
    there.wait(HOUR)
    assert there.sent == []
    assert there.whys("closed", A) == ["missed: drop"]


def test_one_that_takes_it_keeps_it_from_no_other() -> None:
    there = office()
    there.answers |= {A: "unreachable", B: "unreachable", DUTY: "unreachable"}
    there.take(incident_event())
    there.wait(10_000)
    there.answers = {B: "unreachable"}
    there.take(CLOSED)
    there.wait(30_000)
    assert there.told(A)[-1] == "missed"
    there.answers = {}
    there.wait(2 * MINUTE)
    assert there.told(B)[-1] == "missed"


def test_it_is_tried_for_an_hour() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.answers[A] = "unreachable"
    there.take(incident_event(), CLOSED)
    there.wait(59 * MINUTE)
    assert there.rows[-1].status == "retrying"
    there.wait(2 * MINUTE)
    assert (there.rows[-1].status, there.rows[-1].action) == ("dead", "missed")
    count = len(there.sent)
    there.wait(HOUR)
    assert len(there.sent) == count


def test_nobody_hears_of_a_missed_outage_while_an_opening_is_on_its_way() -> None:
    there = office()
    there.answers |= {A: "hangs", B: "unreachable", DUTY: "unreachable"}
    there.take(incident_event())
    there.wait(WAIT_MS)
    there.answers.clear()
    there.take(CLOSED)
    there.wait(MINUTE)
    assert "missed" not in there.told(B)
    there.land_all()
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "closed"]
    assert "missed" not in there.told(B)
    assert there.whys("closed", B) == ["not told of the outage"]


def test_it_is_told_if_the_opening_on_its_way_did_not_arrive() -> None:
    there = office()
    there.answers |= {A: "hangs", B: "unreachable", DUTY: "unreachable"}
    there.take(incident_event())
    there.wait(WAIT_MS)
    there.answers.clear()
    there.take(CLOSED)
    there.wait(MINUTE)
    there.land_all("unreachable")
    there.wait(MINUTE)
    assert there.told(A)[-1] == "missed"
    assert there.told(B)[-1] == "missed"
