"""A dialogue of one's own that begins TLS: what servers do before, at, and after it."""

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from producers.engine.single_check import check_once
from producers.kinds import tls_context
from schemas.probe import Step, TcpProbe
from streams.state.policy import warn_days_of
from tests.unit.producers.kinds.test_what_came import Serve, serving

STEPS = (
    Step(send="begin\n", expect="go\n", starttls=True),
    Step(send="hello\n", expect="welcome"),
)


ENDS = datetime(2037, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`pair.pem` of localhost, and `ca.pem` of its authority."""
    made: Path = tmp_path_factory.mktemp("pair")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(made / "ca.pem")
    pair = authority.issue_cert("localhost", not_after=ENDS)
    pair.private_key_and_cert_chain_pem.write_to_path(made / "pair.pem")
    return made


@pytest.fixture(scope="module")
def settings(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "pair.pem")
    return context


@pytest.fixture
def trusted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    tls_context.context.cache_clear()
    yield
    tls_context.context.cache_clear()


def starting_tls(settings: ssl.SSLContext, said: bytes, inside: bytes = b"welcome\n") -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(said)
        await writer.start_tls(settings)
        await reader.readline()
        writer.write(inside)
        await reader.read()

    return serve


async def test_the_steps_go_on_in_tls(settings: ssl.SSLContext) -> None:
    probe = TcpProbe(steps=STEPS, verify=False)
    async with serving(starting_tls(settings, b"go\n")) as port:
        outcome = await check_once("localhost", port, "tcp", 5, probe=probe)
    assert outcome.status == "up", outcome
    assert outcome.tls_ms is not None


async def test_what_came_before_tls_is_no_answer_within_it(settings: ssl.SSLContext) -> None:
    probe = TcpProbe(steps=STEPS, verify=False)
    async with serving(starting_tls(settings, b"go\nwelcome\n", b"go away\n")) as port:
        outcome = await check_once("localhost", port, "tcp", 0.6, probe=probe)
    assert outcome.reason == "unexpected_response", outcome
    assert "step 2: expected 'welcome', found 'go away" in (outcome.detail or "")


@pytest.mark.usefixtures("trusted")
async def test_the_end_of_the_verified_chain_is_told(settings: ssl.SSLContext) -> None:
    probe = TcpProbe(steps=STEPS)
    assert warn_days_of(probe) == 14
    async with serving(starting_tls(settings, b"go\n")) as port:
        outcome = await check_once("localhost", port, "tcp", 5, probe=probe)
    assert outcome.status == "up", outcome
    assert outcome.cert_expires_at == ENDS.timestamp() * 1000


async def test_a_certificate_that_nobody_trusts(settings: ssl.SSLContext) -> None:
    async with serving(starting_tls(settings, b"go\n")) as port:
        outcome = await check_once("localhost", port, "tcp", 5, probe=TcpProbe(steps=STEPS))
    assert outcome.reason == "certificate_invalid", outcome


@pytest.mark.parametrize(
    ("after", "reason"), [(b"", "tls_failed"), (b"HTTP/1.1 400 Bad Request\r\n", "tls_failed")]
)
async def test_no_tls_after_the_answer(after: bytes, reason: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"go\n")
        await reader.read(100)
        writer.write(after)

    probe = TcpProbe(steps=STEPS, verify=False)
    async with serving(serve) as port:
        outcome = await check_once("localhost", port, "tcp", 5, probe=probe)
    assert outcome.reason == reason, outcome


async def test_silence_after_the_answer() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"go\n")
        await reader.read()

    probe = TcpProbe(steps=STEPS, verify=False)
    async with serving(serve) as port:
        outcome = await check_once("localhost", port, "tcp", 0.5, probe=probe)
    assert outcome.reason == "tls_failed", outcome
    assert "no end of the TLS handshake within 500 ms" in (outcome.detail or "")
