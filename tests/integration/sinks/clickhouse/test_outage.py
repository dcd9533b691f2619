"""ClickHouse goes away and comes back: nothing is lost, the group is not rebalanced."""

import os
import signal
from pathlib import Path

from portquorum.embedded.clickhouse import EmbeddedClickHouse
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
                await rig.until(lambda: rig.count(client, settings) == 1_000)
                await rig.send_results(producer, settings, rig.results(1_000, 1_000))
            await rig.send_results(producer, settings, rig.results(2_000, 1_000))
            await rig.until(lambda: _said(tmp_path / "log", "ClickHouse does not take inserts"))
            assert sink.running
            with EmbeddedClickHouse(tmp_path / "data", address):
                client = rig.client_of(settings)
                await rig.until(lambda: rig.count(client, settings) >= 3_000)
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
                await rig.until(lambda: rig.count(client, settings) == 100)
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


def _said(log: Path, text: str) -> int:
    return sum(text in line["event"] for line in rig.log_of(log))
