"""`resolver:` of a target, against NSD and dnsmasq; what both say of the same names, by `dns`."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from tests.integration.kinds.checking import measured
from tests.integration.kinds.odd_answers import ok
from tests.integration.kinds.servers import folder, free_port, program, running

_ZONE = """$ORIGIN example.test.
@ 60 SOA ns.example.test. a.example.test. 1 60 60 60 60
@ 60 NS ns.example.test.
ns 60 A 127.0.0.1
www 60 A 127.0.0.1
alias 60 CNAME www
*.wild 60 A 127.0.0.1
"""

_NSD = """server:
  ip-address: 127.0.0.1@{port}
  username: ""
  zonesdir: "{home}"
  pidfile: ""
  database: ""
  xfrdfile: "{home}/xfrd"
  zonelistfile: "{home}/list"
  chroot: ""
  xfrdir: "{home}"
remote-control:
  control-enable: no
zone:
  name: example.test
  zonefile: "zone"
"""

_DNSMASQ = """no-resolv
no-hosts
local=/test/
host-record=www.example.test,127.0.0.1
cname=alias.example.test,www.example.test
address=/wild.example.test/127.0.0.1
"""


@pytest.fixture(scope="module")
def nsd() -> Iterator[str]:
    server, port = program("nsd"), free_port()
    with folder() as home:
        (home / "zone").write_text(_ZONE)
        (home / "conf").write_text(_NSD.format(home=home, port=port))
        with running([server, "-d", "-c", str(home / "conf")], port, home / "log"):
            yield f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def dnsmasq() -> Iterator[str]:
    server, port = program("dnsmasq"), free_port()
    with folder() as home:
        (home / "conf").write_text(_DNSMASQ)
        command = [server, "--keep-in-foreground", f"--port={port}", f"--conf-file={home}/conf"]
        command += ["--listen-address=127.0.0.1", "--bind-interfaces", "--user=", "--group="]
        command += [f"--pid-file={home}/pid", "--log-facility=-"]
        with running(command, port, home / "log"):
            yield f"127.0.0.1:{port}"


@pytest.fixture(params=["nsd", "dnsmasq"])
def resolver(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@contextlib.asynccontextmanager
async def web() -> AsyncIterator[int]:
    """Leads once to a name that only the name servers of these tests know."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            place = f"http://b.wild.example.test:{port}/end"
            moved = f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"
            writer.write(ok(body=b"the end") if b"/end" in head else moved.encode())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield port


async def check(
    host: str, port: int | None, resolver: str | None, kind: str = "tcp", **probe: Any
) -> CheckOutcome:
    options = probe_of(kind, probe or None, port)
    return await measured(lambda: check_once(host, port, kind, 5, probe=options, resolver=resolver))


@pytest.mark.parametrize("host", ["www.example.test", "alias.example.test", "x.wild.example.test"])
async def test_names_are_found_by_the_targets_own_server(resolver: str, host: str) -> None:
    async with web() as port:
        outcome = await check(host, port, resolver)
    assert (outcome.status, outcome.address, outcome.detail) == ("up", "127.0.0.1", None)
    assert outcome.dns_ms is not None


async def test_the_system_knows_no_such_name() -> None:
    outcome = await check("www.example.test", 9, None)
    assert (outcome.status, outcome.reason) == ("down", "dns_failed")


async def test_names_of_redirects_are_found_by_it_too(resolver: str) -> None:
    async with web() as port:
        outcome = await check("www.example.test", port, resolver, "http", expect="the end")
    assert (outcome.status, outcome.detail) == ("up", None)
    assert [hop.status for hop in outcome.hops] == [302, 200]


@pytest.mark.parametrize("kind", ["tcp", "http"])
async def test_one_that_is_silent_is_named(kind: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        named = f"127.0.0.1:{silent.getsockname()[1]}"
        outcome = await check_once("www.example.test", 9, kind, 0.3, resolver=named)
    assert (outcome.status, outcome.reason) == ("down", "dns_failed")
    assert (outcome.detail or "").endswith(f" ms (resolver {named})")


async def test_what_it_does_not_know_is_told(resolver: str) -> None:
    outcome = await check("none.example.test", 9, resolver)
    assert (outcome.status, outcome.reason) == ("down", "dns_failed")
    assert outcome.detail == f"none.example.test: no such name (NXDOMAIN) (resolver {resolver})"
    foreign = await check("www.example.com", 9, resolver)
    assert (foreign.status, foreign.reason) == ("down", "dns_failed")
    assert "refused to answer (REFUSED)" in (foreign.detail or "")


@pytest.mark.parametrize(
    ("probe", "up"),
    [
        ({"name": "www.example.test", "expect_regex": r"^127\."}, True),
        ({"name": "www.example.test", "expect_regex": r"^10\."}, False),
        ({"name": "alias.example.test", "transport": "tcp", "expect": ["127.0.0.1"]}, True),
        ({"name": "none.example.test", "rcode": "NXDOMAIN"}, True),
        ({"name": "www.example.test", "rcode": "NXDOMAIN"}, False),
        ({"name": "example.com", "rcode": "REFUSED", "transport": "tcp"}, True),
        ({"name": "www.example.test", "record": "MX", "rcode": "NOERROR"}, True),
    ],
    ids=str,
)
async def test_what_it_answers_may_be_checked(
    resolver: str, probe: dict[str, Any], up: bool
) -> None:
    host, _, port = resolver.partition(":")
    outcome = await check(host, int(port), None, "dns", **probe)
    assert outcome.status == ("up" if up else "down"), outcome
