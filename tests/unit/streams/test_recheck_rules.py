"""Rule 3: who is asked, when, and not too often."""

from tests.unit.streams.fleet import Fleet, target


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
