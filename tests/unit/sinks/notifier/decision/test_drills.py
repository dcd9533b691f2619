"""A fire drill that is overdue is told to operators, once, until there is a good one."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.policy import DrillDone, DrillPlan, Policy, Route
from sinks.notifier.model import DrillEvent
from tests.unit.sinks.notifier.decision.office import DAY, HOUR, MINUTE, SECOND, Office
from tests.unit.sinks.notifier.events import AT, incident_event

OPS = "json://ops"
ALL = "json://all"
PAGE = "pagerduty://page"
ROUTES = (
    Route(name="all", urls=(ALL,), default=True),
    Route(name="ops", urls=(OPS, PAGE), operators=True),
)
WEEK = 7 * DAY
PLAN = DrillPlan(name="drill", every_ms=WEEK)
KEY = "drill/drill"


def last(at: int, stage: str = "") -> DrillDone:
    return DrillDone(name="last", at=at, overdue=stage)


def office(*policy: Policy) -> Office:
    return Office(*ROUTES, *policy)


def route(there: Office, *policy: Policy) -> None:
    there.route(*ROUTES, *policy)
    there.wait(2 * SECOND)


def newest(there: Office) -> DrillEvent:
    event = there.sent[-1].news[0].event
    assert isinstance(event, DrillEvent)
    return event


def test_operators_are_told_when_the_last_drill_is_older_than_planned() -> None:
    there = office(PLAN, last(AT - WEEK + HOUR))
    assert there.desk.next_due(there.now) == AT + HOUR
    there.wait(HOUR - 1)
    assert there.sent == []
    there.wait(1 + 2 * SECOND)
    assert there.told() == [f"trigger {PAGE}", f"opened {OPS}"]
    assert {one.news[0].key for one in there.sent} == {"drill:drill"}
    event = newest(there)
    assert (event.event, event.severity) == ("drill.overdue", "warning")
    assert (event.since, event.last_at, event.stage) == (AT + HOUR, AT - WEEK + HOUR, "")
    there.wait(3 * WEEK)
    assert len(there.sent) == 2, "once"


def test_it_is_over_with_a_good_drill() -> None:
    there = office(PLAN, last(AT - WEEK))
    there.wait(MINUTE)
    route(there, PLAN, last(there.now))
    assert there.told(OPS) == ["opened", "closed"]
    assert there.told(PAGE) == ["trigger", "resolve"]
    assert newest(there).event == "drill.done"
    assert newest(there).last_at == AT + MINUTE
    there.wait(2 * DAY)
    assert KEY not in there.log
    there.wait(WEEK)
    assert there.told(OPS) == ["opened", "closed", "opened"], "and anew a week later"


def test_it_is_over_when_no_inventory_plans_one() -> None:
    there = office(PLAN, last(AT - WEEK))
    there.wait(MINUTE)
    route(there, last(AT - WEEK))
    assert there.told(OPS) == ["opened", "closed"]
    assert newest(there).every_ms == 0
    there.wait(4 * WEEK)
    assert there.told(OPS) == ["opened", "closed"]
    assert there.desk.next_due(there.now) is None


def test_without_any_drill_it_counts_from_the_first_sight_of_the_plan() -> None:
    there = office()
    there.wait(3 * DAY)
    route(there, PLAN)
    seen = there.now - 2 * SECOND
    for _ in range(6):
        there.wait(DAY)
        there.restart()
    assert there.sent == []
    there.wait(DAY + MINUTE)
    assert there.told(OPS) == ["opened"]
    assert newest(there).since == seen + WEEK
    assert newest(there).last_at is None


def test_a_plan_that_was_away_counts_anew() -> None:
    there = office(PLAN)
    there.wait(6 * DAY)
    route(there)
    assert KEY not in there.log
    route(there, PLAN)
    there.wait(6 * DAY)
    assert there.sent == []
    there.wait(DAY)
    assert there.told(OPS) == ["opened"]


def test_a_stage_that_did_not_come_is_told_at_once() -> None:
    there = office(PLAN, last(AT - DAY))
    there.wait(MINUTE)
    assert there.sent == []
    failed = there.now
    route(there, PLAN, last(failed, "message"))
    assert there.told(OPS) == ["opened"]
    assert (newest(there).stage, newest(there).since) == ("message", failed)
    route(there, PLAN, last(failed + SECOND, "message"))
    assert there.told(OPS) == ["opened"], "the same stage is nothing new"
    route(there, PLAN, last(failed + 2 * SECOND, "watched"))
    assert there.told(OPS) == ["opened", "updated"]
    assert newest(there).stage == "watched"
    route(there, PLAN, last(there.now))
    assert there.told(OPS) == ["opened", "updated", "closed"]
    assert there.told(PAGE) == ["trigger", "resolve"]


def test_a_drill_that_fails_within_a_day_of_a_good_one_is_told_again() -> None:
    there = office(PLAN, last(AT, "message"))
    there.wait(MINUTE)
    route(there, PLAN, last(there.now))
    route(there, PLAN, last(there.now, "quorum"))
    assert there.told(OPS) == ["opened", "closed", "opened"]
    assert there.told(PAGE) == ["trigger", "resolve", "trigger"]
    assert there.subject(KEY).episode == 2


def test_who_takes_over_tells_it_no_second_time() -> None:
    there = office(PLAN, last(AT - WEEK))
    there.wait(MINUTE)
    there.restart()
    there.wait(DAY)
    assert there.told(OPS) == ["opened"]
    assert there.told(PAGE) == ["trigger"]
    # Nor does one whose clock is behind, for which it is not overdue yet.
    there.now = AT - HOUR
    there.restart(calm=False)
    there.wait(MINUTE)
    assert there.told(OPS) == ["opened"]
    route(there, PLAN, last(there.now))
    assert there.told(OPS) == ["opened", "closed"]


def test_without_a_plan_nobody_is_told() -> None:
    there = office(last(AT - 5 * WEEK, "message"))
    there.wait(4 * WEEK)
    assert there.sent == []
    assert there.log == {}


def test_the_shortest_of_several_plans_counts() -> None:
    there = office(PLAN, DrillPlan(name="drill", every_ms=DAY), last(AT))
    there.wait(DAY + MINUTE)
    assert there.told(OPS) == ["opened"]
    assert newest(there).every_ms == DAY


def test_a_longer_interval_ends_it_and_a_shorter_one_begins_it() -> None:
    there = office(PLAN, last(AT - WEEK))
    there.wait(MINUTE)
    route(there, DrillPlan(name="drill", every_ms=4 * WEEK), last(AT - WEEK))
    assert there.told(OPS) == ["opened", "closed"]
    route(there, DrillPlan(name="drill", every_ms=DAY), last(AT - WEEK))
    assert there.told(OPS) == ["opened", "closed", "opened"]


def test_a_longer_interval_before_the_first_drill_keeps_the_first_sight() -> None:
    there = office(PLAN)
    there.wait(WEEK + MINUTE)
    route(there, DrillPlan(name="drill", every_ms=2 * WEEK))
    assert there.told(OPS) == ["opened", "closed"]
    there.wait(3 * DAY)
    there.restart()
    there.wait(4 * DAY)
    assert there.told(OPS) == ["opened", "closed", "opened"]
    assert newest(there).since == AT + 2 * WEEK


def test_a_drill_of_a_wrong_clock_does_not_count_for_years() -> None:
    there = office(PLAN, last(AT + 400 * DAY))
    there.wait(WEEK + MINUTE)
    assert there.told(OPS) == ["opened"]


def test_what_came_and_went_before_anybody_could_be_told_is_one_message() -> None:
    there = office(PLAN, last(AT - WEEK + MINUTE))
    there.answers = {OPS: "unreachable", PAGE: "unreachable"}
    there.wait(2 * MINUTE)
    there.answers = {}
    there.route(*ROUTES, PLAN, last(there.now))
    there.wait(10 * MINUTE)
    assert there.told(OPS)[-1] == "missed"
    confirmed = [row for row in there.rows if row.status == "sent"]
    assert [(row.event, row.target, row.action) for row in confirmed] == [
        ("drill.done", "(drill)", "missed")
    ]


def test_without_operators_the_default_routes_are_told() -> None:
    there = Office(ROUTES[0], PLAN, last(AT - WEEK))
    there.wait(MINUTE)
    assert there.told() == [f"opened {ALL}"]
    nobody = Office(PLAN, last(AT - WEEK))
    nobody.wait(MINUTE)
    assert nobody.told() == ["opened console://"]


def test_it_changes_nothing_of_what_else_is_told() -> None:
    there = office(PLAN, last(AT - WEEK + HOUR))
    there.take(incident_event())
    there.wait(2 * HOUR)
    assert there.told(ALL) == ["opened"]
    assert there.told(OPS) == ["opened"]


_every = st.sampled_from([HOUR, 6 * HOUR, DAY])
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("plan"), _every | st.none()),
        st.tuples(st.just("drill"), st.sampled_from(["", "", "message", "quorum"])),
        st.tuples(st.just("wait"), st.sampled_from([MINUTE, HOUR, 5 * HOUR, DAY])),
        st.tuples(st.just("restart"), st.booleans()),
    ),
    max_size=25,
)


@given(_steps)
def test_what_operators_know_is_what_is_true(steps: list[tuple[str, object]]) -> None:
    there = office()
    every: int | None = None
    planned_at = 0
    done: DrillDone | None = None
    for step, value in steps:
        if step == "wait":
            assert isinstance(value, int)
            there.wait(value)
        elif step == "restart":
            there.restart(dies=bool(value), calm=False)
        else:
            if step == "plan":
                assert value is None or isinstance(value, int)
                planned_at = planned_at if every and value else there.now
                every = value
            else:
                done = last(there.now, str(value))
            policy: list[Policy] = [] if done is None else [done]
            if every:
                policy.append(DrillPlan(name="drill", every_ms=every))
            there.route(*ROUTES, *policy)
        there.wait(3 * SECOND)
        due_at = None
        if every:
            due_at = planned_at + every if done is None else done.at + every
            if done is not None and done.overdue:
                due_at = done.at
        overdue = due_at is not None and due_at <= there.now - 2 * SECOND
        pages = there.told(PAGE)
        assert pages == ["trigger", "resolve"] * (len(pages) // 2) + ["trigger"] * overdue
        said = [one for one in there.told(OPS) if one != "updated"]
        # What came and went within the wait for more news is one message.
        assert (said[-1:] == ["opened"]) == overdue
        if overdue:
            assert newest_of(there).stage == ("" if done is None else done.overdue)


def newest_of(there: Office) -> DrillEvent:
    event = next(one for one in reversed(there.sent) if one.channel.url == OPS).news[0].event
    assert isinstance(event, DrillEvent)
    return event
