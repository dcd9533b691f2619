"""Rule 10: the facts, gathered from a state that real records made."""

from schemas.incident import IncidentEvent
from streams.diagnosis import Facts
from streams.rules import diagnosis_facts
from streams.rules.diagnosis_facts import LOOKED_AT
from streams.rules.host_status import look_around
from tests.unit.streams.rules.fleet import Fleet, target


def known(fleet: Fleet, of: str = "db") -> Facts:
    entry = fleet.state.targets[of]
    return diagnosis_facts.gather(fleet.state, entry, look_around(fleet.state, entry))


def opened(fleet: Fleet) -> IncidentEvent:
    return next(event for event in fleet.events if event.event == "opened")


def test_regions_fail_or_work_or_say_nothing() -> None:
    fleet = Fleet(target(regions="a b c d"))
    fleet.up("b", "a")
    fleet.down("d", reason="timed_out")
    fleet.fail("a")  # not confirmed: neither fails nor works
    found = known(fleet)
    assert found.failing == (("d", "timed_out"),)
    assert found.working == ("b",)  # c was never heard


def test_a_stale_region_is_no_fact() -> None:
    fleet = Fleet(target(regions="a b"))
    fleet.down("a")
    fleet.up("b")
    fleet.wait(300_000)
    assert known(fleet).failing == ()
    assert known(fleet).working == ()


def test_ping_and_the_site_of_the_host_are_witnesses() -> None:
    fleet = Fleet(
        target(),
        target("ping", kind="icmp", port=None),
        target("www", kind="http", port=443),
        target("other", kind="http", port=80, host="db2.example.com"),
    )
    for of in ("db", "ping", "www"):
        fleet.up("a", "b", "c", of=of)
    fleet.wait(30_000).down("a", "b", "c", reason="timed_out")
    host = known(fleet).host
    assert (host.ping, host.site, host.site_port) == ("up", "up", 443)
    assert host.answering == 2
    assert "The host answers (ping and HTTP on 443)" in opened(fleet).summary


def test_a_target_is_no_witness_for_itself() -> None:
    fleet = Fleet(target("ping", kind="icmp", port=None), target("zz", kind="icmp", port=None))
    fleet.up("a", "b", "c", of="zz")
    fleet.down("a", "b", "c", of="ping", reason="timed_out")
    assert known(fleet, "ping").host.ping == "up"
    assert known(fleet, "zz").host.ping == "down"
    fleet.remove("zz")
    assert known(fleet, "ping").host.ping is None


def test_the_plain_port_is_looked_at_beside_its_certificate() -> None:
    fleet = Fleet(
        target("cert", kind="tls", port=443), target("web", port=443), target("ssh", port=22)
    )
    fleet.up("a", "b", "c", of="web")
    fleet.down("a", "b", "c", of="cert", reason="certificate_expired")
    assert known(fleet, "cert").host.plain == "up"
    assert known(fleet, "web").host.plain is None
    assert "The port itself accepts connections." in opened(fleet).summary


def test_a_path_is_told_from_a_firewall_by_the_host_s_other_ports() -> None:
    fleet = Fleet(target(regions="a b c"), target("ssh", port=22))
    fleet.up("a", "b", "c")
    fleet.up("a", "b", "c", of="ssh")
    fleet.wait(30_000).up("c")
    fleet.down("a", "b", reason="timed_out")
    assert known(fleet).host.hit == 0
    assert "a firewall drops 5432" in opened(fleet).summary
    fleet.down("a", of="ssh", reason="timed_out")
    assert known(fleet).host.hit == 1


def test_nothing_is_asked_of_others_while_no_region_succeeds() -> None:
    fleet = Fleet(target(), target("ssh", port=22))
    fleet.down("a", "b", "c")
    assert known(fleet).host.hit is None


def test_a_host_of_many_ports_is_diagnosed_by_few_of_them() -> None:
    names = [f"p{number:04}" for number in range(40)]
    fleet = Fleet(*(target(name, port=1000 + n) for n, name in enumerate(names)))
    for name in names:
        fleet.up("c", of=name)
        fleet.fail("a", "b", of=name, reason="timed_out")
    fleet.wait(1000).fail("a", "b", of="p0039", reason="timed_out")
    assert known(fleet, "p0039").host.hit == LOOKED_AT


def test_a_calm_neighbour_that_is_heard_again_is_news_for_the_diagnosis() -> None:
    """Its success is a routine one: nothing about the neighbour itself changes."""
    fleet = Fleet(target(), target("ssh", port=22))
    for _ in range(8):
        fleet.wait(20_000).up("a", "b", "c")
    fleet.up("a", "b", "c", of="ssh")
    for _ in range(9):
        fleet.wait(20_000).up("a", "b", "c")
    fleet.wait(1_000).down("a", "b", "c", reason="timed_out")
    assert known(fleet).host.unknown == 1
    assert "Nothing comes back from db1.example.com" in opened(fleet).summary
    fleet.up("a", of="ssh")
    fleet.wait(1_000).tick()
    assert not any("it now looks like this" in text for text in fleet.events[-1].changes)
    fleet.up("b", of="ssh")
    fleet.wait(1_000).tick()
    assert fleet.events[-1].target == "db"
    assert any("it now looks like this" in text for text in fleet.events[-1].changes)
    assert "The host answers (1 other target)" in fleet.events[-1].summary
    told = len(fleet.events)
    fleet.up("c", of="ssh")
    fleet.wait(20_000).up("a", "b", "c", of="ssh")
    assert len(fleet.events) == told
