"""SIGTERM ends ClickHouse within 10 s whatever it is doing; a killed half takes the other along."""

import contextlib
import fcntl
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.embedded.clickhouse.attack_run import GUARDED
from tests.integration.embedded.clickhouse.attack_scene import Service, Surroundings, running
from tests.integration.embedded.processes import gone, wait_until

_MOST_S = 10.0


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(Surroundings(tmp_path), GUARDED) as started:
        started.value(
            "CREATE TABLE portquorum.t (a UInt64, b String) ENGINE = MergeTree ORDER BY a"
        )
        yield started


def _request(service: Service, head: str, body: bytes) -> socket.socket:
    """A connection on which the owner has asked, and from which nothing was read."""
    connection = socket.create_connection(("127.0.0.1", service.port))
    owner = [f"{name}: {text}" for name, text in service.owner.items()]
    lines = ["POST / HTTP/1.1", f"Host: 127.0.0.1:{service.port}", *owner, head, "", ""]
    connection.sendall("\r\n".join(lines).encode() + body)
    return connection


def _asks(*statements: bytes) -> Callable[[Service], list[socket.socket]]:
    def ask(service: Service) -> list[socket.socket]:
        return [_request(service, f"Content-Length: {len(sql)}", sql) for sql in statements]

    return ask


def _runs(*statements: bytes) -> Callable[[Service], list[socket.socket]]:
    """Asks, and waits until the engine is at it."""

    def ask(service: Service) -> list[socket.socket]:
        asked = _asks(*statements)(service)
        count = "SELECT count() FROM system.processes WHERE elapsed > 0.3"
        wait_until(lambda: int(service.value(count)) >= len(statements), 30, "the statements run")
        return asked

    return ask


def _never_ends(service: Service) -> list[socket.socket]:
    sql = b"INSERT INTO portquorum.t FORMAT TSV\n" + b"1\tx\n" * 1000
    return [_request(service, "Transfer-Encoding: chunked", b"%x\r\n%b\r\n" % (len(sql), sql))]


def _idle(service: Service) -> list[socket.socket]:
    connections = []
    for number in range(64):
        connection = socket.create_connection(("127.0.0.1", service.port))
        # Nothing at all, half of a request, a whole one before.
        text = (
            b"",
            b"GET / HTTP/1.1\r\nHost: 127",
            b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n",
        )
        connection.sendall(text[number % 3])
        connections.append(connection)
    return connections


_SLEEPS = b"SELECT sleepEachRow(3) FROM numbers(900) SETTINGS max_block_size = 1"
_GROUPS = b"SELECT number % 1000000 AS n, count() FROM numbers(1000000000000) GROUP BY n"
# One call of a function, in which the engine looks at no cancellation.
_DEAF = (
    b"SELECT arrayLevenshteinDistance(range(400000), range(1, 400001)) SETTINGS "
    b"function_range_max_elements_in_block = 10000000"
)
_QUOTES = [b"INSERT INTO t (" + b"'\\" * size for size in (1 << 14, 1 << 15, 1 << 19)]
_BRACKETS = [b"SELECT " + sign * 300_000 for sign in (b"[", b"(")]
_LARGE = b"SELECT number, repeat('x', 1000) FROM numbers(1000000000)"

BUSY = {
    "it sleeps and groups": _runs(_SLEEPS, _GROUPS),
    "it does not look up": _runs(_DEAF),
    "it parses": _asks(*_QUOTES, *_BRACKETS),
    "nobody reads": _runs(_LARGE),
    "an insert never ends": _never_ends,
    "64 connections idle": _idle,
}


@pytest.mark.parametrize("busy", BUSY)
def test_sigterm_ends_it(service: Service, busy: str) -> None:
    with contextlib.ExitStack() as stack:
        for connection in BUSY[busy](service):
            stack.enter_context(connection)
        assert service.stop() < _MOST_S
        assert gone(service.engine)
    # 0, or killed by nobody but itself.
    assert service.process.returncode == 0, service.said


def test_the_service_says_so_when_its_engine_is_killed(service: Service) -> None:
    service.engine.kill()
    assert service.process.wait(_MOST_S) == 1
    wait_until(lambda: b"engine ended (signal 9)" in service.said, 5, "the reason")


def test_the_engine_ends_with_a_killed_service(service: Service, tmp_path: Path) -> None:
    asked = _runs(_GROUPS)(service)
    os.kill(service.process.pid, signal.SIGKILL)
    service.process.wait()
    wait_until(lambda: gone(service.engine), 1, "the engine's end")
    lock = tmp_path / "data" / "clickhouse" / "lock"
    wait_until(lambda: _is_free(lock), 1, "the lock is free")
    for connection in asked:
        connection.close()


def _is_free(lock: Path) -> bool:
    with lock.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
