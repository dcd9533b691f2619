"""What the stream's state costs, by the number of targets.

`python -m portquorum.bench.state [--json]`.

For each size, in a process of its own: a worker that owns all partitions has so many targets of
three regions, one host a target, and hears every region of every target once. Resident memory
before and after, and the checkpoints as they lie in [state], are those of this calm fleet. Then the
worker starts again from its checkpoints, and the fleet goes on, message by message of 500 results,
first calm, then with one target in a hundred down; of the times that the messages took to decode
and to apply the one is shown that a tenth of them stayed below. All times are CPU time, since
others use the machine too. Kafka and Faust are not in it: see `stream`.
"""

import argparse
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from aiokafka.codec import zstd_encode
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from schemas import batch, control
from schemas.control import TargetSet
from schemas.partition import partition_for
from schemas.result import CheckResult
from schemas.target import Target
from streams.checkpoint import decoder
from streams.checkpoint.encoder import StateEncoder
from streams.rules.process import step
from streams.state.partition_state import PartitionState, new_state

SIZES: Final = (1_000, 10_000, 100_000, 300_000)
REGIONS: Final = ("eu-west-1", "us-east-1", "ap-south-1")
RESULTS: Final = 500
MESSAGES: Final = 600
"""Least number of timed messages of each kind: calm, and with one target in a hundred down."""

DOWN_EVERY: Final = 100
INTERVAL_MS: Final = 1_000
"""Short enough that the smallest fleet fills a message before its first result is too late."""
BEGIN_MS: Final = 1_800_000_000_000


class StateFigures(Struct, frozen=True, kw_only=True):
    """One size. Bytes are those of a target-region.

    `capture_ms`: how long nothing else runs while a partition is captured for a checkpoint,
    `piece_ms` while a piece of one is encoded (the longest of all partitions); between these,
    records are applied.
    `encode_ms` and `decode_ms` are the work of all partitions. `calm_ns` and `troubled_ns` are what
    a result costs, decoding and rules.
    """

    targets: int
    memory: float
    raw: float
    compressed: float
    capture_ms: float
    piece_ms: float
    encode_ms: float
    decode_ms: float
    calm_ns: float
    troubled_ns: float


class StateReport(Struct, frozen=True):
    """All sizes, and where they were measured."""

    cpus: int
    load_before: float
    python: str
    partitions: int
    rows: tuple[StateFigures, ...]


class SimulatedWorker:
    """The states of all partitions, and the messages of a fleet's probers."""

    def __init__(self, targets: int, partitions: int) -> None:
        self.states = [new_state(number, partitions) for number in range(partitions)]
        chance = random.Random(1)  # noqa: S311 - no secret
        # Numbers without order: neighbours in the state share no more than in a real fleet.
        self._numbers = chance.sample(range(10_000_000), targets)
        self._homes = [partition_for(_host(number), partitions) for number in self._numbers]
        phases = [chance.randrange(INTERVAL_MS) for _ in range(targets)]
        self._agenda = sorted(
            ((phases[at] + shift * INTERVAL_MS // len(REGIONS)) % INTERVAL_MS, at, region)
            for at in range(targets)
            for shift, region in enumerate(REGIONS)
        )
        self._waiting: dict[tuple[str, int], list[CheckResult]] = {
            (region, number): [] for region in REGIONS for number in range(partitions)
        }
        self._round = 0

    def define(self) -> None:
        """Sets all targets."""
        for number, home in zip(self._numbers, self._homes, strict=True):
            target = Target(
                id=f"shop-{number:07d}-postgres",
                name=f"Shop {number:07d} Postgres",
                kind="tcp",
                host=_host(number),
                port=5432,
                regions=REGIONS,
                interval_ms=INTERVAL_MS,
                timeout_ms=3_000,
                version=BEGIN_MS - 1,
                source="inventory.yaml",
                team="database",
                tags=("prod",),
            )
            self._apply(home, BEGIN_MS, b"", control.headers(TargetSet(target)))

    def hear(self) -> None:
        """One interval in small messages, which are freed soon after."""
        for partition, at, value in self._messages(down=False, size=20):
            self._apply(partition, at, value, [])
        for (_, partition), waiting in self._waiting.items():
            if waiting:
                at = self.states[partition].now + 1
                self._apply(partition, at, batch.encode(waiting), [])
                waiting.clear()
        self._round += 1

    def play(self, rounds: int, *, down: bool) -> list[float]:
        """Plays this number of intervals; returns the CPU seconds of each message."""
        took = []
        for _ in range(rounds):
            for partition, at, value in self._messages(down=down):
                begun = time.thread_time()
                self._apply(partition, at, value, [])
                took.append(time.thread_time() - begun)
            self._round += 1
        return took

    def restart(self) -> None:
        """Restores all states from their checkpoints."""
        partitions = len(self.states)
        self.states = [
            decoder.decode(decoder.encode(state), state.partition, partitions)
            for state in self.states
        ]

    def _apply(
        self, partition: int, at: int, value: bytes, headers: list[tuple[str, bytes]]
    ) -> None:
        state = self.states[partition]
        done = step(state, state.offset + 1, at, value, headers)
        if done.failed or done.unreadable:
            raise RuntimeError("expected that the rules take every message, found one they do not")

    def _messages(self, *, down: bool, size: int = RESULTS) -> Iterator[tuple[int, int, bytes]]:
        begin = BEGIN_MS + (self._round + 1) * INTERVAL_MS
        for phase, at, region in self._agenda:
            home = self._homes[at]
            waiting = self._waiting[region, home]
            failed = down and at % DOWN_EVERY == 0
            waiting.append(_result(self._numbers[at], region, begin + phase, failed=failed))
            if len(waiting) == size:
                yield home, begin + phase + 50, batch.encode(waiting)
                waiting.clear()


def _host(number: int) -> str:
    return f"db{number:07d}.example.com"


def _result(number: int, region: str, started: int, *, failed: bool) -> CheckResult:
    return CheckResult(
        target=f"shop-{number:07d}-postgres",
        kind="tcp",
        host=_host(number),
        port=5432,
        region=region,
        prober=f"{region}-prober-1",
        scheduled_at=started - 3,
        started_at=started,
        status="down" if failed else "up",
        reason="connection_refused" if failed else None,
        detail="[Errno 111] Connection refused" if failed else None,
        attempt=0,
        cause="schedule",
        target_version=BEGIN_MS - 1,
        address="192.0.2.7",
        dns_ms=0.412,
        connect_ms=None if failed else 12.345,
        total_ms=None if failed else 12.757,
    )


def resident() -> int:
    """The resident memory of this process in bytes."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGESIZE")


class Checkpoints:
    """The checkpoints of all partitions, and their cost in CPU seconds."""

    def __init__(self, states: list[PartitionState]) -> None:
        self.chunks: list[list[bytes]] = []
        self.capture = self.piece = self.encode = self.decode = 0.0
        for state in states:
            self.chunks.append(self._encode(state))
        for number, chunks in enumerate(self.chunks):
            begun = time.thread_time()
            decoder.decode(chunks, number, len(states))
            self.decode += time.thread_time() - begun

    def _encode(self, state: PartitionState) -> list[bytes]:
        begun = time.thread_time()
        capture = StateEncoder(state)
        self.capture = max(self.capture, time.thread_time() - begun)
        chunks = []
        begun = time.thread_time()
        for chunk in capture.chunks():
            took = time.thread_time() - begun
            self.piece, self.encode = max(self.piece, took), self.encode + took
            chunks.append(chunk)
            begun = time.thread_time()
        return chunks


def measure(targets: int, partitions: int) -> StateFigures:
    """One size, in this process."""
    # What the program itself needs for its work is there before anything is measured.
    warm = SimulatedWorker(1_000, partitions)
    warm.define()
    warm.play(2, down=True)
    warm.restart()
    del warm

    before = resident()
    worker = SimulatedWorker(targets, partitions)
    fleet = resident() - before
    worker.define()
    worker.hear()
    windows = targets * len(REGIONS)
    memory = resident() - before - fleet
    saved = Checkpoints(worker.states)

    worker.restart()
    rounds = -(-MESSAGES * RESULTS // windows)
    calm = worker.play(rounds, down=False)
    worker.play(rounds + 3, down=True)  # until all incidents are open
    troubled = worker.play(rounds, down=True)
    return StateFigures(
        targets=targets,
        memory=memory / windows,
        raw=sum(len(chunk) for chunks in saved.chunks for chunk in chunks) / windows,
        compressed=sum(len(zstd_encode(chunk)) for chunks in saved.chunks for chunk in chunks)
        / windows,
        capture_ms=saved.capture * 1000,
        piece_ms=saved.piece * 1000,
        encode_ms=saved.encode * 1000,
        decode_ms=saved.decode * 1000,
        calm_ns=_tenth(calm) / RESULTS * 1e9,
        troubled_ns=_tenth(troubled) / RESULTS * 1e9,
    )


def _tenth(values: list[float]) -> float:
    return statistics.quantiles(values, n=10)[0]


def show(report: StateReport) -> None:
    """The report as a table."""
    table = Table(
        title=f"The states of {report.partitions} partitions in one worker, {report.cpus} CPUs, "
        f"Python {report.python}, load {report.load_before:.1f}; bytes are those of a "
        f"target-region ({len(REGIONS)} regions a target)",
        title_justify="left",
    )
    for column in (
        "targets",
        "memory B",
        "checkpoint B",
        "compressed B",
        "capture ms",
        "longest piece ms",
        "encode ms",
        "restore ms",
        "ns a result",
        "1 % down: ns",
    ):
        table.add_column(column, justify="right")
    for row in report.rows:
        table.add_row(
            f"{row.targets:,}",
            f"{row.memory:.0f}",
            f"{row.raw:.1f}",
            f"{row.compressed:.1f}",
            f"{row.capture_ms:.2f}",
            f"{row.piece_ms:.2f}",
            f"{row.encode_ms:.0f}",
            f"{row.decode_ms:.0f}",
            f"{row.calm_ns:.0f}",
            f"{row.troubled_ns:.0f}",
        )
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m portquorum.bench.state", description=__doc__)
    parser.add_argument("--targets", type=int, nargs="*", default=SIZES, help="the sizes")
    parser.add_argument("--partitions", type=int, default=16, help="of the topic")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if any(not 1_000 <= targets <= 2_000_000 for targets in asked.targets):
        parser.error("expected sizes between 1000 and 2000000 targets")
    if not 1 <= asked.partitions <= 16:
        parser.error("expected up to 16 partitions: with more a message would wait for too long")
    if asked.one:
        print(msgspec.json.encode(measure(asked.targets[0], asked.partitions)).decode())
        return
    load = os.getloadavg()[0]
    rows = []
    command = [sys.executable, "-m", "portquorum.bench.state"]
    for targets in asked.targets:
        told = subprocess.run(
            [*command, "--one", "--targets", f"{targets}", "--partitions", f"{asked.partitions}"],
            check=True,
            stdout=subprocess.PIPE,
        )
        rows.append(msgspec.json.decode(told.stdout, type=StateFigures))
    cpus = len(os.sched_getaffinity(0))
    report = StateReport(cpus, load, platform.python_version(), asked.partitions, tuple(rows))
    if asked.json:
        print(msgspec.json.encode(report).decode())
    else:
        show(report)


if __name__ == "__main__":
    main()
