"""What the stream's state costs, by the number of targets: `python -m bench.state [--json]`.

For each size, in a process of its own: a partition with so many targets of three regions, one host
a target, hears every region of every target once. Resident memory before and after, and the
checkpoint as it lies in [state], are those of this calm fleet. Then the same fleet goes on,
message by message of 500 results, first calm, then with one target in a hundred down; of the times
that the messages took to decode and to apply the median is shown. Kafka and Faust are not in it:
see `bench.stream`.
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
from aiokafka.codec import lz4_encode
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from schemas import batch, control
from schemas.control import TargetSet
from schemas.result import CheckResult
from schemas.target import Target
from streams import snapshot
from streams.state import PartitionState, new_state
from streams.step import step

SIZES: Final = (1_000, 10_000, 100_000, 300_000)
REGIONS: Final = ("eu-west-1", "us-east-1", "ap-south-1")
RESULTS: Final = 500
MESSAGES: Final = 600
"""At least so many messages are timed of each kind: calm, and with one target in a hundred down."""

DOWN_EVERY: Final = 100
INTERVAL_MS: Final = 20_000
"""Short enough that a message of the smallest fleet is full before its first result is too late."""
BEGIN_MS: Final = 1_800_000_000_000


class Figures(Struct, frozen=True, kw_only=True):
    """One size. Bytes are those of a target-region; `piece_ms` is the longest of a checkpoint.

    `stall_ms`: how long nothing else runs while the state is captured for a checkpoint;
    `encode_ms` is the work of all its pieces, between which records are applied. `calm_ns` and
    `troubled_ns` are what a result costs, decoding and rules.
    """

    targets: int
    memory: float
    raw: float
    compressed: float
    stall_ms: float
    piece_ms: float
    encode_ms: float
    decode_ms: float
    calm_ns: float
    troubled_ns: float


class Report(Struct, frozen=True):
    """All sizes, and where they were measured."""

    cpus: int
    load_before: float
    python: str
    rows: tuple[Figures, ...]


class Log:
    """A fleet of one partition and what its probers write, message by message."""

    def __init__(self, targets: int) -> None:
        self._count = targets
        chance = random.Random(1)  # noqa: S311 - no secret
        # Numbers without order: neighbours in the state share no more than in a real fleet.
        self._numbers = chance.sample(range(10_000_000), targets)
        phases = [chance.randrange(INTERVAL_MS) for _ in range(targets)]
        self._agenda = sorted(
            ((phases[at] + shift * INTERVAL_MS // len(REGIONS)) % INTERVAL_MS, at, region)
            for at in range(targets)
            for shift, region in enumerate(REGIONS)
        )
        self._offset = 0
        self._round = 0

    def apply(
        self, state: PartitionState, at: int, value: bytes, headers: list[tuple[str, bytes]]
    ) -> None:
        """One message; a fault of the rules ends the program."""
        done = step(state, self._offset, at, value, headers)
        self._offset += 1
        if done.failed or done.unreadable:
            raise RuntimeError("expected that the rules take every message, found one they do not")

    def define(self, state: PartitionState) -> None:
        """Sets all targets."""
        for number in self._numbers:
            target = Target(
                id=f"shop-{number:07d}-postgres",
                name=f"Shop {number:07d} Postgres",
                kind="tcp",
                host=f"db{number:07d}.example.com",
                port=5432,
                regions=REGIONS,
                interval_ms=INTERVAL_MS,
                timeout_ms=3_000,
                version=BEGIN_MS - 1,
                source="inventory.yaml",
                team="database",
                tags=("prod",),
            )
            self.apply(state, BEGIN_MS, b"", control.headers(TargetSet(target)))

    def play(self, state: PartitionState, rounds: int, *, down: bool) -> list[float]:
        """So many intervals; returns the seconds that each message took."""
        took = []
        for _ in range(rounds):
            for at, value in self._messages(down=down):
                begun = time.perf_counter()
                self.apply(state, at, value, [])
                took.append(time.perf_counter() - begun)
            self._round += 1
        return took

    def _messages(self, *, down: bool) -> Iterator[tuple[int, bytes]]:
        begin = BEGIN_MS + (self._round + 1) * INTERVAL_MS
        by_region: dict[str, list[CheckResult]] = {region: [] for region in REGIONS}
        for phase, at, region in self._agenda:
            waiting = by_region[region]
            failed = down and at % DOWN_EVERY == 0
            waiting.append(self._result(at, region, begin + phase, failed=failed))
            if len(waiting) == RESULTS:
                yield begin + phase + 50, batch.encode(waiting)
                waiting.clear()

    def _result(self, at: int, region: str, started: int, *, failed: bool) -> CheckResult:
        number = self._numbers[at]
        return CheckResult(
            target=f"shop-{number:07d}-postgres",
            kind="tcp",
            host=f"db{number:07d}.example.com",
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


def measure(targets: int) -> Figures:
    """One size, in this process."""
    # What the program itself needs for its work is there before anything is measured.
    warm, warm_state = Log(1_000), new_state(0, 1)
    warm.define(warm_state)
    warm.play(warm_state, 2, down=True)
    snapshot.encode(warm_state)
    del warm, warm_state

    log, state = Log(targets), new_state(0, 1)
    before = resident()
    log.define(state)
    log.play(state, 1, down=False)
    # A message that is not full stays with the prober, so a few windows may still be empty.
    windows = targets * len(REGIONS)
    memory = resident() - before

    begun = time.perf_counter()
    capture = snapshot.Capture(state)
    stall = time.perf_counter() - begun
    pieces, chunks = [], []
    begun = time.perf_counter()
    for chunk in capture.chunks():
        pieces.append(time.perf_counter() - begun)
        chunks.append(chunk)
        begun = time.perf_counter()
    del capture
    begun = time.perf_counter()
    snapshot.decode(chunks, 0, 1)
    restored = time.perf_counter() - begun

    rounds = -(-MESSAGES * RESULTS // windows)
    calm = log.play(state, rounds, down=False)
    log.play(state, 2, down=True)
    troubled = log.play(state, rounds, down=True)
    return Figures(
        targets=targets,
        memory=memory / windows,
        raw=sum(map(len, chunks)) / windows,
        compressed=sum(len(lz4_encode(chunk)) for chunk in chunks) / windows,
        stall_ms=stall * 1000,
        piece_ms=max(pieces) * 1000,
        encode_ms=sum(pieces) * 1000,
        decode_ms=restored * 1000,
        calm_ns=statistics.median(calm) / RESULTS * 1e9,
        troubled_ns=statistics.median(troubled) / RESULTS * 1e9,
    )


def show(report: Report) -> None:
    """The report as a table."""
    table = Table(
        title=f"The state of a partition, {report.cpus} CPUs, Python {report.python}, "
        f"load {report.load_before:.1f}; bytes are those of a target-region ({len(REGIONS)} "
        "regions a target)",
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
            f"{row.stall_ms:.2f}",
            f"{row.piece_ms:.2f}",
            f"{row.encode_ms:.0f}",
            f"{row.decode_ms:.0f}",
            f"{row.calm_ns:.0f}",
            f"{row.troubled_ns:.0f}",
        )
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.state", description=__doc__)
    parser.add_argument("--targets", type=int, nargs="*", default=SIZES, help="the sizes")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if any(not 1_000 <= targets <= 2_000_000 for targets in asked.targets):
        parser.error("expected sizes between 1000 and 2000000 targets")
    if asked.one:
        print(msgspec.json.encode(measure(asked.targets[0])).decode())
        return
    load = os.getloadavg()[0]
    rows = []
    for targets in asked.targets:
        told = subprocess.run(
            [sys.executable, "-m", "bench.state", "--one", "--targets", f"{targets}"],
            check=True,
            stdout=subprocess.PIPE,
        )
        rows.append(msgspec.json.decode(told.stdout, type=Figures))
    report = Report(len(os.sched_getaffinity(0)), load, platform.python_version(), tuple(rows))
    if asked.json:
        print(msgspec.json.encode(report).decode())
    else:
        show(report)


if __name__ == "__main__":
    main()
