"""Events that are read again change nothing."""

from schemas.incident import Event
from schemas.policy import Route
from tests.unit.sinks.notifier.decision.office import DAY, HOUR, MINUTE, Office, region_event
from tests.unit.sinks.notifier.events import AT, incident_event, targets_event

A, DUTY = "json://a", "pagerduty://k"

LIFE: list[Event] = [
    incident_event(event_id="1", at=AT),
    incident_event(event_id="2", event="updated", at=AT, acknowledged_by="eve"),
    incident_event(event_id="3", event="improved", at=AT + 1),
    incident_event(event_id="4", event="worsened", at=AT + 1),
    incident_event(event_id="5", event="worsened", at=AT + 1),
    incident_event(event_id="6", event="closed", at=AT + 2, closed_because="recovered"),
    region_event("region.silent", at=AT),
    region_event("region.returned", at=AT + 1),
    targets_event(event_id="t1", at=AT),
    targets_event(event_id="t2", at=AT + 1, event="targets.watched", count=0),
]


def office() -> Office:
    return Office(Route(name="all", urls=(A, DUTY)))


def test_each_is_taken_once_wherever_reading_begins_again() -> None:
    for restarts in (False, True):
        there = office()
        for end in range(1, len(LIFE) + 1):
            there.take(LIFE[end - 1])
            there.wait(MINUTE)
            sent, rows, log = len(there.sent), len(there.rows), dict(there.log)
            if restarts:
                there.restart()
            there.take(*LIFE[:end])
            there.wait(10)
            assert (len(there.sent), len(there.rows)) == (sent, rows)
            assert there.log == log
        assert there.told(A).count("worsened") == 2


def test_they_are_known_for_hours_after_the_end_and_then_forgotten() -> None:
    there = office()
    there.take(*LIFE)
    there.wait(20 * HOUR)
    sent = len(there.sent)
    there.restart()
    there.take(*LIFE)
    there.wait(HOUR)
    assert len(there.sent) == sent
    there.wait(DAY)
    assert there.log == {}
    assert there.desk.next_due(there.now) is None


def test_what_is_kept_of_an_incident_that_is_over_is_small() -> None:
    there = office()
    there.take(LIFE[0], LIFE[5])
    there.wait(MINUTE)
    assert there.subject("incident/i1").audience == ()
    assert there.encoded_size("incident/i1") < 1_500
