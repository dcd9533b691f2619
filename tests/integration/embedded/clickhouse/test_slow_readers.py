"""Clients that ask and do not read: each holds memory of the engine, so there are few at a time."""

import socket
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.integration.embedded.clickhouse.http_calls import Server
from tests.integration.embedded.processes import wait_until

SQL = "SELECT number, repeat('x', 200) FROM numbers(900000)"
MOST = 8


@pytest.fixture
def slow(reader: Server) -> Iterator[list[socket.socket]]:
    """Clients whose answers are on their way, and stay there."""
    host, _, port = reader.base.removeprefix("http://").rpartition(":")
    clients = []
    for _ in range(MOST):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(60)
        client.connect((host, int(port)))
        client.sendall(f"GET /?query={quote(SQL)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        clients.append(client)
    yield clients
    for client in clients:
        client.close()


def _running(owner: Server) -> int:
    sql = "SELECT count() FROM system.processes WHERE user = 'default' AND query LIKE '%repeat%'"
    return int(owner.value(sql))


def test_who_does_not_read_holds_up_readers_alone_and_not_for_long(
    owner: Server, reader: Server, slow: list[socket.socket]
) -> None:
    wait_until(lambda: _running(owner) == MOST, 30, "all have begun")
    refused = reader.post("SELECT 1")
    assert (refused.status, refused.code) == (500, "202"), refused.body
    assert owner.value("SELECT 1") == "1"
    # What a reader kills with has turns of its own.
    assert reader.post("KILL QUERY WHERE query_id = 'nobody'").status == 200
    slow.pop().close()
    assert reader.value("SELECT 1") == "1"
    # After 30 s without a byte taken, each is ended.
    wait_until(lambda: _running(owner) == 0, 90, "they are ended")
    assert reader.value("SELECT 1") == "1"


def test_who_reads_slowly_has_all_of_it(reader: Server) -> None:
    with reader.connection() as connection:
        connection.request("GET", f"/?query={quote(SQL)}")
        answer = connection.getresponse()
        size = 0
        while part := answer.read(1 << 20):
            size += len(part)
    assert size == len(reader.post(SQL).body)
