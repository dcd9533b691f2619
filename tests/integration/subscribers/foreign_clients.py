"""Other people's Kafka clients, each as the lines "partition offset SHA-256" of what it reads."""

import hashlib
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from aiokafka import TopicPartition
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Place

from foundation import kafka
from foundation.settings import Settings
from tests.installed import missing
from tests.toolchains import go_program, java_program, node_program

_READERS: Final = Path(__file__).parent / "readers"
_SOURCES: Final = {
    "kafka-go": "go",
    "sarama": "go",
    "cloudevents": "go",
    "franz-go": "franz",
    "java": "java",
    "kafkajs": "js",
    "kafkajs+zstd": "js",
}
NAMES: Final = ("kafka-go", "sarama", "cloudevents", "franz-go", "java", "kafkajs", "librdkafka")
_WITHIN_S: Final = 60


class ForeignClients:
    """Programs that are built when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._commands: dict[str, list[str]] = {}

    def read(self, name: str, broker: str, topic: str, partitions: int, count: int) -> list[str]:
        """What a client reads, at most `count` records; sorted."""
        if name == "librdkafka":
            return _by_librdkafka(broker, topic, partitions, count)
        command = self.build(name)
        try:
            done = subprocess.run(
                [*command, name, broker, topic, str(partitions), str(count)],
                capture_output=True,
                text=True,
                timeout=_WITHIN_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            lines = (error.stdout or b"").count(b"\n")
            said = (error.stderr or b"").decode()[-1_000:]
            raise AssertionError(f"{name} read {lines} of {count} records: {said}") from None
        assert done.returncode == 0, f"{name}: {done.stderr[-1_000:]}"
        return sorted(done.stdout.splitlines())

    def build(self, name: str) -> list[str]:
        """The command of a client, built at the first time; none of one that is a library here."""
        source = _SOURCES.get(name)
        if source is None:
            return []
        if source not in self._commands:
            self._commands[source] = self._built(source)
        return self._commands[source]

    def _built(self, source: str) -> list[str]:
        match source:
            case "java":
                return java_program(_READERS / source, self._folder, "Read")
            case "js":
                return node_program(_READERS / source, self._folder, "read.mjs")
        return go_program(_READERS / source, self._folder)


def line(partition: int, offset: int, value: bytes | None) -> str:
    """A record as each client says it."""
    said = "null" if value is None else hashlib.sha256(value).hexdigest()
    return f"{partition} {offset} {said}"


def bare(lines: Iterable[str]) -> list[str]:
    """The values alone: a CloudEvents SDK gives no more."""
    return sorted(one.rpartition(" ")[2] for one in lines)


async def by_aiokafka(settings: Settings, topic: str, partitions: int) -> list[str]:
    """All records of a topic that is at rest."""
    found: list[str] = []
    async with kafka.consumer(settings) as client:
        parts = [TopicPartition(topic, number) for number in range(partitions)]
        client.assign(parts)
        ends = await client.end_offsets(parts)
        await client.seek_to_beginning(*parts)
        while any([await client.position(part) < ends[part] for part in parts]):
            for records in (await client.getmany(timeout_ms=200)).values():
                found += [line(one.partition, one.offset, one.value) for one in records]
    return sorted(found)


def kcat(broker: str, topic: str) -> list[int]:
    """The sizes of all values, as kcat prints them; sorted."""
    try:
        done = subprocess.run(
            ["kcat", "-b", broker, "-C", "-t", topic, "-e", "-q", "-f", "%S\\n"],
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            check=False,
        )
    except FileNotFoundError:
        missing("kcat")
    assert done.returncode == 0, done.stderr
    assert not re.search(r"error", done.stderr, re.IGNORECASE), done.stderr
    return sorted(int(one) for one in done.stdout.split())


def _by_librdkafka(broker: str, topic: str, partitions: int, count: int) -> list[str]:
    client = Consumer({"bootstrap.servers": broker, "group.id": "readers"})
    found: list[str] = []
    try:
        client.assign([Place(topic, number, 0) for number in range(partitions)])
        while len(found) < count:
            records = client.consume(count - len(found), timeout=_WITHIN_S)
            assert records, f"librdkafka read {len(found)} of {count} records"
            for one in records:
                assert one.error() is None, one.error()
                found.append(line(one.partition(), one.offset(), one.value()))
    finally:
        client.close()
    return sorted(found)
