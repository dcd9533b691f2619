"""Each difference of a topic from its declaration: how bad, what it does, what mends it."""

from collections.abc import Mapping

import pytest

from foundation.kafka.topics import topic_config
from foundation.settings import Settings
from portquorum.topic_care.config_rules import MESSAGE_BYTES
from portquorum.topic_care.model import (
    ClusterFound,
    ConfigFound,
    Difference,
    PartitionFound,
    TopicFound,
)
from portquorum.topic_care.rules import differences, is_fine, missing, repairs
from schemas import topics
from schemas.topics import Topic

SETTINGS = Settings(partitions=2, topic_prefix="t")


def as_declared(topic: Topic, **other: str) -> dict[str, ConfigFound]:
    values = {
        "max.message.bytes": str(MESSAGE_BYTES),
        "min.insync.replicas": "2",
        "unclean.leader.election.enable": "false",
        "retention.bytes": "-1",
        "delete.retention.ms": "86400000",
        **topic_config(topic),
        **{name.replace("_", "."): value for name, value in other.items()},
    }
    return {name: ConfigFound(value, own=True) for name, value in values.items()}


def parts(count: int, copies: int = 3, in_sync: int = 3) -> tuple[PartitionFound, ...]:
    return tuple(
        PartitionFound(number, 1, tuple(range(1, copies + 1)), tuple(range(1, in_sync + 1)))
        for number in range(count)
    )


def cluster(changed: Mapping[str, TopicFound | None]) -> ClusterFound:
    found = {
        topic.full_name("t"): TopicFound(
            parts(topic.partition_count(SETTINGS.partitions)), as_declared(topic)
        )
        for topic in topics.ALL
    }
    found |= {name: one for name, one in changed.items() if one is not None}
    gone = {name for name, one in changed.items() if one is None}
    return ClusterFound((1, 2, 3), {name: one for name, one in found.items() if name not in gone})


def with_config(topic: Topic, **other: str) -> list[Difference]:
    count = topic.partition_count(SETTINGS.partitions)
    changed = TopicFound(parts(count), as_declared(topic, **other))
    return differences(SETTINGS, cluster({topic.full_name("t"): changed}))


def test_topics_as_declared_have_no_difference() -> None:
    assert differences(SETTINGS, cluster({})) == []


@pytest.mark.parametrize(
    ("topic", "changed", "level", "effect", "repair"),
    [
        (topics.STATE, {"cleanup_policy": "delete"}, "trouble", "checkpoints go", "compact"),
        (topics.TARGETS, {"cleanup_policy": "delete"}, "trouble", "--republish", "compact"),
        (topics.TARGETS, {"cleanup_policy": "compact,delete"}, "trouble", "forgotten", "compact"),
        (topics.RESULTS, {"cleanup_policy": "compact"}, "trouble", "no result is", "delete"),
        (topics.INCIDENTS, {"cleanup_policy": "compact"}, "trouble", "newest event", "delete"),
        (topics.DEADLETTER, {"cleanup_policy": "compact"}, "warning", "grows", "delete"),
        (
            topics.NOTIFICATIONS,
            {"cleanup_policy": "compact"},
            "warning",
            "nothing is removed",
            "compact,delete",
        ),
        (topics.RESULTS, {"retention_ms": "3600000"}, "warning", "replayed", "604800000"),
        (topics.RESULTS, {"retention_ms": "-1"}, "note", "for longer", None),
        (topics.NOTIFICATIONS, {"retention_ms": "1000"}, "trouble", "twice", "2592000000"),
        (
            topics.RESULTS,
            {"message_timestamp_type": "CreateTime"},
            "trouble",
            "clocks of probers",
            "LogAppendTime",
        ),
        (
            topics.INCIDENTS,
            {"message_timestamp_type": "LogAppendTime"},
            "warning",
            "arrival",
            "CreateTime",
        ),
        (topics.RESULTS, {"compression_type": "lz4"}, "warning", "pack each batch", "zstd"),
        (topics.RESULTS, {"compression_type": "producer"}, "note", "as they came", "zstd"),
        (topics.STATE, {"max_message_bytes": "100000"}, "trouble", "refused", str(MESSAGE_BYTES)),
        (topics.WEB, {"max_message_bytes": "1048588"}, "trouble", "refused", "16777216"),
        (topics.RESULTS, {"min_insync_replicas": "4"}, "warning", "one broker is away", "2"),
        (topics.RESULTS, {"min_insync_replicas": "3"}, "warning", "one broker is away", "2"),
        (topics.RESULTS, {"min_insync_replicas": "1"}, "warning", "one broker alone", "2"),
        (
            topics.STATE,
            {"unclean_leader_election_enable": "true"},
            "warning",
            "confirmed records are lost",
            "false",
        ),
        (topics.RESULTS, {"retention_bytes": "1000000"}, "warning", "larger partitions", None),
        (topics.STATE, {"segment_bytes": "1073741824"}, "warning", "read more", "33554432"),
        (topics.STATE, {"segment_bytes": "1048576"}, "note", "smaller files", None),
        (topics.WEB, {"min_compaction_lag_ms": "0"}, "trouble", "of two edits", "600000"),
        (topics.TARGETS, {"delete_retention_ms": "0"}, "warning", "keeps what was", "86400000"),
        (topics.RESULTS, {"flush_messages": "1"}, "note", "somebody has set it", None),
    ],
)
def test_one_setting_that_differs(
    topic: Topic, changed: dict[str, str], level: str, effect: str, repair: str | None
) -> None:
    (one,) = with_config(topic, **changed)
    (setting,) = (name.replace("_", ".") for name in changed)
    assert (one.topic, one.setting, one.level) == (topic.full_name("t"), setting, level)
    assert effect in one.effect
    assert one.repair == repair
    assert is_fine([one]) is (level == "note")
    assert repairs([one]) == ({one.topic: {setting: repair}} if repair else {})


@pytest.mark.parametrize("topic", topics.ALL, ids=lambda topic: topic.name)
def test_what_auto_creation_makes_is_mended_by_one_repair(topic: Topic) -> None:
    """A topic with Kafka's defaults: after the repairs of its settings none is left to mend."""
    defaults = {
        "cleanup.policy": "delete",
        "retention.ms": "604800000",
        "retention.bytes": "-1",
        "message.timestamp.type": "CreateTime",
        "compression.type": "producer",
        "max.message.bytes": "1048588",
        "min.insync.replicas": "1",
        "unclean.leader.election.enable": "false",
        "min.cleanable.dirty.ratio": "0.5",
        "segment.ms": "604800000",
        "segment.bytes": "1073741824",
        "delete.retention.ms": "86400000",
        "min.compaction.lag.ms": "0",
    }
    name, count = topic.full_name("t"), topic.partition_count(SETTINGS.partitions)

    def found(values: dict[str, str]) -> list[Difference]:
        configs = {setting: ConfigFound(value, own=False) for setting, value in values.items()}
        return differences(SETTINGS, cluster({name: TopicFound(parts(count), configs)}))

    first = found(defaults)
    assert not is_fine(first)
    assert is_fine(found(defaults | repairs(first)[name]))


def test_in_sync_copies_that_are_not_there_are_not_asked_for() -> None:
    changed = TopicFound(parts(2, in_sync=1), as_declared(topics.RESULTS, min_insync_replicas="1"))
    found = differences(SETTINGS, cluster({"t.results": changed}))
    assert {one.setting for one in found} == {"min.insync.replicas", "in sync"}
    assert repairs(found) == {}


def test_one_copy_on_three_brokers_is_said_unless_it_is_wanted() -> None:
    lone = {
        "t.results": TopicFound(
            parts(2, 1, 1), as_declared(topics.RESULTS, min_insync_replicas="1")
        )
    }
    (one,) = differences(SETTINGS, cluster(lone))
    assert (one.setting, one.found, one.wanted) == ("replication.factor", "1", "3")
    assert one.repair is None
    assert "portquorum topics copies 3" in str(one.remedy)
    wanted = Settings(partitions=2, topic_prefix="t", replication_factor=1)
    assert differences(wanted, cluster(lone)) == []
    two = Settings(partitions=2, topic_prefix="t", replication_factor=2)
    (one,) = differences(two, cluster(lone))
    assert one.wanted == "2"


def test_a_partition_without_a_leader_is_named() -> None:
    offline = (PartitionFound(0, None, (1, 2, 3), ()), *parts(2)[1:])
    changed = TopicFound(offline, as_declared(topics.RESULTS))
    (one,) = differences(SETTINGS, cluster({"t.results": changed}))
    assert (one.setting, one.found, one.level) == ("leader", "none: partition 0", "trouble")


def test_all_other_partitions_are_a_setting_some_are_an_alteration() -> None:
    every = {
        topic.full_name("t"): TopicFound(parts(4), as_declared(topic))
        for topic in topics.ALL
        if topic.partitions == "fleet"
    }
    found = differences(SETTINGS, cluster(every))
    assert len(found) == len(every)
    assert all("set PORTQUORUM_PARTITIONS=4" in str(one.remedy) for one in found)
    (one,) = differences(SETTINGS, cluster({"t.results": every["t.results"]}))
    assert "different counts (2, 4): one was altered" in str(one.remedy)
    policy = TopicFound(parts(2), as_declared(topics.POLICY))
    (one,) = differences(SETTINGS, cluster({"t.policy": policy}))
    assert "its records have one order" in str(one.remedy)


def test_what_is_missing_is_made_and_what_may_not_be_seen_is_not_called_missing() -> None:
    found = differences(SETTINGS, cluster({"t.state": None}))
    assert missing(found) == ["t.state"]
    seen = cluster({"t.state": None})
    unseen = ClusterFound(seen.brokers, seen.topics, frozenset({"t.state"}))
    (one,) = differences(SETTINGS, unseen)
    assert "exist" not in one.found
    assert (one.setting, one.wanted, one.repair) == ("right", "DESCRIBE", None)
    assert "portquorum acl" in str(one.remedy)


def test_settings_that_may_not_be_read_are_said_to_be_unchecked() -> None:
    (one,) = differences(SETTINGS, cluster({"t.state": TopicFound(parts(2), None)}))
    assert (one.setting, one.wanted, one.level) == ("right", "DESCRIBE_CONFIGS", "warning")
