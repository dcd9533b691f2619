"""What each codec of record batches costs: `python -m portquorum.bench.codec [--json]`.

Two logs, each written and read once for each way, on a Kafka of its own: the messages of [results]
that the probers of a fleet make (`stored_fleet`), and the events of an outage of all ports of some
hosts, in batches as the stream makes them. A way is the codec of the producer, and the topic's
`compression.type`, by which the broker may pack anew. Measured are the bytes in the broker's log,
and CPU of the producer's process, the broker, and a consumer's process.
"""

import argparse
import asyncio
import logging
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec
import psutil
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from foundation import kafka
from foundation.settings import Settings
from portquorum.bench.process import say
from portquorum.bench.stored_fleet import log
from portquorum.bench.stream_fleet import FleetMessage, Probers, definitions
from portquorum.bench.stream_outage import failing, fleet, healthy
from portquorum.embedded.kafka.main import EmbeddedKafka
from schemas.topics import INCIDENTS
from streams.rules.process import step
from streams.state.partition_state import PartitionState, new_state

PARTITIONS: Final = 16
FLEET: Final = 20_000
INTERVAL_MS: Final = 12_000
LINGER_MS: Final = 5
"""Of the stream's producer: events of so many ms leave as one batch of a partition."""

WAYS: Final[tuple[tuple[str | None, str], ...]] = (
    (None, "producer"),
    ("gzip", "producer"),
    ("zstd", "producer"),
    ("lz4", "producer"),
    ("snappy", "producer"),
    (None, "lz4"),
    (None, "gzip"),
    (None, "zstd"),
)
"""Codec of the producer, and `compression.type` of the topic."""

Sent = tuple[int, bytes, tuple[tuple[str, bytes], ...]]
"""Partition, value and headers of a message."""


class CodecFigures(Struct, frozen=True, kw_only=True):
    """One way. Bytes in the broker's log; CPU seconds of the three processes."""

    log: str
    producer: str
    topic: str
    size: int
    producer_s: float
    broker_s: float
    consumer_s: float


class CodecReport(Struct, frozen=True, kw_only=True):
    """All ways; `messages` and `bytes` (of values and headers) by log."""

    load_before: float
    messages: dict[str, int]
    bytes: dict[str, int]
    ways: list[CodecFigures]


def results(count: int) -> list[list[Sent]]:
    """Messages of the probers, one of each partition at a time, as they leave."""
    begin = int(time.time() * 1000) - 8 * 3_600_000
    made = [one for one in log(FLEET, count, PARTITIONS, begin, INTERVAL_MS) if one.value]
    sent: list[Sent] = [(one.partition, one.value, ()) for one in made]
    return [sent[at : at + PARTITIONS] for at in range(0, len(sent), PARTITIONS)]


def events(hosts: int, ports: int) -> list[list[Sent]]:
    """Events of an outage by the rules themselves; what the stream sends within its linger."""
    begin = 1_790_000_000_000
    targets = fleet(hosts, ports, begin)
    calm = healthy(targets, PARTITIONS, begin + 1_000)
    trouble = failing(targets, PARTITIONS, begin + 5_000)
    messages = [
        *definitions(targets, PARTITIONS, begin),
        *Probers(full=True).messages(calm),
        *Probers(full=False).messages(iter(trouble)),
    ]
    states = [new_state(number, PARTITIONS) for number in range(PARTITIONS)]
    made = [found for message in messages for found in _judged(states[message.partition], message)]
    made.sort(key=lambda one: one[0])
    groups = groupby(made, key=lambda one: one[0] // LINGER_MS)
    return [[sent for _, sent in group] for _, group in groups]


def _judged(state: PartitionState, message: FleetMessage) -> Iterator[tuple[int, Sent]]:
    done = step(state, state.offset + 1, message.at, message.value, message.headers or ())
    for out in done.messages:
        if out.topic == INCIDENTS.name:
            yield message.at, (message.partition, out.value or b"", tuple(out.headers))


class Log(Struct, frozen=True):
    """Messages that are sent together, group by group, and where they are written to."""

    about: str
    groups: list[list[Sent]]

    @property
    def count(self) -> int:
        """The number of messages."""
        return sum(map(len, self.groups))

    @property
    def size(self) -> int:
        """Bytes of values and headers."""
        return sum(
            len(value) + sum(len(name) + len(said) for name, said in headers)
            for group in self.groups
            for _, value, headers in group
        )


def measure_way(
    service: EmbeddedKafka, folder: Path, made: Log, topic: str, way: tuple[str | None, str]
) -> CodecFigures:
    """Writes and reads all messages in a topic of their own."""
    settings = Settings(kafka=service.bootstrap_servers)
    broker = psutil.Process(service.pid)
    codec, topic_codec = way
    asyncio.run(_create(settings, topic, topic_codec))
    before, used = _cpu_s(broker), time.process_time()
    asyncio.run(_write(settings, topic, made.groups, codec))
    producer_s, broker_s = time.process_time() - used, _cpu_s(broker) - before
    used = time.process_time()
    asyncio.run(_read(settings, topic, made.count))
    return CodecFigures(
        log=made.about,
        producer=codec or "none",
        topic=topic_codec,
        size=sum(path.stat().st_size for path in folder.rglob(f"{topic}-*/*.log")),
        producer_s=producer_s,
        broker_s=broker_s,
        consumer_s=time.process_time() - used,
    )


async def _create(settings: Settings, topic: str, topic_codec: str) -> None:
    client = kafka.admin(settings)
    await client.start()
    try:
        config = {"compression.type": topic_codec, "message.timestamp.type": "LogAppendTime"}
        await client.create_topics([NewTopic(topic, PARTITIONS, 1, topic_configs=config)])
    finally:
        await client.close()


async def _write(
    settings: Settings, topic: str, groups: Iterable[Sequence[Sent]], codec: str | None
) -> None:
    async with kafka.producer(
        settings,
        compression_type=codec,
        linger_ms=LINGER_MS,
        max_batch_size=256 * 1024,
        max_request_size=8 * 1024 * 1024,
    ) as client:
        for group in groups:
            sent = [
                await client.send(topic, value, partition=partition, headers=list(headers))
                for partition, value, headers in group
            ]
            await asyncio.gather(*sent)


async def _read(settings: Settings, topic: str, count: int) -> None:
    async with kafka.consumer(settings) as client:
        parts = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        client.assign(parts)
        await client.seek_to_beginning(*parts)
        while count > 0:
            for records in (await client.getmany(timeout_ms=1_000)).values():
                count -= len(records)


def _cpu_s(process: psutil.Process) -> float:
    all_of_it = [process, *process.children(recursive=True)]
    times = [one.cpu_times() for one in all_of_it]
    return float(sum(one.user + one.system for one in times))


def measure(count: int, hosts: int, ports: int) -> CodecReport:
    """Everything, on a Kafka of its own."""
    load = os.getloadavg()[0]
    logs = [Log("results", results(count)), Log("events", events(hosts, ports))]
    ways = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with EmbeddedKafka(folder, "127.0.0.1:0") as service:
            for made in logs:
                # The first run is not counted: the broker's compiler warms up.
                for number, way in enumerate((WAYS[0], *WAYS)):
                    say(f"{made.about}: {way[0] or 'none'}, topic {way[1]}")
                    topic = f"{made.about}.{number}"
                    found = measure_way(service, folder, made, topic, way)
                    ways += [found] if number else []
    return CodecReport(
        load_before=load,
        messages={made.about: made.count for made in logs},
        bytes={made.about: made.size for made in logs},
        ways=ways,
    )


def show(report: CodecReport) -> None:
    """A table for each log."""
    for about, count in report.messages.items():
        size = report.bytes[about]
        table = Table(title=f"{about}: {count:,} messages, {size / 1e6:,.1f} MB")
        for name in ("producer", "topic", "MB in the log", "ratio", "producer s", "broker s"):
            table.add_column(name, justify="right")
        table.add_column("consumer s", justify="right")
        for way in (one for one in report.ways if one.log == about):
            table.add_row(
                way.producer,
                way.topic,
                f"{way.size / 1e6:,.1f}",
                f"{size / way.size:.1f}",
                f"{way.producer_s:.2f}",
                f"{way.broker_s:.2f}",
                f"{way.consumer_s:.2f}",
            )
        Console(width=120).print(table)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m portquorum.bench.codec", description=__doc__)
    parser.add_argument("--results", type=int, default=400_000)
    parser.add_argument("--hosts", type=int, default=20, help="hosts that fail")
    parser.add_argument("--ports", type=int, default=200, help="ports of each")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    asked = parser.parse_args()
    # Of leaders that a new topic does not have yet: it tries again.
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    report = measure(asked.results, asked.hosts, asked.ports)
    if asked.json:
        print(msgspec.json.encode(report).decode())
    else:
        show(report)


if __name__ == "__main__":
    main()
