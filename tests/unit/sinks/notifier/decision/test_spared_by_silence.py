"""A silence: nothing of what it matches is told until it ends."""

from typing import Any

import pytest

from schemas.policy import Policy, Route, Silence
from tests.unit.sinks.notifier.decision.office import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Office,
    region_event,
)
from tests.unit.sinks.notifier.events import AT, incident_event, targets_event

A, PAGER = "json://a", "pagerduty://p"
ROUTE = Route(name="all", urls=(A, PAGER), operators=True, default=True)
SETTLE = 90 * SECOND
"""Of a target of which nothing is known."""

WHY = "silence 7f3a by ann: known, ticket 12 (until 2026-12-01 04:00 UTC)"


def silence(**fields: Any) -> Silence:
    values: dict[str, Any] = {
        "name": "7f3a",
        "targets": ("prod-*",),
        "begins_at": AT - HOUR,
        "ends_at": AT + 2 * HOUR,
        "reason": "known, ticket 12",
        "by": "ann",
        "created_at": AT - HOUR,
    }
    return Silence(**(values | fields))


def office(*policy: Policy) -> Office:
    return Office(ROUTE, *policy)


def event(there: Office, kind: str, **fields: Any) -> Any:
    values: dict[str, Any] = {"event": kind, "event_id": f"{kind}-{there.now}", "at": there.now}
    if kind == "closed":
        values |= {"closed_at": there.now, "closed_because": "recovered"}
    return incident_event(**(values | fields))


def test_what_opened_and_closed_inside_is_not_told() -> None:
    there = office(silence())
    there.take(event(there, "opened"))
    there.wait(HOUR)
    there.take(event(there, "closed"))
    there.wait(2 * DAY)
    assert not there.sent
    assert there.whys("opened") == there.whys("closed") == [WHY] * 2
    assert there.log == {}


@pytest.mark.parametrize(
    "other",
    [
        {"targets": ("test-*",)},
        {"severities": ("info",)},
        {"begins_at": AT + HOUR},
        {"ends_at": AT - 10 * SECOND},
    ],
)
def test_what_it_does_not_cover_is_told(other: dict[str, Any]) -> None:
    there = office(silence(**other))
    there.take(event(there, "opened"))
    there.wait(MINUTE)
    assert there.told(A) == ["opened"]


def test_a_silence_after_the_message_was_told() -> None:
    there = office()
    there.take(event(there, "opened"))
    there.wait(MINUTE)
    there.route(ROUTE, silence())
    there.take(event(there, "improved"))
    there.wait(MINUTE)
    there.take(event(there, "worsened", episode=2))
    there.wait(MINUTE)
    assert there.told(A) == ["opened"]
    assert there.whys("worsened") == [WHY] * 2
    there.take(event(there, "closed", episode=2))
    there.wait(HOUR)
    assert there.told(A) == ["opened", "closed"]
    assert there.told(PAGER) == ["trigger", "resolve"]


def test_it_is_ended_early_and_what_is_still_down_is_told() -> None:
    there = office(silence())
    there.take(event(there, "opened"))
    there.wait(10 * MINUTE)
    there.route(ROUTE, silence(ends_at=there.now, ended_by="bob"))
    there.wait(SETTLE - 1)
    assert not there.sent
    there.wait(3 * SECOND)
    assert there.told(A) == ["opened"]


def test_it_is_removed() -> None:
    there = office(silence())
    there.take(event(there, "opened"))
    there.wait(10 * MINUTE)
    there.route(ROUTE)
    there.wait(2 * SECOND)
    assert there.told(A) == ["opened"]


def test_it_expires_during_a_failover() -> None:
    there = office(silence())
    there.take(event(there, "opened"))
    there.record()
    there.now += 3 * HOUR
    there.restart(calm=False)
    there.wait(2 * SECOND)
    assert sorted(there.told()) == [f"opened {A}", f"trigger {PAGER}"]
    assert there.whys("opened") == [WHY] * 2


def test_a_failover_in_the_middle_changes_nothing() -> None:
    there = office(silence(reason="\x00" * 450))
    there.take(event(there, "opened"))
    there.restart()
    there.restart(dies=True)
    there.wait(MINUTE)
    assert not there.sent
    assert len(there.whys("opened")) == 2


def test_many_channels_with_a_long_reason_fit_into_a_record() -> None:
    urls = tuple(f"json://{number:04}.example.com/{'x' * 80}" for number in range(1_000))
    there = Office(Route(name="all", urls=urls), silence(reason="\x00" * 450))
    there.take(event(there, "opened", summary="\x00" * 2**19))
    assert len(there.subject("incident/i1").audience) == 1_000
    assert there.encoded_size("incident/i1") < 900_000
    there.restart()
    assert len(there.whys("opened")) == 1_000
    there.wait(3 * HOUR)
    assert len(there.sent) == 1_000


@pytest.mark.parametrize("matching", [{}, {"regions": ("eu",)}, {"severities": ("warning",)}])
def test_regions_are_silenced(matching: dict[str, Any]) -> None:
    there = office(silence(targets=(), **matching))
    there.take(region_event("region.silent"))
    there.wait(MINUTE)
    assert not there.sent
    there.wait(2 * HOUR)
    there.wait(SETTLE)
    assert there.told(A) == ["opened"]
    there.take(region_event("region.returned", at=there.now))
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "closed"]


def test_a_silence_of_targets_matches_no_region_and_no_unwatched_targets() -> None:
    there = office(silence(targets=("*",)))
    there.take(region_event("region.silent"), targets_event())
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "opened"]


def test_the_next_reason_takes_over_with_one_row_each() -> None:
    there = office(silence(), silence(name="8", ends_at=AT + 4 * HOUR, begins_at=AT + HOUR))
    there.take(event(there, "opened"))
    there.wait(10 * HOUR)
    second = "silence 8 by ann: known, ticket 12 (until 2026-12-01 06:00 UTC)"
    assert there.whys("opened", A) == [WHY, second]
    assert there.told(A) == ["opened"]


def test_a_silence_until_the_last_day_leaves_a_record_that_can_be_read() -> None:
    last = 9_999_999_999_999
    there = Office(ROUTE, silence(ends_at=last))
    there.take(incident_event())
    there.restart()
    assert there.subject("incident/i1").audience[0].held_until == last
