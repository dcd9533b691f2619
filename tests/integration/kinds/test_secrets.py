"""Secrets of checks on the wire: who gets them, and what is told of an answer that echoes them."""

import asyncio
import base64
import contextlib
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

_NAME = "PORTQUORUM_SECRET_LINE"
_PLACEHOLDER = f"${{{_NAME}}}"
_VALUE = "Tr0ub4dor &3 = passé"
_LINE = f"LOGIN {_PLACEHOLDER}\n"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_NAME, _VALUE)
    monkeypatch.delenv(f"{_NAME}_HOSTS", raising=False)


class _Echo:
    """A server that answers each line with `answer`, in which `{line}` is the line."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.heard: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            async for line in reader:
                self.heard.append(line.decode())
                said = line.decode().strip().removeprefix("LOGIN ")
                coded = base64.b64encode(f"me:{said}".encode()).decode()
                writer.write(
                    self.answer.format(line=said, quoted=quote(said), coded=coded).encode()
                )
                await writer.drain()
                break
        writer.close()


@contextlib.asynccontextmanager
async def _echo(answer: str, pair: Pair | None = None) -> AsyncIterator[_Echo]:
    tls: ssl.SSLContext | None = None
    if pair is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(pair.certificate, pair.key)
    echo = _Echo(answer)
    async with await asyncio.start_server(echo.serve, "127.0.0.1", 0, ssl=tls) as server:
        echo.port = server.sockets[0].getsockname()[1]
        yield echo


async def _check(port: int, *, expect: str = "welcome", **options: object) -> CheckOutcome:
    written = {"steps": [{"send": _LINE, "expect": expect}], **options}
    probe = probe_of("tcp", written, port)
    return await measured(lambda: check_once("localhost", port, "tcp", 10, probe=probe))


def _no_secret_in(outcome: CheckOutcome) -> None:
    told = msgspec.json.encode(outcome).decode()
    coded = base64.b64encode(_VALUE.encode()).decode()
    for form in (_VALUE, quote(_VALUE), "Tr0ub4", "passé", "pass\\u", coded[4:12]):
        assert form not in told


async def test_it_reaches_the_server_as_it_is(certificates: Certificates) -> None:
    async with _echo("welcome", certificates.good) as echo:
        outcome = await _check(echo.port, tls="implicit")
    assert (outcome.status, outcome.detail) == ("up", None)
    assert echo.heard == [f"LOGIN {_VALUE}\n"]


@pytest.mark.parametrize(
    "answer",
    [
        "no such user: {line}",
        "500 {quoted}",
        "Authorization: Basic {coded}",
        "welcome, {line}",
        "x" * 70 + "{line}",  # our own cut at 80 characters splits it
    ],
)
async def test_an_echo_of_it_is_told_without_it(answer: str, certificates: Certificates) -> None:
    async with _echo(answer, certificates.good) as echo:
        outcome = await _check(echo.port, tls="implicit")
    assert echo.heard == [f"LOGIN {_VALUE}\n"]
    assert "***" in f"{outcome.detail} {outcome.banner}" or answer.startswith("welcome")
    _no_secret_in(outcome)


async def test_it_is_not_sent_to_a_server_without_a_good_certificate(
    certificates: Certificates,
) -> None:
    async with _echo("welcome", certificates.other) as echo:
        outcome = await _check(echo.port, tls="implicit")
    assert outcome.status == "down"
    assert echo.heard == []


async def test_in_clear_it_goes_with_insecure_alone() -> None:
    async with _echo("welcome {line}") as echo:
        outcome = await _check(echo.port, insecure=True)
    assert outcome.status == "up"
    assert echo.heard == [f"LOGIN {_VALUE}\n"]
    _no_secret_in(outcome)


async def test_one_that_is_not_set_is_missed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(_NAME)
    async with _echo("welcome") as echo:
        outcome = await _check(echo.port, insecure=True)
    assert (outcome.status, outcome.reason) == ("missed", "secret_missing")
    assert outcome.detail == f"{_NAME} is not set in this prober's environment"
    assert echo.heard == []


async def test_one_for_other_hosts_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{_NAME}_HOSTS", "api.example.com")
    async with _echo("welcome") as echo:
        outcome = await _check(echo.port, insecure=True)
    assert (outcome.status, outcome.reason) == ("missed", "secret_missing")
    assert (outcome.detail or "").startswith(f"{_NAME} is not for host localhost")
    assert echo.heard == []


async def test_the_text_of_an_unforeseen_error_has_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake of ours whose error quotes what was sent: neither outcome nor log shows it."""

    async def broken(_: object, data: bytes) -> None:
        raise RuntimeError(f"could not send {data!r}")

    monkeypatch.setattr("producers.kinds.connection.Connection.send", broken)
    async with _echo("welcome") as echo:
        outcome = await _check(echo.port, insecure=True)
    assert outcome.reason == "prober_error"
    assert "RuntimeError" in (outcome.detail or "")
    _no_secret_in(outcome)
    assert "Tr0ub4" not in caplog.text
