"""Options of `websocket` and `grpc`: what an inventory may say."""

from typing import Any

import pytest

from portquorum.inventory.probes import ProbeError, probe_of
from schemas.probe import GrpcProbe, WebSocketProbe


@pytest.mark.parametrize(("port", "tls"), [(80, False), (443, True), (8443, True), (50051, False)])
def test_the_port_decides_about_tls(port: int, tls: bool) -> None:
    for kind, options in (("websocket", WebSocketProbe), ("grpc", GrpcProbe)):
        assert probe_of(kind, None, port) == options(tls=tls)
        assert probe_of(kind, {}, port) == options(tls=tls)
        assert probe_of(kind, {"tls": not tls}, port) == options(tls=not tls)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("websocket", {"path": "/a#b"}, "expected a path without a fragment"),
        ("websocket", {"path": "a"}, "path"),
        ("websocket", {"headers": {"Upgrade": "x"}}, "found one of the connection"),
        ("websocket", {"headers": {"sec-websocket-key": "x"}}, "found one of the connection"),
        ("websocket", {"headers": {"Sec-WebSocket-Protocol": "x"}}, "expected subprotocols"),
        ("websocket", {"headers": {"A": "1", "a": "2"}}, "expected each header once"),
        ("websocket", {"subprotocols": ["a", "b", "a"]}, "expected each once, found a twice"),
        ("websocket", {"subprotocols": ["a b"]}, "subprotocols"),
        ("websocket", {"steps": [{}]}, "steps[0]: expected something to send or to expect"),
        ("websocket", {"steps": [{"send": "a", "starttls": True}]}, "no such option"),
        ("websocket", {"steps": [{"expect_regex": "("}]}, "expected a regular expression"),
        ("websocket", {"server_name": "a b"}, "server_name"),
        ("websocket", {"bearer": "a\r\nX: y"}, "bearer: expected visible"),
        (
            "websocket",
            {"bearer": "a", "basic_auth": {"username": "a", "password": "b"}},
            ": basic_auth and bearer",
        ),
        ("websocket", {"bearer": "a", "headers": {"authorization": "b"}}, ": bearer and auth"),
        (
            "websocket",
            {"basic_auth": {"username": "a:b", "password": "b"}},
            "expected no colon (RFC 7617)",
        ),
        ("grpc", {"metadata": {"grpc-timeout": "1S"}}, "that each check sets by itself"),
        ("grpc", {"metadata": {"Content-Type": "x"}}, "that each check sets by itself"),
        ("grpc", {"metadata": {"a*b": "x"}}, "expected a name of letters"),
        ("grpc", {"metadata": {"A": "x", "a": "y"}}, "expected each name once, found a twice"),
        ("grpc", {"server_name": "a b"}, "server_name"),
        ("grpc", {"service": "x" * 201}, "service"),
        ("websocket", {"server_name": "a.example"}, "expected it only with TLS"),
        ("grpc", {"server_name": "a.example"}, "expected it only with TLS"),
        ("grpc", {"authority": "a b"}, "authority: expected a host"),
        ("grpc", {"authority": "user@a"}, "authority: expected a host"),
        ("grpc", {"path": "/"}, "no such option"),
    ],
)
def test_what_is_wrong_is_said(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ProbeError) as raised:
        probe_of(kind, options, 80)
    assert message in f"{'.'.join(map(str, raised.value.path))}: {raised.value}"
