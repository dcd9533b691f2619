"""Rule 3 of dependencies: a gateway that is seldom looked at is known to be down within seconds."""

import msgspec

from schemas.control import TargetSet
from schemas.partition import partition_for
from schemas.recheck import RecheckRequest
from schemas.target import Target
from streams.checkpoint import decoder
from streams.rules import rechecks
from streams.rules.messages import encode
from streams.state.target_details import TargetDetails, pack
from tests.unit.streams.rules.fleet import Fleet, target

GATEWAY = "gw.example.com"


def app(
    name: str = "app", host: str = "app.example.com", hosts: tuple[str, ...] = (GATEWAY,)
) -> Target:
    return target(name, host=host, depends_on=("gateway",), depends_on_hosts=hosts)


def asked(fleet: Fleet) -> list[tuple[str, str, str, int]]:
    return [(one.host, one.target, one.because, one.requested_at) for one in fleet.requests]


def of_gateway(fleet: Fleet) -> list[RecheckRequest]:
    return [one for one in fleet.requests if one.host == GATEWAY]


def test_the_first_failure_asks_for_the_hosts_of_dependencies_too() -> None:
    fleet = Fleet(app(hosts=(GATEWAY, "sw.example.com")), partitions=16)
    fleet.up("a", "b", "c", of="app")
    fleet.wait(60_000).fail("a", of="app")
    now = fleet.now
    assert asked(fleet) == [
        ("app.example.com", "app", "failure", now),
        (GATEWAY, "app", "failure", now),
        ("sw.example.com", "app", "failure", now),
    ]
    # Each in the partition of its host, where the probers of its targets read.
    for request in fleet.requests:
        message = encode(request, 16)
        assert message.partition == partition_for(request.host, 16)
        assert message.key == request.host.encode()
    assert len({encode(one, 16).partition for one in fleet.requests}) > 1
    fleet.fail("b", "c", of="app", cause="recheck")
    fleet.wait(1_000).fail("a", "b", "c", of="app", cause="retry")
    fleet.wait(30_000).tick()
    assert len(of_gateway(fleet)) == 1, "what a recheck finds is no news of the dependency"
    assert fleet.state.dependency_rechecks == {}


def test_one_request_in_five_seconds_whoever_fails() -> None:
    fleet = Fleet(*(app(f"app{n}", f"app{n}.example.com") for n in range(20)), partitions=4)
    began = fleet.now
    for number in range(20):
        fleet.fail("a", of=f"app{number}")
        fleet.wait(100).tick()
    for _ in range(10):
        fleet.wait(1_000).tick()
    assert [one.requested_at - began for one in of_gateway(fleet)] == [0, 5_000]
    assert of_gateway(fleet)[-1].target == "app19", "the last of those that failed meanwhile"
    assert fleet.state.dependency_rechecks == {}


def test_a_recheck_that_finds_the_failure_alone_asks_when_nobody_has() -> None:
    """Another port of the host asked for the recheck, and it depends on nothing."""
    fleet = Fleet(app(), target("ssh", host="app.example.com", port=22))
    fleet.fail("a", of="ssh")
    fleet.fail("a", of="app", cause="recheck")
    assert [one.target for one in of_gateway(fleet)] == ["app"]


def test_a_recovery_asks_whether_the_dependency_is_back_too() -> None:
    fleet = Fleet(app())
    fleet.down("a", "b", "c", of="app")
    fleet.wait(30_000).tick()
    count = len(of_gateway(fleet))
    fleet.wait(60_000).up("b", of="app")
    assert len(of_gateway(fleet)) == count + 1
    assert of_gateway(fleet)[-1].because == "recovery"
    fleet.up("a", "c", of="app", cause="recheck")
    fleet.wait(30_000).tick()
    assert len(of_gateway(fleet)) == count + 1


def test_a_dependency_of_the_same_host_is_asked_for_once() -> None:
    fleet = Fleet(app(hosts=("app.example.com",)))
    fleet.fail("a", of="app")
    assert [one.host for one in fleet.requests] == ["app.example.com"]


def test_a_dependency_whose_own_failure_asked_is_not_asked_for_again() -> None:
    gateway = target("gateway", host=GATEWAY, port=22)
    fleet = Fleet(app(), gateway)
    fleet.fail("a", of="gateway")
    fleet.wait(1_000).fail("a", of="app", cause="recheck")
    assert [one.target for one in of_gateway(fleet)] == ["gateway"]
    fleet.fail("b", of="app")
    fleet.wait(5_000).tick()
    assert [one.target for one in of_gateway(fleet)] == ["gateway", "app"]


def test_the_budget_of_a_partition_holds_for_dependencies() -> None:
    """A forged or strange definition with a thousand hosts floods no prober."""
    hosts = tuple(f"h{n}.example.com" for n in range(1_000))
    fleet = Fleet(app(hosts=hosts), partitions=1_000)
    began = fleet.now
    fleet.fail("a", of="app")
    for _ in range(60):
        fleet.wait(1_000).tick()
    found = [one for one in fleet.requests if one.host in hosts]
    assert {one.host for one in found} == set(hosts)
    for first, one in enumerate(found):
        within = [each for each in found[first:] if each.requested_at - one.requested_at < 1_000]
        assert len(within) <= 2 * rechecks.AT_LEAST_PER_S + 1
    assert found[-1].requested_at - began <= 60_000
    assert fleet.state.dependency_rechecks == {}


def test_a_restart_asks_for_the_same_to_the_byte() -> None:
    fleet = Fleet(*(app(f"app{n}", f"app{n}.example.com") for n in range(3)), partitions=4)
    for number in range(3):
        fleet.fail("a", of=f"app{number}")
        fleet.wait(500)
    restored = fleet.restored()
    assert restored.dependency_rechecks == fleet.state.dependency_rechecks != {}
    assert list(restored.dependency_rechecks) == list(fleet.state.dependency_rechecks)
    other = Fleet(partitions=4)
    other.state, other.now, other.log = restored, fleet.now, list(fleet.log)
    for each in (fleet, other):
        each.outputs = []
        each.wait(10_000).tick()
    assert [encode(one, 4) for one in fleet.outputs] == [encode(one, 4) for one in other.outputs]
    assert of_gateway(other)
    assert decoder.encode(fleet.state) == decoder.encode(other.state)


def test_a_definition_with_hosts_is_the_same_after_it_was_kept() -> None:
    one = app()
    fleet = Fleet(one)
    assert fleet.known("app") == one
    assert fleet.restored().targets["app"].target == one
    before = fleet.state.targets["app"]
    fleet.control(TargetSet(one))
    assert fleet.state.targets["app"] is before, "the same definition is no change"


def test_a_definition_without_hosts_is_kept_as_version_0_1_kept_it() -> None:
    packed = pack(target())
    assert len(msgspec.msgpack.decode(packed)) == len(TargetDetails.__struct_fields__) - 1
