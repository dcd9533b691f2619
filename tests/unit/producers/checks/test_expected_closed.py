"""A port that must be closed: refused and silent are up, open is down. Real sockets on loopback."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from producers.checks import expected_closed, tcp_socket
from producers.checks.addresses import Failure
from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.engine.single_check import check_once
from producers.engine.tcp_attempt import WaitingEngine
from schemas.probe import UdpProbe
from schemas.target import Target
from tests.unit.producers.checks.test_tcp_check import ENGINES, free_port, listener, silent_listener

HERE = Vantage(internal=True)


@pytest.fixture(params=ENGINES)
def engine_kind(request: pytest.FixtureRequest) -> type[WaitingEngine]:
    made: type[WaitingEngine] = request.param
    return made


async def closed(
    kind: type[WaitingEngine], host: str, port: int, timeout_ms: int = 1000
) -> CheckOutcome:
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
        expect="closed",
    )
    engine = kind(HERE)
    done: asyncio.Future[CheckOutcome] = asyncio.get_running_loop().create_future()
    try:
        engine.submit(
            PlannedCheck(target, 0.0, 0, "schedule"), lambda _, found: done.set_result(found)
        )
        return await done
    finally:
        engine.close()


async def test_a_connection_that_is_reset_at_once_was_one(
    engine_kind: type[WaitingEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a server does that has one client at a time; the next address may refuse."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        begin = tcp_socket.begin

        def begun(*args: Any, **options: Any) -> socket.SocketType:
            sock = begin(*args, **options)
            if args[0].ip == "127.0.0.1":
                accepted, _ = server.accept()
                tcp_socket.reset_on_close(accepted)
                accepted.close()  # before the loop looks at the socket again
            return sock

        monkeypatch.setattr(tcp_socket, "begin", begun)
        found = await closed(engine_kind, "127.0.0.1", port)
    assert (found.status, found.reason, found.address) == ("down", "port_open", "127.0.0.1")
    assert found.detail == "127.0.0.1: accepts connections, and resets them"


async def test_an_open_port_is_down(engine_kind: type[WaitingEngine]) -> None:
    with listener() as port:
        found = await closed(engine_kind, "127.0.0.1", port)
    assert (found.status, found.reason, found.address) == ("down", "port_open", "127.0.0.1")
    assert found.detail == "127.0.0.1: accepts connections"
    assert found.connect_ms is not None


async def test_a_refusal_is_up_with_the_time_of_the_answer(
    engine_kind: type[WaitingEngine],
) -> None:
    found = await closed(engine_kind, "127.0.0.1", free_port())
    assert (found.status, found.reason) == ("up", None)
    assert found.detail == "127.0.0.1: Connection refused"
    assert found.total_ms is not None
    assert found.connect_ms is None
    assert not expected_closed.silent(found)


async def test_silence_is_up_and_has_no_time(engine_kind: type[WaitingEngine]) -> None:
    with silent_listener() as port:
        found = await closed(engine_kind, "127.0.0.1", port, 200)
    assert (found.status, found.reason, found.total_ms) == ("up", None, None)
    assert found.detail == "127.0.0.1: timed out after 200 ms"
    assert expected_closed.silent(found)


async def test_a_name_that_does_not_resolve_was_not_measured(
    engine_kind: type[WaitingEngine],
) -> None:
    found = await closed(engine_kind, "nonexistent.invalid", 23)
    assert (found.status, found.reason) == ("missed", "dns_failed")


async def test_one_open_address_of_several_is_enough() -> None:
    """`localhost` is ::1 and 127.0.0.1 on most machines; the listener is on one of them."""
    with listener() as port:
        found = await closed(ENGINES[-1], "localhost", port)
    assert (found.reason, found.address) == ("port_open", "127.0.0.1")


def test_addresses_that_could_not_be_tried_may_be_open() -> None:
    refused = Failure("connection_refused", "192.0.2.1: Connection refused", "192.0.2.1")
    assert expected_closed.conclusive(refused, 0) is refused
    assert expected_closed.conclusive(refused, 3).reason == "prober_error"
    no_way = Failure("network_unreachable", "2001:db8::1: no route", "2001:db8::1", no_way=True)
    assert expected_closed.conclusive(no_way, 0).reason == "prober_error"


@pytest.mark.parametrize("reason", ["prober_error", "address_blocked"])
def test_what_was_not_measured_stays_so(reason: Any) -> None:
    outcome = CheckOutcome(status="missed", reason=reason, started_at=1.0)
    assert expected_closed.turned(outcome, "tcp") is outcome


@pytest.mark.parametrize("reason", ["timed_out", "host_unreachable", "network_unreachable"])
def test_what_routers_say_is_closed_and_no_word_of_the_host(reason: Any) -> None:
    outcome = CheckOutcome(status="down", reason=reason, started_at=1.0, total_ms=3.0)
    found = expected_closed.turned(outcome, "udp")
    assert (found.status, found.reason, found.total_ms) == ("up", None, None)


@pytest.fixture
def echo() -> Iterator[int]:
    """A UDP port that sends back what it gets."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(10)
        port = sock.getsockname()[1]

        def answer() -> None:
            data, sender = sock.recvfrom(2048)
            sock.sendto(data, sender)

        thread = threading.Thread(target=answer)
        thread.start()
        yield port
        thread.join()


async def udp(port: int, timeout_s: float = 5, **probe: Any) -> CheckOutcome:
    options = UdpProbe(**probe) if probe else UdpProbe(send="ping")
    return await check_once("127.0.0.1", port, "udp", timeout_s, probe=options, expect="closed")


async def test_any_answer_to_a_datagram_is_an_open_port(echo: int) -> None:
    found = await udp(echo)
    assert (found.status, found.reason) == ("down", "port_open")
    assert found.detail == "127.0.0.1: answers"
    assert found.banner == "ping"


async def test_so_is_one_that_is_not_of_the_protocol(echo: int) -> None:
    found = await udp(echo, protocol="ntp")
    assert (found.status, found.reason) == ("down", "port_open")


async def test_a_datagram_that_is_refused_met_a_closed_port() -> None:
    found = await udp(free_port())
    assert (found.status, found.reason) == ("up", None)
    assert found.total_ms is not None


async def test_a_datagram_without_an_answer_met_a_closed_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        found = await udp(sock.getsockname()[1], 0.3)
    assert (found.status, found.reason, found.total_ms) == ("up", None, None)
