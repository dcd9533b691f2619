"""What servers note of our checks: `python -m tests.wide.traces` makes the table of docs/kinds.md.

Each server has the logging of its package, and is checked over loopback at a bounded rate.
"""

import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.engine.factory import platform_engine
from producers.kinds.registry import KINDS
from schemas.probe import HttpProbe, Probe, TlsProbe
from schemas.target import Target
from tests.wide.log_servers import EVERY, Logging, Server

CHECKS: Final = 1_000
QUIET_S: Final = 1.0
"""A log that has not grown for so long has all of it."""


class Traces(Struct, frozen=True):
    """What a server noted; `kinds` are its lines without numbers, with how many of each.

    `others` are the checks that were not up, by detail, likewise.
    """

    lines: int
    counted: dict[str, int] | None
    kinds: dict[str, int]
    up: int
    others: dict[str, int]


async def traces(server: Server, checks: int = CHECKS) -> Traces:
    """Starts the server, checks it and counts."""
    with server.start() as place:
        await _until_up(server, place)
        before, counted = await _quiet(place.logs), place.counters()
        others = await _check(server, place.port, checks)
        now = await _quiet(place.logs)
        lines = [line for old, all_ in zip(before, now, strict=True) for line in all_[len(old) :]]
        after = place.counters()
    return Traces(
        len(lines),
        _grown(counted, after),
        _alike(lines),
        checks - len(others),
        _alike(others),
    )


def _alike(lines: Sequence[str]) -> dict[str, int]:
    return dict(Counter(re.sub(r"[0-9]+", "N", line) for line in lines).most_common(8))


def table(found: Sequence[tuple[Server, Traces]], checks: int) -> str:
    """The table of docs/kinds.md."""
    rows = [
        f"| server | kind | log lines of {checks:,} checks | counted | what it is |",
        "|---|---|---|---|---|",
    ]
    for server, noted in found:
        counted = "–"
        if noted.counted is not None:
            each = (f"`{name}` {number:,}" for name, number in noted.counted.items())
            counted = ", ".join(each) or "0"
        rows.append(
            f"| {server.name} | `{server.kind}` | {noted.lines:,} | {counted} "
            f"| {server.why or '–'} |"
        )
    return "\n".join(rows)


def _grown(before: dict[str, int] | None, after: dict[str, int] | None) -> dict[str, int] | None:
    if before is None or after is None:
        return None
    return {name: after[name] - number for name, number in before.items() if after[name] != number}


def _target(server: Server, port: int) -> Target:
    probe: Probe | None = None
    if server.kind == "http":
        probe = HttpProbe(tls=server.tls)
    elif server.kind == "tls":
        probe = TlsProbe(verify=False)
    return Target(
        id="t",
        name="t",
        kind=server.kind,
        host="127.0.0.1",
        port=port,
        regions=("r",),
        interval_ms=60_000,
        timeout_ms=10_000,
        version=1,
        source="test",
        probe=probe,
    )


async def _check(server: Server, port: int, count: int) -> list[str]:
    """The details of the checks that were not up."""
    engine = platform_engine(Vantage(internal=True))
    target, others, room = _target(server, port), list[str](), asyncio.Semaphore(server.at_once)

    def done(_: PlannedCheck, outcome: CheckOutcome) -> None:
        if outcome.status != "up":
            others.append(f"{outcome.reason}: {outcome.detail}")
        room.release()

    kind = KINDS[server.kind]
    KINDS[server.kind] = replace(kind, pace=None)  # the server here locks nobody out
    try:
        began = time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / server.rate - time.monotonic()))
            await room.acquire()
            engine.submit(PlannedCheck(target, 0.0, 0, "schedule"), done)
        async with asyncio.timeout(60):
            for _ in range(server.at_once):
                await room.acquire()
        await engine.connections_closed(10)
    finally:
        KINDS[server.kind] = kind
        engine.close()
    return others


async def _until_up(server: Server, place: Logging) -> None:
    deadline = time.monotonic() + 60
    while await _check(server, place.port, 1):
        if time.monotonic() > deadline:
            raise AssertionError(f"{server.name} is not up on port {place.port} within 60 s")
        await asyncio.sleep(0.2)


async def _quiet(logs: Sequence[Path]) -> list[list[str]]:
    """The lines of each log, when all have stopped growing."""
    lines = _read(logs)
    while True:
        await asyncio.sleep(QUIET_S)
        more = _read(logs)
        if more == lines:
            return more
        lines = more


def _read(logs: Sequence[Path]) -> list[list[str]]:
    texts = [path.read_text(errors="replace") if path.exists() else "" for path in logs]
    return [[line for line in text.splitlines() if line.strip()] for text in texts]


async def main(names: Sequence[str]) -> None:
    """Measures all servers, or those whose name has one of the words."""
    found = []
    for server in EVERY:
        if names and not any(name.lower() in server.name.lower() for name in names):
            continue
        noted = await traces(server)
        sys.stderr.write(f"{server.name}: {noted}\n")
        found.append((server, noted))
    sys.stdout.write(table(found, CHECKS) + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
