"""`portquorum user` needs the rights that docs/access.md names; without them, one sentence."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from foundation import kafka
from foundation.settings import Settings
from schemas import topics
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

WRITE = 4
LOOKER, READER, KEEPER = "looker", "reader", "keeper"
ADD = ("add", "ann", "--scope", "admin", "--no-password")


@pytest.fixture(scope="module")
async def owner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settings]:
    """The settings of a user who may do anything."""
    folder: Path = tmp_path_factory.mktemp("authorized")
    with authorized_kafka(folder, (LOOKER, READER, KEEPER)) as address:
        settings = Settings(
            kafka=address,
            kafka_security_protocol="SASL_PLAINTEXT",
            kafka_username=OWNER,
            kafka_password=PASSWORD,
            partitions=2,
        )
        await answers(settings)
        await kafka.create_topics(settings)
        every, web = f"{settings.topic_prefix}.", settings.topic(topics.WEB.name)
        for user in (LOOKER, READER, KEEPER):
            await grant(settings, user, [(TOPIC, every, DESCRIBE)])
        await grant(settings, READER, [(TOPIC, web, READ)])
        await grant(settings, KEEPER, [(TOPIC, web, READ), (TOPIC, web, WRITE)])
        yield settings


async def user(owner: Settings, name: str, folder: Path, *arguments: str) -> Said:
    settings = replace(owner, kafka_username=name)
    done = await asyncio.to_thread(
        called,
        folder,
        {
            "PORTQUORUM_KAFKA": settings.kafka,
            "PORTQUORUM_KAFKA_SECURITY_PROTOCOL": settings.kafka_security_protocol,
            "PORTQUORUM_KAFKA_USERNAME": settings.kafka_username or "",
            "PORTQUORUM_KAFKA_PASSWORD": settings.kafka_password or "",
            "PORTQUORUM_PARTITIONS": str(settings.partitions),
            "PORTQUORUM_DATA_DIR": str(folder),
        },
        "user",
        *arguments,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


async def test_read_and_write_of_the_topic_make_users(owner: Settings, tmp_path: Path) -> None:
    done = await user(owner, KEEPER, tmp_path, *ADD)
    assert done.returncode == 0, done.stderr
    done = await user(owner, READER, tmp_path, "list")
    assert "ann" in done.stdout, done.stderr


async def test_without_them_one_sentence_says_so(owner: Settings, tmp_path: Path) -> None:
    done = await user(owner, LOOKER, tmp_path, "list")
    assert done.returncode == 1
    assert "User:looker lacks the right READ on topic portquorum.web, WRITE" in done.stderr
    assert done.stdout == ""
    done = await user(owner, READER, tmp_path, "add", "root", "--scope", "admin", "--no-password")
    assert done.returncode == 1
    assert "does not let this process write the topic [web]" in done.stderr
