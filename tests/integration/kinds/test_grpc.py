"""The kind `grpc` at grpc-go and grpcio, directly and behind nginx."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from tests.integration.kinds.certificates import Certificates
from tests.integration.kinds.checking import assert_down, assert_up, measured
from tests.integration.kinds.servers import folder, free_port, program, running
from tests.toolchains import go_program

FOREIGN = Path(__file__).parent / "foreign"
NGINX = """daemon off; pid {path}/pid; error_log stderr; worker_processes 1;
events {{}}
http {{ access_log off; client_body_temp_path {path}/t1; proxy_temp_path {path}/t2;
fastcgi_temp_path {path}/t3; uwsgi_temp_path {path}/t4; scgi_temp_path {path}/t5;
server {{ listen 127.0.0.1:{port} http2; location / {{ grpc_pass grpc://127.0.0.1:{behind}; }} }}
server {{ listen 127.0.0.1:{dead} http2; location / {{ grpc_pass grpc://127.0.0.1:1; }} }}
server {{ listen 127.0.0.1:{page} http2; location / {{ return 200 "a page"; }} }}
server {{ listen 127.0.0.1:{old}; location / {{ return 200 "a page"; }} }}
server {{ listen 127.0.0.1:{secure} ssl http2;
  ssl_certificate {certificate}; ssl_certificate_key {key};
  location / {{ grpc_pass grpc://127.0.0.1:{behind}; }} }}
server {{ listen 127.0.0.1:{secure_old} ssl;
  ssl_certificate {certificate}; ssl_certificate_key {key};
  location / {{ return 200 "a page"; }} }} }}
"""
APACHE = """ServerRoot /usr/lib/apache2
ServerName localhost
PidFile {path}/pid
DefaultRuntimeDir {path}
Mutex file:{path}
ErrorLog /dev/stderr
User www-data
Group www-data
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule ssl_module modules/mod_ssl.so
Listen 127.0.0.1:{port}
SSLEngine on
SSLCertificateFile {good.certificate}
SSLCertificateKeyFile {good.key}
"""


async def grpc(port: int, timeout_s: float = 10, **probe: Any) -> CheckOutcome:
    found = probe_of("grpc", probe, port)
    return await measured(lambda: check_once("127.0.0.1", port, "grpc", timeout_s, probe=found))


class Ports(NamedTuple):
    """`bare` has no health service, `clients` wants a client's certificate."""

    plain: int
    bare: int
    secure: int
    clients: int


class Proxies(NamedTuple):
    """nginx: before grpc-go, before nothing, with a page, with HTTP/1 alone, and in TLS."""

    port: int
    dead: int
    page: int
    old: int
    secure: int
    secure_old: int


@pytest.fixture(scope="module")
def go(
    made_certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ports]:
    path = tmp_path_factory.mktemp("go")
    server = go_program(FOREIGN / "grpc_go", path)
    ports = Ports(free_port(), free_port(), free_port(), free_port())
    pair = [str(made_certificates.good.certificate), str(made_certificates.good.key)]
    arguments = [[], [], pair, [*pair, str(made_certificates.ca)]]
    with ExitStack() as stack:
        for port, words in zip(ports, arguments, strict=True):
            command = [*server, f"127.0.0.1:{port}", *words]
            env = {"WITHOUT_HEALTH": "yes"} if port == ports.bare else {}
            stack.enter_context(running(command, port, path / f"log.{port}", env=env))
        yield ports


@pytest.fixture(scope="module")
def nginx(go: Ports, made_certificates: Certificates) -> Iterator[Proxies]:
    ports = Proxies(*(free_port() for _ in Proxies._fields))
    good = made_certificates.good
    with folder() as path:
        config = path / "nginx.conf"
        text = NGINX.format(
            path=path,
            behind=go.plain,
            certificate=good.certificate,
            key=good.key,
            **ports._asdict(),
        )
        config.write_text(text)
        with running(
            [program("nginx"), "-c", str(config), "-e", "stderr"], ports.port, path / "log"
        ):
            yield ports


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = free_port()
    log = tmp_path_factory.mktemp("grpcio") / "log"
    command = [sys.executable, str(FOREIGN / "grpc_python.py"), f"127.0.0.1:{port}"]
    with running(command, port, log, env={"PATH": os.environ["PATH"]}):
        yield port


@pytest.fixture(params=["go", "python"])
def port(request: pytest.FixtureRequest) -> int:
    found = request.getfixturevalue(request.param)
    return found.plain if isinstance(found, Ports) else int(found)


async def test_health(port: int) -> None:
    for service in ("", "up"):
        outcome = await grpc(port, service=service)
        assert_up(outcome)
        assert (outcome.banner, outcome.http_status) == ("SERVING", 200)
    for service, status in (("down", "NOT_SERVING"), ("odd", "UNKNOWN")):
        outcome = await grpc(port, service=service)
        text = f"service {service}: expected SERVING, found {status}"
        assert_down(outcome, "unexpected_response", text)
        assert outcome.banner is None
    outcome = await grpc(port, service="other")
    text = "service other: expected SERVING, found NOT_FOUND"
    assert_down(outcome, "unexpected_response", text)
    assert "the health service knows no such service" in (outcome.detail or "")


async def test_a_server_without_a_health_service(go: Ports) -> None:
    for service in ("", "up"):
        outcome = await grpc(go.bare, service=service)
        assert_down(outcome, "unexpected_response", "found UNIMPLEMENTED ('unknown service grpc.")
        assert "the server has no health service (grpc.health.v1)" in (outcome.detail or "")


async def test_a_refusal_in_words(go: Ports) -> None:
    outcome = await grpc(go.plain, service="secret")
    text = "service secret: expected SERVING, found UNAUTHENTICATED ('no way in, ändere das')"
    assert_down(outcome, "unexpected_response", text)
    metadata = {"Authorization": "Bearer open-sesame"}
    assert_up(await grpc(go.plain, service="secret", metadata=metadata, insecure=True))
    outcome = await grpc(go.plain, service="busy")
    assert_down(outcome, "too_many_connections", "RESOURCE_EXHAUSTED ('too many connections')")


async def test_a_service_that_does_not_answer_in_time(go: Ports) -> None:
    outcome = await grpc(go.plain, timeout_s=0.5, service="slow")
    assert outcome.status == "down"
    # The server knows the deadline, and may be the first to say so.
    assert "DEADLINE_EXCEEDED" in (outcome.detail or "") or (outcome.detail or "").endswith(
        "no whole answer within 500 ms"
    )


async def test_in_tls(go: Ports, certificates: Certificates) -> None:
    outcome = await grpc(go.secure, tls=True)
    assert_up(outcome, tls=True)
    assert outcome.cert_expires_at == certificates.good.until_ms
    assert_down(await grpc(go.secure, tls=True, critical_days=30), "certificate_ending", "days")
    name = "other.example.com"
    assert_down(await grpc(go.secure, tls=True, server_name=name), "certificate_invalid", name)
    assert_up(await grpc(go.secure, tls=True, authority=name), tls=True)
    assert_up(await grpc(go.secure, tls=True, verify=False, server_name=name), tls=True)
    assert_down(await grpc(go.plain, tls=True), "tls_failed", "does not speak TLS")
    outcome = await grpc(go.secure)
    assert_down(outcome, "protocol_mismatch", "HTTP/2: it may speak TLS there (tls: true)")


async def test_a_server_that_wants_a_clients_certificate_is_alive(
    go: Ports, certificates: Certificates
) -> None:
    asks = "the server asks for a client certificate"
    outcome = await grpc(go.clients, tls=True)
    assert outcome.status == "up"
    assert asks in (outcome.detail or "")
    assert outcome.cert_expires_at == certificates.good.until_ms
    assert_down(await grpc(go.clients, tls=True, service="up"), "tls_failed", asks)


async def test_a_clients_certificate_is_shown(
    go: Ports, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = certificates.good
    monkeypatch.setenv("PORTQUORUM_SECRET_PEM", good.certificate.read_text())
    monkeypatch.setenv("PORTQUORUM_SECRET_KEY", good.key.read_text())
    pair = {"certificate": "${PORTQUORUM_SECRET_PEM}", "key": "${PORTQUORUM_SECRET_KEY}"}
    outcome = await grpc(go.clients, tls=True, service="up", client_certificate=pair)
    assert_up(outcome, tls=True)
    assert outcome.banner == "SERVING"


@pytest.mark.usefixtures("certificates")
async def test_behind_nginx(nginx: Proxies) -> None:
    assert_up(await grpc(nginx.port, service="up"))
    assert_up(await grpc(nginx.secure, service="up", tls=True), tls=True)
    assert_down(await grpc(nginx.port, service="down"), "unexpected_response", "NOT_SERVING")
    outcome = await grpc(nginx.dead)
    assert_down(outcome, "unexpected_response", "found the HTTP status 502: '<html>")
    assert outcome.http_status == 502
    outcome = await grpc(nginx.page)
    assert_down(outcome, "unexpected_response", "Content-Type 'text/plain'")


async def test_an_apache_without_http_2(certificates: Certificates) -> None:
    """It chooses http/1.1 by ALPN though only h2 was offered, at which OpenSSL breaks off."""
    command, port = program("apache2"), free_port()
    with folder() as path:
        config = path / "httpd.conf"
        config.write_text(APACHE.format(path=path, port=port, good=certificates.good))
        with running([command, "-f", str(config), "-DFOREGROUND"], port, path / "log"):
            outcome = await grpc(port, tls=True)
    text = "another protocol by ALPN than the one offered, h2: gRPC needs HTTP/2"
    assert_down(outcome, "tls_failed", text)


@pytest.mark.usefixtures("certificates")
async def test_a_server_of_http_1(nginx: Proxies) -> None:
    outcome = await grpc(nginx.old)
    assert_down(outcome, "protocol_mismatch", "the server speaks HTTP/1 there")
    outcome = await grpc(nginx.secure_old, tls=True)
    assert_down(outcome, "tls_failed", "h2: gRPC needs HTTP/2")
    outcome = await grpc(nginx.secure)
    assert_down(outcome, "protocol_mismatch", "expected SETTINGS of HTTP/2")
