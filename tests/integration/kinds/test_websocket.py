"""The kind `websocket` at the library ws in Node.js, directly and behind nginx."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from tests.integration.kinds.certificates import Certificates
from tests.integration.kinds.checking import assert_down, assert_up, measured
from tests.integration.kinds.servers import folder, free_port, program, running
from tests.toolchains import node_program

SOURCE = Path(__file__).parent / "foreign" / "websocket_node"
NGINX = """daemon off; pid {path}/pid; error_log stderr; worker_processes 1;
events {{}}
http {{ access_log off; client_body_temp_path {path}/t1; proxy_temp_path {path}/t2;
fastcgi_temp_path {path}/t3; uwsgi_temp_path {path}/t4; scgi_temp_path {path}/t5;
proxy_http_version 1.1; proxy_set_header Host $host;
server {{ listen 127.0.0.1:{port};
  location / {{ proxy_pass http://127.0.0.1:{behind};
    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; }}
  location /without {{ proxy_pass http://127.0.0.1:{behind}; }}
  location /dead {{ proxy_pass http://127.0.0.1:{dead};
    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; }} }}
server {{ listen 127.0.0.1:{secure} ssl http2;
  ssl_certificate {certificate}; ssl_certificate_key {key};
  location / {{ proxy_pass http://127.0.0.1:{behind};
    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; }} }} }}
"""


async def websocket(port: int, timeout_s: float = 10, **probe: Any) -> CheckOutcome:
    found = probe_of("websocket", probe, port)
    return await measured(
        lambda: check_once("127.0.0.1", port, "websocket", timeout_s, probe=found)
    )


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    path, port = tmp_path_factory.mktemp("node"), free_port()
    command = node_program(SOURCE, path, "server.mjs")
    with running([*command, str(port)], port, path / "log"):
        yield port, path / "log"


@pytest.fixture(scope="module")
def port(node: tuple[int, Path]) -> int:
    return node[0]


@pytest.fixture(scope="module")
def secure_port(
    made_certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    path, port = tmp_path_factory.mktemp("node"), free_port()
    command = node_program(SOURCE, path, "server.mjs")
    good = made_certificates.good
    with running([*command, str(port), str(good.certificate), str(good.key)], port, path / "log"):
        yield port


@pytest.fixture(scope="module")
def proxies(port: int, made_certificates: Certificates) -> Iterator[tuple[int, int]]:
    plain, secure = free_port(), free_port()
    good = made_certificates.good
    with folder() as path:
        config = path / "nginx.conf"
        config.write_text(
            NGINX.format(
                path=path,
                port=plain,
                secure=secure,
                behind=port,
                dead=free_port(),
                certificate=good.certificate,
                key=good.key,
            )
        )
        command = [program("nginx"), "-c", str(config), "-e", "stderr"]
        with running(command, plain, path / "log"):
            yield plain, secure


async def test_the_upgrade_alone(port: int) -> None:
    outcome = await websocket(port)
    assert_up(outcome)
    assert outcome.http_status == 101
    assert outcome.banner is None


async def test_messages(port: int) -> None:
    steps = [
        {"expect": "hello"},
        {"send": "one – ü"},
        {"send": "two", "expect_regex": "^two$"},
        {"send_hex": "00 01 ff", "expect_hex": "01 ff"},
        {"send": "binary", "expect_hex": "00 ff 10"},
        {"send": "ping", "expect": "pong 42"},
        {"send": "large 300000", "expect": "x!"},
    ]
    outcome = await websocket(port, steps=steps)
    assert_up(outcome)
    assert outcome.banner == "hello"


async def test_an_expression_beyond_ascii(port: int) -> None:
    steps = [{"send": "käse 正常", "expect_regex": "^käse 正.$"}]
    assert_up(await websocket(port, steps=steps))


async def test_each_message_is_looked_at_by_itself_and_once(port: int) -> None:
    steps = [{"send": "one"}, {"send": "two", "expect": "two"}, {"expect": "one"}]
    outcome = await websocket(port, timeout_s=0.5, steps=steps)
    assert_down(outcome, "unexpected_response", "step 3: expected a message with 'one', found none")
    outcome = await websocket(port, timeout_s=0.5, steps=[{"expect_regex": "hel.*bye"}])
    assert_down(outcome, "unexpected_response", "found 'hello') within 500 ms")


async def test_the_request_has_what_was_written(port: int) -> None:
    headers = {"Origin": "https://example.com", "X-One": "1", "User-Agent": "other"}
    outcome = await websocket(
        port,
        path="/a?b=c",
        headers=headers,
        steps=[{"send": "request"}, {"expect": '"url":"/a?b=c"'}],
    )
    assert_up(outcome)
    for text in ('"origin":"https://example.com"', '"x-one":"1"', '"user-agent":"other"'):
        steps = [{"send": "request", "expect": text}]
        assert_up(await websocket(port, headers=headers, steps=steps))


async def test_subprotocols(port: int) -> None:
    outcome = await websocket(port, subprotocols=["chat.v3", "chat.v2"])
    assert_up(outcome)
    assert outcome.banner == "subprotocol chat.v2"
    outcome = await websocket(port, subprotocols=["chat.v1"])
    assert_down(
        outcome,
        "unexpected_response",
        "expected one of the subprotocols chat.v1, found none",
    )


async def test_logins(port: int) -> None:
    outcome = await websocket(port, path="/login")
    assert_down(
        outcome,
        "unexpected_response",
        "expected the status 101 (Switching Protocols), found 401 (Unauthorized): 'who are you?'",
    )
    assert outcome.http_status == 401
    basic = {"username": "user", "password": "pässword"}
    assert_up(await websocket(port, path="/login", basic_auth=basic, insecure=True))
    assert_up(await websocket(port, path="/login", bearer="open-sesame", insecure=True))


async def test_a_secret_is_sent_and_never_told(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTQUORUM_SECRET_WORD", "open-sesame")
    placed = "${PORTQUORUM_SECRET_WORD}"
    assert_up(await websocket(port, path="/login", bearer=placed, insecure=True))
    # The server sends back what it got, which is the banner, or stands in the detail.
    steps = [{"send": f"say {placed}", "expect_regex": "^say"}]
    outcome = await websocket(port, headers={"X-Key": placed}, steps=steps, insecure=True)
    assert_up(outcome)
    assert (outcome.banner or "").startswith("say ")
    for steps in (
        [{"send": f"say {placed}", "expect": "other"}],
        [{"send": "request", "expect": "other"}],
        [{"send": f"close 1008 {placed}", "expect": "other"}],
    ):
        told = await websocket(
            port, timeout_s=0.5, headers={"X-Key": placed}, steps=steps, insecure=True
        )
        assert_down(told, "unexpected_response", "step 1: expected a message with 'other'")
        assert "open-sesame" not in f"{outcome.banner} {told.banner} {told.detail}"
    monkeypatch.delenv("PORTQUORUM_SECRET_WORD")
    missing = await websocket(port, bearer=placed, insecure=True)
    assert (missing.status, missing.reason) == ("missed", "secret_missing")


async def test_an_origin_that_the_server_wants(port: int) -> None:
    outcome = await websocket(port, path="/origin")
    assert_down(outcome, "unexpected_response", "headers: {Origin: …}")
    headers = {"Origin": "https://example.com"}
    assert_up(await websocket(port, path="/origin", headers=headers))
    outcome = await websocket(port, path="/origin", headers={"origin": "https://example.org"})
    assert_down(outcome, "unexpected_response", "found 403 (Forbidden)")
    assert "headers:" not in (outcome.detail or "")


async def test_a_redirect_is_not_followed(port: int) -> None:
    outcome = await websocket(port, path="/moved")
    assert_down(
        outcome,
        "unexpected_response",
        "found 302 (Found): a redirect to wss://example.com/there, which a client of WebSocket",
    )
    assert "abc" not in (outcome.detail or "")


async def test_a_server_at_its_limit(port: int) -> None:
    assert_down(await websocket(port, path="/full"), "too_many_connections", "503")
    steps = [{"send": "close 1013 too many connections", "expect": "x"}]
    outcome = await websocket(port, steps=steps)
    assert_down(outcome, "too_many_connections", "1013 (try again later): 'too many connections'")


async def test_a_server_that_closes_in_place_of_the_message(port: int) -> None:
    steps = [{"send": "close 1008 not you", "expect": "welcome"}]
    outcome = await websocket(port, steps=steps)
    assert_down(
        outcome,
        "unexpected_response",
        "closed by the server with 1008 (policy violation): 'not you'; step 1: expected a message "
        "with 'welcome', found 'hello'",
    )
    outcome = await websocket(port, steps=[{"send": "close 4401", "expect": "x"}])
    assert_down(outcome, "unexpected_response", "closed by the server with 4401; step 1")
    outcome = await websocket(port, steps=[{"send": "terminate", "expect": "x"}])
    assert outcome.status == "down"
    assert outcome.reason in {"unexpected_response", "connection_reset"}


async def test_the_server_hears_a_goodbye(node: tuple[int, Path]) -> None:
    port, log = node
    before = len(log.read_text().splitlines())
    assert_up(await websocket(port))
    # A check that fails in the middle says so, too.
    await websocket(port, steps=[{"send": "large 1000000", "expect": "not there"}])
    deadline = time.monotonic() + 5
    while len(told := log.read_text().splitlines()[before:]) < 2:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    assert told == ["closed 1000", "closed 1000"]


async def test_in_tls(secure_port: int, certificates: Certificates) -> None:
    outcome = await websocket(secure_port, tls=True, steps=[{"expect": "hello"}])
    assert_up(outcome, tls=True)
    assert outcome.cert_expires_at == certificates.good.until_ms
    outcome = await websocket(secure_port, tls=True, critical_days=30)
    assert_down(outcome, "certificate_ending", "days")
    outcome = await websocket(secure_port, tls=True, server_name="other.example.com")
    assert_down(outcome, "certificate_invalid", "other.example.com")
    assert_up(
        await websocket(secure_port, tls=True, verify=False, server_name="other.example.com"),
        tls=True,
    )
    plain = await websocket(secure_port, timeout_s=1)
    assert_down(plain, "protocol_mismatch", "closed by the server")


async def test_tls_at_a_server_without_it(port: int) -> None:
    assert_down(await websocket(port, tls=True), "tls_failed", "does not speak TLS")


@pytest.mark.usefixtures("certificates")
async def test_behind_nginx(proxies: tuple[int, int]) -> None:
    plain, secure = proxies
    steps = [{"expect": "hello"}, {"send": "one", "expect": "one"}]
    assert_up(await websocket(plain, steps=steps))
    # A server that has HTTP/2, too: a WebSocket is asked for over HTTP/1.1.
    assert_up(await websocket(secure, tls=True, steps=steps), tls=True)
    assert_down(
        await websocket(plain, path="/dead"), "unexpected_response", "found 502 (Bad Gateway)"
    )
    outcome = await websocket(plain, path="/without")
    assert_down(outcome, "unexpected_response", "found 200 (OK): 'a page'")
    assert_down(await websocket(secure), "unexpected_response", "found 400 (Bad Request)")
