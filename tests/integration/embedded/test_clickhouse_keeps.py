"""What ClickHouse keeps over restarts and crashes, and what it lets go of."""

import contextlib
import os
import signal
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from portquorum.embedded.clickhouse import EmbeddedClickHouse
from tests.integration.embedded.http_calls import Server
from tests.integration.embedded.processes import python, wait_until

ANY_PORT = "127.0.0.1:0"
RUNNING = "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64(number) = {mark}'"
SLOW = "SELECT count() FROM numbers(1e13) WHERE sipHash64(number) = {mark}"


def insert(server: Server, batch: str) -> None:
    answer = server.post(
        "1\n2\n3\n",
        query="INSERT INTO t FORMAT TSV",
        insert_deduplication_token=batch,
        deduplicate_blocks_in_dependent_materialized_views="1",
    )
    assert answer.status == 200, answer.body


def counts(server: Server) -> str:
    return server.value("SELECT (SELECT count() FROM t), (SELECT sum(n) FROM v)")


def create(server: Server) -> None:
    server.value(
        "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a "
        "SETTINGS non_replicated_deduplication_window = 1000"
    )
    server.value(
        "CREATE MATERIALIZED VIEW v (n UInt64) ENGINE = SummingMergeTree ORDER BY () "
        "SETTINGS non_replicated_deduplication_window = 1000 AS SELECT count() AS n FROM t"
    )


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_token_is_remembered_over_the_end(tmp_path: Path, end: str) -> None:
    service = EmbeddedClickHouse(tmp_path, ANY_PORT).start()
    server = Server(service.url)
    create(server)
    insert(server, "t:0:0-2")
    insert(server, "t:0:3-5")
    assert counts(server) == "6\t6"
    if end == "kill":
        assert service.pid is not None
        os.kill(service.pid, signal.SIGKILL)
    service.stop()
    with EmbeddedClickHouse(tmp_path, ANY_PORT) as again:
        server = Server(again.url)
        assert counts(server) == "6\t6"
        insert(server, "t:0:0-2")
        insert(server, "t:0:3-5")
        assert counts(server) == "6\t6"
        insert(server, "t:0:6-8")
        assert counts(server) == "9\t9"


def test_a_kill_between_inserts_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """As the sink does it: after a crash the batch that was not confirmed is sent again."""
    confirmed = 0
    for life in range(4):
        service = EmbeddedClickHouse(tmp_path, ANY_PORT).start()
        server = Server(service.url)
        if life == 0:
            create(server)
        assert service.pid is not None
        killer = threading.Timer(0.3 + 0.1 * life, os.kill, (service.pid, signal.SIGKILL))
        killer.start()
        with contextlib.suppress(OSError):  # the last one may be in or not
            while killer.is_alive():
                insert(server, f"batch-{confirmed}")
                confirmed += 1
        killer.join()
        service.stop()
    with EmbeddedClickHouse(tmp_path, ANY_PORT) as service:
        server = Server(service.url)
        insert(server, f"batch-{confirmed}")
        rows = 3 * (confirmed + 1)
        assert counts(server) == f"{rows}\t{rows}"
    assert confirmed > 4


def test_the_password_stays(tmp_path: Path) -> None:
    urls = []
    for _ in range(2):
        with EmbeddedClickHouse(tmp_path, ANY_PORT) as service:
            urls.append(urlsplit(service.url))
    assert urls[0].password == urls[1].password
    assert (tmp_path / "clickhouse" / "password").stat().st_mode & 0o777 == 0o600


def test_the_statement_of_a_client_that_left_is_killed(owner: Server) -> None:
    sql = SLOW.format(mark=1)
    with socket.create_connection(owner.base.removeprefix("http://").split(":")) as client:
        headers = "".join(f"{name}: {value}\r\n" for name, value in owner.user.items())
        head = f"POST / HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(sql)}\r\n\r\n"
        client.sendall((head + sql).encode())
        running = RUNNING.format(mark=1)
        wait_until(lambda: owner.value(running) == "1", 5, "the statement")
    wait_until(lambda: owner.value(running) == "0", 5, "its end")


def test_a_stop_does_not_wait_for_slow_statements(tmp_path: Path) -> None:
    service = EmbeddedClickHouse(tmp_path, ANY_PORT).start()
    server = Server(service.url)

    def select() -> None:
        with contextlib.suppress(OSError):  # cut off
            server.post(SLOW.format(mark=2))

    client = threading.Thread(target=select)
    client.start()
    running = RUNNING.format(mark=2)
    wait_until(lambda: server.value(running) == "1", 5, "the statement")
    begun_at = time.monotonic()
    service.stop()
    assert time.monotonic() - begun_at < 10
    client.join()


@pytest.mark.parametrize("missing", ["aiohttp", "chdb", "clickhouse_cityhash", "zstandard"])
def test_without_the_extra_it_names_the_package(tmp_path: Path, missing: str) -> None:
    program = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from pathlib import Path\n"
        "from portquorum.embedded.clickhouse import run_clickhouse\n"
        f"sys.exit(run_clickhouse(Path(sys.argv[1]), {ANY_PORT!r}))\n"
    )
    with python(["-c", program, str(tmp_path)]) as service:
        _, said = service.communicate(timeout=30)
    assert service.returncode == 1
    assert f"the Python package {missing} is not installed" in said
    assert "pip install 'portquorum[embedded]'" in said
    assert "Traceback" not in said


def test_a_path_that_chdb_would_misread_is_refused(tmp_path: Path) -> None:
    data_dir = tmp_path / "what?readonly=1"
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from portquorum.embedded.clickhouse import run_clickhouse\n"
        f"sys.exit(run_clickhouse(Path(sys.argv[1]), {ANY_PORT!r}))\n"
    )
    with python(["-c", program, str(data_dir)]) as service:
        _, said = service.communicate(timeout=30)
    assert service.returncode == 1
    assert "question mark" in said
