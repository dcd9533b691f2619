"""`http` and `tls`, against nginx."""

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from portquorum.inventory.probes import ProbeError, probe_of
from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.engine.factory import platform_engine
from producers.engine.single_check import check_once
from producers.kinds import tls_context
from schemas.probe import HandshakeProbe, HttpProbe
from schemas.target import Target
from tests.integration.kinds.certificates import Certificates, Pair
from tests.integration.kinds.checking import assert_down, measured
from tests.integration.kinds.servers import folder, free_port, program, running

STATUS = {"state": "ok", "queues": [{"name": "a", "length": 0}, {"name": "b", "length": 7}]}

_CONFIG = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port}; server_name _;
    location / {{ return 200 "hello from $http_host $http_x_token\\n"; }}
    location /status {{ default_type application/json; return 200 '{status}'; }}
    location /broken {{ return 503 "no backend\\n"; }}
    location /secret {{ return 401; }}
    location /moved {{ return 302 /status; }}
    location /away {{ return 302 http://localhost:{port}/echo; }}
    location /echo {{ return 200 "token '$http_x_token'"; }}
    location /metadata {{ return 302 http://169.254.169.254/latest/; }}
    location /elsewhere {{ return 302 gopher://localhost/; }}
    location /round {{ return 301 /round; }}
    location /large {{ alias {folder}/large; }}
    location /secure {{ return 302 https://localhost:{good}/; }}
    location /expired {{ return 302 https://localhost:{expired}/; }}
  }}
  server {{ listen 127.0.0.1:{good} ssl; ssl_certificate {pair.good.certificate};
    ssl_certificate_key {pair.good.key}; ssl_protocols TLSv1.2 TLSv1.3;
    location / {{ return 200 "fine"; }} }}
  server {{ listen 127.0.0.1:{expired} ssl; ssl_certificate {pair.expired.certificate};
    ssl_certificate_key {pair.expired.key}; location / {{ return 200 "fine"; }} }}
  server {{ listen 127.0.0.1:{other} ssl; ssl_certificate {pair.other.certificate};
    ssl_certificate_key {pair.other.key}; ssl_protocols TLSv1.2; }}
}}
"""


class Web(msgspec.Struct, frozen=True):
    port: int
    good: int
    expired: int
    other: int
    pair: Pair
    ended_ms: int


@pytest.fixture(scope="module")
def web(made_certificates: Certificates) -> Iterator[Web]:
    nginx = program("nginx")
    ports = [free_port() for _ in range(4)]
    made = Web(*ports, made_certificates.good, made_certificates.expired.until_ms)
    with folder("www-data") as home:
        (home / "large").write_bytes(b"x" * 3_000_000 + b"the end")
        named = dict(zip(("port", "good", "expired", "other"), ports, strict=True))
        text = _CONFIG.format(
            folder=home, status=json.dumps(STATUS), pair=made_certificates, **named
        )
        (home / "nginx.conf").write_text(text)
        command = [nginx, "-c", str(home / "nginx.conf"), "-p", str(home)]
        with running(command, made.other, home / "log"):
            yield made


@pytest.fixture(autouse=True)
def trusted(certificates: Certificates) -> Certificates:
    return certificates


async def http(port: int, **probe: Any) -> CheckOutcome:
    found = probe_of("http", probe, port)
    return await measured(lambda: check_once("localhost", port, "http", 10, probe=found))


async def tls(port: int, host: str = "localhost", **probe: Any) -> CheckOutcome:
    found = probe_of("tls", probe, port)
    return await measured(lambda: check_once(host, port, "tls", 10, probe=found))


async def test_an_answer_is_up_and_every_phase_is_told(web: Web) -> None:
    outcome = await http(web.port)
    assert (outcome.status, outcome.reason, outcome.http_status) == ("up", None, 200)
    assert outcome.dns_ms is not None
    assert outcome.connect_ms is not None
    assert outcome.tls_ms is outcome.cert_expires_at is None
    assert outcome.total_ms is not None
    assert outcome.total_ms > outcome.dns_ms + outcome.connect_ms
    outcome = await http(web.good, tls=True)
    assert (outcome.status, outcome.http_status) == ("up", 200)
    assert outcome.tls_ms is not None
    assert outcome.cert_expires_at == web.pair.until_ms


@pytest.mark.parametrize(
    "probe",
    [
        {"method": "HEAD"},
        {"path": "/broken", "status": [500, 503]},
        {"path": "/secret", "status": [401]},
        {"path": "/moved", "expect": '"state": "ok"'},
        {"path": "/moved", "redirects": 0, "status": [302]},
        {"path": "/moved", "status": [302], "expect_headers": {"Location": "/status$"}},
        {"headers": {"X-Token": "abc"}, "expect_regex": r"^hello from localhost:\d+ abc\n"},
        {"headers": {"Host": "www.example.com"}, "expect": "hello from www.example.com"},
        {"path": "/status", "expect_headers": {"content-type": "^application/json"}},
        {"path": "/status", "expect_json": "$.queues[?@.length > 5]"},
        {"path": "/status", "expect_json": "$.state", "json_value": '"ok"'},
        {"path": "/status", "expect_json": "$.queues[*].length", "json_value": "7"},
        {"path": "/broken", "status": ["200-299", "500-503"]},
        {"path": "/moved", "status": ["200-399"], "expect": '"state": "ok"'},
        {
            "path": "/status",
            "conditions": [
                {"json": "$.state", "any_of": ["ok", "fine"]},
                {"json": "$.queues[?@.length > 100]", "length": True, "equals": 0},
                {"json": "$.queues", "length": True, "at_least": 2},
                {"json": "$.errors", "exists": True, "not": True},
                {"header": "content-type", "equals": "application/json"},
                {"header": "x-powered-by", "exists": True, "not": True},
                {"body": True, "contains": "error", "not": True},
                {"body": True, "contains": '"state": "ok"'},
                {"body": True, "matches": "^[{].*[}]$"},
                {"body": True, "length": True, "less_than": 200},
            ],
        },
        {
            "path": "/broken",
            "status": [503],
            "conditions": [{"body": True, "equals": "no backend"}],
        },
        {"path": "/large"},
        {"path": "/large", "expect": "xxx"},
        {"path": "/large", "conditions": [{"body": True, "contains": "xxx"}]},
        {"path": "/secure", "expect": "fine"},
    ],
    ids=str,
)
async def test_what_is_asked_for_is_up(web: Web, probe: dict[str, Any]) -> None:
    outcome = await http(web.port, **probe)
    assert (outcome.status, outcome.detail) == ("up", None)


@pytest.mark.parametrize(
    ("probe", "reason", "detail"),
    [
        ({"path": "/broken"}, "unexpected_response", "the status 200 to 299, found 503"),
        ({"status": [204]}, "unexpected_response", "expected the status 204, found 200"),
        ({"path": "/moved", "redirects": 0}, "unexpected_response", "200 to 299, found 302"),
        ({"path": "/round"}, "unexpected_response", "more than 5 redirects, the last one to"),
        ({"path": "/elsewhere"}, "unexpected_response", "no URL of HTTP: gopher://localhost/"),
        ({"expect": "goodbye"}, "unexpected_response", "expected 'goodbye', found 'hello from"),
        ({"expect_regex": "^bye"}, "unexpected_response", "expected a match of '^bye', found"),
        ({"expect_headers": {"x-a": "b"}}, "unexpected_response", "header x-a: expected a match"),
        ({"expect_json": "$.a"}, "unexpected_response", "expected JSON, found 'hello"),
        (
            {"path": "/status", "expect_json": "$.nothing"},
            "unexpected_response",
            "$.nothing finds nothing",
        ),
        ({"status": ["201-204", 401]}, "unexpected_response", "201 to 204, 401, found 200"),
        (
            {"path": "/status", "conditions": [{"json": "$.queues[*].length", "more_than": 7}]},
            "unexpected_response",
            "body: $.queues[*].length: expected more than 7, found 0, 7",
        ),
        (
            {"conditions": [{"header": "server", "contains": "nginx", "not": True}]},
            "unexpected_response",
            "header server: expected no text with 'nginx', found 'nginx",
        ),
        (
            {"conditions": [{"body": True, "contains": "hello", "not": True}]},
            "unexpected_response",
            "body: expected no text with 'hello', found 'hello from",
        ),
        (
            {"path": "/large", "conditions": [{"body": True, "contains": "end", "not": True}]},
            "unexpected_response",
            "body: expected the whole of it (body: no text with 'end'), found more than 9",
        ),
        (
            {"path": "/status", "expect_json": "$.state", "json_value": '"bad"'},
            "unexpected_response",
            '$.state: expected "bad", found ["ok"]',
        ),
        ({"path": "/large", "expect": "the end"}, "unexpected_response", "expected 'the end'"),
        ({"path": "/expired"}, "certificate_expired", "certificate has expired"),
    ],
    ids=str,
)
async def test_what_is_not_is_down_and_says_so(
    web: Web, probe: dict[str, Any], reason: str, detail: str
) -> None:
    assert_down(await http(web.port, **probe), reason, detail)


async def test_each_request_has_phases_of_its_own(web: Web) -> None:
    outcome = await http(web.port, path="/secure", expect="fine")
    first, second = outcome.hops
    assert (first.status, first.url) == (302, f"http://localhost:{web.port}/secure")
    assert (second.status, second.url) == (200, f"https://localhost:{web.good}/")
    assert first.tls_ms is None
    assert second.tls_ms == outcome.tls_ms
    assert first.connect_ms is not None
    assert second.connect_ms is not None
    assert outcome.connect_ms == pytest.approx(first.connect_ms + second.connect_ms)
    assert first.dns_ms is not None
    assert second.dns_ms is None  # known from the first
    spans = [
        (hop.dns_ms, hop.connect_ms, hop.tls_ms, hop.wait_ms, hop.body_ms)
        for hop in (first, second)
    ]
    assert outcome.total_ms is not None
    assert 0 < sum(span or 0 for one in spans for span in one) <= outcome.total_ms


async def test_a_header_is_not_carried_to_another_host(web: Web) -> None:
    """They may have credentials; 127.0.0.1 and localhost are two hosts."""
    probe = {"path": "/away", "headers": {"X-Token": "secret"}, "expect": "token ''"}
    found = probe_of("http", probe, web.port)
    outcome = await check_once("127.0.0.1", web.port, "http", 10, probe=found)
    assert (outcome.status, outcome.detail) == ("up", None)


async def test_where_a_redirect_leads_is_judged_by_the_guard(web: Web) -> None:
    engine = platform_engine(Vantage(allow=("127.0.0.0/8", "::1")))
    target = Target(
        id="t",
        name="t",
        kind="http",
        host="localhost",
        port=web.port,
        regions=("r",),
        interval_ms=60_000,
        timeout_ms=5_000,
        version=1,
        source="test",
        probe=probe_of("http", {"path": "/metadata"}, web.port),
    )
    outcomes: list[CheckOutcome] = []
    with contextlib.closing(engine):
        engine.submit(PlannedCheck(target, 0.0, 0, "schedule"), lambda _, one: outcomes.append(one))
        while not outcomes:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (outcomes[0].status, outcomes[0].reason) == ("missed", "address_blocked")
    assert outcomes[0].address == "169.254.169.254"


async def test_http_to_a_port_with_tls_and_the_other_way_round(web: Web) -> None:
    assert_down(await http(web.good, tls=False), "unexpected_response", "found 400")
    assert_down(await http(web.port, tls=True), "tls_failed", "TLS: ")


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        ({"path": "status"}, "status"),
        ({"expect_regex": "("}, "regular expression"),
        ({"expect_json": "$["}, "JSONPath"),
        ({"expect_json": "$.a", "json_value": "ok"}, "JSON value"),
        ({"json_value": "1"}, "expect_json beside"),
        ({"method": "HEAD", "expect": "x"}, "HEAD has none"),
        ({"method": "post"}, "a method in capital letters"),
        ({"method": "CONNECT"}, "found CONNECT"),
        ({"body": "a", "json": 1}, "one of body and json, found both"),
        ({"bearer": "a b"}, "bearer: expected visible characters"),
        (
            {"bearer": "a", "basic_auth": {"username": "a", "password": "b"}},
            "basic_auth and bearer",
        ),
        ({"bearer": "a", "headers": {"authorization": "x"}}, "bearer and authorization"),
        ({"basic_auth": {"username": "a:b", "password": "c"}}, "username: expected no colon"),
        ({"basic_auth": {"username": "a", "password": "b\n"}}, "no control characters"),
        ({"proxy": "proxy.example.com:3128"}, "proxy: expected http://[user:password@]host:port"),
        ({"proxy": "https://proxy.example.com:3128"}, "proxy: expected http://"),
        ({"proxy": "http://proxy.example.com"}, "proxy: expected http://"),
        ({"proxy": "http://a:secret@p.test:0"}, "proxy: expected a port from 1 to 65535, found 0"),
        ({"proxy": "http://300.1.1.1:3128"}, "proxy: expected an IP address of four numbers"),
        ({"headers": {"Proxy-Authorization": "x"}}, "Proxy-Authorization"),
        ({"server_name": "a.test"}, "server_name: expected it only with TLS"),
        ({"server_name": "a b", "tls": True}, "server_name: "),
        (
            {"client_certificate": {"certificate": "a", "key": "b"}},
            "client_certificate: expected it only with TLS",
        ),
        ({"headers": {"a b": "c"}}, "no blanks, found 'a b'"),
        ({"headers": {"a": "b", "c": "d\n"}}, "('headers', 'c') expected values of headers"),
        ({"headers": {"a": "b\r\nc: d"}}, "headers"),
        ({"headers": {"Connection": "Upgrade"}}, "one of the connection, which each check sets"),
        ({"headers": {"transfer-encoding": "chunked"}}, "transfer-encoding"),
        ({"headers": {"Content-Length": "5"}}, "Content-Length"),
        ({"headers": {"UPGRADE": "websocket"}}, "UPGRADE"),
        ({"headers": {"TE": "trailers"}}, "TE"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "each header once, found X-A and x-a"),
        ({"headers": {"Authorization": "Bearer ${TOKEN}"}}, "found ${TOKEN}: no other"),
        ({"path": "/${PATH}"}, "found ${PATH}: no other variable"),
        ({"path": "/page#part"}, "path without a fragment"),
        ({"expect": "${NAME:-x}"}, "found the variable ${NAME}"),
        ({"expect_json": "$.a", "json_value": "NaN"}, "NaN is no number of JSON"),
    ],
    ids=str,
)
def test_wrong_options_are_refused(probe: dict[str, Any], message: str) -> None:
    with pytest.raises(ProbeError) as found:
        probe_of("http", probe, 80)
    assert message in f"{found.value.path} {found.value}"


@pytest.mark.parametrize("option", ["server_name", "critical_days", "warn_days"])
def test_an_option_for_certificates_needs_tls(option: str) -> None:
    value = "mx.example.com" if option == "server_name" else 5
    for written in ({option: value}, {option: value, "tls": "none"}):
        with pytest.raises(ProbeError, match="only with TLS") as found:
            probe_of("smtp", written, 25)
        assert found.value.path == (option,)
    assert probe_of("smtp", {option: value}, 465) == HandshakeProbe(
        tls="implicit", **{option: value}
    )


@pytest.mark.parametrize(
    ("kind", "probe"),
    [
        ("tcp", {"steps": [{"send": "PING"}, {"expect": "AUTH ${TOKEN}\r\n"}]}),
        ("udp", {"send": "a", "expect": "${TOKEN}"}),
        ("tls", {"server_name": "${HOST}"}),
        ("smtp", {"tls": "implicit", "server_name": "${HOST}"}),
        ("dns", {"name": "${NAME}.example"}),
        ("http", {"expect_headers": {"server": "${SERVER}"}}),
    ],
)
def test_a_variable_that_nothing_replaces_is_refused(kind: str, probe: dict[str, Any]) -> None:
    with pytest.raises(ProbeError, match=r"the variable \$\{[A-Z]+\}, which nothing"):
        probe_of(kind, probe, 1)


@pytest.mark.parametrize(
    "probe",
    [
        {"headers": {"Host": "www.example.com", "X-A": "$5 {a} $(b) $c"}},
        {"expect_regex": r"\$\{NAME\}$"},
        {"expect_json": "$.a[?@.b]"},
    ],
)
def test_a_dollar_is_a_dollar(probe: dict[str, Any]) -> None:
    assert probe_of("http", probe, 80) is not None


async def test_a_target_from_before_its_headers_were_refused_is_still_checked(web: Web) -> None:
    headers = {"Connection": "Upgrade", "content-length": "5", "X-Token": "abc"}
    probe = HttpProbe(tls=False, headers=headers, expect="abc")
    outcome = await check_once("localhost", web.port, "http", 10, probe=probe)
    assert (outcome.status, outcome.detail) == ("up", None)


# tls


async def test_a_certificate_that_holds_is_up(web: Web) -> None:
    outcome = await tls(web.good)
    assert (outcome.status, outcome.reason, outcome.banner) == ("up", None, "TLSv1.3")
    assert outcome.cert_expires_at == web.pair.until_ms
    assert outcome.tls_ms is not None
    assert (await tls(web.good, "127.0.0.1", server_name="localhost")).status == "up"


async def test_a_broken_renewal_on_one_port_shows_while_the_other_is_fine(web: Web) -> None:
    """One host, two targets: as on 587 and 443."""
    fine, broken = await tls(web.good), await tls(web.expired)
    assert fine.status == "up"
    assert_down(broken, "certificate_expired", "certificate has expired: it was valid until 20")
    assert broken.connect_ms is not None
    assert broken.cert_expires_at == web.ended_ms


async def test_what_is_wrong_with_a_certificate_is_told(web: Web) -> None:
    another = await tls(web.other)
    assert_down(another, "certificate_invalid", "Hostname mismatch")
    assert another.cert_expires_at == web.pair.until_ms
    assert (await tls(web.other, verify=False)).status == "up"
    assert (await tls(web.other, server_name="other.example.com")).status == "up"
    too_soon = await tls(web.good, critical_days=30)
    assert_down(too_soon, "certificate_ending", "days, less than 30 days")
    soon = await tls(web.good, warn_days=30)
    assert (soon.status, soon.reason) == ("up", None)
    assert soon.detail is not None
    assert soon.detail.endswith("days, less than 30 days")
    soon = await http(web.good, tls=True, warn_days=30)
    assert (soon.status, soon.detail is not None) == ("up", True)
    assert_down(
        await tls(web.other, verify=False, min_version="1.3"),
        "tls_failed",
        "expected TLSv1.3 or later, found TLSv1.2",
    )


@contextlib.asynccontextmanager
async def secured(pair: Pair, connections: int) -> AsyncIterator[int]:
    """A server that does TLS on so many connections, and says nothing on any later one."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    left = [connections]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left[0] -= 1
        with contextlib.suppress(OSError):
            if left[0] >= 0:
                await writer.start_tls(context)
            await reader.read()
        writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_second_connection_that_says_nothing_changes_nothing(
    made_certificates: Certificates,
) -> None:
    """It is made for the expiry alone: reason, times and deadline are those of the first."""
    probe = probe_of("tls", {}, 1)
    async with secured(made_certificates.expired, connections=1) as port:
        began = time.monotonic()
        outcome = await check_once("127.0.0.1", port, "tls", 1, probe=probe)
        took_ms = (time.monotonic() - began) * 1000
    assert_down(outcome, "certificate_expired", "certificate has expired")
    assert outcome.cert_expires_at is None
    assert outcome.connect_ms is not None
    assert outcome.total_ms is not None
    # Four fifths of what was left went by after it.
    assert took_ms >= outcome.total_ms + 0.8 * (1000 - outcome.total_ms)


async def test_a_certificate_without_an_end_is_one_that_a_result_can_tell(
    made_certificates: Certificates,
) -> None:
    """RFC 5280 has the year 9999 for it, and a result goes to 2286."""
    async with secured(made_certificates.endless, connections=3) as port:
        outcome = await tls(port)
        unknown = await tls(port, server_name="other.example.com")
    assert outcome.status == "up"
    assert outcome.cert_expires_at == unknown.cert_expires_at == 9_999_999_999_999
    assert unknown.reason == "certificate_invalid"


async def test_without_authorities_nothing_is_measured(
    web: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "none.pem").write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    tls_context.context.cache_clear()
    outcome = await tls(web.good)
    assert (outcome.status, outcome.reason) == ("missed", "prober_error")
    assert "certificates of authorities" in (outcome.detail or "")


async def test_a_port_without_tls(web: Web) -> None:
    expected = "does not speak TLS there, it sent 'HTTP/1.1 400 Bad Request"
    assert_down(await tls(web.port), "tls_failed", expected)
