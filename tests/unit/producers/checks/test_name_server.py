"""A target's own name server: what is asked, what is refused, against servers on loopback."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from producers.checks import name_server
from producers.checks.addresses import Failure
from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.checks.name_server import NameServers, Place, place_of
from producers.checks.resolver import Resolver
from producers.engine.factory import platform_engine
from schemas.probe import DnsProbe, HttpProbe, Probe, UdpProbe
from schemas.target import Target
from tests.unit.producers.checks.test_resolver import Server, ask, ips, server

__all__ = ["server"]

HERE = Vantage(internal=True)
PUBLIC = Vantage()


@pytest.mark.parametrize(
    ("text", "place", "shown"),
    [
        ("192.0.2.53", Place("192.0.2.53"), "192.0.2.53"),
        ("192.0.2.53:53", Place("192.0.2.53"), "192.0.2.53"),
        ("192.0.2.53:5353", Place("192.0.2.53", 5353), "192.0.2.53:5353"),
        ("2001:DB8:0::53", Place("2001:db8::53"), "2001:db8::53"),
        ("[2001:db8::53]", Place("2001:db8::53"), "2001:db8::53"),
        ("[2001:db8::53]:5353", Place("2001:db8::53", 5353), "[2001:db8::53]:5353"),
    ],
)
def test_places(text: str, place: Place, shown: str) -> None:
    assert place_of(text) == place
    assert str(place) == shown
    assert place_of(shown) == place


@pytest.mark.parametrize(
    "text",
    [
        *("", "dns.example.com", "192.0.2.53:", "192.0.2.53:0", "192.0.2.53:65536", "010.0.0.1"),
        *("fe80::1%eth0", "[2001:db8::53", "[2001:db8::53]53", "[192.0.2.53]:x", "1.2.3.4:\u0665"),
        *("https://192.0.2.53", "192.0.2.53 ", "192.0.2.53:53:53", "[]:53", ":53"),
    ],
)
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(ValueError, match="expected the IP address of a name server"):
        place_of(text)


@pytest.fixture
async def servers() -> AsyncIterator[NameServers]:
    made = NameServers(Resolver())
    yield made
    made.close()


def named(servers: NameServers, place: str, vantage: Vantage = HERE) -> Resolver:
    found = servers.of(place, vantage)
    assert isinstance(found, Resolver), found
    return found


async def test_it_is_asked_for_the_name_as_it_stands(server: Server, servers: NameServers) -> None:
    server.records["a.test", "A"] = (60, ["192.0.2.7"])
    found = await ask(named(servers, server.place), "a.test")
    assert ips(found) == {"192.0.2.7"}
    assert found.took_ms is not None
    missing = await ask(named(servers, server.place), "b.test")
    assert isinstance(missing.error, socket.gaierror)
    assert missing.error.strerror == f"b.test: no such name (NXDOMAIN) (resolver {server.place})"
    # No search domain of this machine was tried, and no hosts file read.
    assert set(server.asked) == {"a.test", "b.test"}
    hostname = await ask(named(servers, server.place), "ip6-loopback")
    assert hostname.error is not None
    assert "ip6-loopback" in server.asked


async def test_answers_are_kept_for_each_server_by_itself(
    server: Server, servers: NameServers
) -> None:
    server.records["a.test", "A"] = (60, ["192.0.2.7"])
    await ask(named(servers, server.place), "a.test")
    known = named(servers, server.place).known("a.test")
    assert known is not None
    assert ips(known) == {"192.0.2.7"}
    assert servers.system.known("a.test") is None
    assert named(servers, "127.0.0.1:9").known("a.test") is None


async def test_localhost_is_asked_of_nobody(server: Server, servers: NameServers) -> None:
    found = await ask(named(servers, server.place), "localhost")
    assert ips(found) == {"127.0.0.1", "::1"}
    assert server.asked == []


@pytest.mark.parametrize(
    ("place", "vantage", "reason", "detail"),
    [
        ("127.0.0.1:5353", PUBLIC, "address_blocked", "resolver 127.0.0.1:5353: 127.0.0.1 is a lo"),
        ("10.0.0.53", PUBLIC, "address_blocked", "10.0.0.53 is a private address"),
        ("169.254.169.254:80", PUBLIC, "address_blocked", "is a cloud metadata address"),
        ("[::ffff:10.0.0.1]:53", PUBLIC, "address_blocked", "is a private address"),
        ("64:ff9b::a00:1", PUBLIC, "address_blocked", "10.0.0.1 is a private address"),
        ("0.0.0.0", PUBLIC, "address_blocked", "is an unspecified address"),
        (
            "192.0.2.53",
            Vantage(internal=True, deny=("192.0.2.0/24",)),
            "address_blocked",
            "denied network 192.0.2.0/24",
        ),
        ("dns.example.com", HERE, "prober_error", "expected the IP address of a name server"),
    ],
)
async def test_a_server_that_may_not_be_asked(
    servers: NameServers, place: str, vantage: Vantage, reason: str, detail: str
) -> None:
    found = servers.of(place, vantage)
    assert isinstance(found, Failure)
    assert found.reason == reason
    assert detail in found.detail


async def test_a_network_that_is_allowed_is(servers: NameServers) -> None:
    allowed = Vantage(allow=("10.0.0.53/32",))
    assert isinstance(servers.of("10.0.0.53", allowed), Resolver)
    assert isinstance(servers.of("10.0.0.54", allowed), Failure)
    assert isinstance(servers.of("9.9.9.9", PUBLIC), Resolver)


async def test_there_are_only_so_many_at_a_time(server: Server, servers: NameServers) -> None:
    """The one that was not asked for the longest time makes room; one that is asked stays."""
    server.silent.add("slow.test")
    first = named(servers, server.place)
    first.lookup("slow.test", lambda _: None)
    for number in range(1, name_server.MOST + 5):
        named(servers, f"127.0.1.{number}")
    assert named(servers, server.place) is first
    for number in range(1, name_server.MOST):
        named(servers, f"127.0.1.{number}").lookup("slow.test", lambda _: None)
    full = servers.of("127.0.2.1", HERE)
    assert isinstance(full, Failure)
    assert full.reason == "prober_error"
    assert f"{name_server.MOST} other name servers of targets are being asked" in full.detail


# Checks of all kinds, by the engine that a prober has


@contextlib.contextmanager
def web() -> Iterator[int]:
    """A port whose every connection is closed at once."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener.getsockname()[1]


async def checked(
    resolver: str | None,
    vantage: Vantage = HERE,
    *,
    port: int,
    kind: str = "tcp",
    host: str = "a.test",
    probe: Probe | None = None,
) -> CheckOutcome:
    engine = platform_engine(vantage)
    done: asyncio.Future[CheckOutcome] = asyncio.get_running_loop().create_future()
    target = Target(
        id="t",
        name="t",
        kind=kind,
        host=host,
        port=port,
        regions=("r",),
        interval_ms=60_000,
        timeout_ms=5_000,
        version=1,
        source="test",
        probe=probe,
        resolver=resolver,
    )
    check = PlannedCheck(target, due_ms=0.0, attempt=0, cause="schedule")
    with contextlib.closing(engine):
        engine.submit(check, lambda _, outcome: done.set_result(outcome))
        return await done


async def test_every_engine_asks_it(server: Server) -> None:
    server.records["a.test", "A"] = (60, ["127.0.0.1"])
    with web() as port:
        plain = await checked(server.place, port=port)
        other = await checked(server.place, port=port, kind="ssh")
        system = await checked(None, port=port, host="a.invalid")
    assert (plain.status, plain.address) == ("up", "127.0.0.1")
    assert plain.dns_ms is not None
    assert (other.address, other.reason) != (None, "dns_failed")
    assert other.address == "127.0.0.1"
    assert system.reason == "dns_failed"


@pytest.mark.parametrize(
    ("kind", "probe"),
    [
        *(("tcp", None), ("ssh", None), ("icmp", None), ("http", HttpProbe())),
        *(("udp", UdpProbe(protocol="dns")), ("dns", DnsProbe(name="b.test"))),
    ],
)
async def test_a_refused_server_gets_no_packet(
    server: Server, kind: str, probe: Probe | None
) -> None:
    server.records["a.test", "A"] = (60, ["127.0.0.1"])
    outcome = await checked(server.place, PUBLIC, port=9, kind=kind, probe=probe)
    assert (outcome.status, outcome.reason) == ("missed", "address_blocked"), outcome
    assert (outcome.detail or "").startswith(f"resolver {server.place}: 127.0.0.1 is a loopback")
    assert server.asked == []


async def test_where_its_answers_lead_is_judged_too(server: Server) -> None:
    server.records["a.test", "A"] = (60, ["10.0.0.1"])
    vantage = Vantage(allow=("127.0.0.1/32",))
    outcome = await checked(server.place, vantage, port=9)
    assert (outcome.status, outcome.reason) == ("missed", "address_blocked")
    assert outcome.detail == "10.0.0.1 is a private address"


async def test_a_server_that_is_not_there_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{nobody.getsockname()[1]}"
    for kind in ("tcp", "ssh"):
        outcome = await checked(place, port=9, kind=kind)
        assert (outcome.status, outcome.reason) == ("down", "dns_failed")
        assert f"the connection was refused (resolver {place})" in (outcome.detail or "")
