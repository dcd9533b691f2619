"""What a report of a job costs: `portquorum bench receiver [--rate N] [--receivers N] [--json]`.

An embedded Kafka, jobs with a secret each, and receivers as users start them. Reports come at a
fixed rate whether earlier ones were answered or not, and each is measured from when it was due: on
connections that stay open, and on a new one for each report, as `curl` makes it. As a measure the
same requests go to an app on the same server that answers at once without Kafka; both take turns,
so that a busy machine is so for both. `ratio` is that of the two p99; `cpu` of the servers for each
request.
"""

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from foundation import kafka
from foundation.settings import Settings
from portquorum.bench.piped import Piped
from portquorum.bench.process import started, usage
from portquorum.bench.receiver_load import Answers, Load, put, share_of
from portquorum.embedded.kafka.main import EmbeddedKafka
from portquorum.sharing.key_text import digest_of
from schemas import topics, web
from schemas.partition import partition_for
from schemas.probe import HeartbeatProbe
from schemas.result import RECEIVER
from schemas.target import Target
from schemas.web import ShareKey

GOAL_MS: Final = 20.0
"""p99 of a report at 1,000 a second (issue 23)."""
TURNS: Final = 3
READY_S: Final = 60.0
_BODY: Final = b"last words of a job that went well\n" * 4


class Way(Struct, frozen=True, kw_only=True):
    """One sort of requests: times in ms, `cpu_us` of the servers for each."""

    way: str
    connections: str
    requests: int
    failed: int
    a_second: float
    p50_ms: float
    p99_ms: float
    longest_ms: float
    cpu_us: float


class ReceiverFigures(Struct, frozen=True, kw_only=True):
    """All of it; `ratio` by sort of connection: p99 of a report to that of an answer at once."""

    rate: float
    receivers: int
    jobs: int
    ways: list[Way]
    ratio: dict[str, float]
    load: tuple[float, float]


class _Servers(Struct, frozen=True):
    """Where requests go, and whose CPU they cost."""

    ports: tuple[int, ...]
    pids: tuple[int, ...]

    def cpu_s(self) -> float:
        """CPU seconds of all so far."""
        return sum(usage(pid).cpu_s for pid in self.pids)


def measured(rate: float, receivers: int, jobs: int, seconds: float) -> ReceiverFigures:
    """The figures of a run; `seconds` of each sort of requests."""
    load = os.getloadavg()[0]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(EmbeddedKafka(folder / "kafka", "127.0.0.1:0"))
        settings = Settings(kafka=broker.bootstrap_servers)
        texts = [str(uuid.uuid4()) for _ in range(jobs)]
        asyncio.run(_filled(settings, texts))
        taking = stack.enter_context(_receivers(settings, receivers, folder))
        plain = Piped("portquorum.bench.receiver_plain")
        stack.callback(plain.close)
        at_once = _Servers((int(plain.first_line),), (plain.process.pid,))
        asyncio.run(_ready(taking, texts))
        ways = _ways({"at once": at_once, "report": taking}, texts, rate, seconds)
    p99 = {(one.way, one.connections): one.p99_ms for one in ways}
    return ReceiverFigures(
        rate=rate,
        receivers=receivers,
        jobs=jobs,
        ways=ways,
        ratio={
            name: p99["report", name] / max(p99["at once", name], 1e-9) for name in ("kept", "new")
        },
        load=(load, os.getloadavg()[0]),
    )


def _ways(
    servers: dict[str, _Servers], texts: Sequence[str], rate: float, seconds: float
) -> list[Way]:
    taken: dict[tuple[str, str], list[tuple[Answers, float]]] = {}
    for _ in range(TURNS):
        for connections in ("kept", "new"):
            for name, some in servers.items():
                reuses = connections == "kept"
                one = Load(ports=some.ports, rate=rate, seconds=seconds / TURNS, reuses=reuses)
                before = some.cpu_s()
                answers = asyncio.run(put(one, lambda n: f"/ping/{texts[n % len(texts)]}", _BODY))
                turn = (answers, some.cpu_s() - before)
                taken.setdefault((name, connections), []).append(turn)
    return [_way(name, connections, turns) for (name, connections), turns in taken.items()]


def _way(name: str, connections: str, turns: Sequence[tuple[Answers, float]]) -> Way:
    ms = [value for answers, _ in turns for value in answers.ms]
    failed = sum(answers.failed for answers, _ in turns)
    count = len(ms) + failed
    return Way(
        way=name,
        connections=connections,
        requests=count,
        failed=failed,
        a_second=count / sum(answers.seconds for answers, _ in turns),
        p50_ms=share_of(ms, 0.5),
        p99_ms=share_of(ms, 0.99),
        longest_ms=max(ms, default=0.0),
        cpu_us=sum(cpu_s for _, cpu_s in turns) * 1e6 / max(count, 1),
    )


async def _filled(settings: Settings, texts: Sequence[str]) -> None:
    """Topics, jobs and their keys."""
    await kafka.create_topics(settings)
    async with kafka.producer(settings, linger_ms=20) as client:
        sent = []
        for number, text in enumerate(texts):
            job = _job(number)
            name, part = settings.topic(topics.TARGETS.name), partition_for(job.id, 16)
            value = msgspec.json.encode(job)
            sent.append(await client.send(name, value, key=job.id.encode(), partition=part))
            key = _key(job.id, text)
            name, kept = settings.topic(topics.WEB.name), web.key(key, secrets.token_hex(8))
            sent.append(await client.send(name, web.encode(key), key=kept, partition=0))
        await asyncio.gather(*sent)


def _job(number: int) -> Target:
    return Target(
        id=f"job-{number}",
        name=f"job {number}",
        kind="heartbeat",
        host=None,
        port=None,
        regions=(RECEIVER,),
        interval_ms=60_000,
        timeout_ms=1_000,
        version=1,
        source="bench",
        probe=HeartbeatProbe(interval_ms=60_000),
    )


def _key(job_id: str, text: str) -> ShareKey:
    return ShareKey(
        version=1,
        change=secrets.token_hex(8),
        at=0,
        by="bench",
        id=secrets.token_hex(4),
        name="bench",
        use="ping",
        secret=digest_of(text),
        about=job_id,
        owner="bench",
        created_at=0,
    )


@contextlib.contextmanager
def _receivers(settings: Settings, count: int, folder: Path) -> Iterator[_Servers]:
    """Receivers on free ports."""
    env = {name: value for name, value in os.environ.items() if "PORTQUORUM" not in name} | {
        "PORTQUORUM_KAFKA": settings.kafka,
        "PORTQUORUM_METRICS": "127.0.0.1:0",
        "PORTQUORUM_LOG_FORMAT": "json",
        "PORTQUORUM_DATA_DIR": str(folder),
    }
    command = (sys.executable, "-m", "portquorum.cli", "receiver", "--listen", "127.0.0.1:0")
    with contextlib.ExitStack() as stack:
        logs = [folder / f"receiver-{number}.log" for number in range(count)]
        running = [stack.enter_context(started(command, env, log)) for log in logs]
        ports = asyncio.run(_ports(logs))
        yield _Servers(tuple(ports), tuple(one.pid for one in running))


async def _ports(logs: Sequence[Path]) -> list[int]:
    async with asyncio.timeout(READY_S):
        while True:
            found = [_port_in(log.read_text()) for log in logs]
            if all(found):
                return found
            await asyncio.sleep(0.1)


def _port_in(text: str) -> int:
    for line in text.splitlines():
        if '"reports are taken"' in line:
            return urlsplit(json.loads(line)["address"]).port or 0
    return 0


async def _ready(servers: _Servers, texts: Sequence[str]) -> None:
    """Returns when each receiver takes reports."""
    async with asyncio.timeout(READY_S):
        for port in servers.ports:
            while True:
                one = Load(ports=(port,), rate=20, seconds=0.25, reuses=False)
                if not (await put(one, lambda n: f"/ping/{texts[n]}")).failed:
                    break


def shown(found: ReceiverFigures) -> Table:
    """The figures as a table."""
    table = Table(title=f"{found.rate:,.0f} reports a second to {found.receivers} receivers")
    for name in ("", "connections", "requests", "failed", "p50 ms", "p99 ms", "max ms", "cpu us"):
        table.add_column(name, justify="left" if name in {"", "connections"} else "right")
    for one in found.ways:
        times = (f"{value:.1f}" for value in (one.p50_ms, one.p99_ms, one.longest_ms))
        counts = (f"{one.requests:,}", f"{one.failed:,}")
        table.add_row(one.way, one.connections, *counts, *times, f"{one.cpu_us:,.0f}")
    table.caption = (
        f"p99 of a report to an answer at once: {found.ratio['kept']:.1f} (kept), "
        f"{found.ratio['new']:.1f} (new); load {found.load[0]:.1f} to {found.load[1]:.1f}"
    )
    return table


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="portquorum bench receiver",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rate", type=float, default=1000.0, help="reports a second")
    parser.add_argument("--receivers", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each sort of requests")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measured(asked.rate, asked.receivers, asked.jobs, asked.seconds)
    if asked.json:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        Console().print(shown(found))


if __name__ == "__main__":
    main()
