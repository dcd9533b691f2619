"""Ports that must be closed (`expect: closed`): the same rules, other words, and their host."""

import pytest

from schemas.control import TargetSet
from schemas.incident import IncidentEvent
from schemas.target import Target
from streams.rules.apply import apply
from tests.unit.streams.rules.fleet import Fleet, target

ALL = ("a", "b", "c")


def telnet(**changes: object) -> Target:
    return target("telnet", port=23, expect="closed", **changes)


def refuses(fleet: Fleet, *regions: str) -> None:
    """The host says no: the result has the time of its answer."""
    for region in regions:
        fleet.append([fleet.result(region, of="telnet", total_ms=12.0)])


def silent(fleet: Fleet, *regions: str) -> None:
    for region in regions:
        fleet.append([fleet.result(region, of="telnet")])


def opens(fleet: Fleet, *regions: str) -> None:
    fleet.down(*regions, of="telnet", reason="port_open")


def newest(fleet: Fleet) -> IncidentEvent:
    return fleet.events[-1]


def test_an_open_port_is_an_incident_by_the_quorum() -> None:
    fleet = Fleet(telnet())
    silent(fleet, *ALL)
    fleet.wait(1000)
    opens(fleet, "a")
    silent(fleet, "c")
    assert fleet.events == []
    opens(fleet, "b")
    event = newest(fleet)
    assert (event.event, event.incident_type, event.expect) == ("opened", "unreachable", "closed")
    assert event.regions["a"].reason == "port_open"
    assert event.summary == (
        "db1.example.com:23 is open from 2 of 3 regions, and must be closed. It is open from a "
        "and b only; c finds it closed: something listens on 23, and a firewall lets a and b in, "
        "or the name leads to several machines."
    )


def test_it_is_open_from_everywhere_and_closed_again() -> None:
    fleet = Fleet(telnet())
    silent(fleet, *ALL)
    fleet.wait(1000)
    opens(fleet, *ALL)
    assert "nothing before it keeps the network out" in newest(fleet).summary
    fleet.wait(60_000)
    silent(fleet, "a")
    refuses(fleet, "b")
    improved = newest(fleet)
    assert improved.event == "improved"
    assert improved.summary == (
        "db1.example.com:23 is closed again, seen from a, b; still open from c."
    )
    assert improved.changes[0] == "the regions no longer agree that it is open"
    fleet.wait(1000)
    opens(fleet, "a")
    worse = newest(fleet)
    assert worse.event == "worsened"
    assert worse.summary.startswith("db1.example.com:23 is again open from 2 of 3 regions")
    fleet.wait(1000)
    silent(fleet, *ALL)
    closed = newest(fleet)
    assert (closed.event, closed.closed_because) == ("closed", "recovered")
    assert "is closed again, seen from every region" in closed.summary
    assert closed.expect == "closed"


def test_one_that_opens_and_closes_flaps() -> None:
    fleet = Fleet(telnet())
    for _ in range(5):
        opens(fleet, *ALL)
        fleet.wait(30_000)
        silent(fleet, *ALL)
        fleet.wait(30_000)
    flapping = next(one for one in fleet.events if one.incident_type == "flapping")
    assert "opens and closes again and again; now it is open from" in flapping.summary
    fleet.wait(1_900_000)
    silent(fleet, *ALL)
    fleet.tick()
    assert "has been closed for half an hour" in newest(fleet).summary


def test_results_of_the_other_expectation_count_for_nothing() -> None:
    fleet = Fleet(target("telnet", port=23))
    fleet.up(*ALL, of="telnet")
    fleet.wait(1000)
    old = [fleet.result(region, of="telnet") for region in ALL]
    fleet.control(TargetSet(telnet(version=2)))
    assert [window and window.newest for window in fleet.windows("telnet")] == [None] * 3
    fleet.wait(1000)
    fleet.append([fleet.result(one.region, of="telnet", expect="open") for one in old])
    assert fleet.windows("telnet") == [None] * 3
    silent(fleet, *ALL)
    assert None not in fleet.windows("telnet")


def test_another_expectation_ends_the_incident() -> None:
    fleet = Fleet(telnet())
    opens(fleet, *ALL)
    fleet.control(TargetSet(target("telnet", port=23, version=2)))
    assert newest(fleet).closed_because == "target_changed"


def test_it_is_kept_in_a_checkpoint() -> None:
    fleet = Fleet(telnet(), target(port=22))
    refuses(fleet, *ALL)
    fleet.down(*ALL)
    other = fleet.restored()
    assert other.targets["telnet"].target == telnet()
    assert other.targets["telnet"].policy.closed
    fleet.wait(1000)
    one = fleet.result("a", "port_open", of="telnet")
    before = len(fleet.log)
    told = fleet.append([one])
    assert apply(other, fleet.log[before]) == told


def found(fleet: Fleet) -> str:
    """The likely cause of a silent host, as the port 5432 of it sees that."""
    fleet.wait(1000)
    fleet.down(*ALL, reason="timed_out")
    return next(one.summary for one in fleet.events if one.target == "db")


def test_silence_of_a_closed_port_tells_nothing_of_its_host() -> None:
    fleet = Fleet(telnet(), target())
    silent(fleet, *ALL)
    fleet.up(*ALL)
    assert "Nothing comes back from db1.example.com" in found(fleet)


def test_nor_does_it_make_a_host_look_alive() -> None:
    fleet = Fleet(telnet(), target(), target("ssh", port=22))
    silent(fleet, *ALL)
    fleet.up(*ALL)
    fleet.up(*ALL, of="ssh")
    fleet.wait(1000)
    fleet.down(*ALL, of="ssh", reason="timed_out")
    assert "None of the host's 2 watched targets can be reached" in found(fleet)


@pytest.mark.parametrize("restart", [False, True])
def test_a_refusal_proves_that_the_host_is_up(restart: bool) -> None:
    fleet = Fleet(telnet(), target())
    fleet.up(*ALL)
    silent(fleet, *ALL)
    fleet.wait(1000)
    refuses(fleet, "a")
    if restart:
        fleet.state = fleet.restored()
    assert "The host answers (1 other target), nothing comes back from 5432" in found(fleet)


def test_so_does_an_open_one() -> None:
    fleet = Fleet(telnet(), target())
    fleet.up(*ALL)
    opens(fleet, *ALL)
    assert "The host answers (1 other target), nothing comes back from 5432" in found(fleet)
    others = next(one.host_targets for one in fleet.events if one.target == "db")
    assert [(one.target, one.status, one.expect) for one in others] == [
        ("telnet", "down", "closed")
    ]


def test_what_it_says_of_the_host_is_told_when_it_changes() -> None:
    fleet = Fleet(telnet(), target())
    fleet.up(*ALL)
    silent(fleet, *ALL)
    assert "Nothing comes back from db1.example.com" in found(fleet)
    fleet.wait(1000)
    refuses(fleet, "a")
    fleet.wait(1000).tick()
    assert "The host answers (1 other target)" in newest(fleet).summary
    fleet.wait(60_000)
    silent(fleet, *ALL)
    fleet.wait(1000).tick()
    assert "Nothing comes back from db1.example.com" in newest(fleet).summary


def test_no_dependency_is_asked_for_it() -> None:
    fleet = Fleet(telnet(depends_on=("gw",), depends_on_hosts=("gw.example.com",)))
    opens(fleet, *ALL)
    assert {one.host for one in fleet.requests} == {"db1.example.com"}


def test_one_that_refuses_slowly_is_not_slow() -> None:
    fleet = Fleet(telnet())
    for took_ms in (5.0, 5.0, 900.0, 900.0, 900.0, 900.0):
        for region in ALL:
            fleet.append([fleet.result(region, of="telnet", total_ms=took_ms)])
        fleet.wait(60_000)
    assert fleet.events == []
