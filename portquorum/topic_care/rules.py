"""All differences of a cluster's topics from their declarations. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from foundation.kafka.topics import FEW_BROKERS, fleet_counts, partition_difference
from foundation.settings import Settings
from portquorum.topic_care.config_rules import config_differences
from portquorum.topic_care.model import LEVELS, ClusterFound, Difference, TopicFound
from schemas import topics
from schemas.topics import Topic

_SHOWN: Final = 8
"""The most partitions that are named."""

_COPIES: Final = "replication.factor"


def differences(settings: Settings, cluster: ClusterFound) -> list[Difference]:
    """Every difference, the worst first, else in the order of the declarations."""
    found = list(_all(settings, cluster))
    return sorted(found, key=lambda one: LEVELS.index(one.level))


def _all(settings: Settings, cluster: ClusterFound) -> Iterator[Difference]:
    counts = fleet_counts(
        settings, {name: len(one.partitions) for name, one in cluster.topics.items()}
    )
    for topic in topics.ALL:
        name = topic.full_name(settings.topic_prefix)
        found = cluster.topics.get(name)
        if found is None:
            yield _absent(name, topic, unseen=name in cluster.unseen)
            continue
        yield from _partitions(settings, topic, found, counts)
        yield from _copies(settings, name, found, len(cluster.brokers))
        yield from _leaders(name, found)
        if found.configs is None:
            yield _unread(name)
        else:
            yield from config_differences(name, topic, found)


def _absent(name: str, topic: Topic, *, unseen: bool) -> Difference:
    if unseen:
        return Difference(
            topic=name,
            setting="right",
            found="not to be seen",
            wanted="DESCRIBE",
            level="trouble",
            effect="whether it is there, and how, can't be said",
            remedy="`portquorum acl --role admin` prints the rights of who looks after topics",
        )
    return Difference(
        topic=name,
        setting="topic",
        found="does not exist",
        wanted="exists",
        level="trouble",
        effect=f"roles wait for it; it has {_what(topic)}",
        repair="made, empty",
    )


def _what(topic: Topic) -> str:
    first = topic.about.partition(". ")[0].partition(": ")[0]
    return first[0].lower() + first[1:].rstrip(".")


def _unread(name: str) -> Difference:
    return Difference(
        topic=name,
        setting="right",
        found="settings not to be read",
        wanted="DESCRIBE_CONFIGS",
        level="warning",
        effect="its settings were not checked",
        remedy="`portquorum acl --role admin` prints the rights of who looks after topics",
    )


def _partitions(
    settings: Settings, topic: Topic, found: TopicFound, counts: set[int]
) -> Iterator[Difference]:
    count, want = len(found.partitions), topic.partition_count(settings.partitions)
    if count == want:
        return
    _, way = partition_difference(settings, topic, count, counts)
    yield Difference(
        topic=topic.full_name(settings.topic_prefix),
        setting="partitions",
        found=str(count),
        wanted=str(want),
        level="trouble",
        effect="no role starts: a host, or an order, belongs to one partition",
        remedy=way,
    )


def _copies(settings: Settings, name: str, found: TopicFound, brokers: int) -> Iterator[Difference]:
    copies, asked = found.copies, settings.replication_factor
    lone = asked is None and copies == 1 and brokers >= FEW_BROKERS
    if not found.partitions or not (lone or (asked is not None and copies < asked)):
        return
    yield Difference(
        topic=name,
        setting=_COPIES,
        found=str(copies),
        wanted=str(asked or FEW_BROKERS),
        level="warning",
        effect="what is on a broker is lost with it, and the topic stands still while it is away"
        if copies == 1
        else "it bears the loss of fewer brokers than it should",
        remedy="`portquorum topics copies 3` writes the plan for Kafka's tool (docs/kafka.md)",
    )


def _leaders(name: str, found: TopicFound) -> Iterator[Difference]:
    offline = [one.number for one in found.partitions if one.leader is None]
    behind = [
        one.number
        for one in found.partitions
        if one.leader is not None and len(one.in_sync) < len(one.replicas)
    ]
    if offline:
        yield Difference(
            topic=name,
            setting="leader",
            found=f"none: {_named(offline)}",
            wanted="one for each partition",
            level="trouble",
            effect="nothing can be written or read there",
            remedy="the brokers that have copies of it must run",
        )
    if behind:
        yield Difference(
            topic=name,
            setting="in sync",
            found=f"too few: {_named(behind)}",
            wanted="all copies",
            level="warning",
            effect="a broker is away or lags: the next failure may stop the topic",
        )


def _named(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:_SHOWN]))
    more = f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    return f"partition{'s' if len(numbers) > 1 else ''} {shown}{more}"


def is_fine(found: list[Difference]) -> bool:
    """Whether nothing has to be done: notes alone, or nothing."""
    return all(one.level == "note" for one in found)


def repairs(found: list[Difference]) -> Mapping[str, Mapping[str, str]]:
    """The settings that a repair sets, by topic; missing topics are not among them."""
    wanted: dict[str, dict[str, str]] = {}
    for one in found:
        if one.repair is not None and one.setting != "topic":
            wanted.setdefault(one.topic, {})[one.setting] = one.repair
    return wanted


def missing(found: list[Difference]) -> list[str]:
    """The topics that a repair makes."""
    return [one.topic for one in found if one.repair is not None and one.setting == "topic"]
