"""How long `portquorum replay` takes: `python -m portquorum.bench.replay [--records N] [--json]`.

A real Kafka (the embedded one) runs on this machine. A log of a small fleet is written, the shipped
stream reads it to its end and is stopped. Then, in turn, each in a process of its own:

- the limit: a plain consumer that reads the same records and decodes every result;
- `portquorum replay` of the whole log, which must find each event to be the same.

Both begin with a new Python, so that both have the same imports of the Kafka client to pay.
"""

import argparse
import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from foundation import kafka
from foundation.settings import Settings
from portquorum.bench.process import end_at_signals, say
from portquorum.bench.role import environment, running
from portquorum.bench.stream import log
from portquorum.bench.stream_log import write
from portquorum.embedded.kafka.main import EmbeddedKafka
from schemas.topics import RESULTS
from streams import results_log

_TARGETS: Final = 200
_RESULTS: Final = 100
"""Results a record, at most: the log that `records` are taken from is long enough."""

_DEADLINE_S: Final = 300.0


class ProcessRun(Struct, frozen=True, gc=False):
    """One process from its start to its end: seconds of wall clock, and of CPU (user, system)."""

    seconds: float
    cpu_s: float


class ReplayReport(Struct, frozen=True, kw_only=True):
    """A complete invocation. `limit` and `replay` are pairs: run after run, in turn."""

    cpus: int
    load_before: float
    load_after: float
    partitions: int
    records: int
    events: int
    limit: list[ProcessRun]
    replay: list[ProcessRun]

    @property
    def seconds(self) -> float:
        """The median of the replay's seconds."""
        return statistics.median(run.seconds for run in self.replay)

    @property
    def to_limit(self) -> float:
        """The replay's CPU time to the limit's: the median of the pairs."""
        pairs = zip(self.replay, self.limit, strict=True)
        return statistics.median(mine.cpu_s / bare.cpu_s for mine, bare in pairs)


class _Answer(Struct):
    identical: bool
    records: int
    given: int


def measure(records: int, partitions: int, runs: int, folder: Path) -> ReplayReport:
    """Everything, with a Kafka of its own in `folder`."""
    with EmbeddedKafka(folder, "127.0.0.1:0") as broker:
        settings = Settings(kafka=broker.bootstrap_servers, partitions=partitions)
        say("writing the log …")
        messages = islice(log(_TARGETS, records * _RESULTS, partitions, full=False), records)
        asyncio.run(write(settings, messages))
        say("the stream reads it …")
        with running(["stream"], environment(settings), folder / "stream.log"):
            asyncio.run(_all_acknowledged(settings))
        load = os.getloadavg()[0]
        env = environment(settings, PORTQUORUM_DATA_DIR=str(folder))
        limit, replayed = [], []
        answer = _Answer(identical=True, records=0, given=0)
        for number in range(runs + 1):
            bare, _ = _timed(["portquorum.bench.stream_bare"], env)
            mine, said = _timed(["portquorum.cli", "replay", "--from", "1d", "--json"], env)
            answer = msgspec.json.decode(said, type=_Answer)
            if number:  # the first reads the files of both into memory
                limit.append(bare)
                replayed.append(mine)
        if not answer.identical or not answer.given or answer.records < records:
            raise SystemExit(f"expected {records} records and the same events, found {answer}")
        return ReplayReport(
            cpus=len(os.sched_getaffinity(0)),
            load_before=load,
            load_after=os.getloadavg()[0],
            partitions=partitions,
            records=answer.records,
            events=answer.given,
            limit=limit,
            replay=replayed,
        )


async def _all_acknowledged(settings: Settings) -> None:
    numbers = list(range(settings.partitions))
    ends = {n: one.end for n, one in (await results_log.bounds(settings, numbers)).items()}
    parts = [TopicPartition(settings.topic(RESULTS.name), n) for n in numbers if ends[n]]
    client = kafka.admin(settings)
    await client.start()
    try:
        async with asyncio.timeout(_DEADLINE_S):
            while True:
                try:
                    found = await kafka.commits(client, settings.group("stream"), parts)
                except KafkaError:  # no coordinator yet
                    found = {}
                if all(
                    part in found and found[part].offset >= ends[part.partition] for part in parts
                ):
                    return
                await asyncio.sleep(0.2)
    finally:
        await client.close()


def _timed(module: Sequence[str], env: Mapping[str, str]) -> tuple[ProcessRun, bytes]:
    """Runs a module, and returns its figures and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *module], env=env, stdout=subprocess.PIPE, check=True, timeout=600
    )
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return ProcessRun(seconds, cpu_s), done.stdout


def show(report: ReplayReport) -> None:
    """The report as a table."""
    table = Table(
        title=f"Replay of {report.records:,} records in {report.partitions} partitions, "
        f"{report.events} events, {report.cpus} CPUs, load {report.load_before:.1f}, "
        f"{report.load_after:.1f}",
        title_justify="left",
    )
    table.add_column("")
    for column in ("seconds", "least, most", "CPU s", "CPU to the limit"):
        table.add_column(column, justify="right")
    rows = (
        ("limit: reads and decodes", report.limit, 1.0),
        ("replay", report.replay, report.to_limit),
    )
    for name, runs, ratio in rows:
        seconds = sorted(run.seconds for run in runs)
        table.add_row(
            name,
            f"{statistics.median(seconds):.2f}",
            f"{seconds[0]:.2f}, {seconds[-1]:.2f}",
            f"{statistics.median(run.cpu_s for run in runs):.2f}",
            f"{ratio:.2f}",
        )
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m portquorum.bench.replay", description=__doc__)
    parser.add_argument("--records", type=int, default=1_200, help="in the whole log")
    parser.add_argument("--partitions", type=int, default=32)
    parser.add_argument("--runs", type=int, default=5, help="of each contender, in turn")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    asked = parser.parse_args()
    end_at_signals()
    with tempfile.TemporaryDirectory() as folder:
        report = measure(asked.records, asked.partitions, asked.runs, Path(folder))
    if asked.json:
        print(msgspec.json.encode(report).decode())
    else:
        show(report)


if __name__ == "__main__":
    main()
