"""Secrets in requests of `http`: who gets them, and what is told of an answer that has them."""

import asyncio
import base64
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from urllib.parse import quote

import msgspec
import pytest

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome
from producers.engine.single_check import check_once
from tests.integration.kinds.certificates import Certificates, Pair
from tests.integration.kinds.checking import measured

_NAME = "PORTQUORUM_SECRET_KEY"
_PLACEHOLDER = f"${{{_NAME}}}"
_VALUE = "Tr0ub4dor&3=9f8e7d"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_NAME, _VALUE)
    monkeypatch.delenv(f"{_NAME}_HOSTS", raising=False)


class _Server:
    """Answers with status and body; `{request}` in it is the request. Remembers all requests."""

    def __init__(self, status: str, body: str, headers: str) -> None:
        self.status, self.body, self.headers = status, body, headers
        self.requests: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            _, _, length = head.lower().partition("content-length: ")
            body = await reader.readexactly(int(length.split()[0])) if length else b""
            self.requests.append(head + body.decode())
            said = self.body.replace("{request}", json.dumps({"echo": self.requests[-1]})).encode()
            length = f"Content-Length: {len(said)}\r\n\r\n"
            writer.write(f"HTTP/1.1 {self.status}\r\n{self.headers}{length}".encode() + said)
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def _server(
    status: str = "200 OK", body: str = "fine", headers: str = "", pair: Pair | None = None
) -> AsyncIterator[_Server]:
    tls: ssl.SSLContext | None = None
    if pair is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(pair.certificate, pair.key)
    made = _Server(status, body, headers)
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made


async def _check(port: int, host: str = "localhost", **options: object) -> CheckOutcome:
    probe = probe_of("http", options, port)
    return await measured(lambda: check_once(host, port, "http", 10, probe=probe))


def _all_ways() -> dict[str, object]:
    return {
        "method": "POST",
        "path": f"/hook/{_PLACEHOLDER}?key={_PLACEHOLDER}",
        "headers": {"X-Key": f"k {_PLACEHOLDER}"},
        "basic_auth": {"username": "someone", "password": _PLACEHOLDER},
        "json": {"token": f"{_PLACEHOLDER}"},
    }


def _no_secret_in(outcome: CheckOutcome) -> None:
    told = msgspec.json.encode(outcome).decode().lower()
    coded = base64.b64encode(f"someone:{_VALUE}".encode()).decode().lower()
    for form in (_VALUE, quote(_VALUE, safe=""), "tr0ub4", "9f8e7d", coded[12:20], coded[-10:-3]):
        assert form.lower() not in told


async def test_they_reach_the_target_and_nobody_hears_of_its_echo(
    certificates: Certificates,
) -> None:
    for status, expected in (
        ("500 No", {}),
        ("200 OK", {"expect": "nothing of it"}),
        ("200 OK", {"expect_json": "$.echo", "json_value": "1"}),
        ("200 OK", {"conditions": [{"json": "$.echo", "equals": 1}]}),
        ("200 OK", {"conditions": [{"body": True, "matches": "^never$"}]}),
    ):
        async with _server(status, "{request}", pair=certificates.good) as server:
            outcome = await _check(server.port, tls=True, **_all_ways(), **expected)
        assert outcome.status == "down", outcome
        request = server.requests[0]
        assert request.startswith(f"POST /hook/{_VALUE}?key={quote(_VALUE, safe='')} HTTP/1.1")
        assert f"X-Key: k {_VALUE}\r\n" in request
        assert base64.b64encode(f"someone:{_VALUE}".encode()).decode() in request
        assert json.loads(request.partition("\r\n\r\n")[2]) == {"token": _VALUE}
        _no_secret_in(outcome)


@pytest.mark.parametrize(
    "status", ["302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]
)
async def test_a_redirect_gives_none_to_another_origin(
    status: str, certificates: Certificates
) -> None:
    async with (
        _server(pair=certificates.good) as other,
        _server() as clear,
    ):
        for to in (
            f"https://localhost:{other.port}/a",  # another port
            f"https://127.0.0.1:{other.port}/b",  # another host
            f"http://localhost:{clear.port}/c",  # in clear
        ):
            header = f"Location: {to}\r\n"
            async with _server(status, "", header, certificates.good) as server:
                outcome = await _check(server.port, tls=True, **_all_ways())
            assert _VALUE in server.requests[0]
            _no_secret_in(outcome)
        for request in (*other.requests, *clear.requests):
            assert _VALUE not in request
            assert quote(_VALUE, safe="") not in request
            assert "uthorization" not in request
    # A body that has a secret is not sent again, whatever the status asks for.
    assert bool(other.requests) == status.startswith("302")


async def test_the_location_that_says_it_back_is_told_without_it(
    certificates: Certificates,
) -> None:
    header = f"Location: /next/{_VALUE}\r\n"
    async with _server("302 Found", "", header, certificates.good) as server:
        outcome = await _check(server.port, tls=True, bearer=_PLACEHOLDER, redirects=1)
    assert outcome.status == "down"
    assert any("***" in hop.url for hop in outcome.hops) or "***" in (outcome.detail or "")
    _no_secret_in(outcome)


@pytest.mark.parametrize("to", ["https", "http"])
async def test_a_redirect_that_says_it_back_does_not_carry_it_to_another_origin(
    to: str, certificates: Certificates
) -> None:
    """An open redirect of an honest server, and one that leaves TLS at the end of a path."""
    async with (
        _server(pair=certificates.good if to == "https" else None) as other,
        _server(pair=certificates.good) as own,
    ):
        for carried in (f"?k={quote(_VALUE)}", f"{quote(_VALUE)}/", f"x?u=%2F%3Fk%3D{_VALUE}"):
            own.status = "302 Found"
            own.headers = f"Location: {to}://localhost:{other.port}/{carried}\r\n"
            outcome = await _check(own.port, tls=True, path=f"/out?to={_PLACEHOLDER}")
            assert outcome.reason == "unexpected_response", outcome
            assert "would get a secret of the check in its URL" in (outcome.detail or "")
            _no_secret_in(outcome)
        own.headers = (
            f"Set-Cookie: last={_VALUE}; Path=/\r\nLocation: {to}://localhost:{other.port}/\r\n"
        )
        outcome = await _check(own.port, tls=True, path=f"/out?to={_PLACEHOLDER}")
        assert "in its cookies" in (outcome.detail or "")
        assert other.requests == []
        own.headers = f"Location: {to}://localhost:{other.port}/\r\n"
        assert (await _check(own.port, tls=True, path=f"/?to={_PLACEHOLDER}")).status == "up"
        assert len(other.requests) == 1


async def test_no_beginning_of_it_is_left_where_a_url_is_cut(certificates: Certificates) -> None:
    async with _server(pair=certificates.good) as server:
        place = f"https://localhost:{server.port}"
        for left in range(1, 6):
            path = "/" + "x" * (79 - len(place) - left) + _PLACEHOLDER
            outcome = await _check(server.port, tls=True, path=path)
            assert "***" in outcome.hops[0].url + "***", outcome
            assert _VALUE[:1] not in outcome.hops[0].url


async def test_it_is_not_sent_without_a_good_certificate(certificates: Certificates) -> None:
    async with _server(pair=certificates.other) as server:
        outcome = await _check(server.port, tls=True, bearer=_PLACEHOLDER)
    assert outcome.status == "down"
    assert server.requests == []


@pytest.mark.parametrize(
    "options",
    [
        {"tls": True, "headers": {"Host": "evil.example.net"}},
        {"tls": True, "server_name": "evil.example.net"},
        {"insecure": True, "proxy": "http://127.0.0.1:9"},
    ],
)
async def test_a_bound_one_goes_nowhere_else(
    options: dict[str, object], monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    monkeypatch.setenv(f"{_NAME}_HOSTS", "localhost")
    pair = certificates.good if options.get("tls") else None
    async with _server(pair=pair) as server:
        outcome = await _check(server.port, bearer=_PLACEHOLDER, **options)
    assert outcome.status != "up"
    assert server.requests == []


async def test_the_login_of_a_proxy_reaches_the_proxy_alone() -> None:
    async with _server("407 No", "{request}") as proxy:
        outcome = await _check(
            80,
            host="target.invalid",
            proxy=f"http://someone:{_PLACEHOLDER}@127.0.0.1:{proxy.port}",
            insecure=True,
        )
    assert base64.b64encode(f"someone:{_VALUE}".encode()).decode() in proxy.requests[0]
    _no_secret_in(outcome)
