"""Planned work is not told; what is still down when it has ended is."""

from typing import Any

import pytest

from schemas.policy import Maintenance, Policy, Route
from sinks.notifier.model import TargetFacts
from tests.unit.sinks.notifier.decision.office import DAY, HOUR, MINUTE, SECOND, Office
from tests.unit.sinks.notifier.events import AT, incident_event

A, PAGER = "json://a", "pagerduty://p"
ROUTE = Route(name="all", urls=(A, PAGER))
SETTLE = 40 * SECOND
WHY = "maintenance: patch night until 2026-12-01 05:00 Europe/Berlin"


def window(**fields: Any) -> Maintenance:
    """From one hour before to two hours after the beginning of a test."""
    values: dict[str, Any] = {
        "name": "patch night",
        "targets": ("prod-db",),
        "start": AT - HOUR,
        "duration_ms": 3 * HOUR,
        "timezone": "Europe/Berlin",
    }
    return Maintenance(**(values | fields))


def office(*policy: Policy) -> Office:
    there = Office(ROUTE, *policy)
    there.facts["prod-db"] = TargetFacts(
        id="prod-db", name="Production DB", place="db:1", tags=("linux",), settle_ms=SETTLE
    )
    return there


def event(there: Office, kind: str, **fields: Any) -> Any:
    values: dict[str, Any] = {"event": kind, "event_id": f"{kind}-{there.now}", "at": there.now}
    if kind == "closed":
        values |= {"closed_at": there.now, "closed_because": "recovered"}
    return incident_event(**(values | fields))


@pytest.mark.parametrize("targets", [("prod-db",), ("tag:linux",), ("x", "tag:linux", "prod-db")])
def test_what_opened_and_closed_inside_is_not_told(targets: tuple[str, ...]) -> None:
    there = office(window(targets=targets))
    there.take(event(there, "opened"))
    there.wait(HOUR)
    assert not there.sent
    assert there.subject("incident/i1").audience[0].held == WHY
    assert there.subject("incident/i1").audience[0].held_until == AT + 2 * HOUR + SETTLE
    there.take(event(there, "closed"))
    there.wait(2 * DAY)
    assert not there.sent
    assert there.whys("opened") == there.whys("closed") == [WHY] * 2
    assert there.log == {}


@pytest.mark.parametrize("targets", [("other",), ("tag:windows",), ("tag:prod-db",)])
def test_what_it_does_not_cover_is_told(targets: tuple[str, ...]) -> None:
    there = office(window(targets=targets))
    there.take(event(there, "opened"))
    there.wait(MINUTE)
    assert there.told(A) == ["opened"]


@pytest.mark.parametrize("fails_over", [False, True])
def test_what_is_still_down_after_the_end_is_told_then(fails_over: bool) -> None:
    there = office(window())
    there.take(event(there, "opened"))
    there.wait(2 * HOUR)
    if fails_over:
        there.restart()
    there.wait(SETTLE - 1)
    assert not there.sent
    there.wait(3 * SECOND)
    assert there.told() == [f"trigger {PAGER}", f"opened {A}"]
    assert there.sent[0].at == AT + 2 * HOUR + SETTLE
    assert there.sent[1].news[0].held == WHY
    there.take(event(there, "closed"))
    there.wait(MINUTE)
    assert there.told()[2:] == [f"resolve {PAGER}", f"closed {A}"]


def test_the_window_ends_while_the_notifier_is_away() -> None:
    there = office(window())
    there.take(event(there, "opened"))
    there.record()
    there.now += 5 * HOUR
    there.restart(calm=False)
    there.wait(MINUTE)
    assert there.told(A) == ["opened"]


def test_it_came_back_within_the_settle_time() -> None:
    there = office(window())
    there.take(event(there, "opened"))
    there.wait(2 * HOUR + SETTLE - SECOND)
    there.take(event(there, "closed"))
    there.wait(HOUR)
    assert not there.sent


def test_what_fails_after_the_end_is_told_at_once() -> None:
    there = office(window())
    there.wait(2 * HOUR + SECOND)
    there.take(event(there, "opened", first_failed_at=there.now - 1, opened_at=there.now))
    there.wait(2 * SECOND)
    assert there.told(A) == ["opened"]


def test_a_recovery_inside_goes_to_whoever_was_told() -> None:
    there = office(window(start=AT + MINUTE))
    there.take(event(there, "opened"))
    there.wait(2 * MINUTE)
    there.take(event(there, "improved"))
    there.wait(MINUTE)
    there.take(event(there, "worsened", episode=2))
    there.wait(MINUTE)
    there.take(event(there, "closed", episode=2))
    there.wait(HOUR)
    assert there.told(A) == ["opened", "closed"]
    assert there.told(PAGER) == ["trigger", "resolve"]
    assert (
        there.whys("worsened")
        == ["maintenance: patch night until 2026-12-01 06:01 Europe/Berlin"] * 2
    )


def test_the_old_key_stays_open_while_the_new_one_is_held() -> None:
    """An on-call system must not say that it is resolved while it is down."""
    there = office(window(start=AT + MINUTE))
    there.take(event(there, "opened"))
    there.wait(2 * MINUTE)
    there.take(event(there, "worsened", episode=2))
    there.wait(MINUTE)
    assert there.told(PAGER) == ["trigger"]
    there.wait(4 * HOUR)
    assert there.told(PAGER) == ["trigger", "resolve", "trigger"]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_window_that_is_added_edited_and_removed_while_it_is_down(restarts: bool) -> None:
    there = office(window())
    there.take(event(there, "opened"))
    there.wait(MINUTE)
    there.route(ROUTE, window(duration_ms=4 * HOUR))
    if restarts:
        there.restart()
    assert there.whys("opened", A) == [WHY, WHY.replace("05:00", "06:00")]
    there.wait(2 * HOUR + MINUTE)
    assert not there.sent
    there.route(ROUTE)
    there.wait(2 * SECOND)
    assert there.told(A) == ["opened"]
    there.route(ROUTE, window(duration_ms=8 * HOUR))
    there.take(event(there, "worsened", episode=2))
    there.wait(MINUTE)
    assert there.told(A) == ["opened"]


def test_a_window_that_begins_while_the_news_waits_for_its_channel() -> None:
    there = office(window(start=AT + MINUTE))
    there.answers = {A: "unreachable", PAGER: "unreachable"}
    there.take(event(there, "opened"))
    there.wait(30 * SECOND)
    there.answers.clear()
    there.now += 31 * SECOND
    there.turn()
    there.wait(HOUR)
    assert {row.status for row in there.rows} == {"retrying", "not_sent"}
    there.take(event(there, "closed"))
    there.wait(2 * DAY)
    assert "sent" not in {row.status for row in there.rows}
    assert there.log == {}


def test_overlapping_windows_take_over_with_one_row_each() -> None:
    begin = AT + HOUR + 30 * SECOND
    there = office(window(duration_ms=2 * HOUR), window(name="b", start=begin))
    there.take(event(there, "opened"))
    there.wait(10 * HOUR)
    first = WHY.replace("05:00", "04:00")
    second = "maintenance: b until 2026-12-01 07:00 Europe/Berlin"
    assert there.whys("opened", A) == [first, second]
    assert there.told(A) == ["opened"]
    assert there.sent[-1].at == begin + 3 * HOUR + SETTLE + 2 * SECOND


def test_a_weekly_window() -> None:
    there = office(window(start=AT - 21 * DAY, rrule="FREQ=WEEKLY", duration_ms=HOUR))
    there.take(event(there, "opened"))
    there.wait(MINUTE)
    assert not there.sent
    there.take(event(there, "closed"))
    there.wait(DAY)
    there.take(event(there, "opened", incident_id="i2", first_failed_at=there.now))
    there.wait(MINUTE)
    assert there.told(A) == ["opened"]


def test_a_window_that_can_not_be_unrolled_spares_nobody() -> None:
    there = office(
        window(rrule="FREQ=NEVER"), window(name="z", timezone="Mars/Olympus", targets=())
    )
    there.take(event(there, "opened"))
    there.wait(MINUTE)
    assert there.told(A) == ["opened"]


def test_a_notifier_that_was_away_tells_nothing_of_what_was_inside() -> None:
    there = office(window())
    there.now += 10 * HOUR
    there.take(
        event(there, "opened", at=AT),
        event(there, "closed", at=AT + MINUTE, closed_at=AT + MINUTE),
    )
    there.wait(DAY)
    assert there.told(A) == []
    assert there.whys("closed", A) == [WHY]


def test_a_clock_that_is_set_back_into_the_window() -> None:
    there = office(window())
    there.take(event(there, "opened"))
    there.now += 2 * HOUR + SETTLE - SECOND
    there.turn()
    there.now -= HOUR
    there.turn()
    there.wait(HOUR - SECOND)
    assert not there.sent
    there.wait(5 * SECOND)
    assert there.told(A) == ["opened"]


@pytest.mark.parametrize("swapped", [False, True])
def test_windows_of_one_name_of_two_inventories_both_hold(swapped: bool) -> None:
    windows = (window(), window(start=AT - 9 * HOUR, duration_ms=HOUR))
    there = office(*(reversed(windows) if swapped else windows))
    there.take(event(there, "opened"))
    there.wait(HOUR)
    assert not there.sent


def test_a_window_without_end_leaves_a_record_that_can_be_read() -> None:
    """An occurrence of 34 years each year: its end is beyond what a record may have."""
    there = office(window(start=0, duration_ms=2**40, rrule="FREQ=YEARLY"))
    there.take(event(there, "opened"))
    there.restart()
    assert there.subject("incident/i1").audience[0].held.startswith("maintenance: patch night")
    there.route(ROUTE)
    there.wait(MINUTE)
    assert sorted(there.told()) == sorted([f"opened {A}", f"trigger {PAGER}"])
