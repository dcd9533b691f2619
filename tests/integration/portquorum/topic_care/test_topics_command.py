"""`portquorum topics` on a real broker whose topics were made by others."""

import asyncio
import json
from collections.abc import Mapping

import pytest
from aiokafka.admin import NewTopic
from msgspec import structs
from typer.testing import CliRunner, Result

from foundation.kafka import TopicMismatchError, admin, check_topics, create_topics
from foundation.kafka.topics import lone_copies
from foundation.settings import Settings
from portquorum.cli.app import app
from portquorum.topic_care.look import look
from portquorum.topic_care.repair import repair
from portquorum.topic_care.rules import differences, is_fine
from schemas import topics

FEW = 2


@pytest.fixture
def settings(kafka: str, request: pytest.FixtureRequest) -> Settings:
    prefix = request.node.name.replace("[", "-").rstrip("]")[:80]
    return Settings(kafka=kafka, topic_prefix=prefix, partitions=FEW)


async def make(settings: Settings, configs: Mapping[str, Mapping[str, str]] = {}) -> None:
    """All topics as a broker makes them by itself; `configs` are settings of some of them."""
    client = admin(settings)
    await client.start()
    new = [
        NewTopic(
            topic.full_name(settings.topic_prefix),
            topic.partition_count(settings.partitions),
            1,
            topic_configs=dict(configs.get(topic.name, {})),
        )
        for topic in topics.ALL
    ]
    try:
        answer = await client.create_topics(new)
    finally:
        await client.close()
    assert [error[1] for error in answer.topic_errors] == [0] * len(topics.ALL)


def run(settings: Settings, *words: str) -> Result:
    env = {
        "PORTQUORUM_KAFKA": settings.kafka,
        "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
        "PORTQUORUM_PARTITIONS": str(settings.partitions),
    }
    return CliRunner().invoke(app, ["topics", *words], env=env)


async def test_topics_that_we_make_have_no_difference(settings: Settings) -> None:
    await create_topics(settings)
    assert differences(settings, await look(settings)) == []
    assert await lone_copies(settings) is None  # one broker can't have more


async def test_topics_of_auto_creation_are_named_and_mended(settings: Settings) -> None:
    strange = {
        "results": {"flush.messages": "1000", "retention.ms": "3600000"},
        "state": {"max.message.bytes": "100000"},
        "incidents": {"unclean.leader.election.enable": "true", "retention.bytes": "1000000"},
    }
    await make(settings, strange)
    with pytest.raises(TopicMismatchError, match="portquorum topics repair` sets it"):
        await check_topics(settings)
    found = differences(settings, await look(settings))
    said = {(one.topic.removeprefix(f"{settings.topic_prefix}."), one.setting) for one in found}
    assert {
        ("state", "cleanup.policy"),
        ("targets", "cleanup.policy"),
        ("results", "message.timestamp.type"),
        ("results", "retention.ms"),
        ("results", "flush.messages"),
        ("state", "max.message.bytes"),
        ("web", "max.message.bytes"),
        ("incidents", "unclean.leader.election.enable"),
        ("incidents", "retention.bytes"),
    } <= said
    assert await repair(settings, found) == []
    left = differences(settings, await look(settings))
    assert {(one.setting, one.level) for one in left if one.level != "note"} == {
        ("retention.bytes", "warning")
    }
    await check_topics(settings)
    # What others have set at a topic stays, and what is longer than needed.
    notes = {one.setting for one in left if one.level == "note"}
    assert notes == {"flush.messages", "retention.ms"}


async def test_a_deleted_topic_is_made_again_as_it_should_be(settings: Settings) -> None:
    await create_topics(settings)
    client = admin(settings)
    await client.start()
    try:
        await client.delete_topics([settings.topic("state")])
    finally:
        await client.close()
    (one,) = differences(settings, await look(settings))
    assert (one.topic, one.found) == (settings.topic("state"), "does not exist")
    assert await repair(settings, [one]) == []
    assert await create_topics(settings) == []
    assert is_fine(differences(settings, await look(settings)))


def test_the_commands_say_it_and_end_with_the_right_code(kafka: str) -> None:
    settings = Settings(kafka=kafka, topic_prefix="topics-command", partitions=FEW)
    asyncio.run(make(settings))
    checked = run(settings, "check")
    assert checked.exit_code == 1, checked.output
    assert "trouble topics-command.state: cleanup.policy delete, expected compact" in checked.output
    assert "a stream that starts reads the log again" in checked.output
    document = json.loads(run(settings, "check", "--json").stdout)
    assert document["brokers"] == 1
    assert {"topic", "setting", "found", "wanted", "level", "effect", "repair", "remedy"} <= set(
        document["differences"][0]
    )
    mended = run(settings, "repair", "--yes")
    assert mended.exit_code == 0, mended.output
    assert "repaired topics-command.state: cleanup.policy delete → compact" in mended.output
    again = run(settings, "check")
    assert again.exit_code == 0
    assert "note topics-command.rechecks: retention.ms 7 d, expected 1 h" in again.output
    assert "nothing has to be done" in again.output
    other = Settings(kafka=kafka, topic_prefix="topics-command", partitions=3)
    refused = run(other, "check")
    assert refused.exit_code == 1
    assert "partitions 2, expected 3" in refused.output
    assert "set PORTQUORUM_PARTITIONS=2" in refused.output
    assert run(settings, "copies", "2").exit_code == 2
    assert json.loads(run(settings, "copies", "1").stdout) == {"version": 1, "partitions": []}


async def test_more_copies_than_brokers_are_refused_with_the_setting(settings: Settings) -> None:
    with pytest.raises(TopicMismatchError, match="PORTQUORUM_REPLICATION_FACTOR is at most"):
        await create_topics(structs.replace(settings, replication_factor=3))
