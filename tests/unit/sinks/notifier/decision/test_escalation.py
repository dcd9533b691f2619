"""An outage that nobody acknowledges goes to further routes."""

from schemas.policy import EscalationStep, Policy, Route
from tests.unit.sinks.notifier.decision.crowd import A, closed, opened
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, SECOND, WAIT_MS, Office

B, C, DUTY = "json://lead", "json://boss", "pagerduty://k"
STEPS = (
    EscalationStep(after_ms=10 * MINUTE, routes=("lead",)),
    EscalationStep(after_ms=30 * MINUTE, routes=("boss", "duty")),
)
OTHERS = (
    Route(name="lead", urls=(B,), default=False),
    Route(name="boss", urls=(C,), default=False),
    Route(name="duty", urls=(DUTY,), default=False),
)


def first(*steps: EscalationStep, urls: tuple[str, ...] = (A,)) -> Route:
    return Route(name="first", urls=urls, default=True, escalate=steps)


def office(*policy: Policy) -> Office:
    there = Office(*(policy or (first(*STEPS), *OTHERS)))
    there.take(opened(1))
    return there


def when(there: Office, url: str) -> list[float]:
    begin = there.sent[0].at
    return [(one.at - begin) / MINUTE for one in there.sent if one.channel.url == url]


def acknowledged(there: Office, **fields: object) -> None:
    values = {"event": "updated", "event_id": "a1", "acknowledged_by": "eve"}
    there.take(opened(1, there.now, **(values | fields)))


def test_each_step_is_told_at_its_time_and_says_whose_it_is() -> None:
    there = office()
    there.wait(2 * HOUR)
    wait = WAIT_MS / MINUTE
    assert when(there, A) == [0]
    assert when(there, B) == [10 + wait]
    assert when(there, C) == [30 + wait]
    assert when(there, DUTY) == [30]
    assert [one.news[0].escalated_from for one in there.sent] == ["", "first", "first", "first"]
    assert there.subject("incident/i1").escalated == ("first/1", "first/2")
    there.take(closed(1, there.now))
    there.wait(MINUTE)
    assert there.told()[4:] == [
        f"resolve {DUTY}",
        f"closed {A}",
        f"closed {B}",
        f"closed {C}",
    ]


def test_an_acknowledgement_just_before_ends_it() -> None:
    there = office()
    there.wait(10 * MINUTE + WAIT_MS - 1)
    acknowledged(there)
    there.wait(2 * HOUR)
    assert there.told() == [f"opened {A}"]
    assert there.subject("incident/i1").escalated == ()
    assert there.whys("opened", B) == []


def test_an_acknowledgement_while_it_is_gathered_takes_it_back() -> None:
    there = office()
    there.wait(10 * MINUTE + WAIT_MS + SECOND)
    acknowledged(there)
    there.wait(2 * HOUR)
    assert there.told() == [f"opened {A}"]
    assert there.whys("opened", B) == ["acknowledged before its escalation was told"]


def test_a_close_just_before_ends_it() -> None:
    there = office()
    there.wait(10 * MINUTE + WAIT_MS - 1)
    there.take(closed(1, there.now))
    there.wait(2 * HOUR)
    assert there.told() == [f"opened {A}", f"closed {A}"]


def test_the_second_episode_begins_anew() -> None:
    there = office(first(*STEPS[:1]), *OTHERS)
    there.wait(9 * MINUTE)
    acknowledged(there)
    there.wait(HOUR)
    acknowledged(there, event="improved", event_id="b1")
    there.wait(MINUTE)
    there.take(opened(1, there.now, event="worsened", event_id="w1", episode=2))
    begin = there.now
    there.wait(10 * MINUTE + WAIT_MS - 1)
    assert there.told(B) == []
    there.wait(1 + WAIT_MS)
    assert there.told(B) == ["opened"]
    assert there.sent[-1].at - begin == 10 * MINUTE + 2 * WAIT_MS
    assert there.subject("incident/i1").escalated == ("first/1",)


def test_who_is_in_the_audience_is_told_once() -> None:
    step = EscalationStep(after_ms=10 * MINUTE, routes=("again",))
    there = office(first(step, urls=(A, B)), Route(name="again", urls=(B, C), default=False))
    there.wait(HOUR)
    assert there.told(B) == ["opened"]
    assert there.told(C) == ["opened"]


def test_a_route_that_is_gone_is_said_and_the_others_are_told() -> None:
    step = EscalationStep(after_ms=10 * MINUTE, routes=("gone", "lead"))
    there = office(first(step), *OTHERS)
    there.wait(HOUR)
    assert there.told(B) == ["opened"]
    assert there.whys("opened") == ["escalation of route first: there is no route gone"]


def test_a_channel_that_fails_does_not_hold_it_up() -> None:
    there = Office(first(*STEPS), *OTHERS)
    there.answers[A] = "unreachable"
    there.take(opened(1))
    there.wait(11 * MINUTE)
    assert there.told(B) == ["opened"]


def test_failovers_neither_repeat_nor_forget_a_step() -> None:
    there = office()
    for number in range(50):
        there.wait(MINUTE)
        there.restart(dies=number % 2 == 0)
    assert there.told(B) == there.told(C) == ["opened"]
    assert there.told(DUTY) == ["trigger"]


def test_a_step_whose_time_passed_while_no_notifier_was_active_is_taken() -> None:
    there = office()
    there.wait(MINUTE)
    there.now += 20 * MINUTE
    there.restart()
    there.wait(WAIT_MS)
    assert there.told(B) == ["opened"]


def test_a_route_of_a_step_may_escalate_further() -> None:
    lead = Route(
        name="lead",
        urls=(B,),
        default=False,
        escalate=(EscalationStep(after_ms=5 * MINUTE, routes=("boss",)),),
    )
    there = office(first(*STEPS[:1]), lead, OTHERS[1])
    there.wait(HOUR)
    assert when(there, C) == [15 + 2 * WAIT_MS / MINUTE]
    assert there.sent[-1].news[0].escalated_from == "lead"
