"""Commands to copy: of kinds whose greeting needs more than a connection."""

import shlex

import pytest

from schemas.probe import GrpcProbe, Probe, WebSocketProbe
from schemas.target import Target
from streams.diagnosis.first_steps import greeting


def command(kind: str, probe: Probe) -> list[str]:
    target = Target(
        id="a",
        name="a",
        kind=kind,
        host="a.example.com",
        port=8443,
        regions=("eu",),
        interval_ms=10_000,
        timeout_ms=3_000,
        version=0,
        source="x",
        probe=probe,
    )
    return shlex.split(greeting(target))


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
