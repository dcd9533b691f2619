"""How fast the sink drains a backlog of results: `python -m bench.sink [--rows N] [--json]`.

A real Kafka and the real ClickHouse engine (the embedded ones) run on this machine. The backlog is
written first; then `portquorum sink` is started as anybody starts it, and timed until every row is
in the table. The limit beside it: the same rows as ready columns, given to `client.insert` block by
block, by one thread, into tables of the same kind. On a machine that others use too, rows a CPU
second say more than rows a second.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
from aiokafka import ConsumerRecord
from clickhouse_connect.datatypes.registry import get_from_name
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from portquorum.clickhouse import connect, database
from portquorum.embedded.clickhouse import EmbeddedClickHouse
from portquorum.embedded.kafka import EmbeddedKafka
from portquorum.kafka import create_topics, producer
from portquorum.settings import Settings
from schemas import batch
from schemas.partition import partition_for
from schemas.result import CheckResult
from schemas.topics import RESULTS
from sinks.clickhouse.block import build
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.tables import RESULTS as TABLE
from sinks.clickhouse.tables import Rows
from sinks.clickhouse.writer import INSERT_SETTINGS

TARGETS: Final = 5_000
REGIONS: Final = ("eu-west", "us-east", "ap-south")
INTERVAL_MS: Final = 15_000
FAILING: Final = 0.03
"""A result is a failure with this probability."""

DEADLINE_S: Final = 420.0
"""After so long the run is given up, whatever is missing."""


class Figures(Struct, frozen=True, kw_only=True):
    """One run. `rows` went into `seconds`; CPU is of the process that sent them."""

    rows: int
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds

    @property
    def rate_cpu(self) -> float:
        """Rows a CPU second."""
        return self.rows / self.cpu_s


class Report(Struct, frozen=True, kw_only=True):
    """All of one invocation.

    `first_row_s` is from the start of the process to the first rows; `sink` is of the rest, from
    there to the last row. The services' CPU is that of all of it.
    """

    load_before: float
    partitions: int
    lines_a_message: int
    topic_mb: float
    first_row_s: float
    sink: Figures
    sink_memory_mb: float
    kafka_cpu_s: float
    clickhouse_cpu_s: float
    bare: Figures


def batches(rows: int, lines: int, partitions: int) -> Iterator[tuple[int, bytes]]:
    """Partition and value of each message: rounds of a fleet, the same at every run."""
    chance = random.Random(1)  # noqa: S311 - no secret
    began = int(time.time() * 1000) // 3_600_000 * 3_600_000 - rows // TARGETS * INTERVAL_MS
    waiting: list[list[CheckResult]] = [[] for _ in range(partitions)]
    targets = [
        (f"target-{n}", f"host-{n // 4}.example.com", 1 + n % 60_000) for n in range(TARGETS)
    ]
    where = [partition_for(host, partitions) for _, host, _ in targets]
    for number in range(rows):
        place = number % TARGETS
        at = began + number // TARGETS // len(REGIONS) * INTERVAL_MS + place * 3
        region = REGIONS[number // TARGETS % len(REGIONS)]
        held = waiting[where[place]]
        held.append(_result(chance, targets[place], region, at))
        if len(held) == lines:
            yield where[place], batch.encode(held)
            held.clear()
    for partition, held in enumerate(waiting):
        if held:
            yield partition, batch.encode(held)


def _result(
    chance: random.Random, target: tuple[str, str, int], region: str, at: int
) -> CheckResult:
    name, host, port = target
    down = chance.random() < FAILING
    connect_ms = None if down else round(chance.lognormvariate(2.5, 0.8), 3)
    return CheckResult(
        target=name,
        kind="tcp",
        host=host,
        port=port,
        region=region,
        prober=f"{region}-1",
        scheduled_at=at,
        started_at=at + chance.randrange(40),
        status="down" if down else "up",
        reason="timed_out" if down else None,
        attempt=0,
        cause="schedule",
        target_version=1_700_000_000_000,
        address=f"192.0.2.{port % 250}",
        dns_ms=round(chance.random(), 3),
        connect_ms=connect_ms,
        total_ms=None if connect_ms is None else round(connect_ms + 1, 3),
    )


async def publish(settings: Settings, rows: int, lines: int) -> int:
    """Writes the backlog; returns its bytes before compression."""
    await create_topics(settings)
    client = producer(settings, max_batch_size=1_000_000, linger_ms=20)
    await client.start()
    size = 0
    try:
        out: list[asyncio.Future[object]] = []
        for partition, value in batches(rows, lines, settings.partitions):
            size += len(value)
            topic = settings.topic(RESULTS.name)
            out.append(await client.send(topic, value, partition=partition))
            if len(out) == 500:
                await asyncio.gather(*out)
                out.clear()
        await asyncio.gather(*out)
    finally:
        await client.stop()
    return size


@contextlib.contextmanager
def shipped_role(settings: Settings, log: Path) -> Iterator[psutil.Process]:
    """`portquorum sink`, ended by SIGTERM."""
    names = ("kafka", "clickhouse", "topic_prefix", "partitions")
    told = {f"PORTQUORUM_{name.upper()}": str(getattr(settings, name)) for name in names}
    program = [str(Path(sys.executable).with_name("portquorum")), "sink"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            program,
            env=dict(os.environ) | told | {"PORTQUORUM_METRICS": "127.0.0.1:0"},
            stdout=out,
            stderr=out,
        )
        try:
            yield psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def drain(settings: Settings, rows: int, log: Path) -> tuple[float, Figures, float]:
    """Seconds to the first row, the drain, and the sink's largest resident memory in MB."""
    client = connect(settings, database="default")
    count = f"SELECT count() FROM `{database(settings)}`.results"  # noqa: S608 - our own name
    began = time.perf_counter()
    first: tuple[float, int, float] | None = None
    memory = 0
    with shipped_role(settings, log) as process:
        while True:
            now = time.perf_counter()
            if now - began > DEADLINE_S or not process.is_running():
                raise SystemExit(f"the sink did not end its work: {log.read_text()[-2000:]}")
            found = int(client.query(count).result_rows[0][0])
            if found and first is None:
                first = now, found, _cpu_s(process.pid)
            memory = max(memory, process.memory_info().rss)
            if first is not None and found >= rows:
                break
            time.sleep(0.2)
        used = _cpu_s(process.pid) - first[2]
    figures = Figures(rows=rows - first[1], seconds=now - first[0], cpu_s=used)
    sums = f"SELECT sum(checks) + sum(missed) FROM `{database(settings)}`.results_hourly"  # noqa: S608
    rolled = int(client.query(sums).result_rows[0][0])
    if (found, rolled) != (rows, rows):
        raise SystemExit(f"expected {rows} rows, found {found}, in the roll-up {rolled}")
    return first[0] - began, figures, memory / 1e6


def bare(settings: Settings, rows: int, lines: int) -> Figures:
    """Ready columns by `client.insert`; making them is not timed."""
    migrate(settings)
    client = connect(settings)
    types = [get_from_name(kind) for _, kind in TABLE.columns]
    done, seconds, cpu_s = 0, 0.0, 0.0
    for columns in blocks(rows, lines, settings):
        context = client.create_insert_context(
            TABLE.name,
            column_names=TABLE.names,
            database=database(settings),
            column_types=types,
            column_oriented=True,
            settings=INSERT_SETTINGS | {"insert_deduplication_token": f"block:{done}"},
        )
        context.req_block_size = len(columns)
        began, used = time.perf_counter(), time.process_time()
        client.insert(data=columns.columns, context=context)
        seconds += time.perf_counter() - began
        cpu_s += time.process_time() - used
        done += len(columns)
    return Figures(rows=done, seconds=seconds, cpu_s=cpu_s)


def blocks(rows: int, lines: int, settings: Settings) -> Iterator[Rows]:
    """The rows as the sink's blocks have them: each of one partition, of `sink_block_rows`."""
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
    """A message as a consumer gives it."""
    topic, now = settings.topic(RESULTS.name), int(time.time() * 1000)
    return ConsumerRecord(topic, partition, offset, now, 1, None, value, None, 0, len(value), ())


def measure(rows: int, lines: int, partitions: int, folder: Path) -> Report:
    """Everything, with services of its own in `folder`."""
    load = os.getloadavg()[0]
    with (
        EmbeddedKafka(folder, "127.0.0.1:0") as kafka,
        EmbeddedClickHouse(folder, "127.0.0.1:0") as clickhouse,
    ):
        settings = Settings(
            kafka=kafka.bootstrap_servers, clickhouse=clickhouse.url, partitions=partitions
        )
        migrate(settings)
        size = asyncio.run(publish(settings, rows, lines))
        services = [_cpu_s(kafka.pid), _cpu_s(clickhouse.pid)]
        first_row_s, sink, memory = drain(settings, rows, folder / "sink.log")
        kafka_cpu_s, clickhouse_cpu_s = (
            _cpu_s(pid) - before
            for pid, before in zip((kafka.pid, clickhouse.pid), services, strict=True)
        )
        other = msgspec.structs.replace(settings, clickhouse=f"{clickhouse.url}_bare")
        limit = bare(other, min(rows, 10 * settings.sink_block_rows), lines)
    return Report(
        load_before=load,
        partitions=partitions,
        lines_a_message=lines,
        topic_mb=size / 1e6,
        first_row_s=first_row_s,
        sink=sink,
        sink_memory_mb=memory,
        kafka_cpu_s=kafka_cpu_s,
        clickhouse_cpu_s=clickhouse_cpu_s,
        bare=limit,
    )


def _cpu_s(pid: int | None) -> float:
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def show(report: Report) -> None:
    """A table, and what it was made of."""
    table = Table()
    headings = ("", "rows", "wall", "rows/s", "CPU", "rows/CPU s", "to the limit (wall, CPU)")
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left")
    for name, run in (("client.insert, ready columns", report.bare), ("sink", report.sink)):
        table.add_row(
            name,
            f"{run.rows:,}",
            f"{run.seconds:.1f} s",
            f"{run.rate:,.0f}",
            f"{run.cpu_s:.1f} s",
            f"{run.rate_cpu:,.0f}",
            f"{run.rate / report.bare.rate:.2f}, {run.rate_cpu / report.bare.rate_cpu:.2f}",
        )
    out = Console(width=120)
    out.print(table)
    out.print(
        f"{report.partitions} partitions, {report.lines_a_message} results a message, "
        f"{report.topic_mb:.0f} MB of JSON; first row after {report.first_row_s:.1f} s; "
        f"the sink's memory {report.sink_memory_mb:.0f} MB; CPU of the drain: Kafka "
        f"{report.kafka_cpu_s:.1f} s, ClickHouse {report.clickhouse_cpu_s:.1f} s; "
        f"{os.cpu_count()} CPUs, load before {report.load_before:.1f}"
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
