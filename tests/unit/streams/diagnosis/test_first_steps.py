"""Commands to copy: of kinds whose greeting needs more than a connection."""

import shlex

import pytest
from msgspec import structs

from schemas.probe import (
    GrpcProbe,
    HandshakeProbe,
    Probe,
    Step,
    TcpProbe,
    TlsProbe,
    WebSocketProbe,
)
from schemas.target import Target
from streams.diagnosis.first_steps import certificate, greeting

ASK = Step(send="PING\r\n", expect="+PONG")
BEGIN = Step(send="STARTTLS\r\n", expect="OK", starttls=True)
TARGET = Target(
    id="a",
    name="a",
    kind="tls",
    host="a.example.com",
    port=8443,
    regions=("eu",),
    interval_ms=10_000,
    timeout_ms=3_000,
    version=0,
    source="x",
)


def command(kind: str, probe: Probe) -> list[str]:
    return shlex.split(greeting(structs.replace(TARGET, kind=kind, probe=probe)))


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/socket/v1", "/socket/v1"), ("/a?token=${PORTQUORUM_SECRET_X}", "/"), ("/$(id)", "/")],
)
def test_a_websocket_is_asked_for_the_upgrade(path: str, shown: str) -> None:
    words = command("websocket", WebSocketProbe(tls=True, path=path))
    assert words[0] == "curl"
    assert "Upgrade: websocket" in words
    assert words[-1] == f"https://a.example.com:8443{shown}"


@pytest.mark.parametrize(
    ("tls", "way", "scheme"),
    [(True, "--http2", "https"), (False, "--http2-prior-knowledge", "http")],
)
def test_grpc_is_asked_for_its_health(tls: bool, way: str, scheme: str) -> None:
    words = command("grpc", GrpcProbe(tls=tls))
    assert way in words
    assert words[-1] == f"{scheme}://a.example.com:8443/grpc.health.v1.Health/Check"


@pytest.mark.parametrize(
    ("kind", "port", "probe", "words"),
    [
        ("tcp", 4190, TcpProbe(steps=(BEGIN,)), "-starttls sieve"),
        ("tcp", 143, TcpProbe(steps=(BEGIN,)), "-starttls imap"),
        ("tcp", 143, TcpProbe(steps=(ASK,), tls="implicit"), None),
        ("tcp", 7000, TcpProbe(steps=(BEGIN,)), "-starttls PROTOCOL"),
        ("tcp", 7000, TcpProbe(steps=(ASK,), tls="implicit"), None),
        ("tls", 143, TlsProbe(), None),
        ("smtp", 465, HandshakeProbe(tls="implicit"), None),
        ("smtp", 587, HandshakeProbe(tls="starttls"), "-starttls smtp"),
    ],
)
def test_a_certificate_is_looked_at_as_the_port_begins_tls(
    kind: str, port: int, probe: Probe, words: str | None
) -> None:
    shown = certificate(structs.replace(TARGET, kind=kind, port=port, probe=probe))
    assert shown.startswith(f"openssl s_client -connect a.example.com:{port} -servername a.example")
    assert ("-starttls" in shown) is (words is not None)
    assert (words or "") in shown
