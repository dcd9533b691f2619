"""The prober's own guard, with references that are real sockets."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
import structlog

from producers.checks.model import CheckOutcome, Vantage
from producers.engine.factory import platform_engine
from producers.prober.connectivity import Connectivity, many

TIMED_OUT = CheckOutcome(status="down", reason="timed_out", started_at=1.0)
EVERYWHERE = Vantage(internal=True)
REFUSED = CheckOutcome(status="down", reason="connection_refused", started_at=1.0)


@contextlib.asynccontextmanager
async def guard(*references: str, vantage: Vantage = EVERYWHERE) -> AsyncIterator[Connectivity]:
    engine = platform_engine(vantage)
    made = Connectivity(engine)
    made.refer_to(references)
    try:
        yield made
    finally:
        made.close()
        engine.close()


async def ask(made: Connectivity) -> None:
    answered = asyncio.Event()
    made.ask(answered.set)
    await answered.wait()


async def test_without_references_nothing_is_doubted() -> None:
    async with guard() as made:
        assert not made.doubts(TIMED_OUT, 1000, 1000)
        assert made.judge(TIMED_OUT) is TIMED_OUT


async def test_references_that_answer_even_by_refusing_are_a_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        async with guard(f"127.0.0.1:{server.getsockname()[1]}") as made:
            assert made.doubts(TIMED_OUT, 10, 10)
            await ask(made)
            assert made.alive
            assert not made.doubts(TIMED_OUT, 10, 10), "a fresh answer is believed"
    async with guard("127.0.0.1:1") as made:
        await ask(made)
        assert made.alive


async def test_while_all_references_fail_it_is_our_fault() -> None:
    async with guard("nonexistent.invalid:80") as made:
        await ask(made)
        assert not made.alive
        assert not made.doubts(TIMED_OUT, 10, 10), "the answer is known"
        told = made.judge(TIMED_OUT)
        assert (told.status, told.reason, told.started_at) == ("missed", "prober_error", 1.0)
        assert made.judge(REFUSED) is REFUSED, "somebody refused"


async def test_one_reference_that_answers_is_enough() -> None:
    async with guard("nonexistent.invalid:80", "127.0.0.1:1") as made:
        await ask(made)
        assert made.alive


async def test_a_few_failures_or_a_refusal_are_no_reason_to_doubt() -> None:
    async with guard("127.0.0.1:1") as made:
        assert not made.doubts(TIMED_OUT, 2, 10)
        assert not made.doubts(REFUSED, 10, 10)
        assert not made.doubts(TIMED_OUT, 9, 1000)


@pytest.mark.parametrize("place", ["gateway", "gateway:0", ":80", "gateway:http"])
async def test_a_reference_that_is_none_is_left_out(place: str) -> None:
    async with guard(place) as made:
        assert not made.doubts(TIMED_OUT, 10, 10)


def test_many() -> None:
    assert not many(2, 5)
    assert many(3, 5)
    assert not many(50, 1000)
    assert many(100, 1000)


@pytest.mark.parametrize(
    "vantage", [Vantage(), Vantage(internal=True, deny=("127.0.0.0/8", "::1"))]
)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_reference_that_the_guard_refuses_is_not_asked_and_counts_for_nothing(
    vantage: Vantage, host: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        place = f"{host}:{server.getsockname()[1]}"
        async with guard(place, vantage=vantage) as made:
            with structlog.testing.capture_logs() as logged:
                await ask(made)
                await ask(made)
            assert made.alive, "a region without any reference that it may ask has none"
            assert made.judge(TIMED_OUT) is TIMED_OUT
        async with guard(place, "nonexistent.invalid:80", vantage=vantage) as made:
            await ask(made)
            assert not made.alive, "the other one speaks for itself"
        with pytest.raises(BlockingIOError):
            server.accept()
    assert [entry["reference"] for entry in logged] == [place], "said once"


async def test_silence_of_a_port_that_must_be_closed_proves_nothing_without_a_network() -> None:
    silent = CheckOutcome(status="up", reason=None, started_at=1.0)
    refused = CheckOutcome(status="up", reason=None, started_at=1.0, total_ms=2.0)
    async with guard("nonexistent.invalid:80") as made:
        assert made.doubts_silence(silent)
        assert not made.doubts_silence(refused)
        await ask(made)
        assert not made.doubts_silence(silent), "the answer is known"
        assert made.judge(silent).status == "missed"
        assert made.judge(refused) is refused
