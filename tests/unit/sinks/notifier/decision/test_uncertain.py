"""A time-out is no refusal: the channel may have been told, so it is told of the end."""

from schemas.policy import Route
from tests.unit.sinks.notifier.decision.office import MINUTE, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT, incident_event

A, B, DUTY = "json://a", "json://b", "pagerduty://k"


def closed() -> object:
    return incident_event(event_id="e9", event="closed", at=AT + 60_000, closed_because="recovered")


def test_who_may_have_been_told_is_told_of_the_end() -> None:
    there = Office(Route(name="all", urls=(A, B)))
    there.answers[B] = "uncertain"
    there.take(incident_event())
    there.wait(MINUTE)
    there.answers[B] = "confirmed"
    there.take(closed())  # type: ignore[arg-type]
    there.wait(2 * MINUTE)
    assert there.told(B)[-1] == "closed"
    assert next(one for one in there.sent[::-1] if one.channel.url == B).news[0].maybe_told


def test_a_repetition_has_the_same_id() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.answers[A] = "uncertain"
    there.take(incident_event())
    there.wait(10 * MINUTE)
    assert len(there.sent) > 3
    assert len({one.id for one in there.sent}) == 1
    assert [one.attempt for one in there.sent] == list(range(1, 1 + len(there.sent)))


def test_people_are_not_told_again_and_again_what_they_may_have() -> None:
    """A chat that takes each message and never answers: 9 in 5 minutes would be muted."""
    there = Office(Route(name="all", urls=(A,)))
    there.answers[A] = "uncertain"
    there.take(incident_event())
    there.wait(5 * MINUTE)
    assert len(there.sent) <= 5
    there.wait(55 * MINUTE)
    assert 10 <= len(there.sent) <= 20
    there.answers.clear()
    there.take(closed())  # type: ignore[arg-type]
    there.wait(2 * MINUTE)
    assert there.told(A)[-1] == "closed"


def test_an_on_call_system_has_a_key_and_is_told_as_often_as_it_takes() -> None:
    there = Office(Route(name="all", urls=(DUTY,)))
    there.answers[DUTY] = "uncertain"
    there.take(incident_event())
    there.wait(60 * MINUTE)
    assert len(there.sent) > 40


def test_other_news_of_the_channel_does_not_wait_for_what_may_have_arrived() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.answers[A] = lambda one: (
        "uncertain" if one.news[0].entry == "incident/i1" else "confirmed"
    )
    there.take(incident_event())
    there.wait(20 * MINUTE)
    there.take(incident_event(incident_id="i2", event_id="x", target="b", host="b", at=AT + 1))
    there.wait(2 * MINUTE)
    assert "incident/i2" in {one.news[0].entry for one in there.sent}


def test_nobody_is_told_of_a_missed_outage_if_one_may_have_been_told() -> None:
    there = Office(Route(name="all", urls=(A, B)))
    there.answers |= {A: "uncertain", B: "unreachable"}
    there.take(incident_event())
    there.wait(10_000)
    there.answers.clear()
    there.take(closed())  # type: ignore[arg-type]
    there.wait(2 * MINUTE)
    assert there.told(A)[-1] == "closed"
    assert set(there.told(B)) == {"opened"}


def test_a_key_that_may_be_open_is_resolved() -> None:
    there = Office(Route(name="all", urls=(DUTY,)))
    there.answers[DUTY] = "uncertain"
    there.take(incident_event())
    there.answers.clear()
    there.take(closed())  # type: ignore[arg-type]
    there.wait(MINUTE)
    assert there.told(DUTY) == ["trigger", "resolve"]
    assert there.sent[-1].news[0].key == "i1/1"


def test_a_key_that_may_be_open_is_resolved_before_the_next_episode_has_its_own() -> None:
    there = Office(Route(name="all", urls=(DUTY,)))
    there.answers[DUTY] = "uncertain"
    there.take(incident_event())
    there.answers.clear()
    there.take(incident_event(event="worsened", event_id="e2", at=AT + 1, episode=2))
    there.wait(MINUTE)
    assert [(one.action, one.news[0].key) for one in there.sent] == [
        ("trigger", "i1/1"),
        ("resolve", "i1/1"),
        ("trigger", "i1/2"),
    ]


def test_a_trigger_without_an_answer_is_repeated_with_its_key() -> None:
    there = Office(Route(name="all", urls=(DUTY,)))
    there.answers[DUTY] = "uncertain"
    there.take(incident_event())
    there.answers.clear()
    there.wait(MINUTE)
    assert there.told(DUTY) == ["trigger", "trigger"]
    assert len({one.id for one in there.sent}) == 1


def test_what_was_told_is_what_was_true_when_the_message_was_made() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.answers[A] = "hangs"
    there.take(incident_event())
    there.wait(WAIT_MS)
    there.take(closed())  # type: ignore[arg-type]
    there.wait(30_000)
    assert there.told(A) == ["opened"]
    there.land_all()
    there.wait(0)
    assert there.told(A) == ["opened", "closed"]
