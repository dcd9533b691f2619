"""What strangers' clients make of our record batches: real roles, a real Kafka, no help."""

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiokafka.admin import NewTopic

from foundation import kafka
from foundation.kafka.topics import topic_config
from foundation.settings import Settings
from producers.publishing.connection import BrokerConnection
from schemas import batch, incident, topics
from schemas.incident import HostTarget, IncidentEvent
from schemas.result import CheckResult
from schemas.topics import Topic
from tests.integration.subscribers import foreign_clients
from tests.integration.subscribers.foreign_clients import ForeignClients
from tests.integration.subscribers.record_batches import codecs
from tests.services import running_clickhouse, running_kafka
from tests.system.stack import Stack, eventually

FOR_STRANGERS = (
    topics.INCIDENTS,
    topics.INCIDENTS_OPEN,
    topics.TARGETS,
    topics.POLICY,
    topics.NOTIFICATIONS,
    topics.RESULTS,
)
PARTITIONS = 2
PORTS = 400
"""Of the host whose outage makes the large batches: an event names each."""

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
EVENT = msgspec.json.decode(
    (EXAMPLES / "incidents" / "opened.json").read_bytes(), type=IncidentEvent
)
RESULT = msgspec.json.decode((EXAMPLES / "results" / "up.json").read_bytes(), type=CheckResult)
EMPTY = hashlib.sha256(b"").hexdigest()

pytestmark = pytest.mark.timeout(400)


class Played:
    """Topics in which every role has written, and the folder of their segments."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder

    def codecs(self, topic: Topic) -> set[str]:
        return set(codecs(self.folder / "kafka", self.settings.topic(topic.name)))


@pytest.fixture(scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    """An outage that every role has had to do with, on topics that an older version made.

    The broker keeps batches there as they came: what lies there is what our producers wrote.
    """
    folder = tmp_path_factory.mktemp("codecs")
    with running_kafka(folder) as broker, running_clickhouse(folder) as clickhouse:
        settings = Settings(
            kafka=broker, clickhouse=clickhouse, partitions=PARTITIONS, data_dir=folder
        )
        await made_before(settings)
        stack = Stack(settings, folder)
        try:
            await play(stack, Played(settings, folder))
        finally:
            await stack.close()
        await large_batches(settings)
        yield Played(settings, folder)


async def made_before(settings: Settings) -> None:
    """Topics whose batches the broker leaves alone."""
    client = kafka.admin(settings)
    await client.start()
    try:
        for topic in topics.ALL:
            config = topic_config(topic) | {"compression.type": "producer"}
            name, count = settings.topic(topic.name), topic.partition_count(PARTITIONS)
            await client.create_topics([NewTopic(name, count, 1, topic_configs=config)])
    finally:
        await client.close()


async def play(stack: Stack, found: Played) -> None:
    """Every role and command that writes to Kafka writes something."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    inventory = {
        "regions": {"local": {"internal": True}},
        "routes": {"ops": {"urls": ["json://127.0.0.1:9/"]}},
        "teams": {"ops": {"routes": ["ops"]}},
        "targets": [
            {"id": "closed", "name": "Closed", "host": "127.0.0.1", "port": port, "team": "ops"}
        ],
    }
    await stack.apply(inventory, "codecs")
    for role in ("stream", "sink", "notify"):
        stack.role(role, role)
    stack.prober("local", "127.0.0.1")
    async with kafka.producer(stack.settings) as client:  # nobody can read it: a dead letter
        await client.send_and_wait(stack.settings.topic(topics.RESULTS.name), b"{", partition=0)
    awaited = [topics.INCIDENTS, topics.STATE, topics.NOTIFICATIONS, topics.RECHECKS]
    awaited += [topics.NOTIFIER_STATE, topics.DEADLETTER]
    for topic in awaited:
        await eventually(f"something on {topic.name}", lambda topic=topic: found.codecs(topic))
    for command in (
        ("silence", "add", "--all", "--for", "1h", "--reason", "a test", "--no-wait", "--yes"),
        ("checkpoint",),
    ):
        done = await asyncio.to_thread(stack.command, *command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    ids = await eventually(
        "the incident in ClickHouse", lambda: stack.sql("SELECT incident_id FROM incidents")
    )
    done = await asyncio.to_thread(stack.command, "ack", str(ids[0][0]), "--no-wait")
    assert done.returncode == 0, done.stdout + done.stderr


async def large_batches(settings: Settings) -> None:
    """A host with many ports is down; messages of 500 results."""
    host = [
        HostTarget(target=f"t-{n}", name=f"Service {n}", kind="tcp", port=1 + n, status="down")
        for n in range(PORTS)
    ]
    event = msgspec.structs.replace(EVENT, host_targets=tuple(host))
    async with kafka.producer(settings, linger_ms=5, max_batch_size=256 * 1024) as client:
        name = settings.topic(topics.INCIDENTS.name)
        sent = [
            await client.send(
                name,
                incident.encode(msgspec.structs.replace(event, target=f"t-{number}")),
                key=b"host",
                partition=number % PARTITIONS,
                headers=incident.headers(event),
            )
            for number in range(PORTS)
        ]
        name, key = settings.topic(topics.INCIDENTS_OPEN.name), EVENT.incident_id.encode()
        sent += [
            await client.send(name, value, key=key, partition=0)
            for value in (incident.encode(event), None)
        ]
        await asyncio.gather(*sent)
    connection = BrokerConnection(settings)
    await connection.start()
    try:
        name = settings.topic(topics.RESULTS.name)
        confirmed = [
            await connection.send(
                name,
                number % PARTITIONS,
                batch.encode(
                    [
                        msgspec.structs.replace(RESULT, scheduled_at=RESULT.scheduled_at + n * n)
                        for n in range(500)
                    ]
                ),
            )
            for number in range(40)
        ]
        await asyncio.gather(*confirmed)
    finally:
        await connection.stop()


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> ForeignClients:
    return ForeignClients(tmp_path_factory.mktemp("readers"))


def test_every_role_writes_what_the_readers_of_a_topic_can_read(played: Played) -> None:
    written = {topic: played.codecs(topic) for topic in topics.ALL}
    for topic in (*FOR_STRANGERS, topics.RECHECKS, topics.DEADLETTER):
        # Control records on [results] come from producers that write to other topics, too.
        assert written[topic] <= {"none", "gzip", topic.compression}, topic.name
    for topic in (topics.STATE, topics.CHECKPOINTS, topics.NOTIFIER_STATE):
        assert written[topic] <= {"none", topic.compression}, topic.name
    for topic in (topics.INCIDENTS, topics.RESULTS, topics.STATE, topics.CHECKPOINTS):
        assert topic.compression in written[topic], topic.name


@pytest.mark.wide
@pytest.mark.parametrize("name", foreign_clients.NAMES)
async def test_a_strangers_client_reads_every_topic_byte_for_byte(
    played: Played, clients: ForeignClients, name: str
) -> None:
    clients.build(name)

    async def compare(topic: Topic) -> None:
        full = played.settings.topic(topic.name)
        count = topic.partition_count(PARTITIONS)
        there = await foreign_clients.by_aiokafka(played.settings, full, count)
        assert there, topic.name
        reader = name
        if name == "kafkajs" and topic.compression == "zstd":
            reader = "kafkajs+zstd"
        read = await asyncio.to_thread(
            clients.read, reader, played.settings.kafka, full, count, len(there)
        )
        if name == "cloudevents":
            assert foreign_clients.bare(read) == foreign_clients.bare(there)
        elif name == "kafka-go":  # which makes nil of an empty value
            assert read == [one.replace(EMPTY, "null") for one in there], topic.name
        else:
            assert read == there, topic.name

    asked = (topics.INCIDENTS,) if name == "cloudevents" else FOR_STRANGERS
    await asyncio.gather(*map(compare, asked))


async def test_kcat_reads_every_topic(played: Played) -> None:
    for topic in FOR_STRANGERS:
        full = played.settings.topic(topic.name)
        count = topic.partition_count(PARTITIONS)
        there = await foreign_clients.by_aiokafka(played.settings, full, count)
        sizes = await asyncio.to_thread(foreign_clients.kcat, played.settings.kafka, full)
        assert len(sizes) == len(there), topic.name


async def test_on_a_new_topic_the_broker_packs_anew_what_somebody_else_writes(
    played: Played,
) -> None:
    settings = msgspec.structs.replace(played.settings, topic_prefix="new")
    await kafka.create_topics(settings)
    async with kafka.producer(settings, compression_type="lz4", linger_ms=50) as client:
        for topic in topics.ALL:
            for number in range(10):
                value = b"a value that repeats itself " * 100
                await client.send(
                    settings.topic(topic.name), value, key=b"%d" % number, partition=0
                )
    for topic in topics.ALL:
        assert set(codecs(played.folder / "kafka", settings.topic(topic.name))) == {
            topic.compression
        }
