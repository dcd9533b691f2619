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
    assert [request.target for request in fleet.requests] == ["db", "ssh"]


def test_a_turn_is_let_go_when_all_is_well_again() -> None:
    fleet = Fleet(target(), target("ssh", port=22))
    fleet.fail("a")
    fleet.wait(1000).fail("a", of="ssh")
    fleet.wait(500).up("a", of="ssh")
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
