"""Rule 9: one `flapping` incident in place of many."""

import pytest
from msgspec import UNSET

from schemas.control import Acknowledged, Resolved, TargetSet
from schemas.incident import IncidentEvent
from schemas.target import LatencyLimit, Target
from streams.checkpoint import decoder
from tests.unit.streams.rules.fleet import Fleet, target

SECOND_MS = 1_000
MINUTE_MS = 60_000
QUIET_MS = 30 * MINUTE_MS
HOUR_MS = 60 * MINUTE_MS


def lone(**changes: object) -> Target:
    """A target of one region: each failure opens, each success closes."""
    return target(regions="a", retries=0, **changes)  # type: ignore[arg-type]


def fall(fleet: Fleet) -> int:
    fleet.wait(SECOND_MS).fail("a")
    return fleet.now


def rise(fleet: Fleet) -> int:
    fleet.wait(SECOND_MS).up("a")
    return fleet.now


def cycles(fleet: Fleet, times: int) -> None:
    for _ in range(times):
        fall(fleet)
        rise(fleet)


def flapping(**changes: object) -> Fleet:
    """Down in a flapping incident that has just opened."""
    fleet = Fleet(lone(**changes))
    cycles(fleet, 3)
    fall(fleet)
    assert kinds(fleet)[-1] == "opened flapping"
    return fleet


def keep(fleet: Fleet, until: int, *, up: bool) -> None:
    """The region goes on saying the same every 10 s, and beats, up to (not including) `until`."""
    while fleet.now + 10_000 < until:
        fleet.wait(10_000)
        if up:
            fleet.up("a")
        else:
            fleet.fail("a")
        fleet.tick()


def kinds(fleet: Fleet) -> list[str]:
    return [
        f"{event.event} {event.incident_type}" for event in fleet.events if event.event != "updated"
    ]


def last(fleet: Fleet) -> IncidentEvent:
    return fleet.events[-1]


# When it begins


def test_the_seventh_transition_opens_a_flapping_incident_in_place_of_another() -> None:
    fleet = Fleet(lone())
    cycles(fleet, 3)
    assert kinds(fleet) == ["opened unreachable", "closed unreachable"] * 3
    began = fall(fleet)
    assert kinds(fleet)[6:] == ["opened flapping"]
    opened = last(fleet)
    assert (opened.severity, opened.first_failed_at, opened.opened_at) == ("warning", began, began)
    assert (opened.votes.down, opened.votes.need) == (1, 1)


def test_a_recovery_that_is_the_seventh_transition_begins_nothing() -> None:
    fleet = Fleet(lone())
    first = fall(fleet)
    fleet.wait(9_000)
    rise(fleet)
    cycles(fleet, 2)
    keep(fleet, first + HOUR_MS - SECOND_MS, up=True)
    fleet.now = first + HOUR_MS - SECOND_MS
    fall(fleet)  # the first one was an hour ago: the sixth
    rise(fleet)
    assert kinds(fleet)[6:] == ["opened unreachable", "closed unreachable"]


@pytest.mark.parametrize(("ago_ms", "kind"), [(HOUR_MS, "unreachable"), (HOUR_MS - 1, "flapping")])
def test_a_transition_of_exactly_an_hour_ago_no_longer_counts(ago_ms: int, kind: str) -> None:
    fleet = Fleet(lone())
    first = fall(fleet)
    rise(fleet)
    cycles(fleet, 2)
    keep(fleet, first + ago_ms - SECOND_MS, up=True)
    fleet.now = first + ago_ms - SECOND_MS
    fall(fleet)
    assert kinds(fleet)[-1] == f"opened {kind}"


def test_the_hour_is_running_time() -> None:
    fleet = Fleet(lone())
    cycles(fleet, 3)
    fleet.tick()
    fleet.wait(3 * HOUR_MS, broker_away=True).tick()
    fall(fleet)
    assert kinds(fleet)[-1] == "opened flapping"


def test_an_incident_that_was_resolved_by_hand_is_no_recovery() -> None:
    fleet = Fleet(lone())
    cycles(fleet, 2)
    fall(fleet)
    fleet.control(Resolved(target="db", incident_id=last(fleet).incident_id, by="ann"))
    rise(fleet)
    fleet.wait(SECOND_MS).tick()
    fall(fleet)  # the sixth
    assert kinds(fleet)[-1] == "opened unreachable"
    rise(fleet)
    fall(fleet)
    assert kinds(fleet)[-1] == "opened flapping"


@pytest.mark.parametrize("place", [{"port": 1}, {"host": "other"}, {"kind": "udp"}])
def test_another_place_starts_the_count_anew(place: dict[str, object]) -> None:
    fleet = Fleet(lone())
    cycles(fleet, 3)
    fleet.wait(SECOND_MS).control(TargetSet(lone(version=2, **place)))
    cycles(fleet, 3)
    assert "opened flapping" not in kinds(fleet)
    fall(fleet)
    assert kinds(fleet)[-1] == "opened flapping"


def test_a_target_that_comes_back_starts_the_count_anew() -> None:
    fleet = Fleet(lone())
    cycles(fleet, 3)
    fleet.remove("db")
    fleet.wait(SECOND_MS).control(TargetSet(lone(version=20)))
    cycles(fleet, 3)
    assert "opened flapping" not in kinds(fleet)


def test_another_name_or_policy_does_not() -> None:
    fleet = Fleet(lone())
    cycles(fleet, 3)
    fleet.control(TargetSet(lone(version=2, name="another", interval_ms=30_000)))
    fall(fleet)
    assert kinds(fleet)[-1] == "opened flapping"


def test_slow_incidents_are_no_transitions() -> None:
    limit = LatencyLimit(max_ms=100, for_results=1)
    fleet = Fleet(lone(latency=limit))
    for _ in range(9):
        for connect_ms in (500.0, 5.0):
            fleet.wait(SECOND_MS).append([fleet.result("a", connect_ms=connect_ms)])
    assert set(kinds(fleet)) == {"opened slow", "closed slow"}
    fall(fleet)
    assert kinds(fleet)[-1] == "opened unreachable"


# While it is open


def test_it_goes_down_and_up_silently() -> None:
    fleet = flapping()
    count = len(fleet.events)
    for _ in range(20):
        rise(fleet)
        fall(fleet)
    assert len(fleet.events) == count


def test_joining_regions_and_new_reasons_are_not_told() -> None:
    fleet = Fleet(target(retries=0))
    for _ in range(3):
        fleet.wait(SECOND_MS).fail("a", "b", "c")
        fleet.wait(SECOND_MS).up("a", "b", "c")
    fleet.wait(SECOND_MS).fail("a", "b")
    assert kinds(fleet)[-1] == "opened flapping"
    count = len(fleet.events)
    fleet.fail("c", reason="timed_out")
    fleet.wait(SECOND_MS).fail("a", "b", reason="timed_out")
    fleet.wait(SECOND_MS).up("a", "b")
    assert len(fleet.events) == count


def test_an_acknowledgement_is_told_once() -> None:
    fleet = flapping()
    incident = last(fleet).incident_id
    count = len(fleet.events)
    rise(fleet)
    for _ in range(2):
        fleet.control(Acknowledged(target="db", incident_id=incident, by="ann"))
    [event] = fleet.events[count:]
    assert (event.event, event.changes) == ("updated", ("acknowledged by ann",))
    assert event.acknowledged_by == "ann"
    assert "goes down and up again and again" in event.summary


def test_a_slow_incident_may_open_beside_it() -> None:
    fleet = flapping(latency=LatencyLimit(max_ms=100, for_results=1))
    fleet.wait(SECOND_MS).append([fleet.result("a", connect_ms=500.0)])
    assert kinds(fleet)[-1] == "opened slow"
    assert len(fleet.state.targets["db"].incidents) == 2


def test_what_is_held_for_open_after_is_no_transition_yet() -> None:
    fleet = Fleet(lone(open_after_ms=20_000))
    for _ in range(4):
        fall(fleet)
        fleet.wait(10_000).fail("a")
        fleet.wait(10_000).fail("a")
        fleet.tick()
        rise(fleet)
    assert kinds(fleet)[-1] == "opened flapping"
    recovered = fleet.now
    # Each of these falls is over before it counts.
    while fleet.now < recovered + QUIET_MS - 10_000:
        fall(fleet)
        rise(fleet)
        fleet.wait(8_000).tick()
    fleet.now = recovered + QUIET_MS
    fleet.tick()
    assert kinds(fleet)[-1] == "closed flapping"


def outages(fleet: Fleet, times: int, every_ms: int, down_ms: int = 2 * MINUTE_MS) -> int:
    """Up and down in a fixed cycle; returns the time of the last recovery."""
    for _ in range(times):
        keep(fleet, fleet.now + every_ms - down_ms, up=True)
        fall(fleet)
        keep(fleet, fleet.now + down_ms, up=False)
        rise(fleet)
    return fleet.now


def test_what_closes_says_when_it_recovered_last() -> None:
    fleet = flapping()
    rise(fleet)
    fall(fleet)
    recovered = rise(fleet)
    keep(fleet, recovered + QUIET_MS, up=True)
    fleet.now = recovered + QUIET_MS
    fleet.tick()
    closed = last(fleet)
    assert (closed.event, closed.closed_because) == ("closed", "recovered")
    assert (closed.recovered_at, closed.closed_at) == (recovered, recovered + QUIET_MS)
    assert all(event.recovered_at is UNSET for event in fleet.events[:-1])


@pytest.mark.parametrize("again", [False, True])
def test_what_stays_down_says_when_it_was_up_last(again: bool) -> None:
    fleet = flapping()
    recovered = rise(fleet) if again else None
    began = fall(fleet) if again else fleet.now
    keep(fleet, began + QUIET_MS, up=False)
    fleet.now = began + QUIET_MS
    fleet.tick()
    closed, opened = fleet.events[-2:]
    assert (closed.closed_because, opened.first_failed_at) == ("steady", began)
    assert (closed.recovered_at or None) == recovered
    assert opened.recovered_at is UNSET


def test_nothing_else_that_ends_flapping_says_it() -> None:
    fleet = flapping()
    rise(fleet)
    fleet.control(Resolved(target="db", incident_id=last(fleet).incident_id, by="ann"))
    assert (last(fleet).closed_because, last(fleet).recovered_at) == ("resolved", UNSET)


def test_the_last_recovery_lies_as_far_back_after_the_clock_was_set_back() -> None:
    fleet = flapping()
    recovered = rise(fleet)
    fleet.wait(SECOND_MS).tick()
    fleet.now -= HOUR_MS
    fleet.tick()
    keep(fleet, recovered + QUIET_MS - HOUR_MS, up=True)
    fleet.now = recovered + QUIET_MS - HOUR_MS
    fleet.tick()
    assert last(fleet).closed_because == "recovered"
    assert last(fleet).recovered_at == recovered - HOUR_MS


def test_a_gap_of_the_log_does_not_move_the_last_recovery() -> None:
    fleet = flapping()
    recovered = rise(fleet)
    for _ in range(3):
        fleet.tick()
        fleet.wait(HOUR_MS, broker_away=True).tick()
        fleet.up("a")
    fleet.state = fleet.restored()
    keep(fleet, fleet.now + QUIET_MS + MINUTE_MS, up=True)
    assert last(fleet).closed_because == "recovered"
    assert last(fleet).recovered_at == recovered


def test_a_slow_cycle_is_flapping_too() -> None:
    fleet = Fleet(lone())
    outages(fleet, 6, 27 * MINUTE_MS)
    assert kinds(fleet) == ["opened unreachable", "closed unreachable"] * 6
    recovered = outages(fleet, 20, 27 * MINUTE_MS)
    assert kinds(fleet)[12:] == ["opened flapping"]
    keep(fleet, recovered + 2 * HOUR_MS, up=True)
    assert kinds(fleet)[12:] == ["opened flapping"]
    fleet.now = recovered + 2 * HOUR_MS
    fleet.tick()
    assert kinds(fleet)[12:] == ["opened flapping", "closed flapping"]
    assert last(fleet).closed_because == "recovered"
    assert "has been steadily reachable for two hours" in last(fleet).summary


@pytest.mark.parametrize(
    ("ago_ms", "kind"), [(6 * HOUR_MS, "unreachable"), (6 * HOUR_MS - 1, "flapping")]
)
def test_a_transition_of_exactly_six_hours_ago_no_longer_counts(ago_ms: int, kind: str) -> None:
    fleet = Fleet(lone())
    first = fall(fleet)
    rise(fleet)
    outages(fleet, 5, 50 * MINUTE_MS)
    keep(fleet, first + ago_ms - SECOND_MS, up=True)
    fleet.now = first + ago_ms - SECOND_MS
    fall(fleet)
    assert kinds(fleet)[-1] == f"opened {kind}"


def test_an_outage_every_hour_is_told_each_time() -> None:
    fleet = Fleet(lone())
    outages(fleet, 10, HOUR_MS + MINUTE_MS)
    assert kinds(fleet) == ["opened unreachable", "closed unreachable"] * 10


def test_fast_flapping_that_becomes_slow_is_over_after_two_hours() -> None:
    fleet = flapping()
    rise(fleet)
    recovered = outages(fleet, 6, 27 * MINUTE_MS)
    keep(fleet, recovered + QUIET_MS + MINUTE_MS, up=True)
    assert kinds(fleet)[-1] == "opened flapping"


def test_slow_flapping_that_becomes_fast_is_over_after_half_an_hour() -> None:
    fleet = Fleet(lone())
    outages(fleet, 8, 27 * MINUTE_MS)
    cycles(fleet, 3)
    assert kinds(fleet)[-1] == "opened flapping"
    fall(fleet)
    recovered = rise(fleet)
    keep(fleet, recovered + QUIET_MS, up=True)
    assert kinds(fleet)[-1] == "opened flapping"
    fleet.now = recovered + QUIET_MS
    fleet.tick()
    assert kinds(fleet)[-1] == "closed flapping"
    assert "has been steadily reachable for half an hour" in last(fleet).summary


def test_an_outage_of_half_an_hour_is_told_within_slow_flapping() -> None:
    fleet = Fleet(lone())
    outages(fleet, 8, 27 * MINUTE_MS)
    fell = fall(fleet)
    keep(fleet, fell + QUIET_MS + 10_001, up=False)
    assert kinds(fleet)[-2:] == ["closed flapping", "opened unreachable"]
    assert last(fleet).first_failed_at == fell


# When it ends


@pytest.mark.parametrize("early_ms", [0, 1])
def test_it_recovers_when_it_was_up_for_half_an_hour(early_ms: int) -> None:
    fleet = flapping()
    recovered = rise(fleet)
    keep(fleet, recovered + QUIET_MS - early_ms, up=True)
    fleet.now = recovered + QUIET_MS - early_ms
    fleet.tick()
    assert (kinds(fleet)[-1] == "closed flapping") is (early_ms == 0)
    if not early_ms:
        assert last(fleet).closed_because == "recovered"


def test_each_transition_begins_the_half_hour_anew() -> None:
    fleet = flapping()
    recovered = rise(fleet)
    keep(fleet, recovered + QUIET_MS - 60_000, up=True)
    fall(fleet)
    recovered = rise(fleet)
    keep(fleet, recovered + QUIET_MS, up=True)
    assert kinds(fleet)[-1] == "opened flapping"
    fleet.now = recovered + QUIET_MS
    fleet.tick()
    assert kinds(fleet)[-1] == "closed flapping"


def test_without_a_fresh_majority_it_does_not_recover() -> None:
    fleet = flapping()
    rise(fleet)
    fleet.wait(QUIET_MS + MINUTE_MS).tick()  # the region is stale by now
    assert kinds(fleet)[-1] == "opened flapping"
    rise(fleet)
    fleet.wait(SECOND_MS).tick()
    assert last(fleet).closed_because == "recovered"


def test_a_region_that_is_long_given_up_is_not_waited_for() -> None:
    fleet = Fleet(target(regions="a b c d", retries=0, abandon_after_ms=60_000))
    for _ in range(3):
        fleet.wait(SECOND_MS).fail("a", "b", "c", "d")
        fleet.wait(SECOND_MS).up("a", "b", "c", "d")
    fleet.wait(SECOND_MS).fail("a", "b", "c", "d")
    assert kinds(fleet)[-1] == "opened flapping"
    # c and d never say anything again: two of the two that are left are a majority, of four not.
    for _ in range(230):
        fleet.wait(10_000).up("a", "b")
        fleet.tick()
    closed = last(fleet)
    assert (closed.event, closed.closed_because) == ("closed", "recovered")
    assert closed.abandoned_regions == ("c", "d")


@pytest.mark.parametrize("early_ms", [0, 1])
def test_it_ends_as_the_unreachable_incident_that_it_is_when_it_stays_down(early_ms: int) -> None:
    fleet = flapping()
    rise(fleet)
    fell = fall(fleet)
    keep(fleet, fell + QUIET_MS - early_ms, up=False)
    fleet.now = fell + QUIET_MS - early_ms
    given = fleet.tick()
    if early_ms:
        assert given == []
        return
    closed, opened = fleet.events[-2:]
    assert (closed.event, closed.incident_type, closed.closed_because) == (
        "closed",
        "flapping",
        "steady",
    )
    assert (opened.event, opened.incident_type) == ("opened", "unreachable")
    assert given == [closed, opened]
    assert closed.event_id != opened.event_id
    assert closed.incident_id != opened.incident_id
    assert opened.first_failed_at == fell
    assert opened.opened_at == fleet.now
    assert (opened.votes.down, opened.votes.need) == (1, 1)


def test_down_without_an_end_it_is_the_first_outage_that_is_steady() -> None:
    fleet = flapping()
    fell = fleet.now
    keep(fleet, fell + QUIET_MS + 10_001, up=False)
    assert last(fleet).first_failed_at == fell
    assert kinds(fleet)[-2:] == ["closed flapping", "opened unreachable"]


def test_it_is_not_steady_while_nothing_is_known() -> None:
    fleet = flapping()
    fleet.wait(QUIET_MS + MINUTE_MS).tick()
    assert kinds(fleet)[-1] == "opened flapping"
    fall(fleet)
    assert kinds(fleet)[-2:] == ["closed flapping", "opened unreachable"]


def test_that_opening_is_the_first_transition_of_a_new_count() -> None:
    fleet = flapping()
    keep(fleet, fleet.now + QUIET_MS + 10_001, up=False)
    rise(fleet)
    cycles(fleet, 2)  # with these there are 6
    assert kinds(fleet)[-1] == "closed unreachable"
    fall(fleet)
    assert kinds(fleet)[-1] == "opened flapping"


def test_a_recovered_one_counts_from_none() -> None:
    fleet = flapping()
    recovered = rise(fleet)
    keep(fleet, recovered + QUIET_MS + 10_001, up=True)
    assert kinds(fleet)[-1] == "closed flapping"
    cycles(fleet, 3)
    assert kinds(fleet)[-1] == "closed unreachable"
    fall(fleet)
    assert kinds(fleet)[-1] == "opened flapping"


def test_resolved_by_hand_while_down_nothing_opens_until_it_was_up_once() -> None:
    fleet = flapping()
    fleet.control(Resolved(target="db", incident_id=last(fleet).incident_id, by="ann"))
    assert (kinds(fleet)[-1], last(fleet).closed_because) == ("closed flapping", "resolved")
    count = len(fleet.events)
    keep(fleet, fleet.now + QUIET_MS, up=False)
    assert len(fleet.events) == count
    rise(fleet)
    cycles(fleet, 3)
    assert kinds(fleet)[-6:] == ["opened unreachable", "closed unreachable"] * 3
    fall(fleet)
    assert kinds(fleet)[-1] == "opened flapping"


def test_resolved_by_hand_while_up_the_next_outage_opens() -> None:
    fleet = flapping()
    rise(fleet)
    fleet.control(Resolved(target="db", incident_id=last(fleet).incident_id, by="ann"))
    fleet.wait(SECOND_MS).tick()
    fall(fleet)
    assert kinds(fleet)[-1] == "opened unreachable"


def test_the_broker_may_be_away_within_the_half_hour() -> None:
    fleet = flapping()
    recovered = rise(fleet)
    fleet.tick()
    fleet.wait(HOUR_MS, broker_away=True).tick()
    assert kinds(fleet)[-1] == "opened flapping"
    keep(fleet, recovered + HOUR_MS + QUIET_MS, up=True)
    assert kinds(fleet)[-1] == "opened flapping"
    fleet.now = recovered + HOUR_MS + QUIET_MS
    fleet.tick()
    assert kinds(fleet)[-1] == "closed flapping"


# What is kept


def test_what_is_too_long_ago_is_forgotten() -> None:
    fleet = Fleet(lone(), target("web", regions="a", retries=0, host="web"))
    cycles(fleet, 2)
    fleet.wait(MINUTE_MS).fail("a", of="web")
    assert set(fleet.state.transitions) == {"db", "web"}
    fleet.wait(6 * HOUR_MS - 10_000).tick()
    assert set(fleet.state.transitions) == {"web"}
    fleet.state = fleet.restored()
    fleet.wait(2 * MINUTE_MS).tick()
    assert fleet.state.transitions == {}


def test_what_turned_last_is_forgotten_last_after_a_checkpoint_too() -> None:
    others = [target(f"t{n}", regions="a", retries=0, host=f"h{n}") for n in range(3)]
    fleet = Fleet(*others)
    for of in ("t2", "t0", "t1", "t2"):
        fleet.wait(MINUTE_MS).fail("a", of=of)
        fleet.wait(SECOND_MS).up("a", of=of)
    assert list(fleet.state.transitions) == ["t0", "t1", "t2"]
    fleet = Fleet(*others)
    for of in ("t1", "t2", "t0"):
        fleet.wait(MINUTE_MS).fail("a", of=of)
    fleet.state = fleet.restored()
    assert list(fleet.state.transitions) == ["t1", "t2", "t0"]


@pytest.mark.parametrize("up", [True, False])
def test_a_checkpoint_in_the_middle_changes_nothing(up: bool) -> None:
    fleet, restored = flapping(), flapping()
    for one in (fleet, restored):
        rise(one)
        if not up:
            fall(one)
    chunks = decoder.encode(restored.state)
    restored.state = restored.restored()
    assert decoder.encode(restored.state) == chunks
    for one in (fleet, restored):
        keep(one, one.now + QUIET_MS + 10_001, up=up)
        cycles(one, 4)
    assert restored.events == fleet.events
    assert decoder.encode(restored.state) == decoder.encode(fleet.state)
    assert "closed flapping" in kinds(fleet)
