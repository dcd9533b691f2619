"""Quiet hours: people are told at their end what is true then. 02:00 UTC is 03:00 in Berlin."""

from typing import Any

import pytest

from schemas.policy import Hours, Maintenance, Quiet, Route
from tests.unit.sinks.notifier.decision.office import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Office,
    region_event,
)
from tests.unit.sinks.notifier.events import AT, incident_event

A, B, PAGER = "json://a", "json://b", "pagerduty://p"
NIGHT = Quiet(hours=(Hours(begin="22:00", end="07:00"),))
WHY = "quiet hours until 07:00 Europe/Berlin"
ENDS = AT + 4 * HOUR


def quiet(name: str = "people", *urls: str, **fields: Any) -> Route:
    values: dict[str, Any] = {"urls": urls or (A,), "quiet": NIGHT, "timezone": "Europe/Berlin"}
    return Route(name=name, default=True, operators=True, **(values | fields))


def event(there: Office, kind: str, **fields: Any) -> Any:
    values: dict[str, Any] = {"event": kind, "event_id": f"{kind}-{there.now}", "at": there.now}
    if kind == "closed":
        values |= {"closed_at": there.now, "closed_because": "recovered"}
    return incident_event(**(values | fields))


@pytest.mark.parametrize("restarts", [False, True])
def test_what_is_still_down_in_the_morning_is_told_then(restarts: bool) -> None:
    there = Office(quiet())
    there.take(event(there, "opened"))
    there.wait(HOUR)
    if restarts:
        there.restart()
    there.wait(3 * HOUR)
    assert not there.sent
    assert there.whys("opened") == [WHY]
    there.wait(2 * SECOND)
    assert there.told(A) == ["opened"]
    assert there.sent[0].news[0].held == WHY
    there.take(event(there, "closed"))
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "closed"]


@pytest.mark.parametrize("closed_after", [MINUTE, 3 * HOUR])
@pytest.mark.parametrize("restarts", [False, True])
def test_an_outage_of_the_night_is_one_message(closed_after: int, restarts: bool) -> None:
    """It closed more than an hour before it is told."""
    there = Office(quiet())
    there.take(event(there, "opened"))
    there.wait(closed_after)
    there.take(event(there, "closed"))
    if restarts:
        there.restart()
    there.wait(ENDS + 3 * SECOND - there.now)
    assert there.told(A) == ["missed"]
    assert there.whys("opened") == there.whys("closed") == [WHY]
    there.wait(2 * DAY)
    assert there.log == {}


def test_also_if_an_on_call_system_was_told_at_night() -> None:
    there = Office(quiet("people", A, stop=False), Route(name="pager", urls=(PAGER,), default=True))
    there.take(event(there, "opened"))
    there.wait(HOUR)
    there.take(event(there, "closed"))
    there.wait(DAY)
    assert there.told() == [f"trigger {PAGER}", f"resolve {PAGER}", f"missed {A}"]


def test_a_channel_that_fails_in_the_morning_is_tried_for_an_hour() -> None:
    there = Office(quiet())
    there.answers[A] = "unreachable"
    there.take(event(there, "opened"))
    there.wait(MINUTE)
    there.take(event(there, "closed"))
    there.wait(ENDS + 30 * MINUTE - there.now)
    there.answers.clear()
    there.wait(2 * MINUTE)
    assert there.rows[-1].status == "sent"
    assert there.sent[-1].action == "missed"


def test_missed_drop_is_none_in_the_morning_either() -> None:
    there = Office(quiet(missed="drop"))
    there.take(event(there, "opened"))
    there.wait(MINUTE)
    there.take(event(there, "closed"))
    there.wait(DAY)
    assert not there.sent
    assert there.whys("closed") == ["missed: drop"]


def test_an_end_is_held_too() -> None:
    there = Office(quiet())
    there.now = ENDS - 10 * HOUR
    there.take(event(there, "opened"))
    there.wait(2 * HOUR)
    there.take(event(there, "closed"))
    there.wait(HOUR)
    assert there.told(A) == ["opened"]
    there.wait(DAY)
    assert there.told(A) == ["opened", "closed"]
    assert there.whys("closed") == [WHY]


def test_an_outage_that_came_back_is_told_as_it_is() -> None:
    there = Office(quiet())
    there.now = ENDS - 10 * HOUR
    there.take(event(there, "opened"))
    there.wait(2 * HOUR)
    there.take(event(there, "improved"))
    there.wait(HOUR)
    there.take(event(there, "worsened", episode=2))
    there.wait(DAY)
    assert there.told(A) == ["opened", "worsened"]


def test_severities_that_are_told_at_any_hour() -> None:
    there = Office(quiet(quiet=Quiet(hours=NIGHT.hours, unless=("critical",))))
    there.take(event(there, "opened"))
    there.take(event(there, "opened", incident_id="i2", event_id="x", severity="warning"))
    there.wait(MINUTE)
    assert [news.entry for one in there.sent for news in one.news] == ["incident/i1"]
    there.take(event(there, "closed"))
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "closed"]


def test_a_system_is_not_triggered_in_the_quiet_hours_of_its_route() -> None:
    there = Office(quiet("pager", PAGER))
    there.take(event(there, "opened"))
    there.take(event(there, "opened", incident_id="i2", event_id="x"))
    there.wait(HOUR)
    there.take(event(there, "closed"))
    assert there.whys("closed") == [WHY]
    there.wait(DAY)
    assert there.told(PAGER) == ["trigger"]
    assert there.sent[0].at == ENDS


def test_a_system_that_was_triggered_is_resolved_at_any_hour() -> None:
    there = Office(quiet("pager", PAGER))
    there.now = ENDS - 10 * HOUR
    there.take(event(there, "opened"))
    there.wait(2 * HOUR)
    there.take(event(there, "updated", acknowledged_by="ann"))
    there.take(event(there, "closed", at=there.now + 1))
    assert there.told(PAGER) == ["trigger", "acknowledge", "resolve"]


def test_a_notifier_that_was_away_for_days_tells_what_is_true() -> None:
    there = Office(quiet())
    there.take(event(there, "opened"))
    there.take(event(there, "opened", incident_id="i2", event_id="x"))
    there.wait(MINUTE)
    there.take(event(there, "closed"))
    there.record()
    there.now += 5 * DAY + 9 * HOUR
    there.restart(calm=False)
    there.wait(MINUTE)
    assert sorted(there.told(A)) == ["missed", "opened"]


def test_a_weekend() -> None:
    """From Friday evening to Monday morning; a region that was silent on Saturday is told."""
    days = Hours(days=("sat", "sun"), begin="00:00", end="00:00")
    there = Office(quiet(quiet=Quiet(hours=(Hours(begin="18:00", end="08:00"), days))))
    there.now = AT + 4 * DAY  # Saturday, 02:00 UTC
    there.take(region_event("region.silent", at=there.now))
    there.wait(2 * HOUR)
    there.take(region_event("region.returned", at=there.now))
    there.wait(2 * DAY)
    assert not there.sent
    there.wait(4 * HOUR)
    assert there.told(A) == ["missed"]
    assert there.whys("region.returned") == ["quiet hours until 08:00 Europe/Berlin"]


def test_quiet_hours_that_never_end_keep_nothing() -> None:
    there = Office(quiet(quiet=Quiet(hours=(Hours(),), unless=("critical",))))
    there.take(event(there, "opened", severity="info"))
    there.wait(DAY)
    there.take(event(there, "closed", severity="info"))
    there.wait(2 * DAY)
    assert not there.sent
    assert there.whys("opened") == there.whys("closed") == ["quiet hours at all times"]
    assert there.log == {}


def test_they_are_changed_while_something_is_held() -> None:
    there = Office(quiet())
    there.take(event(there, "opened"))
    there.wait(MINUTE)
    there.route(quiet(quiet=None))
    there.wait(2 * SECOND)
    assert there.told(A) == ["opened"]


def test_the_window_passes_and_the_night_takes_over() -> None:
    """It outlasted the window, so the morning tells of it although it is over."""
    window = Maintenance(name="w", targets=("prod-db",), start=AT - HOUR, duration_ms=2 * HOUR)
    there = Office(quiet(), window)
    there.take(event(there, "opened"))
    there.wait(2 * HOUR)
    assert there.whys("opened") == ["maintenance: w until 2026-12-01 03:00 UTC", WHY]
    there.take(event(there, "closed"))
    there.wait(DAY)
    assert there.told(A) == ["missed"]


def test_a_clock_that_is_set_back_over_the_end() -> None:
    there = Office(quiet())
    there.take(event(there, "opened"))
    there.now = ENDS - SECOND
    there.turn()
    there.now -= 2 * HOUR
    there.turn()
    there.wait(2 * HOUR)
    assert not there.sent
    there.wait(3 * SECOND)
    assert there.told(A) == ["opened"]


def test_two_channels_of_which_one_is_quiet() -> None:
    there = Office(quiet("night", A), Route(name="day", urls=(B,), default=True))
    there.take(event(there, "opened"))
    there.wait(MINUTE)
    assert there.told() == [f"opened {B}"]
    there.wait(DAY)
    assert there.told() == [f"opened {B}", f"opened {A}"]
