"""Copies of topics on three brokers, and what may not be seen there."""

from collections.abc import Callable, Iterator

import pytest
from aiokafka.admin import NewTopic
from msgspec import structs

from foundation.kafka import create_topics, lone_copies, producer
from foundation.kafka.authorized import RightsError
from foundation.kafka.rights import Right
from foundation.kafka.trouble import why_not
from foundation.settings import Settings
from portquorum.topic_care.copies import reassignment
from portquorum.topic_care.look import look
from portquorum.topic_care.model import Difference
from portquorum.topic_care.repair import repair
from portquorum.topic_care.rules import differences, is_fine
from schemas import topics
from tests.integration.streams.ground import eventually
from tests.kafka_cluster import Cluster, running_cluster

DEADLINE_S = 100


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    soon = {"broker.heartbeat.interval.ms": "500", "broker.session.timeout.ms": "3000"}
    with running_cluster(tmp_path_factory.mktemp("cluster"), more=soon) as made:
        yield made


def of(cluster: Cluster, prefix: str, user: str = "owner") -> Settings:
    """Without a replication factor: it is the brokers'."""
    return cluster.settings(user, topic_prefix=prefix, partitions=2, replication_factor=None)


async def until(
    settings: Settings, condition: Callable[[list[Difference]], bool]
) -> list[Difference]:
    """The differences, once they are as wanted."""

    async def now() -> list[Difference]:
        return differences(settings, await look(settings))

    return await eventually(now, condition, DEADLINE_S)


def names(setting: str) -> Callable[[list[Difference]], bool]:
    return lambda found: any(one.setting == setting for one in found)


async def test_new_topics_have_the_copies_that_the_brokers_are_set_to(cluster: Cluster) -> None:
    settings = of(cluster, "copies")
    await create_topics(settings)
    found = await look(settings)
    assert {len(one.replicas) for topic in found.topics.values() for one in topic.partitions} == {3}
    await cluster.settled()
    assert differences(settings, await look(settings)) == []
    assert await lone_copies(settings) is None


async def test_one_copy_on_three_brokers_is_said(cluster: Cluster) -> None:
    settings = of(cluster, "lone")
    await create_topics(structs.replace(settings, replication_factor=1))
    remark = await lone_copies(settings)
    assert remark is not None
    assert " and 11 others have one copy on a cluster of 3 brokers" in remark
    assert await lone_copies(structs.replace(settings, replication_factor=1)) is None
    async with producer(settings) as client:
        await client.send_and_wait(settings.topic("results"), b"x", partition=0)
    seen = await look(settings)
    found = differences(settings, seen)
    # Two that must confirm (the brokers' default), of one copy: Kafka takes that for one.
    assert {(one.setting, one.repair) for one in found} == {("replication.factor", None)}
    assert len(reassignment(seen, 3).partitions) == sum(
        topic.partition_count(2) for topic in topics.ALL
    )


async def test_what_may_not_be_seen_is_not_called_missing(cluster: Cluster) -> None:
    await create_topics(of(cluster, "hidden"))
    await cluster.user("guest")
    settings = of(cluster, "hidden", "guest")
    found = differences(settings, await look(settings))
    assert {(one.setting, one.wanted) for one in found} == {("right", "DESCRIBE")}
    assert len(found) == len(topics.ALL)
    assert not any("exist" in one.found for one in found)
    with pytest.raises(RightsError, match="DESCRIBE on topics hidden"):
        await repair(settings, [structs.replace(found[0], setting="topic", repair="made")])
    seeing = Right("topic", "hidden.", "DESCRIBE", prefixed=True)
    reading = Right("topic", "hidden.", "DESCRIBE_CONFIGS", prefixed=True)
    await cluster.grant("guest", [seeing])
    await until(settings, lambda found: {one.wanted for one in found} == {"DESCRIBE_CONFIGS"})
    await cluster.grant("guest", [reading])
    await until(settings, is_fine)
    wrong = Difference(
        topic="hidden.state",
        setting="segment.bytes",
        found="1",
        wanted="2",
        level="warning",
        effect="",
        repair="33554432",
    )
    (refused,) = await repair(settings, [wrong])
    assert "ALTER_CONFIGS is missing" in refused.why


async def test_a_broker_that_is_away_is_named(cluster: Cluster) -> None:
    settings = of(cluster, "away")
    await create_topics(settings)
    async with cluster.admin() as client:
        new = NewTopic("away2.results", -1, -1, replica_assignments={0: [3], 1: [1]})
        assert (await client.create_topics([new])).topic_errors[0][1] == 0
    cluster.brokers[2].kill()
    found = await until(settings, names("in sync"))
    assert {one.setting for one in found} == {"in sync"}
    assert {one.level for one in found} == {"warning"}
    odd = await until(of(cluster, "away2"), names("leader"))
    (offline,) = (one for one in odd if one.setting == "leader")
    assert (offline.found, offline.level) == ("none: partition 0", "trouble")
    assert not any(one.setting == "min.insync.replicas" and one.repair == "2" for one in odd)
    await without_a_quorum(cluster)


async def without_a_quorum(cluster: Cluster) -> None:
    """One of the two that are left is killed, too: the last one has no controller any more."""
    settings = of(cluster, "quorum")
    assert await why_not(settings) is None
    cluster.brokers[1].kill()

    async def kind() -> str | None:
        found = await why_not(settings)
        return None if found is None else found.kind

    await eventually(kind, lambda found: found == "no_controller", DEADLINE_S)
    found = await why_not(settings)
    assert found is not None
    assert "controller.quorum.voters" in found.sentence
    assert "1 of its 2 brokers (id 2) can't be reached" in found.sentence
