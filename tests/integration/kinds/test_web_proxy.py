"""`http` through squid: the whole URL, tunnels for TLS, a login, and what the guard judges."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from portquorum.inventory.probes import probe_of
from producers.checks import address_policy
from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.engine.factory import platform_engine
from producers.engine.single_check import check_once
from producers.kinds.http_options import settle
from schemas.probe import HttpProbe
from schemas.target import Target
from tests.integration.kinds import web_servers
from tests.integration.kinds.certificates import Certificates
from tests.integration.kinds.checking import assert_down, measured
from tests.integration.kinds.servers import free_port
from tests.integration.kinds.web_servers import PASSWORD, USER, Squid, Web


@pytest.fixture(scope="module")
def web(made_certificates: Certificates) -> Iterator[Web]:
    with web_servers.nginx(made_certificates) as made:
        yield made


@pytest.fixture(scope="module")
def squid() -> Iterator[Squid]:
    with web_servers.squid() as made:
        yield made


@pytest.fixture(autouse=True)
def trusted(certificates: Certificates) -> Certificates:
    return certificates


async def http(port: int, proxy: int | str, host: str = "localhost", **probe: Any) -> CheckOutcome:
    where = proxy if isinstance(proxy, str) else f"http://127.0.0.1:{proxy}"
    made = probe_of("http", {"proxy": where, **probe}, port)
    return await measured(lambda: check_once(host, port, "http", 10, probe=made))


def assert_up(outcome: CheckOutcome) -> None:
    assert (outcome.status, outcome.reason, outcome.detail) == ("up", None, None)


async def test_a_request_goes_through_the_proxy(web: Web, squid: Squid) -> None:
    outcome = await http(
        web.port,
        squid.port,
        method="POST",
        headers={"X-Token": "t"},
        body="four",
        expect="[t] [] [4]",
    )
    assert_up(outcome)
    assert outcome.address == "127.0.0.1"
    assert f"POST http://localhost:{web.port}/" in squid.log.read_text()


async def test_tls_goes_through_a_tunnel(
    web: Web, squid: Squid, made_certificates: Certificates
) -> None:
    outcome = await http(web.tls, squid.port, tls=True, expect="GET [] of localhost")
    assert_up(outcome)
    assert outcome.tls_ms is not None
    assert outcome.cert_expires_at == made_certificates.good.until_ms
    assert f"CONNECT localhost:{web.tls}" in squid.log.read_text()
    wrong = await http(web.tls, squid.port, tls=True, server_name="wrong.example.com")
    assert_down(wrong, "certificate_invalid", "wrong.example.com")
    # A second connection, by a tunnel of its own, has found when it ends.
    assert wrong.cert_expires_at == made_certificates.good.until_ms


async def test_redirects_go_through_it_too(web: Web, squid: Squid) -> None:
    before = squid.log.read_text().count("/end")
    assert_up(await http(web.port, squid.port, path="/same/302", expect="at /end"))
    assert_up(
        await http(web.port, squid.port, host="127.0.0.1", path="/away/302", expect="at /end")
    )
    assert squid.log.read_text().count("/end") == before + 2


async def test_a_proxy_wants_a_login(web: Web, squid: Squid) -> None:
    place = f"127.0.0.1:{squid.guarded}"
    login = f"http://{USER}:{quote(PASSWORD)}@{place}"
    assert_up(await http(web.port, login, expect="GET"))
    assert_up(await http(web.tls, login, tls=True, expect="GET [] of"))
    expected = f"the proxy {place} answered in place of the target: 407 Proxy Authentication Requir"
    assert_down(await http(web.port, f"http://{place}"), "unexpected_response", expected)
    accepted = await http(web.port, f"http://{place}", status=["200-499"])
    assert_down(accepted, "unexpected_response", expected)
    expected = f"the proxy {place} refused to connect to localhost:{web.tls}: 407 Proxy Auth"
    assert_down(await http(web.tls, f"http://{place}", tls=True), "unexpected_response", expected)


async def test_the_login_of_a_proxy_may_be_secret(
    web: Web, squid: Squid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTQUORUM_SECRET_PROXY", PASSWORD)
    place = f"127.0.0.1:{squid.guarded}"
    text = f"http://{USER}:${{PORTQUORUM_SECRET_PROXY}}@{place}"
    probe = settle(HttpProbe(proxy=text, tls=True, insecure=True), web.tls)
    outcome = await measured(lambda: check_once("localhost", web.tls, "http", 10, probe=probe))
    assert_up(outcome)


async def test_what_the_proxy_can_not_reach_is_down(squid: Squid) -> None:
    """Its words tell why."""
    nobody = free_port()
    outcome = await http(nobody, squid.port, tls=True)
    assert_down(outcome, "unexpected_response", f"refused to connect to localhost:{nobody}: 503")
    assert "ERR_CONNECT_FAIL 111" in (outcome.detail or "")
    words = f"the proxy 127.0.0.1:{squid.port} answered in place of the target: 503 Service Unavai"
    for status in ([], ["200-599"]):  # no status of the target's is that of the proxy
        plain = await http(nobody, squid.port, status=status)
        assert_down(plain, "unexpected_response", words)
        assert "(ERR_CONNECT_FAIL 111)" in (plain.detail or "")


async def test_what_is_no_proxy_is_not_taken_for_the_target() -> None:
    async with saying(b"SSH-2.0-x\r\n") as port:
        outcome = await http(9, port, host="192.0.2.1")
    expected = f"the proxy 127.0.0.1:{port}: expected an HTTP answer, found 'SSH-2.0-x'"
    assert_down(outcome, "protocol_mismatch", expected)


async def test_a_silent_proxy_is_not_taken_for_the_target() -> None:
    async with saying(b"") as port:
        probe = settle(HttpProbe(proxy=f"http://127.0.0.1:{port}"), 9)
        outcome = await check_once("192.0.2.1", 9, "http", 0.3, probe=probe)
    assert_down(outcome, "no_answer", "by the proxy 127.0.0.1: no HTTP answer within 300 ms")


async def test_a_proxy_that_is_not_there_is_named() -> None:
    port = free_port()
    outcome = await http(9, port, host="192.0.2.1")
    assert_down(outcome, "connection_refused", f"the proxy 127.0.0.1:{port}: 127.0.0.1: ")


@contextlib.asynccontextmanager
async def saying(answer: bytes) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            if not answer:
                await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "reason", "detail"),
    [
        (b"SSH-2.0-x\r\n", "protocol_mismatch", "expected an HTTP answer, found 'SSH-2.0-x'"),
        (b"HTTP/1.1 200 OK\r\n\r\nmore", "unexpected_response", "went on before TLS began: 'more'"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "unexpected_response", ": 403 Forbidden"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "tls_failed", "closed by the server during the TLS"),
        (b"", "timed_out", "to CONNECT localhost:9 within 300 ms"),
    ],
)
async def test_a_proxy_that_misbehaves_is_told(answer: bytes, reason: str, detail: str) -> None:
    async with saying(answer) as port:
        made = probe_of("http", {"proxy": f"http://127.0.0.1:{port}", "tls": True}, 9)
        outcome = await measured(lambda: check_once("localhost", 9, "http", 0.3, probe=made))
    assert_down(outcome, reason, detail)


# The guard


async def guarded(host: str, port: int, proxy: str, **vantage: Any) -> CheckOutcome:
    """A check of a prober with the address guard."""
    engine = platform_engine(Vantage(**vantage))
    done: asyncio.Future[CheckOutcome] = asyncio.get_running_loop().create_future()
    target = Target(
        id="a",
        name="a",
        kind="http",
        host=host,
        port=port,
        regions=("here",),
        interval_ms=10_000,
        timeout_ms=5_000,
        version=0,
        source="test",
        probe=probe_of("http", {"proxy": proxy}, port),
    )
    try:
        check = PlannedCheck(target, due_ms=0.0, attempt=0, cause="manual")
        engine.submit(check, lambda _, outcome: done.set_result(outcome))
        return await done
    finally:
        engine.close()


async def test_the_address_of_the_proxy_is_judged(squid: Squid) -> None:
    proxy = f"http://127.0.0.1:{squid.port}"
    outcome = await guarded("www.example.com", 80, proxy)
    assert (outcome.status, outcome.reason) == ("missed", "address_blocked")
    assert f"the proxy 127.0.0.1:{squid.port}: " in (outcome.detail or "")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1%lo", "localhost", "a.localhost"],
)
async def test_an_address_behind_the_proxy_is_judged_where_it_is_known(
    squid: Squid, host: str
) -> None:
    allowed = (address_policy.network("127.0.0.1"),)
    deny = (address_policy.network("127.0.0.2"),)
    proxy = f"http://127.0.0.1:{squid.port}"
    before = squid.log.read_text()
    # Of 127.0.0.1 the proxy's own address is allowed: it is told apart by the region's `deny`.
    if host in {"127.0.0.1", "localhost", "a.localhost"}:
        deny, allowed = (address_policy.network("127.0.0.1"),), ()
        proxy = "http://192.0.2.1:3128"
    outcome = await guarded(host, 80, proxy, allow=allowed, deny=deny)
    assert (outcome.status, outcome.reason) == ("missed", "address_blocked"), outcome
    assert "behind the proxy: " in (outcome.detail or "")
    assert squid.log.read_text() == before


async def test_a_redirect_to_such_an_address_is_refused() -> None:
    async with saying(
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\n\r\n"
    ) as proxy:
        allowed = (address_policy.network("127.0.0.1"),)
        outcome = await guarded("www.example.com", 80, f"http://127.0.0.1:{proxy}", allow=allowed)
    assert outcome.reason == "address_blocked"
    assert "behind the proxy: 169.254.169.254" in (outcome.detail or "")
