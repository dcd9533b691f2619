"""A message that is refused: once more in one line, then seldom; others go on."""

from schemas.policy import Route
from sinks.notifier.model import Delivery
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, WAIT_MS, Office
from tests.unit.sinks.notifier.events import incident_event

A = "json://a"


def office() -> Office:
    return Office(Route(name="all", urls=(A,)))


def test_it_goes_at_once_in_one_plain_line() -> None:
    there = office()
    there.answers[A] = lambda delivery: "confirmed" if delivery.plain else "refused"
    there.take(incident_event())
    there.wait(WAIT_MS)
    assert [(one.plain, one.attempt) for one in there.sent] == [(False, 1), (True, 2)]
    assert [row.status for row in there.rows] == ["retrying", "sent"]


def test_if_that_is_refused_it_waits_alone() -> None:
    there = office()
    there.answers[A] = lambda delivery: refuses(delivery, "i1")
    there.take(incident_event())
    there.wait(WAIT_MS)
    there.take(incident_event(incident_id="i2", event_id="e2", host="other"))
    there.wait(WAIT_MS)
    assert [row.status for row in there.rows] == ["retrying", "retrying", "sent"]
    there.wait(HOUR)
    tried = [one for one in there.sent if one.news[0].entry == "incident/i1"]
    assert 45 <= len(tried) <= 80
    assert all(one.plain for one in tried[1:])


def refuses(delivery: Delivery, incident_id: str) -> str:
    found = any(one.entry == f"incident/{incident_id}" for one in delivery.news)
    return "refused" if found else "confirmed"


def test_one_that_is_refused_again_and_again_holds_no_other_of_its_host() -> None:
    there = office()
    there.answers[A] = lambda delivery: refuses(delivery, "bad")
    events = [incident_event(incident_id=name, event_id=name) for name in ("good", "bad", "fine")]
    there.take(*events)
    there.wait(3 * MINUTE)
    sent = {row.event_id for row in there.rows if row.status == "sent"}
    assert sent == {"good", "fine"}


def test_a_full_text_is_tried_again_for_the_next_news() -> None:
    there = office()
    there.answers[A] = lambda delivery: "confirmed" if delivery.plain else "refused"
    there.take(incident_event())
    there.wait(WAIT_MS)
    there.take(
        incident_event(event="closed", event_id="e2", at=there.now, closed_because="recovered")
    )
    there.wait(WAIT_MS)
    assert [one.plain for one in there.sent] == [False, True, False, True]
