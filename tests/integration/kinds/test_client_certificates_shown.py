"""Checks with a client's certificate: servers that want one, take it, or refuse it."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme

from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from schemas.probe import ClientCertificate, Probe
from tests.integration.kinds.certificates import Certificates
from tests.integration.kinds.checking import assert_down, measured
from tests.integration.kinds.servers import folder, free_port, program, running
from tests.integration.kinds.test_client_certificates import VERSIONS, WAYS, Way
from tests.integration.kinds.tls_servers import listening, server_context

OURS = ClientCertificate(
    certificate="${PORTQUORUM_SECRET_CERT}",
    key="${PORTQUORUM_SECRET_KEY}",
)


class Shown(msgspec.Struct, frozen=True):
    certificate: str
    key: str


def shown(ca: trustme.CA) -> Shown:
    made = ca.issue_cert("prober.example.com")
    chain = "".join(blob.bytes().decode() for blob in made.cert_chain_pems)
    return Shown(chain, made.private_key_pem.bytes().decode())


@pytest.fixture(scope="module")
def clients() -> trustme.CA:
    """The authority of those that servers let in."""
    return trustme.CA()


@pytest.fixture(scope="module")
def clients_pem(clients: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clients") / "ca.pem"
    clients.cert_pem.write_to_path(path)
    return path


@pytest.fixture(autouse=True)
def ours(
    certificates: Certificates, clients: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> Certificates:
    have(monkeypatch, shown(clients))
    return certificates


def have(monkeypatch: pytest.MonkeyPatch, certificate: Shown) -> None:
    monkeypatch.setenv("PORTQUORUM_SECRET_CERT", certificate.certificate)
    monkeypatch.setenv("PORTQUORUM_SECRET_KEY", certificate.key)


def probe_with(way: Way, client: ClientCertificate = OURS, **more: Any) -> Probe:
    from producers.kinds.registry import KINDS

    options = KINDS[way.kind].options
    assert options is not None
    made: Probe = msgspec.convert({**way.probe, "warn_days": 0, **more}, options)
    return msgspec.structs.replace(made, client_certificate=client)


async def checked(
    way: Way, pair: Path, ca: Path, version: str, client: ClientCertificate = OURS
) -> CheckOutcome:
    context = server_context(pair, newest=VERSIONS[version], clients=ssl.CERT_REQUIRED, ca=ca)

    def before(connection: Any) -> None:
        for talk in way.before:
            talk(connection)

    probe = probe_with(way, client)
    with listening(context, *way.inside, before=before) as port:
        return await measured(lambda: check_once("localhost", port, way.kind, 10, probe=probe))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("way", WAYS)
async def test_a_server_that_knows_it_is_up(
    pair: Path, clients_pem: Path, way: str, version: str
) -> None:
    outcome = await checked(WAYS[way], pair, clients_pem, version)
    assert (outcome.status, outcome.detail) == ("up", None), outcome


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("way", WAYS)
async def test_a_server_that_does_not_is_down(
    pair: Path, clients_pem: Path, way: str, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    have(monkeypatch, shown(trustme.CA()))
    outcome = await checked(WAYS[way], pair, clients_pem, version)
    assert_down(outcome, "tls_failed", "the server refused the client certificate: alert '")


@pytest.mark.parametrize(
    ("certificate", "key", "text"),
    [
        ("nothing of PEM", "also nothing", "expected PEM of a certificate with its chain"),
        ("", "", "PORTQUORUM_SECRET_CERT is not set"),
        ("own", "another", "key values mismatch"),
        ("own", "locked", "expected PEM of a certificate with its chain, and of its key without"),
    ],
)
async def test_what_is_none_is_no_fault_of_the_server(  # noqa: PLR0917  (fixtures)
    pair: Path,
    clients: trustme.CA,
    clients_pem: Path,
    certificate: str,
    key: str,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own, another = shown(clients), shown(clients)
    keys = {"another": another.key, "locked": locked(own.key)}
    pem = own.certificate if certificate == "own" else certificate
    have(monkeypatch, Shown(pem, keys.get(key, key)))
    outcome = await checked(WAYS["tls"], pair, clients_pem, "TLSv1.3")
    assert outcome.status == "missed", outcome
    assert text in (outcome.detail or "")
    assert own.key[40:60] not in (outcome.detail or "")


def locked(key: str) -> str:
    from cryptography.hazmat.primitives import serialization

    read = serialization.load_pem_private_key(key.encode(), None)
    return read.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    ).decode()


async def test_line_breaks_may_be_written_as_in_json(
    pair: Path, clients: trustme.CA, clients_pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of variables often takes one line each."""
    made = shown(clients)
    have(monkeypatch, Shown(*(text.replace("\n", "\\n") for text in (made.certificate, made.key))))
    outcome = await checked(WAYS["tls"], pair, clients_pem, "TLSv1.3")
    assert (outcome.status, outcome.detail) == ("up", None), outcome


# The servers themselves

_NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  ssl_certificate {pair.certificate}; ssl_certificate_key {pair.key};
  server {{ listen 127.0.0.1:{port} ssl; ssl_verify_client on; ssl_client_certificate {ca};
    location / {{ return 200 "hello $ssl_client_verify [$ssl_client_serial]"; }}
    location /away {{ return 302 https://127.0.0.1:{other}/; }} }}
  server {{ listen 127.0.0.1:{other} ssl; ssl_verify_client optional_no_ca;
    location / {{ return 200 "seen [$ssl_client_serial]"; }} }}
}}
"""


@pytest.fixture(scope="module")
def nginx(made_certificates: Certificates, clients_pem: Path) -> Iterator[tuple[int, int]]:
    command, port, other = program("nginx"), free_port(), free_port()
    with folder("www-data") as home:
        ca = home / "clients.pem"
        ca.write_bytes(clients_pem.read_bytes())
        names = {"pair": made_certificates.good, "ca": ca, "port": port, "other": other}
        (home / "nginx.conf").write_text(_NGINX.format(folder=home, **names))
        words = [command, "-c", str(home / "nginx.conf"), "-p", str(home)]
        with running(words, other, home / "log"):
            yield port, other


async def http(port: int, **more: Any) -> CheckOutcome:
    probe = probe_with(WAYS["http"], **more)
    return await measured(lambda: check_once("localhost", port, "http", 10, probe=probe))


async def test_nginx_lets_it_in(nginx: tuple[int, int]) -> None:
    outcome = await http(nginx[0], expect="hello SUCCESS")
    assert (outcome.status, outcome.detail, outcome.http_status) == ("up", None, 200), outcome


async def test_nginx_refuses_another_by_a_page(
    nginx: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    have(monkeypatch, shown(trustme.CA()))
    assert_down(await http(nginx[0]), "unexpected_response", "The SSL certificate error")


async def test_another_origin_sees_none(nginx: tuple[int, int]) -> None:
    outcome = await http(nginx[0], path="/away", expect="seen []")
    assert (outcome.status, outcome.detail) == ("up", None), outcome
