"""Limits, digests, reminders and escalation together with what spares people."""

from typing import Any

from schemas.policy import EscalationStep, Hours, Limit, Quiet, Route, Silence
from sinks.notifier.model import TargetFacts
from tests.unit.sinks.notifier.decision.crowd import (
    INTERVAL_MS,
    A,
    actions,
    arrive,
    closed,
    crowd_office,
    most_within,
    named,
    opened,
    times,
)
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, SECOND, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT

B = "json://lead"
NIGHT = Quiet(hours=(Hours(begin="22:00", end="07:00"),))
MORNING = AT + 5 * HOUR
"""07:00 UTC."""


def silence(until: int, **fields: Any) -> Silence:
    values: dict[str, Any] = {
        "name": "s1",
        "begins_at": AT,
        "ends_at": until,
        "reason": "a move",
        "by": "eve",
        "created_at": AT,
    }
    return Silence(**(values | fields))


def test_what_was_quiet_is_one_digest_in_the_morning_and_counts_for_the_limit() -> None:
    there = crowd_office(A, quiet=NIGHT, limit=Limit(messages=1, per_ms=HOUR))
    for number in range(50):
        there.take(opened(number, there.now))
        there.wait(MINUTE)
    there.take(closed(0, there.now))
    there.wait(MORNING - there.now + MINUTE)
    assert [len(one) for one in actions(there)] == [50]
    assert sorted(set(actions(there)[0])) == ["missed", "opened"]
    there.take(*(closed(number, there.now) for number in range(1, 50)))
    there.wait(2 * HOUR)
    assert [len(one) for one in actions(there)] == [50, 49]
    assert most_within(times(there), 3600) == 1


def test_what_a_limit_held_into_the_night_is_told_in_the_morning() -> None:
    evening = AT + 19 * HOUR
    there = crowd_office(A, quiet=NIGHT, limit=Limit(messages=1, per_ms=2 * HOUR))
    there.wait(evening - AT)
    there.take(opened(1, there.now))
    there.wait(MINUTE)
    there.take(opened(2, there.now))
    there.wait(12 * HOUR)
    assert named(there, A, "opened") == {"incident/i1": 1, "incident/i2": 1}
    hour = (there.sent[-1].at - AT) / HOUR
    assert hour < 20 or hour >= 29


def test_no_reminder_in_quiet_hours() -> None:
    there = crowd_office(A, quiet=NIGHT, remind_every_ms=HOUR)
    there.wait(18 * HOUR)
    there.take(opened(1, there.now))
    there.wait(14 * HOUR)
    quiet = [at for at in times(there) if 20 <= at / 3600 < 29]
    assert quiet == []
    assert there.told(A)[:2] == ["opened", "reminder"]
    assert there.told(A)[-1] == "reminder"
    assert times(there)[-1] >= 29 * 3600


def test_an_escalation_is_held_by_a_silence_and_taken_back_by_an_acknowledgement() -> None:
    routes = (
        Route(
            name="first",
            urls=(A,),
            default=True,
            escalate=(EscalationStep(after_ms=10 * MINUTE, routes=("lead",)),),
        ),
        Route(name="lead", urls=(B,), default=False),
    )
    for acknowledged in (False, True):
        there = Office(*routes, group_interval_ms=INTERVAL_MS)
        there.take(opened(1))
        there.wait(5 * MINUTE)
        there.route(*routes, silence(AT + 30 * MINUTE))
        there.wait(20 * MINUTE)
        assert there.told() == [f"opened {A}"]
        if acknowledged:
            there.take(opened(1, there.now, event="updated", event_id="a", acknowledged_by="eve"))
        there.wait(HOUR)
        assert there.told(B) == ([] if acknowledged else ["opened"])


def test_an_opening_that_is_spared_does_not_escalate() -> None:
    routes = (
        Route(
            name="first",
            urls=(A,),
            default=True,
            escalate=(EscalationStep(after_ms=10 * MINUTE, routes=("lead",)),),
        ),
        Route(name="lead", urls=(B,), default=False),
    )
    there = Office(*routes, silence(AT + 30 * MINUTE))
    there.take(opened(1))
    there.wait(30 * MINUTE)
    assert there.told() == []
    there.wait(2 * HOUR)
    assert there.told() == [f"opened {A}", f"opened {B}"]
    first, second = there.sent
    assert second.at - first.at == 10 * MINUTE + WAIT_MS


def test_58_dependents_of_four_gateways_are_one_message() -> None:
    there = crowd_office(A)
    for number in range(62):
        on = (f"t{number % 4}",) if number >= 4 else ()
        there.facts[f"t{number}"] = TargetFacts(
            id=f"t{number}", name="n", place="p", depends_on=on, answer_ms=5_000
        )
    arrive(there, ((AT + n * 50, opened(n, AT + n * 50)) for n in range(4, 62)))
    arrive(there, ((there.now + SECOND, opened(n, there.now)) for n in range(4)))
    there.wait(10 * MINUTE)
    assert [len(one) for one in actions(there)] == [4]
