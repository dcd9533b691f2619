"""What the engine of tasks keeps, against servers on loopback that say what they are told to."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import structlog

from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.checks.resolved_address import Address
from producers.checks.resolver import Lookup, Resolver
from producers.engine.factory import platform_engine
from producers.engine.single_check import check_once
from producers.engine.task_engine import TaskEngine
from producers.kinds.check_context import CheckContext
from producers.kinds.kind import Kind
from producers.kinds.registry import KINDS
from schemas.probe import HandshakeProbe, Step, TcpProbe, UdpProbe
from schemas.target import Target

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[int]:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def saying(text: bytes, *, then_silent: bool = False) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()
        if then_silent:
            await reader.read()

    return serve


async def smtp(port: int, timeout_s: float = 5) -> CheckOutcome:
    return await check_once("127.0.0.1", port, "smtp", timeout_s, probe=HandshakeProbe())


@pytest.mark.parametrize(
    ("said", "reason", "detail"),
    [
        (b"SSH-2.0-x\r\n", "protocol_mismatch", "expected the SMTP greeting, found 'SSH-2.0-x'"),
        (b"", "protocol_mismatch", "closed by the server without SMTP greeting"),
        (b"\0\0\0\0", "protocol_mismatch", "expected the SMTP greeting"),
        (b"x" * 70_000, "protocol_mismatch", "expected the SMTP greeting, found 'xxx"),
        (b"554 go away\r\n", "unexpected_response", "SMTP: 554 go away"),
        (b"421 too many of you\r\n", "too_many_connections", "SMTP: too many of you"),
        (b"220 a\r\n421 tired\r\n", "unexpected_response", "SMTP: 421 tired"),
        (b"220 a\r\nwhat?\r\n", "unexpected_response", "expected the SMTP answer to EHLO, found"),
        (b"220 a\r\n250-b\r\n", "unexpected_response", "closed by the server after '250-b'"),
    ],
)
async def test_what_is_no_smtp_says_so(said: bytes, reason: str, detail: str) -> None:
    async with serving(saying(said)) as port:
        outcome = await smtp(port)
    assert (outcome.status, outcome.reason) == ("down", reason)
    assert outcome.detail is not None
    assert detail in outcome.detail
    assert outcome.connect_ms is not None
    assert outcome.address == "127.0.0.1"


@pytest.mark.parametrize(
    ("said", "reason", "detail"),
    [
        (b"", "no_answer", "127.0.0.1: no SMTP greeting within 300 ms"),
        (b"220 a\r\n", "unexpected_response", "127.0.0.1: no SMTP answer to EHLO within 300 ms"),
    ],
)
async def test_silence_is_told_by_what_did_not_come(said: bytes, reason: str, detail: str) -> None:
    async with serving(saying(said, then_silent=True)) as port:
        outcome = await smtp(port, 0.3)
    assert (outcome.status, outcome.reason, outcome.detail) == ("down", reason, detail)


async def test_silence_while_the_prober_stood_still_proves_nothing() -> None:
    async with serving(saying(b"220 a\r\n", then_silent=True)) as port:
        pending = asyncio.ensure_future(smtp(port, 0.5))
        await asyncio.sleep(0.1)
        time.sleep(0.6)  # noqa: ASYNC251  the loop stands still: that is what is tested
        outcome = await pending
    assert (outcome.status, outcome.reason) == ("missed", "prober_error")
    assert outcome.detail is not None
    assert "the prober stood still for" in outcome.detail


async def test_a_banner_is_clean_and_short() -> None:
    async with serving(saying(b"220 a\x1b[31m\x07b\xff" + b"c" * 400 + b"\r\n250 x\r\n")) as port:
        outcome = await smtp(port)
    assert outcome.status == "up"
    assert outcome.banner is not None
    assert outcome.banner.startswith("a [31m b�ccc")
    assert len(outcome.banner) == 300
    assert outcome.banner.isprintable()


async def test_a_closed_port_and_a_name_that_is_none() -> None:
    async with serving(saying(b"")) as port:
        pass
    assert (await smtp(port)).reason == "connection_refused"
    outcome = await check_once("no-such-name.invalid", 25, "smtp", 5)
    assert outcome.reason == "dns_failed"


def planned(port: int, timeout_ms: int = 5000, kind: str = "smtp") -> PlannedCheck:
    target = Target(
        id="t",
        name="t",
        kind=kind,
        host="127.0.0.1",
        port=port,
        regions=("r",),
        interval_ms=60_000,
        timeout_ms=timeout_ms,
        version=1,
        source="test",
    )
    return PlannedCheck(target, 0.0, 0, "schedule")


async def outcomes(engine: TaskEngine, *checks: PlannedCheck) -> list[CheckOutcome]:
    found: list[CheckOutcome] = []
    all_done = asyncio.Event()

    def done(_: PlannedCheck, outcome: CheckOutcome) -> None:
        found.append(outcome)
        if len(found) == len(checks):
            all_done.set()

    for check in checks:
        engine.submit(check, done)
    assert not found, "never before submit has returned"
    assert engine.in_flight == len(checks)
    async with asyncio.timeout(10):
        await all_done.wait()
    assert engine.in_flight == 0
    return found


@contextlib.contextmanager
def task_engine(most: int, *, internal: bool = True) -> "contextlib.Generator[TaskEngine]":
    resolver = Resolver()
    engine = TaskEngine(Vantage(internal=internal), resolver, most)
    try:
        yield engine
    finally:
        engine.close()
        resolver.close()


async def test_a_check_beyond_the_limit_waits_for_its_turn() -> None:
    async with serving(saying(b"220 a\r\n250 b\r\n", then_silent=True)) as port:
        with task_engine(most=2) as engine:
            found = await outcomes(engine, *[planned(port)] * 7)
    assert [outcome.status for outcome in found] == ["up"] * 7


async def test_a_check_that_had_no_turn_within_its_timeout_is_our_fault() -> None:
    async with serving(saying(b"", then_silent=True)) as port:
        with task_engine(most=1) as engine:
            found = await outcomes(engine, planned(port, 400), planned(port, 200))
    assert [outcome.reason for outcome in found] == ["no_answer", "prober_error"]
    assert found[1].status == "missed"


async def test_the_guard_judges_before_a_connection() -> None:
    connected = asyncio.Event()

    async def serve(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        connected.set()

    async with serving(serve) as port:
        with task_engine(most=1, internal=False) as engine:
            (outcome,) = await outcomes(engine, planned(port))
        assert (outcome.status, outcome.reason) == ("missed", "address_blocked")
        assert not connected.is_set()


async def test_a_kind_that_nobody_knows_is_our_fault() -> None:
    engine = platform_engine(Vantage(internal=True))
    done: asyncio.Future[CheckOutcome] = asyncio.get_running_loop().create_future()
    engine.submit(planned(1, kind="gopher"), lambda _, outcome: done.set_result(outcome))
    assert engine.in_flight == 1
    outcome = await done
    engine.close()
    assert outcome.reason == "prober_error"
    assert outcome.detail == "this prober can't check kind 'gopher'"


async def test_closing_ends_checks_without_an_outcome() -> None:
    async with serving(saying(b"", then_silent=True)) as port:
        with task_engine(most=1) as engine:
            for _ in range(3):
                engine.submit(planned(port), lambda *_: pytest.fail("no outcome was to come"))
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.05)


def own(*steps: Step) -> TcpProbe:
    return TcpProbe(steps=steps)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(b"you said: " + line)


PING = Step(send="PING\r\n", expect="said: PING")


@pytest.mark.parametrize(
    "steps",
    [
        (PING,),
        (Step(send_hex="50 49 0a", expect_hex="49 0A"),),
        (Step(send="12\n", expect_regex="said: [0-9]+\\s"),),
        (PING, Step(send="again\n", expect="again"), Step(send="bye\n")),
        (Step(send="one\ntwo\n", expect="one"), Step(expect="two")),
    ],
)
async def test_a_dialogue_of_ones_own(steps: tuple[Step, ...]) -> None:
    async with serving(echo) as port:
        outcome = await check_once("127.0.0.1", port, "tcp", 5, probe=own(*steps))
    assert (outcome.status, outcome.reason, outcome.detail) == ("up", None, None)


@pytest.mark.parametrize(
    ("steps", "reason", "detail"),
    [
        (
            (Step(send="PING\r\n", expect="PONG"),),
            "unexpected_response",
            "step 1: expected 'PONG', found 'you said: PING'",
        ),
        ((Step(expect="hello"),), "no_answer", "step 1: expected 'hello', found nothing"),
        ((PING, Step(expect="PING")), "unexpected_response", "step 2: expected 'PING', found"),
        (
            (PING, Step(expect_regex="^z")),
            "unexpected_response",
            "step 2: expected a match of '^z'",
        ),
    ],
)
async def test_a_dialogue_that_does_not_fit(
    steps: tuple[Step, ...], reason: str, detail: str
) -> None:
    async with serving(echo) as port:
        outcome = await check_once("127.0.0.1", port, "tcp", 0.4, probe=own(*steps))
    assert (outcome.status, outcome.reason) == ("down", reason)
    assert outcome.detail is not None
    assert detail in outcome.detail


async def test_a_pattern_that_would_take_for_ever_does_not() -> None:
    steps = own(Step(expect_regex="(a*)*b"))
    async with serving(saying(b"a" * 60_000 + b"c")) as port:
        outcome = await check_once("127.0.0.1", port, "tcp", 20, probe=steps)
    assert outcome.reason == "unexpected_response"


class PanicError(BaseException):
    """As a library in Rust raises it."""


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), PanicError("x")], ids=repr)
async def test_an_error_that_nobody_foresees_is_ours_until_the_server_has_spoken(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    async def before(context: CheckContext) -> None:
        await context.connect()
        raise error

    async def after(context: CheckContext) -> None:
        stream = await context.connect()
        await stream.receive()
        raise error

    monkeypatch.setitem(KINDS, "before", Kind(check=before))
    monkeypatch.setitem(KINDS, "after", Kind(check=after))
    async with serving(saying(b"220 a\r\n", then_silent=True)) as port:
        with structlog.testing.capture_logs() as logged:
            ours = await check_once("127.0.0.1", port, "before", 5)
            theirs = await check_once("127.0.0.1", port, "after", 5)
    assert (ours.status, ours.reason) == ("missed", "prober_error")
    assert (theirs.status, theirs.reason) == ("down", "unexpected_response")
    assert str(theirs.detail).startswith(f"the answer can't be understood: {type(error).__name__}")
    assert [entry["log_level"] for entry in logged] == ["error", "error"], "people can mend it"


class OneName(Resolver):
    """Every name has these addresses."""

    def __init__(self, *ips: str) -> None:
        super().__init__()
        self._ips = ips

    def lookup(self, host: str, on_done: Callable[[Lookup], None]) -> Lookup:
        found = Lookup(host)
        found.began_at = found.ended_at = time.monotonic()
        found.addresses = tuple(Address(socket.AF_INET, ip) for ip in self._ips)
        asyncio.get_running_loop().call_soon(on_done, found)
        return found


async def checked_at(
    *ips: str, port: int, timeout_ms: int, kind: str = "smtp", source: str | None = None
) -> CheckOutcome:
    engine = TaskEngine(Vantage(internal=True, source=source), OneName(*ips))
    target = Target(
        id="t",
        name="t",
        kind=kind,
        host="a.test",
        port=port,
        regions=("r",),
        interval_ms=60_000,
        timeout_ms=timeout_ms,
        version=1,
        source="test",
        probe=HandshakeProbe() if kind == "smtp" else UdpProbe(protocol="ntp"),
    )
    done: asyncio.Future[CheckOutcome] = asyncio.get_running_loop().create_future()
    try:
        check = PlannedCheck(target, 0.0, 0, "schedule")
        engine.submit(check, lambda _, outcome: done.set_result(outcome))
        return await done
    finally:
        engine.close()


async def test_refusals_cost_no_time_whatever_their_number() -> None:
    async with serving(saying(b"220 a\r\n250 b\r\n221 bye\r\n")) as port:
        many = [f"127.1.{n >> 8}.{n & 255}" for n in range(1_000)]
        outcome = await checked_at(*many, "127.0.0.1", port=port, timeout_ms=60_000)
    assert (outcome.status, outcome.address) == ("up", "127.0.0.1")


@pytest.mark.parametrize("ips", [("127.0.0.2", "127.0.0.3"), ("127.0.0.3", "127.0.0.2")])
async def test_each_datagram_address_and_its_reason_is_told(ips: tuple[str, str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.3", 0))
        outcome = await checked_at(*ips, port=silent.getsockname()[1], timeout_ms=1000, kind="udp")
    assert (outcome.status, outcome.reason) == ("down", "connection_refused")
    assert outcome.address == "127.0.0.2"
    begins = "127.0.0.2: Connection refused; 127.0.0.3: timed out after "
    assert (outcome.detail or "").startswith(begins)


async def test_an_address_that_we_could_not_try_is_no_outage() -> None:
    """From 127.0.0.1 nothing outside of this machine can be connected to (EINVAL)."""
    outcome = await checked_at(
        "127.0.0.2", "203.0.113.1", port=1, timeout_ms=2000, source="127.0.0.1"
    )
    assert (outcome.status, outcome.reason) == ("missed", "prober_error")
    assert "127.0.0.2: Connection refused" in (outcome.detail or "")
