"""The work of a call grows with what is due, not with what is open. Counted, not timed."""

import sys
from collections.abc import Callable
from typing import Any

from schemas.policy import Hours, Route, Team
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, WAIT_MS, Office
from tests.unit.sinks.notifier.events import incident_event


def calls(work: Callable[[], Any]) -> int:
    """The number of calls of Python functions that `work` makes."""
    count = 0

    def count_it(_frame: object, event: str, _more: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(count_it)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def office(incidents: int) -> Office:
    teams = range(20)
    there = Office(
        *(Route(name=f"r{n}", urls=(f"json://{n}",)) for n in teams),
        *(Team(name=f"t{n}", routes=(f"r{n}",)) for n in teams),
    )
    for n in range(incidents):
        there.desk.take(
            incident_event(
                event_id=f"e{n}",
                incident_id=f"i{n}",
                host=f"h{n}",
                target=f"t{n}",
                team=f"t{n % 20}",
            ),
            there.now,
        )
    return there


def test_due_does_not_look_at_what_is_not_due() -> None:
    few, many = office(10), office(1_000)
    for there in (few, many):
        there.turn()
        there.wait(MINUTE)
        assert len(there.sent) == len(there.log)
    idle = [
        calls(lambda there=there: (there.desk.due(there.now), there.desk.next_due(there.now)))
        for there in (few, many)
    ]
    assert idle[0] == idle[1] < 30


def test_an_event_costs_the_same_whatever_is_open() -> None:
    few, many = office(10), office(1_000)
    one = incident_event(event_id="x", incident_id="x", host="x", team="t1")
    costs = []
    for there in (few, many):
        there.turn()
        there.wait(WAIT_MS)
        costs.append(calls(lambda there=there: there.desk.take(one, there.now)))
    assert costs[0] == costs[1] < 300


def test_a_change_of_routes_looks_only_at_who_has_not_confirmed() -> None:
    there = office(1_000)
    there.turn()
    there.wait(MINUTE)
    policy = [Route(name="new", urls=("json://new",))]
    assert calls(lambda: there.route(*policy)) < 10_000


def test_a_change_of_shifts_looks_only_at_who_has_not_confirmed() -> None:
    there = office(1_000)
    there.turn()
    there.wait(MINUTE)
    day = Route(name="day", urls=("json://day",), when=(Hours(begin="06:00", end="18:00"),))
    there.route(*there.routes.routes.values(), *there.routes.teams.values(), day)
    made = calls(lambda: there.wait(4 * HOUR))
    assert 1_000 < made < 10_000
