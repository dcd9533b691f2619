"""Rule 3: who is asked, when, and not too often."""

from collections import Counter

import pytest

from schemas.checkpoint import MAX_CHUNK_BYTES
from schemas.control import TargetSet
from schemas.target import LatencyLimit
from streams.checkpoint import decoder
from tests.unit.streams.rules.fleet import Fleet, target


def test_the_first_failure_asks_for_the_host_once() -> None:
    fleet = Fleet(target(), target("ssh", port=22))
    fleet.up("a", "b", "c")
    fleet.wait(60_000).fail("a")
    assert [request.host for request in fleet.requests] == ["db1.example.com"]
    request = fleet.requests[0]
    assert (request.because, request.target) == ("failure", "db")
    assert request.expires_at > request.requested_at == fleet.now
    fleet.fail("b", "c", cause="recheck")
    fleet.wait(1000).fail("a", "b", "c", cause="retry")
    fleet.fail("a", "b", "c", of="ssh", cause="recheck")
    fleet.wait(10_000).tick()
    assert len(fleet.requests) == 1


def test_another_port_of_the_host_waits_its_turn() -> None:
    fleet = Fleet(target(), target("ssh", port=22))
    fleet.fail("a")
    fleet.wait(3000).fail("a", of="ssh")
    fleet.tick()
    assert len(fleet.requests) == 1
    fleet.wait(2000).tick()
    assert [request.host for request in fleet.requests] == ["db1.example.com"] * 2


def test_a_turn_is_let_go_when_all_is_well_again() -> None:
    fleet = Fleet(target(), target("ssh", port=22))
    fleet.fail("a")
    fleet.wait(1000).fail("a", of="ssh")
    fleet.wait(500).up("a", of="ssh")
    fleet.up("a", "b", "c", cause="recheck")
    fleet.wait(5000).tick()
    assert len(fleet.requests) == 1
    assert fleet.state.rechecks == {}


def test_a_region_that_joins_later_asks_again() -> None:
    fleet = Fleet(target())
    fleet.fail("a")
    fleet.wait(20_000).fail("b")
    assert len(fleet.requests) == 2


def test_the_first_success_of_an_incident_asks_for_the_close() -> None:
    fleet = Fleet(target())
    fleet.down("a", "b", "c")
    fleet.wait(20_000).up("b")
    assert fleet.requests[-1].because == "recovery"
    count = len(fleet.requests)
    fleet.wait(6000).up("a")
    assert len(fleet.requests) == count


def test_a_target_that_recovers_is_rechecked_until_it_has_recovered() -> None:
    """It took two more rounds of the schedule, ten minutes."""
    fleet = Fleet(target(interval_ms=300_000, recover_after=3))
    fleet.down("a", "b", "c")
    fleet.wait(20_000).up("b")
    recovered = fleet.now
    assert fleet.requests[-1].requested_at == recovered
    fleet.wait(10).up("a", "b", "c", cause="recheck")
    for _ in range(30):
        fleet.wait(1000).tick()
        if fleet.requests[-1].requested_at == fleet.now:
            fleet.wait(10).up("a", "b", "c", cause="recheck")
    assert fleet.told[-1] == "closed"
    assert fleet.events[-1].at - recovered < 16_000
    assert {request.because for request in fleet.requests[1:]} == {"recovery"}
    count = len(fleet.requests)
    fleet.wait(60_000).tick()
    assert len(fleet.requests) == count
    assert fleet.state.rechecks == {}


def test_a_single_region_that_recovers_is_asked_again_too() -> None:
    fleet = Fleet(target(regions="a", interval_ms=300_000, recover_after=2))
    fleet.down("a")
    fleet.wait(20_000).up("a", cause="recheck")
    fleet.wait(5_000).tick()
    assert [request.because for request in fleet.requests] == ["failure", "recovery"]
    fleet.up("a", cause="recheck")
    assert fleet.told[-1] == "closed"


def test_a_region_that_fails_for_good_asks_for_nothing_while_the_others_succeed() -> None:
    fleet = Fleet(target(recover_after=3))
    fleet.down("a", "b", "c")
    for _ in range(3):
        fleet.wait(6_000).up("a", "b")
    fleet.fail("c")
    fleet.wait(6_000).tick()
    count = len(fleet.requests)
    for _ in range(10):
        fleet.wait(6_000).up("a", "b")
        fleet.fail("c")
        fleet.tick()
    assert len(fleet.requests) == count


def test_a_wait_outlives_the_target_that_began_it() -> None:
    fleet = Fleet(target(), target("ssh", port=22), target("web", port=80))
    fleet.up("a", "b", "c")
    fleet.wait(60_000).fail("a", of="ssh")
    fleet.wait(1000).fail("a", of="db")
    fleet.wait(500).fail("b", of="web")
    fleet.wait(500).up("a", of="db")
    fleet.wait(5000).tick()
    assert [request.because for request in fleet.requests] == ["failure", "failure"]
    assert fleet.requests[-1].target in {"ssh", "web"}


def test_a_recovery_waits_its_turn_too() -> None:
    fleet = Fleet(target(interval_ms=300_000), target("ssh", port=22), target("web", port=80))
    fleet.down("a", "b", "c")
    fleet.wait(60_000).fail("a", of="ssh")
    fleet.wait(500).fail("a", of="web")
    fleet.wait(500).up("a")
    fleet.wait(100).up("a", of="web")
    fleet.up("a", of="ssh")
    fleet.wait(5000).tick()
    assert fleet.requests[-1].because == "recovery"


def test_what_one_recheck_finds_alone_asks_the_others_again() -> None:
    fleet = Fleet(target(interval_ms=300_000), target("ssh", port=22))
    fleet.fail("a", of="ssh")
    fleet.wait(100).up("a", "b", cause="recheck")
    fleet.wait(100).fail("c", cause="recheck")
    fleet.wait(1000).fail("c", cause="retry")
    fleet.wait(4000).tick()
    assert len(fleet.requests) == 2


def test_a_dead_host_asks_once() -> None:
    fleet = Fleet(target(), target("ssh", port=22))
    fleet.fail("a", reason="timed_out")
    fleet.wait(3000)
    for of in ("db", "ssh"):
        fleet.fail("a", "b", "c", of=of, cause="recheck", reason="timed_out")
    fleet.wait(4000)
    for of in ("db", "ssh"):
        fleet.fail("a", "b", "c", of=of, cause="retry", reason="timed_out")
    fleet.wait(10_000).tick()
    assert len(fleet.requests) == 1


def test_a_slow_target_beside_it_keeps_no_request_waiting() -> None:
    limit = LatencyLimit(max_ms=100, for_results=1)
    fleet = Fleet(target(), target("web", port=80, latency=limit))
    fleet.append([fleet.result("a", of="web", connect_ms=500.0)])
    fleet.fail("a")
    fleet.wait(1000).fail("b")
    fleet.wait(500).up("a", "b", "c", cause="recheck")
    fleet.wait(5000).tick()
    assert len(fleet.requests) == 1


def test_a_host_whose_turn_has_come_is_asked_with_the_next_failure() -> None:
    fleet = Fleet(target())
    fleet.fail("a")
    fleet.wait(4999).fail("b")
    assert len(fleet.requests) == 1
    fleet.wait(1).fail("c")
    assert len(fleet.requests) == 2
    fleet.wait(1000).tick()
    assert len(fleet.requests) == 2


def test_a_region_that_never_spoke_keeps_a_request_waiting() -> None:
    fleet = Fleet(target())
    fleet.up("a", "b")
    fleet.wait(1000).fail("a")
    fleet.wait(1000).fail("b")
    fleet.wait(1000).up("a", "b")
    fleet.wait(1000).fail("a")
    fleet.wait(5000).tick()
    assert len(fleet.requests) == 2


def test_a_request_for_a_host_that_is_gone_is_dropped() -> None:
    fleet = Fleet(target(), target("ssh", port=22))
    fleet.fail("a")
    fleet.wait(1000).fail("a", of="ssh")
    fleet.remove("db")
    fleet.remove("ssh")
    fleet.wait(5000).tick()
    assert len(fleet.requests) == 1
    assert fleet.state.rechecks == {}


# What a partition may ask


def hosts(count: int, partitions: int, ports: int = 1) -> Fleet:
    """So many hosts, each with so many ports, all up; `h7-0` is a target of `host7`."""
    fleet = Fleet(
        *(
            target(f"h{host}-{port}", host=f"host{host}", port=port + 1)
            for host in range(count)
            for port in range(ports)
        ),
        partitions=partitions,
    )
    fleet.append([fleet.result(region, of=of) for of in fleet.state.targets for region in "abc"])
    fleet.wait(1000).tick()
    return fleet


def fail_all(fleet: Fleet, region: str = "a") -> None:
    """The first port of each host."""
    names = [of for of in fleet.state.targets if of.endswith("-0")]
    fleet.append([fleet.result(region, "timed_out", of=of) for of in names])


def look_for(fleet: Fleet, seconds: int) -> None:
    for _ in range(seconds):
        fleet.wait(1000).tick()


def checks_by_second(fleet: Fleet) -> Counter[int]:
    """How many checks were asked of a region in each second."""
    found: Counter[int] = Counter()
    for request in fleet.requests:
        found[request.requested_at // 1000] += len(fleet.state.on_host(request.host))
    return found


@pytest.mark.parametrize(
    ("partitions", "a_second"), [(1, 2000), (3, 666), (16, 125), (100, 20), (128, 20)]
)
def test_a_partition_asks_for_so_many_checks_a_second(partitions: int, a_second: int) -> None:
    fleet = hosts(3 * a_second, partitions)
    fail_all(fleet)
    assert len(fleet.requests) == a_second
    look_for(fleet, 4)
    assert list(checks_by_second(fleet).values()) == [a_second] * 3


def test_a_host_costs_as_many_checks_as_it_has_targets_if_need_be_of_later_seconds() -> None:
    fleet = hosts(5, partitions=128, ports=50)
    fail_all(fleet)
    assert [request.host for request in fleet.requests] == ["host0"]
    look_for(fleet, 12)
    asked = [request.requested_at - fleet.requests[0].requested_at for request in fleet.requests]
    # 50 checks at 20 a second are 2.5 s; one may go while less than a second is used up ahead.
    assert asked == [0, 2000, 5000, 7000, 10_000]


def test_while_anything_is_left_of_the_allowance_a_large_host_may_go() -> None:
    fleet = hosts(2, partitions=128, ports=200)
    fail_all(fleet)
    assert len(fleet.requests) == 1
    look_for(fleet, 9)
    assert len(fleet.requests) == 1
    look_for(fleet, 1)
    assert len(fleet.requests) == 2


def test_the_longest_waiting_goes_first_before_newcomers_too() -> None:
    fleet = hosts(60, partitions=128)
    names = [f"h{n}-0" for n in range(60)]
    fleet.append([fleet.result("a", "timed_out", of=of) for of in reversed(names[:50])])
    fleet.wait(900).append([fleet.result("a", "timed_out", of=of) for of in names[50:]])
    look_for(fleet, 4)
    expected = [*range(49, -1, -1), *range(50, 60)]
    assert [request.host for request in fleet.requests] == [f"host{n}" for n in expected]


def test_whom_every_region_has_spoken_of_meanwhile_costs_nothing() -> None:
    fleet = hosts(60, partitions=128)
    fail_all(fleet)
    waiting = [f"h{n}-0" for n in range(20, 50)]
    fleet.wait(500)
    fleet.append([fleet.result(region, of=of) for of in waiting for region in "abc"])
    fleet.wait(500).tick()
    assert [request.host for request in fleet.requests[20:]] == [f"host{n}" for n in range(50, 60)]


def test_after_a_quiet_time_no_more_than_a_second_is_left() -> None:
    fleet = hosts(100, partitions=128)
    look_for(fleet, 60)
    fail_all(fleet)
    assert len(fleet.requests) == 20


def test_20_000_hosts_at_once_are_all_asked_for_within_their_rate() -> None:
    count, a_second = 20_000, 2000
    fleet = hosts(count, partitions=1)
    fail_all(fleet)
    fleet.wait(200)
    fail_all(fleet, "b")
    chunks = decoder.encode(fleet.state)
    assert max(map(len, chunks)) <= MAX_CHUNK_BYTES
    assert decoder.encode(fleet.restored()) == chunks
    fleet.wait(300)
    look_for(fleet, 20)
    assert max(checks_by_second(fleet).values()) <= a_second
    asked = Counter(request.host for request in fleet.requests)
    assert len(asked) == count
    assert max(asked.values()) <= 2
    for first, second in pairs(fleet):
        assert second - first >= 5000
    look_for(fleet, 20)
    assert fleet.state.rechecks == {}


def pairs(fleet: Fleet) -> list[tuple[int, int]]:
    """When a host was asked for, and asked for again."""
    last: dict[str, int] = {}
    found = []
    for request in fleet.requests:
        if request.host in last:
            found.append((last[request.host], request.requested_at))
        last[request.host] = request.requested_at
    return found


def test_hosts_that_go_on_failing_are_asked_again_and_again_and_never_too_often() -> None:
    fleet = hosts(100, partitions=128)
    for number in range(60):
        fail_all(fleet, "abc"[number % 3])
        fleet.wait(500)
        fleet.append([fleet.result(r, of=of) for of in fleet.state.targets for r in "abc"])
        fleet.wait(500).tick()
    assert len({request.host for request in fleet.requests}) == 100
    assert all(second - first >= 5000 for first, second in pairs(fleet))
    assert len(fleet.requests) <= 20 * 61
    assert len(fleet.state.rechecks) <= 100
    look_for(fleet, 15)
    assert fleet.state.rechecks == {}


def test_a_checkpoint_keeps_who_waits_and_in_which_order() -> None:
    fleet, other = hosts(60, partitions=128), hosts(60, partitions=128)
    for one in (fleet, other):
        fail_all(one)
    other.state = other.restored()
    for one in (fleet, other):
        one.wait(100).fail("b", of="h0-0")
        look_for(one, 10)
    assert other.requests == fleet.requests
    assert len(fleet.requests) >= 60


def test_a_removed_fleet_fits_into_a_checkpoint() -> None:
    fleet = Fleet()
    count = 40_000
    names = [f"target-of-some-length-{n:06d}" for n in range(count)]
    for n, name in enumerate(names):
        fleet.control(TargetSet(target(name, host=f"host{n}")))
    for name in names:
        fleet.remove(name)
    chunks = decoder.encode(fleet.state)
    assert len(chunks) > 2
    assert max(map(len, chunks)) <= MAX_CHUNK_BYTES
    restored = fleet.restored()
    assert list(restored.removed) == names
    assert decoder.encode(restored) == chunks
    fleet.wait(3_600_000).wait(20_000).tick()
    assert fleet.state.removed == {}
