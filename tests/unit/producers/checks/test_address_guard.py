import asyncio
import ipaddress
import itertools
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.checks.address_policy import blocked_because, denied_because, network
from producers.checks.model import Vantage
from producers.engine.epoll_engine import EpollEngine
from schemas.partition import canonical_host
from tests.unit.producers.checks.guard_corpus import ALLOWED, BLOCKED, NAMES, REFUSED, SAME
from tests.unit.producers.checks.test_tcp_check import begun, planned

ALL = [*BLOCKED, *ALLOWED, *REFUSED, *SAME, *NAMES]


def test_the_corpus_has_no_form_twice() -> None:
    assert len(ALL) == len(set(ALL))
    assert len(ALL) >= 350


@pytest.mark.parametrize("written", [*BLOCKED, *SAME])
def test_not_public(written: str) -> None:
    host = canonical_host(written)
    assert blocked_because(host)
    assert host == SAME.get(written, host)


@pytest.mark.parametrize("written", ALLOWED)
def test_public(written: str) -> None:
    assert blocked_because(canonical_host(written)) is None


@pytest.mark.parametrize("written", REFUSED)
def test_no_host_to_the_inventory(written: str) -> None:
    with pytest.raises(ValueError, match=r"expected|at most"):
        canonical_host(written)


@pytest.mark.parametrize("written", NAMES)
def test_a_name(written: str) -> None:
    assert canonical_host(written) == NAMES[written]


async def test_no_form_that_is_not_public_is_connected_to_even_past_the_inventory() -> None:
    """On [targets] may stand what no inventory let through: the prober judges again."""
    forms = [*BLOCKED, *REFUSED, *SAME, "localhost", "LOCALHOST."]
    tried = [form for form in forms if form]
    with socket.create_server(
        ("::", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512
    ) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        engine = EpollEngine(Vantage())
        try:
            outcomes = await asyncio.gather(
                *(begun(engine, planned(form, port, 20_000)) for form in tried)
            )
        finally:
            engine.close()
        with pytest.raises(BlockingIOError):
            server.accept()
    for form, outcome in zip(tried, outcomes, strict=True):
        assert outcome.reason in {"address_blocked", "dns_failed", "prober_error"}, form
        assert outcome.connect_ms is None
    reasons = dict(zip(tried, (outcome.reason for outcome in outcomes), strict=True))
    assert reasons["127.0.0.1"] == reasons["localhost"] == reasons["::ffff:7f00:1"]
    assert reasons["localhost"] == "address_blocked"


@given(st.ip_addresses(v=4))
def test_what_carries_an_address_is_no_more_public_than_that(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    judged = blocked_because(str(inner)) is None
    for outer in (0xFFFF << 32 | number, 0x64_FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert (blocked_because(str(ipaddress.IPv6Address(outer))) is None) == judged


@given(st.ip_addresses())
def test_what_python_knows_to_be_private_is_never_public(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    named = ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_multicast
    # As public as the address within: the test above.
    carries = ip.version == 6 and (ip.ipv4_mapped is not None or ip.sixtofour is not None)
    assert not named or carries or blocked_because(str(ip))


def test_allowed_networks_are_taken_as_public_and_denied_ones_go_before() -> None:
    allow, deny = ("10.0.0.0/8", "fd00::/8"), ("10.1.0.0/16", "8.8.8.8")
    assert blocked_because("10.2.0.1", allow, deny) is None
    assert blocked_because("::ffff:10.2.0.1", allow, deny) is None
    assert blocked_because("64:ff9b::10.2.0.1", allow, deny) is None
    assert blocked_because("fd00::1", allow, deny) is None
    assert blocked_because("192.168.0.1", allow, deny)
    for address, (internal, allowed) in itertools.product(
        ("10.1.0.1", "::ffff:10.1.0.1", "2002:a01:1::", "8.8.8.8", "64:ff9b::8.8.8.8"),
        ((True, ()), (False, allow)),
    ):
        why = Vantage(internal=internal, allow=allowed, deny=deny).blocked_because(address)
        assert why is not None
        assert "denied network" in why
    assert denied_because("10.2.0.1", deny) is None


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "::ffff:0.0.0.0", "64:ff9b::"])
def test_the_unspecified_address_is_denied_as_loopback_which_it_reaches(address: str) -> None:
    assert denied_because(address, ("127.0.0.0/8", "::1/128")) is not None
    assert denied_because(address, ("10.0.0.0/8",)) is None


def test_a_network_with_bits_after_its_length_is_none() -> None:
    with pytest.raises(ValueError, match="host bits"):
        network("10.0.0.1/8")
