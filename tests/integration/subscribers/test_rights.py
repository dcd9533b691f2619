"""A subscriber with the rights of docs/subscribers.md, by TLS and a password, and with no other."""

import re
import shlex
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import trustme
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from msgspec import Struct
from msgspec.structs import replace

from foundation.kafka import consumer, create_topics, producer
from foundation.settings import Settings
from tests.integration.portquorum.cli.authorized_kafka import (
    OWNER,
    PASSWORD,
    answers,
    authorized_kafka,
)
from tests.integration.subscribers.programs import PROGRAMS, Program
from tests.integration.subscribers.running import running
from tests.integration.subscribers.story import AT_START, LATE, ROOT, Story
from tests.toolchains import java_program

# Kafka's own tools give the rights, and programs in five languages have them.
pytestmark = [pytest.mark.wide, pytest.mark.timeout(600)]

HERE: Final = Path(__file__).parent
PAGE: Final = (ROOT / "docs" / "subscribers.md").read_text()
USER: Final = "status-page"
TOOL_S: Final = 60
CLASSES: Final = {
    "kafka-acls.sh": "org.apache.kafka.tools.AclCommand",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
}


class Secured(Struct, frozen=True):
    """A Kafka with users; `tools` is a command of Kafka's tools without its class."""

    owner: Settings
    tools: tuple[str, ...]
    folder: Path

    def run(self, line: str, user: str) -> str:
        """What a command line of the page prints, as it stands there."""
        words = shlex.split(line.replace("\\\n", " ").replace("SERVERS", self.owner.kafka))
        config = self.folder / f"{user}.properties"
        config.write_text(
            "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nssl.truststore.type=PEM\n"
            f"ssl.truststore.location={self.owner.kafka_ca_file}\n"
            "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'username="{user}" password="{PASSWORD}";\n'
        )
        command = [*self.tools, CLASSES[words[0]], *words[1:]]
        if "--command-config" in command:
            command[command.index("--command-config") + 1] = str(config)
        else:
            command += ["--command-config", str(config)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TOOL_S, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def lines_of_the_page(program: str) -> list[str]:
    """The command lines in the blocks of the page that call a program."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    return re.findall(rf"^{program} (?:.*\\\n)*.*$", blocks, re.MULTILINE)


def certificate(folder: Path) -> tuple[Path, Path]:
    """An authority's PEM file, and one for the broker: its key as Kafka reads it."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    ca, broker = folder / "ca.pem", folder / "broker.pem"
    authority.cert_pem.write_to_path(str(ca))
    broker.write_bytes(pem + chain + ca.read_bytes())
    return ca, broker


@pytest.fixture(scope="module")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    """Kafka with ACLs, after the lines of the page were run."""
    folder: Path = tmp_path_factory.mktemp("secured")
    tools = tuple(java_program(HERE / "kafka_tools", folder, "")[:-1])
    ca, broker = certificate(folder)
    with authorized_kafka(folder, (USER,), broker) as address:
        owner = Settings(
            kafka=address,
            kafka_security_protocol="SASL_SSL",
            kafka_ca_file=str(ca),
            kafka_username=OWNER,
            kafka_password=PASSWORD,
            partitions=3,
        )
        await answers(owner)
        await create_topics(owner)
        async with producer(owner, compression_type="gzip") as client:
            await Story(client, "portquorum.").before_the_start()
        given = Secured(owner, tools, folder)
        lines = lines_of_the_page("kafka-acls.sh")
        assert len(lines) == 2
        for line in lines:
            given.run(line, OWNER)
        yield given


@pytest.mark.parametrize("program", PROGRAMS)
async def test_the_rights_are_enough(program: Program, secured: Secured, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    env = {
        "TMPDIR": str(temporary),
        "GROUP": f"{USER}-{program.__name__}",
        "KAFKA_USERNAME": USER,
        "KAFKA_PASSWORD": PASSWORD,
        "KAFKA_CA": str(secured.owner.kafka_ca_file),
    }
    command = [*program(tmp_path), secured.owner.kafka, str(tmp_path / "state")]
    async with running(command, env) as subscriber:
        await subscriber.until(lambda: LATE in subscriber.ids(), "an event is told")
        assert set(subscriber.ids(at_start=True)) == AT_START
        # What kill -9 would leave behind.
        files = [path for path in temporary.rglob("*") if path.is_file()]
        assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
        assert await subscriber.end(signal.SIGTERM) == 0


async def read_one(settings: Settings, topic: str, group: str) -> None:
    client = consumer(settings, topic, group_id=group)
    try:
        await client.start()
        await client.getone()
    finally:
        await client.stop()


async def test_nothing_else_can_be_read(secured: Secured) -> None:
    stranger = replace(secured.owner, kafka_username=USER)
    for topic in ("policy", "targets", "results", "notifier-state"):
        with pytest.raises(TopicAuthorizationFailedError):
            await read_one(stranger, f"portquorum.{topic}", USER)
    with pytest.raises(GroupAuthorizationFailedError):
        await read_one(stranger, "portquorum.incidents", "portquorum-sink")


async def test_nothing_can_be_written(secured: Secured) -> None:
    stranger = replace(secured.owner, kafka_username=USER)
    async with producer(stranger, compression_type=None, enable_idempotence=False) as client:
        for topic in ("incidents", "incidents.open", "policy"):
            with pytest.raises(TopicAuthorizationFailedError):
                await client.send_and_wait(f"portquorum.{topic}", b"", partition=0)


def test_a_subscriber_may_move_its_group_and_see_how_late_it_is(secured: Secured) -> None:
    move, describe = lines_of_the_page("kafka-consumer-groups.sh")
    today = time.strftime("%Y-%m-%dT00:00:00.000")
    move = re.sub(r"--to-datetime \S+", f"--to-datetime {today}", move)
    moved = secured.run(move.replace("my-service", f"{USER}-moved"), USER)
    assert len(re.findall(r"portquorum\.incidents +\d +\d+", moved)) == 3, moved
    described = secured.run(describe.replace("my-service", f"{USER}-moved"), USER)
    assert "LAG" in described
    assert len(re.findall(r"portquorum\.incidents +\d", described)) == 3, described
