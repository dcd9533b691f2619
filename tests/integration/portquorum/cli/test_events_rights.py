"""`portquorum events` needs Read of its topic alone; without it, one sentence says so."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from foundation import kafka
from foundation.settings import Settings
from schemas import incident, topics
from tests.commands import Said, called
from tests.integration.portquorum.cli.authorized_kafka import (
    DESCRIBE,
    OWNER,
    PASSWORD,
    READ,
    TOPIC,
    answers,
    authorized_kafka,
    grant,
)

pytestmark = pytest.mark.timeout(240)

EXAMPLE = Path(__file__).parents[4] / "schemas" / "examples" / "incidents" / "opened.json"
NOBODY, LOOKER, SUBSCRIBER = "nobody", "looker", "subscriber"


@pytest.fixture(scope="module")
async def owner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settings]:
    """The settings of a user who may do anything; there is one event."""
    folder: Path = tmp_path_factory.mktemp("authorized")
    with authorized_kafka(folder, (NOBODY, LOOKER, SUBSCRIBER)) as address:
        settings = Settings(
            kafka=address,
            kafka_security_protocol="SASL_PLAINTEXT",
            kafka_username=OWNER,
            kafka_password=PASSWORD,
            partitions=2,
        )
        await answers(settings)
        await kafka.create_topics(settings)
        event = incident.decode(EXAMPLE.read_bytes())
        async with kafka.producer(settings) as producer:
            for topic in (topics.INCIDENTS, topics.INCIDENTS_OPEN):
                await producer.send_and_wait(
                    settings.topic(topic.name),
                    incident.encode(event),
                    key=b"db1.example.com",
                    headers=incident.headers(event),
                )
        topic = settings.topic(topics.INCIDENTS.name)
        await grant(settings, LOOKER, [(TOPIC, topic, DESCRIBE)])
        await grant(settings, SUBSCRIBER, [(TOPIC, topic, READ)])
        yield settings


async def events(settings: Settings, folder: Path, *arguments: str) -> Said:
    done = await asyncio.to_thread(
        called,
        folder,
        {
            "PORTQUORUM_KAFKA": settings.kafka,
            "PORTQUORUM_KAFKA_SECURITY_PROTOCOL": settings.kafka_security_protocol,
            "PORTQUORUM_KAFKA_USERNAME": settings.kafka_username or "",
            "PORTQUORUM_KAFKA_PASSWORD": settings.kafka_password or "",
            "PORTQUORUM_DATA_DIR": str(folder),
        },
        "events",
        *arguments,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


async def test_read_of_the_topic_is_all_that_it_needs(owner: Settings, tmp_path: Path) -> None:
    mine = replace(owner, kafka_username=SUBSCRIBER)
    done = await events(mine, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "incident.opened" in done.stdout
    assert (await events(mine, tmp_path, "--since", "beginning")).stdout == done.stdout
    assert (await events(mine, tmp_path, "--open")).stdout == done.stdout


@pytest.mark.parametrize(
    ("user", "says"),
    [
        (NOBODY, "expected the topic portquorum.incidents, found none that this user may see"),
        (LOOKER, "expected the right READ on topic portquorum.incidents, found none"),
    ],
)
async def test_a_right_that_is_missing_is_said_in_one_line(
    owner: Settings, tmp_path: Path, user: str, says: str
) -> None:
    done = await events(replace(owner, kafka_username=user), tmp_path, "--follow")
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
