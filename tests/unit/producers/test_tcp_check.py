"""Each outcome of a TCP check against real sockets on loopback."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator

import pytest

from producers.asyncio_engine import AsyncioEngine
from producers.engine import CheckOutcome, PlannedCheck, Vantage
from producers.once import check_once
from producers.reasons import DETAIL_LENGTH, clean, reason_of
from producers.resolver import Lookup
from schemas.target import Target


@contextlib.contextmanager
def listener(address: str = "127.0.0.1") -> Iterator[int]:
    with socket.create_server((address, 0), backlog=64) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def silent_listener() -> Iterator[int]:
    """A port whose SYNs nobody answers: its accept queue is full."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = server.getsockname()[1]
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(("127.0.0.1", port))
        yield port


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def check(vantage: Vantage, host: str, port: int, timeout_ms: int = 5000) -> CheckOutcome:
    target = Target(
        id="t",
        name="t",
        kind="tcp",
        host=host,
        port=port,
        regions=("r",),
        interval_ms=60_000,
        timeout_ms=timeout_ms,
        version=1,
        source="test",
    )
    engine = AsyncioEngine(vantage)
    done: asyncio.Future[CheckOutcome] = asyncio.get_running_loop().create_future()
    try:
        engine.submit(PlannedCheck(target, 0.0, 0, "schedule"), lambda _, o: done.set_result(o))
        assert engine.in_flight == 1
        outcome = await done
        assert engine.in_flight == 0
        return outcome
    finally:
        engine.close()


async def test_an_open_port_is_up_with_the_networks_time() -> None:
    with listener() as port:
        outcome = await check_once("127.0.0.1", port, "tcp", 5)
    assert (outcome.status, outcome.reason, outcome.address) == ("up", None, "127.0.0.1")
    assert outcome.connect_ms is not None
    assert outcome.connect_ms > 0
    assert outcome.total_ms == outcome.connect_ms
    assert outcome.dns_ms is None


async def test_a_busy_loop_is_not_told_as_latency() -> None:
    with listener() as port:
        pending = asyncio.ensure_future(check_once("127.0.0.1", port, "tcp", 30))
        await asyncio.sleep(0)
        time.sleep(0.7)  # noqa: ASYNC251  the loop stands still: that is what is tested
        outcome = await pending
    assert outcome.status == "up"
    assert outcome.connect_ms is not None
    assert outcome.connect_ms < 500


async def test_a_name_is_resolved_and_timed() -> None:
    with listener() as port:
        outcome = await check_once("localhost", port, "tcp", 5)
    assert outcome.status == "up"
    assert outcome.dns_ms is not None
    assert outcome.connect_ms is not None
    assert outcome.total_ms == pytest.approx(outcome.dns_ms + outcome.connect_ms, abs=0.01)


async def test_both_families_are_tried() -> None:
    # `localhost` is ::1 and 127.0.0.1 on most machines; the listener is on one of them.
    with listener("127.0.0.1") as port:
        assert (await check_once("localhost", port, "tcp", 5)).address == "127.0.0.1"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6 on loopback")
async def test_an_address_with_a_zone_is_connected_to_in_that_zone() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        zone = socket.if_nameindex()[0][0]
        outcome = await check_once(f"::1%{zone}", server.getsockname()[1], "tcp", 5)
    assert (outcome.status, outcome.reason) == ("up", None)
    name = socket.if_nameindex()[0][1]
    lookup = Lookup(f"fe80::1%{name}")
    lookup.run()
    assert [found.endpoint(80) for found in lookup.addresses] == [("fe80::1", 80, 0, zone)]


async def test_a_zone_that_this_machine_does_not_have_is_told() -> None:
    outcome = await check_once("fe80::1%nosuchzone", 80, "tcp", 5)
    assert (outcome.status, outcome.reason) == ("down", "dns_failed")


async def test_a_closed_port_is_refused() -> None:
    outcome = await check_once("127.0.0.1", free_port(), "tcp", 5)
    assert (outcome.status, outcome.reason) == ("down", "connection_refused")
    assert outcome.detail == "127.0.0.1: Connection refused"


async def test_silence_is_timed_out() -> None:
    with silent_listener() as port:
        outcome = await check_once("127.0.0.1", port, "tcp", 0.4)
    assert (outcome.status, outcome.reason) == ("down", "timed_out")
    assert outcome.connect_ms is None


async def test_a_name_that_does_not_exist() -> None:
    outcome = await check_once("nonexistent.invalid", 80, "tcp", 30)
    assert (outcome.status, outcome.reason) == ("down", "dns_failed")


async def test_a_name_that_cannot_be_encoded() -> None:
    outcome = await check_once("a" * 70 + ".invalid", 80, "tcp", 30)
    assert (outcome.status, outcome.reason) == ("down", "dns_failed")


async def test_a_source_that_is_not_ours_says_nothing_of_the_target() -> None:
    with listener() as port:
        outcome = await check_once("127.0.0.1", port, "tcp", 5, source="192.0.2.1")
    assert (outcome.status, outcome.reason) == ("missed", "prober_error")


async def test_a_source_of_the_other_family() -> None:
    outcome = await check_once("127.0.0.1", free_port(), "tcp", 5, source="::1")
    assert (outcome.status, outcome.reason) == ("missed", "prober_error")


async def test_checks_leave_from_the_source() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        outcome = await check_once("127.0.0.1", port, "tcp", 5, source="127.0.0.11")
        client, (address, _) = server.accept()
        client.close()
    assert outcome.status == "up"
    assert address == "127.0.0.11"


async def test_an_unknown_kind_is_our_fault() -> None:
    outcome = await check_once("127.0.0.1", 1, "gopher", 5)
    assert (outcome.status, outcome.reason) == ("missed", "prober_error")


async def test_a_region_that_is_not_internal_never_connects_to_private_addresses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            outcome = await check(Vantage(internal=False), host, port)
            assert (outcome.status, outcome.reason) == ("missed", "address_blocked")
        with pytest.raises(BlockingIOError):
            server.accept()
        assert (await check(Vantage(internal=True), "localhost", port)).status == "up"


async def test_one_lookup_is_shared_by_all_who_ask() -> None:
    engine = AsyncioEngine(Vantage(internal=True))
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    lookups = []

    def count(lookup: object) -> None:
        lookups.append(lookup)
        if len(lookups) == 3:
            done.set_result(None)

    try:
        first = engine.resolver.lookup("localhost", count)
        assert engine.resolver.lookup("localhost", count) is first
        assert engine.resolver.lookup("localhost", count) is first
        await done
        assert first.addresses
    finally:
        engine.close()


_STOPPED = """
import asyncio, sys
from producers.once import check_once
async def main():
    pending = asyncio.ensure_future(check_once("127.0.0.1", int(sys.argv[1]), "tcp", 1.0))
    await asyncio.sleep(0)
    print("begun", flush=True)
    outcome = await pending
    print(outcome.status, outcome.reason, flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("port_of", "expected"),
    [(silent_listener, "missed prober_error"), (listener, "up None")],
    ids=["silent", "answers"],
)
async def test_a_prober_that_was_stopped_never_says_timed_out(
    port_of: type[contextlib.AbstractContextManager[int]], expected: str
) -> None:
    with port_of() as port:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _STOPPED, str(port), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        try:
            assert (await process.stdout.readline()).strip() == b"begun"
            os.kill(process.pid, signal.SIGSTOP)
            # Longer than the timeout and the tolerance; how much longer does not matter.
            await asyncio.sleep(2.5)
            os.kill(process.pid, signal.SIGCONT)
            said = (await process.stdout.readline()).decode().strip()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await process.wait()
    assert said == expected


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ECONNREFUSED, "connection_refused"),
        (errno.ETIMEDOUT, "timed_out"),
        (errno.ENETUNREACH, "network_unreachable"),
        (errno.EHOSTUNREACH, "host_unreachable"),
        (errno.ECONNRESET, "connection_reset"),
        (errno.EADDRNOTAVAIL, "prober_error"),
        (errno.EMFILE, "prober_error"),
        (errno.ENOBUFS, "prober_error"),
        (errno.EPERM, "prober_error"),
        (errno.EACCES, "prober_error"),
    ],
)
def test_the_reason_of_an_error(number: int, reason: str) -> None:
    assert reason_of(number) == reason


def test_a_detail_has_no_control_characters() -> None:
    assert clean("a\x1b[31m\n\tb\x00") == "a [31m b"
    assert len(clean("x" * 5000)) == DETAIL_LENGTH
