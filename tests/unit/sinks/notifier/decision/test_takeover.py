"""Deliveries that one desk began and that end when another one decides."""

from schemas.policy import Route
from tests.unit.sinks.notifier.decision.office import MINUTE, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT, incident_event

A, DUTY = "json://a", "pagerduty://k"
CLOSED = incident_event(event="closed", event_id="e9", at=AT + 5000, closed_because="recovered")


def office(url: str) -> Office:
    there = Office(Route(name="all", urls=(url,)))
    there.answers[url] = "hangs"
    there.take(incident_event())
    there.wait(WAIT_MS)
    return there


def test_an_answer_that_another_desk_waited_for_counts() -> None:
    there = office(A)
    before = there.hanging[0]
    there.restart()
    assert there.told(A) == ["opened", "opened"]
    there.land(before)
    there.turn()
    subject = there.subject("incident/i1")
    assert subject.audience[0].told_phase == "down"
    there.land_all("not_attempted")
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "opened"]
    there.answers.clear()
    there.take(CLOSED)
    there.wait(MINUTE)
    assert there.told(A)[2:] == ["closed"]


def test_an_answer_for_what_is_forgotten_changes_nothing() -> None:
    there = office(A)
    before = there.hanging[0]
    there.log.clear()
    there.restart()
    there.land(before)
    there.turn()
    assert there.log == {}


def test_what_was_under_way_as_a_notifier_died_may_have_been_told() -> None:
    for url, last in ((A, "closed"), (DUTY, "resolve")):
        there = office(url)
        there.answers[url] = "unreachable"
        there.restart(dies=True)
        there.take(CLOSED)
        there.answers.clear()
        there.wait(2 * MINUTE)
        assert there.told(url)[-1] == last


def test_what_was_not_attempted_is_not_under_way() -> None:
    there = office(A)
    assert there.subject("incident/i1").audience[0].under_way
    there.answers[A] = "unreachable"
    there.land_all("not_attempted")
    assert not there.subject("incident/i1").audience[0].under_way
    there.take(CLOSED)
    there.answers.clear()
    there.wait(MINUTE)
    assert there.told(A)[-1] == "missed"


def test_nothing_is_sent_before_it_is_recorded() -> None:
    there = Office(Route(name="all", urls=(DUTY,)))
    there.desk.take(incident_event(), there.now)
    assert there.desk.due(there.now) == []
    assert (there.desk.next_due(there.now) or 0) > there.now
    there.record()
    assert [one.action for one in there.desk.due(there.now)] == ["trigger"]
    assert there.desk.due(there.now) == []


def test_a_desk_that_is_told_that_nothing_is_in_flight_sends_again() -> None:
    there = office(A)
    there.desk.forget_in_flight()
    there.answers.clear()
    there.turn()
    assert there.told(A) == ["opened", "opened"]
    there.take(CLOSED)
    there.wait(MINUTE)
    assert there.told(A)[-1] == "closed"


def test_a_later_attempt_that_surely_failed_takes_nothing_back() -> None:
    for url, last in ((A, "closed"), (DUTY, "resolve")):
        there = office(url)
        for _ in range(3):
            there.answers[url] = "unreachable"
            there.restart(dies=True)
            there.wait(MINUTE)
        there.take(CLOSED)
        there.answers.clear()
        there.wait(2 * MINUTE)
        assert there.told(url)[-1] == last


def test_who_may_have_been_told_is_told_of_the_end_though_its_route_is_gone() -> None:
    for url, last in ((A, "closed"), (DUTY, "resolve")):
        there = office(url)
        there.restart(dies=True)
        there.land_all("unreachable")
        there.route(Route(name="all", urls=("json://other",)))
        there.answers.clear()
        there.wait(MINUTE)
        told = len(there.told(url))
        there.take(CLOSED)
        there.wait(2 * MINUTE)
        assert there.told(url)[told:] == [last]


def test_a_key_under_way_is_resolved_though_the_next_episode_has_begun() -> None:
    for dies in (True, False):
        there = office(DUTY)
        there.take(incident_event(event="worsened", event_id="e2", at=AT + 1, episode=2))
        there.answers.clear()
        if dies:
            there.restart(dies=True)
        else:
            there.desk.forget_in_flight()
        there.wait(MINUTE)
        assert [(one.action, one.news[0].key) for one in there.sent][1:] == [
            ("resolve", "i1/1"),
            ("trigger", "i1/2"),
        ]


def test_the_same_news_has_the_same_id_after_a_takeover() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.answers[A] = "hangs"
    there.take(*(incident_event(incident_id=f"i{n}", event_id=f"e{n}") for n in range(5)))
    there.wait(WAIT_MS)
    there.log = dict(reversed(there.log.items()))
    there.restart(dies=True)
    first, second = there.sent
    assert [one.entry for one in first.news] != [one.entry for one in second.news]
    assert first.id == second.id
