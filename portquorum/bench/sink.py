"""How fast the sink drains a backlog of results.

`python -m portquorum.bench.sink [--rows N] [--json]`.

A real Kafka and the real ClickHouse engine (the embedded ones) run on this machine. The backlog is
written first; then three contenders, one after the other, each into tables of its own:

- the limit: the same rows as ready columns, given to `client.insert` block by block, by one
  thread; making the columns is not timed;
- the sink: `portquorum sink` as anybody starts it, timed until every row is in the table;
- a plain consumer that makes a dict of each line and inserts rows, which is what one would write
  first (`sink_plain`).

All share the machine, so the services' CPU time is told too: it bounds what can be had of so many
cores, whatever the sink does. What ClickHouse merges afterwards is in its CPU time, not in the
seconds.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
from aiokafka import ConsumerRecord
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.client import Client
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from foundation.clickhouse import connect, database, internal_database
from foundation.settings import Settings
from portquorum.bench.role import environment, running
from portquorum.bench.sink_log import batches, publish
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from portquorum.embedded.kafka.main import EmbeddedKafka
from schemas.topics import RESULTS
from sinks.clickhouse.block import build
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.tables import RESULTS as TABLE
from sinks.clickhouse.tables import Rows
from sinks.clickhouse.writer import INSERT_SETTINGS

DEADLINE_S: Final = 420.0
"""Time after which the run is given up, even if incomplete, in s."""

ROLL_UPS: Final = ("results_hourly", "results_daily", "regions_hourly")

QUIET_S: Final = 60.0
"""Longest time for ClickHouse's merges before the next contender starts, in s."""


class SinkRun(Struct, frozen=True, kw_only=True):
    """One contender. `rows` went into `seconds`, with `cpu_s` of the process that sent them.

    The services' CPU seconds are of `all_rows`: those before the first look at the table, too.
    """

    rows: int
    seconds: float
    cpu_s: float
    all_rows: int
    clickhouse_s: float
    kafka_s: float = 0.0
    first_row_s: float | None = None
    memory_mb: float | None = None

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds

    @property
    def rate_cpu(self) -> float:
        """Rows a CPU second of the process."""
        return self.rows / self.cpu_s

    @property
    def micros(self) -> tuple[float, float, float]:
        """CPU µs for each row: of the process, of ClickHouse, of Kafka."""
        return (
            self.cpu_s / self.rows * 1e6,
            self.clickhouse_s / self.all_rows * 1e6,
            self.kafka_s / self.all_rows * 1e6,
        )


class SinkReport(Struct, frozen=True, kw_only=True):
    """All of one invocation."""

    load_before: float
    cpus: int
    partitions: int
    lines_a_message: int
    topic_mb: float
    bare: SinkRun
    sink: SinkRun
    plain: SinkRun


class Bench:
    """The services and the backlog."""

    def __init__(
        self, kafka: EmbeddedKafka, clickhouse: EmbeddedClickHouse, partitions: int, folder: Path
    ) -> None:
        """Both are started."""
        self._pids = (kafka.pid, clickhouse.pid)
        self._folder = folder
        self.settings = Settings(
            kafka=kafka.bootstrap_servers, clickhouse=clickhouse.url, partitions=partitions
        )

    def tables(self, name: str) -> Settings:
        """Settings with separate tables for a contender."""
        found = msgspec.structs.replace(
            self.settings, clickhouse=f"{self.settings.clickhouse}_{name}"
        )
        migrate(found)
        return found

    def bare(self, rows: int, lines: int) -> SinkRun:
        """Ready columns by `client.insert`."""
        settings = self.tables("bare")
        client = connect(settings, native_codec="rust")  # as the sink has it
        before = self._quiet(client)
        done, seconds, cpu_s = 0, 0.0, 0.0
        for columns in blocks(rows, lines, settings):
            context = client.create_insert_context(
                TABLE.name,
                column_names=TABLE.names,
                database=database(settings),
                column_types=[get_from_name(kind) for _, kind in TABLE.columns],
                column_oriented=True,
                settings=INSERT_SETTINGS | {"insert_deduplication_token": f"block:{done}"},
            )
            context.req_block_size = len(columns)
            began, used = time.perf_counter(), time.process_time()
            client.insert(data=columns.columns, context=context)
            seconds += time.perf_counter() - began
            cpu_s += time.process_time() - used
            done += len(columns)
        _, clickhouse_s = self._used_since(before, self._quiet(client))
        return SinkRun(
            rows=done, seconds=seconds, cpu_s=cpu_s, all_rows=done, clickhouse_s=clickhouse_s
        )

    def sink(self, rows: int) -> SinkRun:
        """The shipped role, and whether it did all of its work."""
        settings = self.tables("sink")
        found = self._drain("sink", settings, rows, "portquorum.cli", ["sink"])
        client = connect(settings)
        internal = internal_database(database(settings))
        for name in ROLL_UPS:
            # The last block's roll-ups come a moment after its rows.
            sums = f"SELECT sum(checks) + sum(missed) FROM `{internal}`.{name}"  # noqa: S608 - our own names
            deadline = time.monotonic() + QUIET_S
            while (there := int(client.query(sums).result_rows[0][0])) < rows:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.2)
            if there != rows:
                raise SystemExit(f"expected {rows} results in {name}, found {there}")
        return found

    def plain(self, rows: int) -> SinkRun:
        """The obvious implementation."""
        return self._drain("plain", self.tables("plain"), rows, "portquorum.bench.sink_plain", [])

    def _drain(
        self, name: str, settings: Settings, rows: int, module: str, arguments: list[str]
    ) -> SinkRun:
        client = connect(settings)
        before = self._quiet(client)
        log = self._folder / f"{name}.log"
        began = time.perf_counter()
        first: tuple[float, int, float] | None = None
        memory = 0
        env = environment(settings, PORTQUORUM_METRICS="127.0.0.1:0")
        with running(arguments, env, log, module) as process:
            watched = psutil.Process(process.pid)
            while True:
                now = time.perf_counter()
                if now - began > DEADLINE_S or process.poll() is not None:
                    raise SystemExit(f"{name} did not end its work: {log.read_text()[-2000:]}")
                found = int(client.query("SELECT count() FROM results").result_rows[0][0])
                if found and first is None:
                    first = now, found, _cpu_s(process.pid)
                memory = max(memory, watched.memory_info().rss)
                if first is not None and found >= rows:
                    break
                time.sleep(0.2)
            used = _cpu_s(process.pid) - first[2]
        if found == first[1]:
            raise SystemExit("the backlog is too short to be timed: give more rows")
        kafka_s, clickhouse_s = self._used_since(before, self._quiet(client))
        return SinkRun(
            rows=found - first[1],
            seconds=now - first[0],
            cpu_s=used,
            all_rows=found,
            clickhouse_s=clickhouse_s,
            kafka_s=kafka_s,
            first_row_s=first[0] - began,
            memory_mb=memory / 1e6,
        )

    def _quiet(self, client: Client) -> tuple[float, float]:
        """The services' CPU seconds, once ClickHouse has finished its merges."""
        deadline = time.monotonic() + QUIET_S
        merging = "SELECT count() FROM system.merges"
        while client.query(merging).result_rows[0][0] and time.monotonic() < deadline:
            time.sleep(0.5)
        kafka, clickhouse = map(_cpu_s, self._pids)
        return kafka, clickhouse

    @staticmethod
    def _used_since(before: tuple[float, float], now: tuple[float, float]) -> tuple[float, float]:
        return now[0] - before[0], now[1] - before[1]


def blocks(rows: int, lines: int, settings: Settings) -> Iterator[Rows]:
    """The rows in blocks like the sink's: each of one partition, of `sink_block_rows`."""
    held: list[list[ConsumerRecord]] = [[] for _ in range(settings.partitions)]
    offsets = [0] * settings.partitions
    for partition, value in batches(rows, lines, settings.partitions):
        held[partition].append(record(settings, partition, offsets[partition], value))
        offsets[partition] += 1
        if len(held[partition]) * lines >= settings.sink_block_rows:
            yield from build(RESULTS, held[partition]).rows
            held[partition].clear()
    for rest in held:
        if rest:
            yield from build(RESULTS, rest).rows


def record(settings: Settings, partition: int, offset: int, value: bytes) -> ConsumerRecord:
    """A message in the form of a consumer."""
    topic, now = settings.topic(RESULTS.name), int(time.time() * 1000)
    return ConsumerRecord(topic, partition, offset, now, 1, None, value, None, 0, len(value), ())


def measure(rows: int, lines: int, partitions: int, folder: Path) -> SinkReport:
    """Everything, with services of its own in `folder`."""
    load = os.getloadavg()[0]
    with (
        EmbeddedKafka(folder, "127.0.0.1:0") as kafka,
        EmbeddedClickHouse(folder, "127.0.0.1:0") as clickhouse,
    ):
        bench = Bench(kafka, clickhouse, partitions, folder)
        size = asyncio.run(publish(bench.settings, rows, lines))
        return SinkReport(
            load_before=load,
            cpus=os.cpu_count() or 1,
            partitions=partitions,
            lines_a_message=lines,
            topic_mb=size / 1e6,
            bare=bench.bare(min(rows, 20 * bench.settings.sink_block_rows), lines),
            sink=bench.sink(rows),
            plain=bench.plain(min(rows, 300_000)),
        )


def _cpu_s(pid: int | None) -> float:
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def show(report: SinkReport) -> None:
    """A table, and what it was made of."""
    table = Table()
    headings = ("", "rows", "rows/s", "to the limit", "rows/CPU s", "to the limit")
    for heading in (*headings, "CPU µs a row", "ClickHouse", "Kafka"):
        table.add_column(heading, justify="right" if heading else "left")
    contenders = (
        ("client.insert, ready columns", report.bare),
        ("sink", report.sink),
        ("row dicts", report.plain),
    )
    for name, run in contenders:
        table.add_row(
            name,
            f"{run.rows:,}",
            f"{run.rate:,.0f}",
            f"{run.rate / report.bare.rate:.2f}",
            f"{run.rate_cpu:,.0f}",
            f"{run.rate_cpu / report.bare.rate_cpu:.2f}",
            *(f"{micros:.2f}" for micros in run.micros),
        )
    out = Console(width=120)
    out.print(table)
    bound = report.cpus / sum(report.sink.micros) * 1e6
    out.print(
        f"{report.partitions} partitions, {report.lines_a_message} results a message, "
        f"{report.topic_mb:.0f} MB of JSON; the sink: first row after "
        f"{report.sink.first_row_s or 0:.1f} s, memory {report.sink.memory_mb or 0:.0f} MB; "
        f"{report.cpus} CPUs, which with all three on them hold {bound:,.0f} rows/s; "
        f"load before {report.load_before:.1f}"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--lines", type=int, default=100, help="results a message")
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    told: Any = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = measure(told.rows, told.lines, told.partitions, Path(folder))
    if told.json:
        print(msgspec.json.encode(report).decode())
    else:
        show(report)


if __name__ == "__main__":
    main()
