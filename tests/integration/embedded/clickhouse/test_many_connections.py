"""Many connections that send nothing, or half a request: they close each other, and nobody else."""

import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.integration.embedded.clickhouse.http_calls import Answer, Server
from tests.integration.embedded.processes import wait_until

MOST = 500
SLOW = "SELECT count() FROM numbers(1e12) WHERE sipHash64(number) = 1"


@pytest.fixture
def crowd() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"POST / HTTP/1.1\r\nHost: localhost\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nSELECT 1",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_who_waits_longest_makes_room(
    owner: Server, reader: Server, crowd: ExitStack, said: bytes
) -> None:
    """Running statements keep their connections, whoever's they are."""
    names = {owner: uuid.uuid4().hex, reader: uuid.uuid4().hex}
    answers: list[Answer] = []

    def run(server: Server, name: str) -> None:
        answers.append(server.post(SLOW, query_id=name, max_execution_time="25"))

    threads = [threading.Thread(target=run, args=pair) for pair in names.items()]
    for thread in threads:
        thread.start()
    chosen = f"query_id IN ({', '.join(map(repr, names.values()))})"
    listed = f"SELECT count() FROM system.processes WHERE {chosen}"  # noqa: S608
    wait_until(lambda: owner.value(listed) == "2", 20, "both run")
    host, _, port = owner.base.removeprefix("http://").rpartition(":")
    clients = []
    for _ in range(MOST + 100):
        client = crowd.enter_context(socket.create_connection((host, int(port)), timeout=20))
        client.sendall(said)
        clients.append(client)
    assert owner.value(listed) == "2"
    # The first of the crowd is closed: what an empty request was answered comes before.
    assert _ends(clients[0])
    owner.value(f"KILL QUERY WHERE {chosen}")
    for thread in threads:
        thread.join(20)
    assert {answer.code for answer in answers} == {"394"}
    assert reader.value("SELECT 1") == "1"


def _ends(client: socket.socket) -> bool:
    try:
        while client.recv(1 << 16):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True
