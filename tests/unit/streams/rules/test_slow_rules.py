"""Rule 7: when a region says `slow`, and the incidents of the type `slow`."""

from msgspec import structs

from schemas.control import Acknowledged, Resolved, TargetSet
from schemas.incident import IncidentEvent
from schemas.result import CheckResult
from schemas.target import LatencyLimit, Target
from streams.rules.apply import Output
from tests.unit.streams.rules.fleet import Fleet, target

LIMIT_MS = 100.0
SLOW_MS = 250.0
FAST_MS = 20.0


def limited(regions: str = "a b c", for_results: int = 3, **changes: object) -> Target:
    limit = LatencyLimit(max_ms=LIMIT_MS, for_results=for_results)
    return target(regions=regions, **({"latency": limit} | changes))  # type: ignore[arg-type]


def one_region(for_results: int = 3) -> Fleet:
    return Fleet(limited("a", for_results))


def timed(fleet: Fleet, region: str, connect_ms: float | None, **changes: object) -> CheckResult:
    return fleet.result(region, connect_ms=connect_ms, **changes)  # type: ignore[arg-type]


def answer(fleet: Fleet, connect_ms: float, *regions: str, times: int = 1) -> list[Output]:
    found: list[Output] = []
    for _ in range(times):
        fleet.wait(1000)
        for region in regions:
            found += fleet.append([timed(fleet, region, connect_ms)])
    return found


def slow(fleet: Fleet, *regions: str, times: int = 3) -> list[Output]:
    return answer(fleet, SLOW_MS, *regions, times=times)


def fast(fleet: Fleet, *regions: str, times: int = 3) -> list[Output]:
    return answer(fleet, FAST_MS, *regions, times=times)


def says(fleet: Fleet) -> list[bool]:
    return [window is not None and window.slow for window in fleet.windows()]


def short(events: list[IncidentEvent]) -> list[tuple[str, str]]:
    return [(event.event, event.incident_type) for event in events]


# When a region says `slow`


def test_so_many_slow_successes_in_a_row_make_a_region_slow() -> None:
    fleet = one_region()
    slow(fleet, "a", times=2)
    assert says(fleet) == [False]
    slow(fleet, "a", times=1)
    assert says(fleet) == [True]


def test_one_is_enough_when_the_policy_says_so_both_ways() -> None:
    fleet = one_region(for_results=1)
    slow(fleet, "a", times=1)
    assert says(fleet) == [True]
    fast(fleet, "a", times=1)
    assert says(fleet) == [False]


def test_exactly_the_limit_is_not_slow() -> None:
    fleet = one_region(for_results=1)
    answer(fleet, LIMIT_MS, "a")
    assert says(fleet) == [False]
    answer(fleet, LIMIT_MS + 0.001, "a")
    assert says(fleet) == [True]


def test_a_fast_success_breaks_a_row_of_slow_ones() -> None:
    fleet = one_region()
    for _ in range(3):
        slow(fleet, "a", times=2)
        fast(fleet, "a", times=1)
    assert says(fleet) == [False]
    assert fleet.state.targets["db"].trouble is None


def test_as_many_fast_successes_in_a_row_end_it() -> None:
    fleet = one_region()
    slow(fleet, "a")
    for _ in range(3):
        fast(fleet, "a", times=2)
        slow(fleet, "a", times=1)
    assert says(fleet) == [True]
    fast(fleet, "a", times=3)
    assert says(fleet) == [False]


def test_the_total_time_counts_when_there_is_no_connect_time() -> None:
    fleet = one_region(for_results=1)
    fleet.wait(1000).append([timed(fleet, "a", None, total_ms=SLOW_MS)])
    assert says(fleet) == [True]
    fleet.wait(1000).append([timed(fleet, "a", FAST_MS, total_ms=SLOW_MS)])
    assert says(fleet) == [False]
    fleet.wait(1000).append([timed(fleet, "a", 0.0, total_ms=SLOW_MS)])
    assert says(fleet) == [False]


def test_of_total_means_the_whole_check() -> None:
    limit = LatencyLimit(max_ms=100, for_results=1, of="total")
    fleet = Fleet(limited("a", latency=limit))
    fleet.append([fleet.result("a", connect_ms=200.0, total_ms=99.0)])
    assert says(fleet) == [False]
    fleet.wait(1000).append([fleet.result("a", connect_ms=200.0)])
    assert says(fleet) == [False], "no time that is meant"
    fleet.wait(1000).append([fleet.result("a", connect_ms=2.0, total_ms=101.0)])
    assert says(fleet) == [True]


def test_what_was_learned_is_forgotten_when_another_time_is_meant() -> None:
    limit = LatencyLimit(times_usual=2, for_results=1)
    fleet = Fleet(limited("a", latency=limit))
    for _ in range(200):
        fleet.wait(20_000).append([fleet.result("a", connect_ms=5.0, total_ms=400.0)])
    other = structs.replace(limit, of="total")
    fleet.control(TargetSet(limited("a", latency=other, version=2)))
    (window,) = fleet.windows()
    assert window is not None
    assert (window.usual, window.since) == (0, fleet.state.now)
    fleet.wait(1000).append([fleet.result("a", connect_ms=5.0, total_ms=400.0)])
    assert says(fleet) == [False]


def test_a_success_without_a_time_neither_counts_nor_breaks() -> None:
    fleet = one_region()
    slow(fleet, "a", times=2)
    fleet.wait(1000).up("a")
    assert says(fleet) == [False]
    slow(fleet, "a", times=1)
    assert says(fleet) == [True]


def test_failures_between_slow_successes_neither_count_nor_break() -> None:
    fleet = one_region()
    slow(fleet, "a", times=2)
    fleet.wait(1000).append([fleet.result("a", "timed_out", connect_ms=SLOW_MS)])
    assert says(fleet) == [False]
    slow(fleet, "a", times=1)
    assert says(fleet) == [True]
    fast(fleet, "a", times=2)
    fleet.wait(1000).fail("a")
    assert says(fleet) == [True]
    fast(fleet, "a", times=1)
    assert says(fleet) == [False]


def test_down_goes_before_slow_and_slow_is_there_again_after_it() -> None:
    fleet = one_region()
    slow(fleet, "a")
    fleet.wait(1000).down("a")
    assert says(fleet) == [False]
    assert fleet.events[-1].regions["a"].verdict == "down"
    slow(fleet, "a", times=1)
    assert says(fleet) == [True]


def test_a_late_or_doubled_success_is_not_counted_in_a_row() -> None:
    fleet = one_region()
    slow(fleet, "a", times=2)
    fleet.append([timed(fleet, "a", SLOW_MS), timed(fleet, "a", SLOW_MS, ago=500)])
    assert says(fleet) == [False]


def test_a_region_that_is_fast_again_is_up_since_then() -> None:
    fleet = Fleet(limited(for_results=1))
    slow(fleet, "a", "b", "c", times=1)
    fast(fleet, "a", times=1)
    said = fleet.events[-1].regions["a"]
    assert (said.verdict, said.since) == ("up", fleet.now)


# Incidents


def test_a_quorum_of_slow_regions_opens_a_warning() -> None:
    fleet = Fleet(limited())
    fast(fleet, "a", "b", "c")
    slow(fleet, "a")
    assert fleet.events == []
    began = fleet.now + 1000
    slow(fleet, "b", "c")
    opened = fleet.events[0]
    assert (opened.event, opened.incident_type, opened.severity) == ("opened", "slow", "warning")
    assert (opened.votes.down, opened.votes.need, opened.votes.fresh) == (2, 2, 3)
    assert opened.regions["a"].verdict == "slow"
    # a was slow within an interval before b was: it is of the same spell.
    assert opened.first_failed_at == began - 3000


def test_a_region_that_was_slow_alone_for_long_is_not_the_begin() -> None:
    fleet = Fleet(limited())
    slow(fleet, "a")
    for _ in range(4):
        fleet.wait(29_000)
        slow(fleet, "a", times=1)
        fast(fleet, "b", "c", times=1)
    began = fleet.now + 1000
    slow(fleet, "b")
    assert fleet.events[0].first_failed_at == began


def test_two_of_four_slow_regions_open_nothing() -> None:
    fleet = Fleet(limited("a b c d"))
    fast(fleet, "c", "d", times=1)
    slow(fleet, "a", "b")
    assert fleet.events == []
    slow(fleet, "c")
    assert fleet.told == ["opened"]


def test_unanimous_slowness_is_prevented_by_one_fast_region() -> None:
    fleet = Fleet(limited(consensus="unanimous"))
    fast(fleet, "c", times=1)
    slow(fleet, "a", "b")
    assert fleet.events == []


def test_one_fresh_region_of_three_says_nothing_of_slowness() -> None:
    fleet = Fleet(limited())
    slow(fleet, "a", times=9)
    assert fleet.events == []


def test_slow_and_down_regions_add_up() -> None:
    fleet = Fleet(limited())
    slow(fleet, "a")
    began = fleet.now - 2000
    fleet.wait(1000).fail("b")
    fast(fleet, "c", times=1)
    assert fleet.events == []
    fleet.fail("b")
    (opened,) = fleet.events
    assert (opened.event, opened.incident_type, opened.severity) == ("opened", "slow", "warning")
    assert (opened.votes.down, opened.votes.need, opened.first_failed_at) == (2, 2, began)
    assert "is slow from 1 and unreachable from 1 of 3 regions (above 100 ms)" in opened.summary
    assert "unreachable from b (Connection refused); c gets quick answers" in opened.summary
    # The second one that is down makes it an outage, beside the slowness.
    fleet.wait(1000).down("a")
    assert ("opened", "unreachable") in short(fleet.events)


def test_an_outage_of_a_target_that_one_region_finds_slow_is_an_outage_only() -> None:
    fleet = Fleet(limited())
    slow(fleet, "a")
    fast(fleet, "b", "c", times=1)
    fleet.wait(1000).fail("b")
    fleet.fail("a", "c", cause="recheck")
    fleet.wait(1000).fail("b", cause="retry")
    assert fleet.events == []  # it is decided when the others have retried
    fleet.fail("a", cause="retry")
    assert short(fleet.events) == [("opened", "unreachable")]


def test_slow_and_down_regions_wait_for_one_that_has_just_failed() -> None:
    fleet = Fleet(limited())
    slow(fleet, "a")
    fast(fleet, "b", "c", times=1)
    fleet.wait(1000).fail("b", "c")
    fleet.wait(1000).fail("b")
    assert fleet.events == []
    fast(fleet, "c", times=1)
    assert short(fleet.events) == [("opened", "slow")]


def test_two_of_four_that_are_slow_and_two_that_are_down_are_told() -> None:
    fleet = Fleet(limited("a b c d"))
    fleet.wait(1000).down("c", "d")
    slow(fleet, "a", "b")
    assert short(fleet.events) == [("opened", "slow"), ("updated", "slow")]
    assert [event.votes.down for event in fleet.events] == [3, 4]


def test_slowness_resolved_by_hand_is_held_while_slow_and_down_add_up() -> None:
    fleet = Fleet(limited())
    fleet.wait(1000).down("b")
    fast(fleet, "c", times=1)
    slow(fleet, "a")
    (opened,) = fleet.events
    fleet.control(Resolved(target="db", incident_id=opened.incident_id, by="ann"))
    # One failed check is no "not slow".
    fleet.wait(1000).fail("a")
    slow(fleet, "a", times=1)
    assert short(fleet.events) == [("opened", "slow"), ("closed", "slow")]
    fast(fleet, "a")
    slow(fleet, "a")
    assert short(fleet.events)[2:] == [("opened", "slow")]


def test_it_closes_when_the_last_region_is_fast_again() -> None:
    fleet = Fleet(limited())
    slow(fleet, "a", "b", "c")
    fast(fleet, "a", "b")
    assert short(fleet.events)[-1] == ("updated", "slow")
    fast(fleet, "c")
    closed = fleet.events[-1]
    assert (closed.event, closed.incident_type, closed.closed_because) == (
        "closed",
        "slow",
        "recovered",
    )
    assert len({event.event_id for event in fleet.events}) == len(fleet.events)


def test_open_after_and_recover_after_do_not_apply() -> None:
    fleet = Fleet(limited(for_results=1, open_after_ms=600_000, recover_after=5))
    slow(fleet, "a", "b", "c", times=1)
    assert fleet.told[0] == "opened"
    fast(fleet, "a", "b", "c", times=1)
    assert fleet.told[-1] == "closed"


def test_nothing_is_rechecked() -> None:
    fleet = Fleet(limited())
    slow(fleet, "a", "b", "c")
    fast(fleet, "a", "b", "c")
    fleet.wait(6000).tick()
    assert fleet.told[-1] == "closed"
    assert fleet.requests == []


def test_a_stale_region_that_was_slow_blocks_until_it_is_given_up() -> None:
    fleet = Fleet(limited(for_results=1, abandon_after_ms=60_000))
    slow(fleet, "a", "b", "c", times=1)
    stale_at = fleet.now + 153_000
    while fleet.now + 5_000 < stale_at + 60_000:
        fleet.wait(4000)
        fast(fleet, "a", "b", times=1)
        fleet.tick()
    assert "closed" not in fleet.told
    fleet.now = stale_at + 60_000
    fleet.tick()
    assert fleet.told[-1] == "closed"
    assert fleet.events[-1].abandoned_regions == ("c",)


def test_a_stale_region_that_was_down_blocks_a_slow_incident_too() -> None:
    fleet = Fleet(limited(for_results=1))
    slow(fleet, "a", "b", times=1)
    fleet.down("c")
    fleet.wait(200_000)
    fast(fleet, "a", "b", times=1)
    assert "closed" not in fleet.told
    fast(fleet, "c", times=1)
    assert short(fleet.events)[-1] == ("closed", "slow")


def test_a_silent_region_that_was_fast_does_not_block() -> None:
    fleet = Fleet(limited(for_results=1))
    fast(fleet, "c", times=1)
    slow(fleet, "a", "b", times=1)
    fleet.wait(200_000)
    fast(fleet, "a", "b", times=1)
    assert fleet.told[-1] == "closed"


def test_two_fast_regions_of_five_are_no_majority_to_close_with() -> None:
    fleet = Fleet(limited("a b c d e", for_results=1))
    slow(fleet, "a", "b", "c", "d", times=1)
    fast(fleet, "e", times=1)
    fast(fleet, "c", "d", times=1)
    fleet.wait(200_000)
    fast(fleet, "a", "b", times=1)
    assert "closed" not in fleet.told
    fast(fleet, "e", times=1)
    assert fleet.told[-1] == "closed"


# Slow and unreachable


def test_an_outage_does_not_close_it_and_both_are_open_at_once() -> None:
    fleet = Fleet(limited())
    slow(fleet, "a", "b", "c")
    fleet.wait(1000).down("a", "b", "c")
    assert {incident.incident_type for incident in fleet.state.targets["db"].incidents} == {
        "slow",
        "unreachable",
    }
    assert "closed" not in fleet.told


def test_a_slow_success_ends_an_outage_and_the_slowness_goes_on() -> None:
    fleet = Fleet(limited())
    slow(fleet, "a", "b", "c")
    fleet.wait(1000).down("a", "b", "c")
    slow(fleet, "a", "b", "c", times=1)
    assert [one for one in short(fleet.events) if one[0] == "closed"] == [("closed", "unreachable")]
    fast(fleet, "a", "b", "c")
    assert short(fleet.events)[-1] == ("closed", "slow")


def test_slowness_can_begin_as_an_outage_ends() -> None:
    fleet = Fleet(limited("a", for_results=1))
    fleet.down("a")
    given = slow(fleet, "a", times=1)
    assert short([out for out in given if isinstance(out, IncidentEvent)]) == [
        ("closed", "unreachable"),
        ("opened", "slow"),
    ]


# By hand


def test_an_acknowledgement_is_told_once() -> None:
    fleet = Fleet(limited(for_results=1))
    slow(fleet, "a", "b", "c", times=1)
    incident = fleet.events[0].incident_id
    for _ in range(2):
        fleet.control(Acknowledged(target="db", incident_id=incident, by="ann"))
    assert fleet.told.count("updated") == 2  # c joined, and ann
    assert fleet.events[-1].changes == ("acknowledged by ann",)
    assert fleet.events[-1].incident_type == "slow"


def test_resolved_by_hand_it_opens_again_only_after_it_was_not_slow_once() -> None:
    fleet = Fleet(limited("a", for_results=1))
    slow(fleet, "a", times=1)
    incident = fleet.events[0].incident_id
    fleet.control(Resolved(target="db", incident_id=incident, by="ann"))
    assert fleet.events[-1].closed_because == "resolved"
    fleet.wait(200_000).tick()  # stale: unknown says neither
    slow(fleet, "a", times=3)
    assert fleet.told == ["opened", "closed"]
    fast(fleet, "a", times=1)
    slow(fleet, "a", times=1)
    assert fleet.told[-1] == "opened"


def test_a_resolved_slowness_does_not_hold_an_outage_back() -> None:
    fleet = Fleet(limited("a", for_results=1))
    slow(fleet, "a", times=1)
    fleet.control(Resolved(target="db", incident_id=fleet.events[0].incident_id, by="ann"))
    fleet.wait(1000).down("a")
    assert short(fleet.events)[-1] == ("opened", "unreachable")


# Limits that change


def test_new_limits_begin_the_rows_anew() -> None:
    fleet = one_region()
    slow(fleet, "a", times=2)
    limit = LatencyLimit(max_ms=LIMIT_MS + 1, for_results=3)
    fleet.control(TargetSet(limited("a", latency=limit, version=2)))
    slow(fleet, "a", times=2)
    assert says(fleet) == [False]
    slow(fleet, "a", times=1)
    assert says(fleet) == [True]


def test_new_limits_leave_what_a_region_says_and_count_its_end_anew() -> None:
    fleet = one_region()
    slow(fleet, "a")
    fast(fleet, "a", times=2)
    limit = LatencyLimit(max_ms=LIMIT_MS + 1, for_results=3)
    fleet.control(TargetSet(limited("a", latency=limit, version=2)))
    fast(fleet, "a", times=2)
    assert says(fleet) == [True]
    fast(fleet, "a", times=1)
    assert says(fleet) == [False]


def test_another_name_leaves_the_rows_as_they_are() -> None:
    fleet = one_region()
    slow(fleet, "a", times=2)
    fleet.control(TargetSet(limited("a", name="another", version=2)))
    slow(fleet, "a", times=1)
    assert says(fleet) == [True]


def test_without_limits_it_closes_and_no_region_says_slow_when_they_return() -> None:
    fleet = Fleet(limited())
    slow(fleet, "a", "b", "c")
    fleet.control(TargetSet(limited(latency=None, version=2)))
    assert fleet.events[-1].closed_because == "policy_changed"
    assert says(fleet) == [False, False, False]
    slow(fleet, "a", "b", "c")
    fleet.control(TargetSet(limited(version=3)))
    assert says(fleet) == [False, False, False]
    slow(fleet, "a", "b", "c", times=2)
    assert fleet.told[-1] == "closed"
    slow(fleet, "a", "b", "c", times=1)
    assert fleet.told[-2:] == ["opened", "updated"]


def test_a_checkpoint_keeps_rows_verdicts_and_incident() -> None:
    fleet = Fleet(limited())
    slow(fleet, "a", "b")
    slow(fleet, "c", times=2)
    fast(fleet, "a", times=1)
    fleet.state = fleet.restored()
    slow(fleet, "c", times=1)
    assert says(fleet) == [True, True, True]
    fast(fleet, "a", times=2)
    assert says(fleet) == [False, True, True]
    fast(fleet, "b", "c", times=3)
    assert fleet.told.count("opened") == 1
    assert fleet.told[-1] == "closed"


# After a pause


STALE_MS = 153_001
"""A region of these targets is stale so long after its last look."""


def test_a_row_does_not_go_on_over_a_pause() -> None:
    fleet = one_region()
    slow(fleet, "a", times=2)
    fleet.wait(STALE_MS)
    slow(fleet, "a", times=2)
    assert fleet.told == []
    slow(fleet, "a", times=1)
    assert fleet.told == ["opened"]


def test_nor_does_a_row_that_would_end_it() -> None:
    fleet = one_region()
    slow(fleet, "a")
    fast(fleet, "a", times=2)
    fleet.wait(STALE_MS)
    fast(fleet, "a", times=2)
    assert says(fleet) == [True]
    fast(fleet, "a", times=1)
    assert fleet.told == ["opened", "closed"]


def test_what_a_region_said_is_forgotten_when_nobody_waits_for_it_any_more() -> None:
    fleet = Fleet(limited(abandon_after_ms=600_000))
    slow(fleet, "a")
    fleet.wait(600_000 + 151_999)
    slow(fleet, "a", times=1)
    assert says(fleet)[0]
    fleet.wait(600_000 + 152_000)
    slow(fleet, "a", times=1)
    assert not says(fleet)[0]
    slow(fleet, "a", times=2)
    assert says(fleet)[0]


def test_a_failure_after_the_pause_forgets_it_too() -> None:
    fleet = one_region()
    slow(fleet, "a")
    fleet.wait(1_800_000 + STALE_MS)
    fleet.fail("a")
    slow(fleet, "a", times=2)
    assert says(fleet) == [False]
