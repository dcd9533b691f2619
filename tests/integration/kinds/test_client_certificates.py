"""Servers that ask for a client's certificate: they are alive."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from tests.integration.kinds.certificates import Certificates, Pair
from tests.integration.kinds.checking import assert_down, measured
from tests.integration.kinds.servers import folder, free_port, program, running
from tests.integration.kinds.tls_servers import Talk, listening, read, says, server_context

ASKS = "the server asks for a client certificate, and the target has no client_certificate"
VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Way(NamedTuple):
    """A kind with TLS, what comes before TLS, and what a client is told in it."""

    kind: str
    probe: dict[str, Any]
    inside: tuple[Talk, ...]
    before: tuple[Talk, ...] = ()


WAYS = {
    "tls": Way("tls", {}, ()),
    "http": Way("http", {"tls": True}, (read, says(ANSWER))),
    "redis": Way("redis", {"tls": "implicit"}, (read, says(b"+PONG\r\n"), read)),
    "smtp": Way(
        "smtp",
        {"tls": "starttls"},
        (read, says(b"250 mx\r\n"), read, says(b"221 bye\r\n")),
        (
            *(says(b"220 mx ESMTP\r\n"), read, says(b"250-mx\r\n250 STARTTLS\r\n")),
            *(read, says(b"220 go\r\n")),
        ),
    ),
}


@pytest.fixture(autouse=True)
def trusted(certificates: Certificates) -> Certificates:
    return certificates


async def checked(
    way: Way, pair: Path, ca: Path, version: str, clients: ssl.VerifyMode, **more: Any
) -> CheckOutcome:
    context = server_context(pair, newest=VERSIONS[version], clients=clients, ca=ca)

    def before(connection: Any) -> None:
        for talk in way.before:
            talk(connection)

    with listening(context, *way.inside, before=before) as port:
        probe = probe_of(way.kind, way.probe | more, port)
        return await measured(lambda: check_once("localhost", port, way.kind, 10, probe=probe))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("way", WAYS)
async def test_a_server_that_wants_one_is_up(
    pair: Path, made_certificates: Certificates, way: str, version: str
) -> None:
    """In TLS 1.3 a server may reset right after its alert: ten times, for the order of these."""
    for _ in range(10):
        outcome = await checked(
            WAYS[way], pair, made_certificates.ca, version, ssl.CERT_REQUIRED, warn_days=0
        )
        assert (outcome.status, outcome.reason, outcome.detail) == ("up", None, ASKS), outcome
        assert outcome.cert_expires_at == made_certificates.good.until_ms
        assert outcome.tls_ms is not None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("way", WAYS)
async def test_a_server_that_goes_on_without_one_is_checked_as_any_other(
    pair: Path, made_certificates: Certificates, way: str, version: str
) -> None:
    outcome = await checked(WAYS[way], pair, made_certificates.ca, version, ssl.CERT_OPTIONAL)
    assert (outcome.status, outcome.reason) == ("up", None), outcome
    # `tls` asks nothing further, so that it can't tell whether the server would go on.
    assert outcome.detail == (ASKS if way == "tls" else None)


@pytest.mark.parametrize("version", VERSIONS)
async def test_both_remarks_are_told(
    pair: Path, made_certificates: Certificates, version: str
) -> None:
    outcome = await checked(
        WAYS["smtp"], pair, made_certificates.ca, version, ssl.CERT_REQUIRED, warn_days=30
    )
    assert outcome.status == "up"
    assert outcome.detail is not None
    assert "days, less than 30 days" in outcome.detail
    assert ASKS in outcome.detail


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("way", WAYS)
async def test_the_end_of_its_own_certificate_counts_all_the_same(
    pair: Path, made_certificates: Certificates, way: str, version: str
) -> None:
    outcome = await checked(
        WAYS[way], pair, made_certificates.ca, version, ssl.CERT_REQUIRED, critical_days=30
    )
    assert_down(outcome, "certificate_ending", "days, less than 30 days")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "expected", [{"expect": "ok"}, {"status": [200]}, {"expect_headers": {"server": "x"}}], ids=str
)
async def test_what_is_expected_of_it_can_not_be_had(
    pair: Path, made_certificates: Certificates, version: str, expected: dict[str, Any]
) -> None:
    outcome = await checked(
        WAYS["http"], pair, made_certificates.ca, version, ssl.CERT_REQUIRED, **expected
    )
    assert_down(outcome, "tls_failed", ASKS)


async def test_the_version_is_judged_all_the_same(
    pair: Path, made_certificates: Certificates
) -> None:
    outcome = await checked(
        WAYS["tls"], pair, made_certificates.ca, "TLSv1.2", ssl.CERT_REQUIRED, min_version="1.3"
    )
    assert_down(outcome, "tls_failed", "expected TLSv1.3 or later, found TLSv1.2")


# The servers themselves

_NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  ssl_certificate {pair.certificate}; ssl_certificate_key {pair.key};
  ssl_protocols TLSv1.2 TLSv1.3; ssl_client_certificate {ca};
  server {{ listen 127.0.0.1:{port} ssl; ssl_verify_client on;
    location / {{ return 200 "fine"; }} }}
  server {{ listen 127.0.0.1:{other} ssl; ssl_verify_client optional;
    location / {{ return 400 "no such page"; }} }}
}}
"""


@pytest.fixture(scope="module")
def nginx(made_certificates: Certificates) -> Iterator[tuple[int, int]]:
    """The ports of one that wants a certificate, and of one that asks and refuses otherwise."""
    command, port, other = program("nginx"), free_port(), free_port()
    good: Pair = made_certificates.good
    with folder("www-data") as home:
        text = _NGINX.format(
            folder=home, pair=good, ca=made_certificates.ca, port=port, other=other
        )
        (home / "nginx.conf").write_text(text)
        words = [command, "-c", str(home / "nginx.conf"), "-p", str(home)]
        with running(words, port, home / "log"):
            yield port, other


async def test_nginx_says_it_by_a_page(
    nginx: tuple[int, int], made_certificates: Certificates
) -> None:
    async def http(port: int, **probe: Any) -> CheckOutcome:
        options = probe_of("http", {"tls": True} | probe, port)
        return await measured(lambda: check_once("localhost", port, "http", 10, probe=options))

    wants, asks = nginx
    outcome = await http(wants)
    assert (outcome.status, outcome.detail, outcome.http_status) == ("up", ASKS, 400)
    assert outcome.cert_expires_at == made_certificates.good.until_ms
    assert_down(await http(wants, status=[200]), "tls_failed", ASKS)
    outcome = await http(wants, status=[400])
    assert (outcome.status, outcome.detail, outcome.http_status) == ("up", None, 400)
    assert_down(await http(asks), "unexpected_response", "found 400")


async def test_a_redis_that_wants_one(made_certificates: Certificates) -> None:
    redis, port = program("redis-server"), free_port()
    good = made_certificates.good
    options = ["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "yes", "--save", ""]
    options += ["--tls-cert-file", str(good.certificate), "--tls-key-file", str(good.key)]
    options += ["--tls-ca-cert-file", str(made_certificates.ca)]
    with folder() as home, running([redis, *options], port, home / "log"):
        probe = probe_of("redis", {"tls": "implicit"}, port)
        outcomes = await asyncio.gather(
            *(check_once("localhost", port, "redis", 10, probe=probe) for _ in range(10))
        )
    assert {(each.status, each.detail) for each in outcomes} == {("up", ASKS)}


@contextlib.asynccontextmanager
async def refusing_without_alert(context: ssl.SSLContext) -> AsyncIterator[int]:
    """A server of asyncio, as under uvicorn and aiohttp: it closes in place of an alert."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), contextlib.closing(writer):
            await reader.read(100)

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("way", ["tls", "http", "redis"])
async def test_a_server_that_closes_without_an_alert_is_up(
    pair: Path, made_certificates: Certificates, way: str, version: str
) -> None:
    context = server_context(
        pair, newest=VERSIONS[version], clients=ssl.CERT_REQUIRED, ca=made_certificates.ca
    )
    kind, options = WAYS[way].kind, WAYS[way].probe
    async with refusing_without_alert(context) as port:
        probe = probe_of(kind, options, port)
        for _ in range(5):
            outcome = await measured(lambda: check_once("localhost", port, kind, 10, probe=probe))
            assert (outcome.status, outcome.detail) == ("up", ASKS), outcome


_HAPROXY = """
defaults
  timeout connect 2s
  timeout client 5s
  timeout server 5s
  mode tcp
frontend asks
  bind 127.0.0.1:{port} ssl crt {pem} ca-file {ca} verify optional
  default_backend dead
frontend wants
  bind 127.0.0.1:{other} ssl crt {pem} ca-file {ca} verify required
  default_backend dead
backend dead
  server nobody 127.0.0.1:{nobody}
"""


@pytest.mark.parametrize("kind", ["redis", "http"])
async def test_a_dead_backend_behind_a_proxy_that_asks_is_down(
    made_certificates: Certificates, kind: str
) -> None:
    """It takes the handshake without a certificate, and closes for want of a backend."""
    command, port, other, nobody = program("haproxy"), free_port(), free_port(), free_port()
    good = made_certificates.good
    options = {"tls": True} if kind == "http" else {"tls": "implicit"}
    with folder() as home:
        pem = home / "good.pem"
        pem.write_bytes(good.certificate.read_bytes() + good.key.read_bytes())
        names = {"pem": pem, "ca": made_certificates.ca, "port": port, "other": other}
        (home / "haproxy.cfg").write_text(_HAPROXY.format(nobody=nobody, **names))
        words = [command, "-db", "-f", str(home / "haproxy.cfg")]
        with running(words, port, home / "log"):
            probe = probe_of(kind, options, port)
            down = await measured(lambda: check_once("localhost", port, kind, 10, probe=probe))
            up = await measured(lambda: check_once("localhost", other, kind, 10, probe=probe))
    assert down.status == "down", down
    assert (up.status, up.detail) == ("up", ASKS)
