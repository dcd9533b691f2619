"""How fast results become incidents: `python -m portquorum.bench.stream [--results N] [--json]`.

A real Kafka (the embedded one) runs on this machine. The logs are written first; then each
contender reads its log from the beginning, one after the other:

- the limit: a plain consumer that decodes every result, and does nothing with it;
- `portquorum stream` as shipped, all rules on, messages of 500 results;
- the same with the messages that 100,000 targets at 60 s from 3 regions really give;
- what one would write first: one result a message, a Faust agent and a table.

On a machine that others use too, results a CPU second and the ratios say more than results a
second.
"""

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Final

import msgspec
from aiokafka.admin import NewTopic
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from foundation import kafka
from foundation.settings import Settings
from portquorum.bench import stream_faust
from portquorum.bench.role import environment
from portquorum.bench.stream_fleet import (
    INTERVAL_MS,
    REGIONS,
    FleetMessage,
    Probers,
    beats,
    checks,
    definitions,
    is_down,
    targets,
)
from portquorum.bench.stream_log import Written, write
from portquorum.bench.stream_run import StreamRun
from portquorum.bench.stream_worker import Drained, drain
from portquorum.embedded.kafka.main import EmbeddedKafka
from schemas.result import CheckResult
from schemas.topics import RESULTS

FLEET: Final = 20_000
"""Number of targets in the logs. Their interval is shorter than 60 s by the same factor as their
number is smaller than the represented one. Thus messages, beats and deadlines have the same
frequency relative to the results; the cost of a result does not depend on the number of known
targets (`state`)."""

STANDS_FOR: Final = 100_000
STANDS_FOR_FULL: Final = 1_500_000
"""Number of targets that fill a message of 500 within a second."""

SINGLES: Final = 60_000
_DEFINED_MS: Final = 1_000


class StreamRow(Struct, frozen=True, kw_only=True):
    """One contender."""

    contender: str
    run: StreamRun
    drained: Drained | None = None


class StreamReport(Struct, frozen=True, kw_only=True):
    """A complete invocation, with its environment."""

    cpus: int
    load_before: float
    python: str
    kernel: str
    partitions: int
    targets: int
    log_mb: float
    rows: tuple[StreamRow, ...]


def log(fleet_size: int, results: int, partitions: int, *, full: bool) -> Iterator[FleetMessage]:
    """The log of a fleet of that size: its definitions, and as many intervals as `results` need."""
    interval = max(1_000, INTERVAL_MS * fleet_size // (STANDS_FOR_FULL if full else STANDS_FOR))
    rounds = max(4, round(results / (fleet_size * len(REGIONS))))
    begin = int(time.time() * 1000) - rounds * interval - 2 * _DEFINED_MS
    fleet = targets(fleet_size, begin, interval)
    yield from definitions(fleet, partitions, begin)
    begin += _DEFINED_MS
    published = Probers(full=full).messages(checks(fleet, partitions, begin, rounds))
    yield from by_time(published, beats(partitions, begin, begin + rounds * interval, fleet_size))


def by_time(
    first: Iterator[FleetMessage], second: Iterator[FleetMessage]
) -> Iterator[FleetMessage]:
    """Merges two sequences that are sorted by time."""
    waiting = next(second, None)
    for message in first:
        while waiting is not None and waiting.at <= message.at:
            yield waiting
            waiting = next(second, None)
        yield message
    if waiting is not None:
        yield from chain((waiting,), second)


def worker_row(
    name: str, settings: Settings, fleet_size: int, results: int, *, full: bool, folder: Path
) -> tuple[StreamRow, Written]:
    """Writes a log and lets the worker read it; checks the incidents that it opened."""
    written = asyncio.run(write(settings, log(fleet_size, results, settings.partitions, full=full)))
    drained = drain(settings, fleet_size, written, folder / "worker.log")
    down = sum(map(is_down, range(fleet_size)))
    opened = drained.sent.get("portquorum.incident.opened.v1", 0)
    if opened != down:
        raise SystemExit(f"expected {down} incidents, found {opened}: {drained.sent}")
    return StreamRow(contender=name, run=drained.run, drained=drained), written


def other(module: str, settings: Settings, *arguments: str) -> StreamRun:
    """Runs a contender that prints its figures."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environment(settings),
        check=True,
        stdout=subprocess.PIPE,
        timeout=600,
    )
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=StreamRun)


async def write_singles(settings: Settings, count: int) -> None:
    """One result a message, keyed by target, in a topic of its own."""
    topic = settings.topic(stream_faust.TOPIC)
    admin = kafka.admin(settings)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, settings.partitions, 1)])
    finally:
        await admin.close()
    client = kafka.producer(
        settings, linger_ms=20, max_batch_size=1 << 20, compression_type=RESULTS.compression
    )
    await client.start()
    try:
        values = (
            (message.partition, line)
            for message in log(10_000, count, settings.partitions, full=True)
            for line in message.value.splitlines()
        )
        sent = []
        for partition, line in islice(values, count):
            key = msgspec.json.decode(line, type=CheckResult).target.encode()
            sent.append(await client.send(topic, line, key=key, partition=partition))
        await asyncio.gather(*sent)
    finally:
        await client.stop()


def measure(
    results: int, fleet_size: int, partitions: int, singles: int, folder: Path
) -> StreamReport:
    """Everything, with a Kafka of its own in `folder`."""
    load = os.getloadavg()[0]
    with EmbeddedKafka(folder, "127.0.0.1:0") as broker:
        settings = Settings(kafka=broker.bootstrap_servers, partitions=partitions)
        full = msgspec.structs.replace(settings, topic_prefix="full")
        row, written = worker_row(
            "portquorum stream, 500 a message", full, fleet_size, results, full=True, folder=folder
        )
        rows = [StreamRow(contender="limit", run=other("portquorum.bench.stream_bare", full)), row]
        real = msgspec.structs.replace(settings, topic_prefix="real")
        row, written_real = worker_row(
            "portquorum stream, real messages", real, fleet_size, results, full=False, folder=folder
        )
        rows += [
            StreamRow(
                contender="limit, real messages", run=other("portquorum.bench.stream_bare", real)
            ),
            row,
        ]
        if singles:
            asyncio.run(write_singles(settings, singles))
            run = other("portquorum.bench.stream_faust", settings, str(singles))
            rows.append(StreamRow(contender="Faust, one result a message", run=run))
    return StreamReport(
        cpus=len(os.sched_getaffinity(0)),
        load_before=load,
        python=platform.python_version(),
        kernel=platform.release(),
        partitions=partitions,
        targets=fleet_size,
        log_mb=(written.size + written_real.size) / 1e6,
        rows=tuple(rows),
    )


def show(report: StreamReport) -> None:
    """The report as a table."""
    table = Table(
        title=f"Results through the stream, {report.targets:,} targets, {len(REGIONS)} regions, "
        f"{report.partitions} partitions, {report.cpus} CPUs, kernel {report.kernel}, Python "
        f"{report.python}, load {report.load_before:.1f}",
        title_justify="left",
    )
    columns = ("", "results", "a message", "results/s", "CPU µs a result", "results/s a core")
    for column in (*columns, "to the limit", "× per-message"):
        table.add_column(column, justify="right" if column else "left")
    first = next((row.run for row in report.rows if row.contender.startswith("Faust")), None)
    limit = report.rows[0].run
    for row in report.rows:
        run = row.run
        if row.contender.startswith("limit"):
            limit = run
        table.add_row(
            row.contender,
            f"{run.results:,}",
            f"{run.results / run.messages:.0f}",
            f"{run.rate:,.0f}",
            f"{1e6 / run.rate_core:.2f}",
            f"{run.rate_core:,.0f}",
            "–" if row.contender.startswith("Faust") else f"{run.rate_core / limit.rate_core:.2f}",
            f"{run.rate_core / first.rate_core:.0f}" if first else "–",
        )
    out = Console(width=None if sys.stdout.isatty() else 160)
    out.print(table)
    for row in report.rows:
        if row.drained is not None:
            drained = row.drained
            sent = ", ".join(f"{count} {kind}" for kind, count in sorted(drained.sent.items()))
            out.print(
                f"{row.contender}: {drained.checkpoints} checkpoints, "
                f"{drained.memory / 1e6:.0f} MB at most; sent {sent}"
            )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m portquorum.bench.stream", description=__doc__)
    parser.add_argument("--results", type=int, default=1_500_000, help="results in each log")
    parser.add_argument("--targets", type=int, default=FLEET, help="in each log")
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--singles", type=int, default=SINGLES, help="messages of one result")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = measure(
            asked.results, asked.targets, asked.partitions, asked.singles, Path(folder)
        )
    if asked.json:
        print(msgspec.json.encode(report).decode())
    else:
        show(report)


if __name__ == "__main__":
    main()
