"""ClickHouse goes away and comes back: nothing is lost, the group is not rebalanced."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from tests.integration.sinks.clickhouse import rig


async def test_clickhouse_is_stopped_and_started_again(kafka: str, tmp_path: Path) -> None:
    with EmbeddedClickHouse(tmp_path / "data", "127.0.0.1:0") as service:
        settings = rig.place(kafka, service.url, "outage")
        address = service.url.rpartition("@")[2].partition("/")[0]
    producer = await rig.ready(settings)
    try:
        await rig.send_results(producer, settings, rig.results(0, 1_000))
        with rig.SinkProcess(settings, tmp_path / "log") as sink:
            await rig.until(lambda: _said(tmp_path / "log", "waiting for ClickHouse"))
            with EmbeddedClickHouse(tmp_path / "data", address):
                client = rig.client_of(settings)
                await rig.until(lambda: rig.stored(client, settings) == 1_000)
                await rig.send_results(producer, settings, rig.results(1_000, 1_000))
            await rig.send_results(producer, settings, rig.results(2_000, 1_000))
            await rig.until(lambda: _said(tmp_path / "log", "ClickHouse does not take inserts"))
            assert sink.running
            with EmbeddedClickHouse(tmp_path / "data", address):
                client = rig.client_of(settings)
                await rig.until(lambda: rig.stored(client, settings) >= 3_000)
                rig.counts_agree(client, settings, 3_000)
                assert sink.end() == 0
        assert _said(tmp_path / "log", "partitions assigned") == 1
    finally:
        await producer.stop()


async def test_it_ends_in_time_while_clickhouse_does_not_answer(kafka: str, tmp_path: Path) -> None:
    with EmbeddedClickHouse(tmp_path / "data", "127.0.0.1:0") as service:
        settings = rig.place(kafka, service.url, "hangs")
        producer = await rig.ready(settings)
        client = rig.client_of(settings)
        try:
            with rig.SinkProcess(settings, tmp_path / "log") as sink:
                await rig.send_results(producer, settings, rig.results(0, 100))
                await rig.until(lambda: rig.stored(client, settings) == 100)
                pid = service.pid
                assert pid is not None
                os.kill(pid, signal.SIGSTOP)
                try:
                    await rig.send_results(producer, settings, rig.results(100, 100))
                    assert sink.end() == 0
                finally:
                    os.kill(pid, signal.SIGCONT)
        finally:
            await producer.stop()


async def test_what_answers_there_must_be_clickhouse(kafka: str, tmp_path: Path) -> None:
    """A proxy's page with status 200 is no insert, and nothing to end the waiting for."""
    with EmbeddedClickHouse(tmp_path / "data", "127.0.0.1:0") as service:
        settings = rig.place(kafka, service.url, "proxy")
        address = service.url.rpartition("@")[2].partition("/")[0]
        producer = await rig.ready(settings)
        sink = rig.SinkProcess(settings, tmp_path / "log")
        client = rig.client_of(settings)
        await rig.send_results(producer, settings, rig.results(0, 1_000))
        await rig.until(lambda: rig.stored(client, settings) == 1_000)
    try:
        with _pages(address) as asked, sink:
            await rig.send_results(producer, settings, rig.results(1_000, 1_000))
            await rig.until(lambda: _said(tmp_path / "log", "ClickHouse does not take inserts"))
            seen = len(asked)
            await rig.until(lambda: len(asked) > seen + 3)
            assert not _said(tmp_path / "log", "ClickHouse answers")
            asked.stop()
            with EmbeddedClickHouse(tmp_path / "data", address):
                client = rig.client_of(settings)
                await rig.until(lambda: rig.stored(client, settings) >= 2_000)
                rig.counts_agree(client, settings, 2_000)
                assert sink.end() == 0
    finally:
        sink.kill()
        await producer.stop()


class _Pages(ThreadingHTTPServer):
    """Gives its page to whatever it is asked."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        super().__init__((host, int(port)), _Page)
        self.asked = 0

    def __len__(self) -> int:
        return self.asked

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Page(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        cast(_Pages, self.server).asked += 1
        self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b"<html>please wait</html>"
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def _pages(address: str) -> Iterator[_Pages]:
    server = _Pages(address)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.stop()


def _said(log: Path, text: str) -> int:
    return sum(text in line["event"] for line in rig.log_of(log))
