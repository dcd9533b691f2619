# ruff: noqa: S608 (statements of the tests themselves)
"""What ClickHouse keeps over restarts and crashes, and what it lets go of."""

import contextlib
import os
import shutil
import signal
import socket
import threading
import time
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psutil
import pytest

from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from tests.integration.embedded.clickhouse.http_calls import Server
from tests.integration.embedded.processes import python, wait_until

ANY_PORT = "127.0.0.1:0"
RUNNING = (
    "SELECT count() FROM system.processes "
    "WHERE query LIKE '%sipHash64(number) = {mark} %' AND query NOT LIKE '%system.processes%'"
)
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


@pytest.mark.parametrize("table", ["t", ".inner_id.%"])
def test_a_token_whose_rows_a_crash_took_is_forgotten(tmp_path: Path, table: str) -> None:
    """ClickHouse writes a token before the part: killed between the two it has the token alone."""
    with EmbeddedClickHouse(tmp_path, ANY_PORT) as service:
        server = Server(service.url)
        create(server)
        for name in ("t", "v"):
            server.value(f"SYSTEM STOP MERGES {name}")
        insert(server, "t:0:0-2")
        insert(server, "t:0:3-5")
        assert counts(server) == "6\t6"
        where = f"SELECT data_paths[1] FROM system.tables WHERE name LIKE '{table}' FORMAT TSVRaw"
        folder = Path(server.value(where))
    (part,) = folder.glob("all_2_2_*")
    shutil.rmtree(part)
    with EmbeddedClickHouse(tmp_path, ANY_PORT) as again:
        server = Server(again.url)
        assert counts(server) in {"3\t6", "6\t3"}
        insert(server, "t:0:0-2")
        insert(server, "t:0:3-5")
        insert(server, "t:0:3-5")
        assert counts(server) == "6\t6"


class Inserter(threading.Thread):
    """Inserts block after block, as the sink does: one that was not acknowledged is sent again."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.first = number * 1_000_000
        self.acknowledged = 0
        self.server: Server | None = None

    def run(self) -> None:
        with contextlib.suppress(OSError, HTTPException):  # killed: the last one may be in or not
            while True:
                self.insert()

    def insert(self) -> None:
        assert self.server is not None
        first = self.first + self.acknowledged
        rows = range(first, first + 500)
        answer = self.server.post(
            "".join(f"{row}\n" for row in rows),
            query="INSERT INTO t FORMAT TSV",
            insert_deduplication_token=f"t:{self.first}:{first}",
            deduplicate_blocks_in_dependent_materialized_views="1",
        )
        assert answer.status == 200, answer.body
        self.acknowledged += len(rows)


def test_kills_between_inserts_lose_and_double_nothing(tmp_path: Path) -> None:
    """Several inserts at a time, the process killed again and again, at any moment of theirs."""
    begun = [0, 0, 0]
    for life in range(4):
        service = EmbeddedClickHouse(tmp_path, ANY_PORT).start()
        server = Server(service.url)
        if life == 0:
            create(server)
        # Every row that was acknowledged before is there.
        for number, acknowledged in enumerate(begun):
            where = f"a >= {number}000000 AND a < {number}000000 + {acknowledged}"
            assert server.value(f"SELECT count(), uniqExact(a) FROM t WHERE {where}") == (
                f"{acknowledged}\t{acknowledged}"
            )
        inserters = [Inserter(number) for number in range(3)]
        for inserter, acknowledged in zip(inserters, begun, strict=True):
            inserter.server, inserter.acknowledged = server, acknowledged
            inserter.start()
        least = sum(begun) + 5_000 * (life + 1)
        total = lambda: sum(inserter.acknowledged for inserter in inserters)  # noqa: B023, E731
        wait_until(lambda: total() >= least, 60, "inserts")  # noqa: B023
        assert service.pid is not None
        os.kill(service.pid, signal.SIGKILL)
        for inserter in inserters:
            inserter.join()
        begun = [inserter.acknowledged for inserter in inserters]
        service.stop()
    with EmbeddedClickHouse(tmp_path, ANY_PORT) as service:
        server = Server(service.url)
        # At most one block of each was stored and not acknowledged, in the table alone or in the
        # view too. Sent again, as the sink does, it is in both, and nothing is there twice.
        rows = int(server.value("SELECT count() FROM t"))
        assert sum(begun) <= rows <= sum(begun) + 3 * 500
        for inserter in inserters:
            inserter.server = server
            inserter.insert()
        rows = sum(begun) + 3 * 500
        assert server.value("SELECT uniqExact(a), count(), (SELECT sum(n) FROM v) FROM t") == (
            f"{rows}\t{rows}\t{rows}"
        )


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
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {len(sql)}\r\n\r\n"
        client.sendall((head + sql).encode())
        running = RUNNING.format(mark=1)
        wait_until(lambda: owner.value(running) == "1", 30, "the statement")
    wait_until(lambda: owner.value(running) == "0", 30, "its end")


@pytest.mark.parametrize("form", ["TSV", "JSON"])
def test_an_answer_that_nobody_reads_takes_no_memory_and_ends_with_its_client(
    tmp_path: Path, form: str
) -> None:
    with EmbeddedClickHouse(tmp_path, ANY_PORT) as service:
        server = Server(service.url)
        assert service.pid is not None
        process = psutil.Process(service.pid)
        reads = "SELECT read_rows FROM system.processes WHERE Settings['log_comment'] = 'unread'"
        server.value(f"SELECT number FROM numbers(100000) FORMAT {form}")
        before = process.memory_info().rss
        sql = f"SELECT number FROM numbers(1000000000) FORMAT {form}"
        with server.connection() as client:
            client.request("POST", f"/?{urlencode({'query_id': 'unread'})}", sql, server.user)
            assert client.getresponse().read(100)
            seen = ""

            def stands_still() -> bool:
                nonlocal seen
                last, seen = seen, server.value(reads)
                time.sleep(0.3)  # between two looks
                return bool(seen) and seen == last

            wait_until(stands_still, 30, "the statement waits for its reader")
            assert process.memory_info().rss - before < 200_000_000
        wait_until(lambda: server.value(reads) == "", 10, "the end of the statement")


def test_a_stop_does_not_wait_for_slow_statements(tmp_path: Path) -> None:
    service = EmbeddedClickHouse(tmp_path, ANY_PORT).start()
    server = Server(service.url)

    def select() -> None:
        with contextlib.suppress(OSError):  # cut off
            server.post(SLOW.format(mark=2))

    client = threading.Thread(target=select)
    client.start()
    running = RUNNING.format(mark=2)
    wait_until(lambda: server.value(running) == "1", 30, "the statement")
    assert service.pid is not None
    process = psutil.Process(service.pid)
    os.kill(service.pid, signal.SIGTERM)
    # It ends in order, and first: the statement would take days, and is cut off.
    assert process.wait(60) == 0
    client.join(60)
    assert not client.is_alive()
    service.stop()


@pytest.mark.parametrize("missing", ["aiohttp", "chdb", "clickhouse_cityhash", "zstandard"])
def test_without_the_extra_it_names_the_package(tmp_path: Path, missing: str) -> None:
    program = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from pathlib import Path\n"
        "from portquorum.embedded.clickhouse.main import run_clickhouse\n"
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
        "from portquorum.embedded.clickhouse.main import run_clickhouse\n"
        f"sys.exit(run_clickhouse(Path(sys.argv[1]), {ANY_PORT!r}))\n"
    )
    with python(["-c", program, str(data_dir)]) as service:
        _, said = service.communicate(timeout=30)
    assert service.returncode == 1
    assert "question mark" in said
