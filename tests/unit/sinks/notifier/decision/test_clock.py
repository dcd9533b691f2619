"""A clock that is set: nothing waits for longer than its own wait."""

import pytest

from schemas.policy import EscalationStep, Limit, Route
from tests.unit.sinks.notifier.decision.office import DAY, HOUR, MINUTE, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT, incident_event

A, MANAGER = "json://a", "alertmanager://m"


def test_set_back_while_news_waits() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.take(incident_event())
    there.now -= HOUR
    there.wait(WAIT_MS + 1)
    assert there.told(A) == ["opened"]


def test_set_back_during_a_back_off() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.answers[A] = "unreachable"
    there.take(incident_event())
    there.wait(10 * MINUTE)
    there.answers.clear()
    there.now -= DAY
    there.wait(2 * MINUTE)
    assert there.rows[-1].status == "sent"


def test_set_back_while_a_system_that_forgets_waits() -> None:
    there = Office(Route(name="all", urls=(MANAGER,)))
    there.take(incident_event())
    there.now -= DAY
    there.wait(2 * MINUTE)
    assert [one.action for one in there.sent][1:] == ["refresh", "refresh"]


def test_a_predecessor_whose_clock_was_ahead() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.now += DAY
    there.take(incident_event())
    there.now -= DAY
    there.restart(dies=True)
    there.wait(WAIT_MS)
    assert there.told(A) == ["opened"]


def test_set_ahead_gives_up_nothing_that_is_open() -> None:
    there = Office(Route(name="all", urls=(A,)))
    there.answers[A] = "unreachable"
    there.take(incident_event())
    there.wait(MINUTE)
    there.now += 400 * DAY
    there.answers.clear()
    there.turn()
    assert there.rows[-1].status == "sent"
    there.now -= 400 * DAY
    there.take(incident_event(event="closed", event_id="e2", at=AT + 1, closed_because="recovered"))
    there.wait(MINUTE)
    assert there.told(A)[-1] == "closed"
    there.wait(2 * DAY)
    assert there.log == {}


@pytest.mark.parametrize("taken_over", [False, True])
def test_set_back_by_a_year_puts_off_no_reminder_and_no_escalation(taken_over: bool) -> None:
    step = EscalationStep(after_ms=15 * MINUTE, routes=("lead",))
    there = Office(
        Route(name="all", urls=(A,), remind_every_ms=HOUR, escalate=(step,)),
        Route(name="lead", urls=("json://lead",), default=False),
    )
    there.now += 365 * DAY
    there.take(incident_event())
    there.wait(MINUTE)
    there.now -= 365 * DAY
    if taken_over:
        there.restart()
    there.wait(HOUR + MINUTE)
    assert there.told() == [f"opened {A}", "opened json://lead", f"reminder {A}"]


def test_set_back_by_a_year_puts_off_no_fallback() -> None:
    """A channel that was not tried in time is looked at again in 10 s: not in a year."""
    limit = Limit(messages=1, per_ms=HOUR)
    there = Office(
        Route(name="all", urls=(A,), fallback=("spare",), limit=limit),
        Route(name="spare", urls=("json://spare",), default=False),
    )
    there.now += 365 * DAY
    there.take(incident_event(incident_id="i0", event_id="e0", host="other"))
    there.wait(MINUTE)
    there.take(incident_event())
    there.wait(10 * MINUTE)
    there.now -= 365 * DAY
    there.answers[A] = "unreachable"
    there.wait(HOUR + 10 * MINUTE)
    assert "opened json://spare" in there.told()
