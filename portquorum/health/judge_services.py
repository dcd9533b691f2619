"""Judges Kafka, ClickHouse, the inventory and the dead letters. Pure."""

from collections.abc import Iterator
from typing import Final

from portquorum.health.facts import (
    ClickHouseFacts,
    HealthFacts,
    KafkaFacts,
    LogFacts,
    TopicFacts,
)
from portquorum.health.verdict import HealthLine
from schemas.duration import COARSE, duration_text

SKEW_MS: Final = 5_000
"""A difference of two clocks that is said; the stream says the same of probers."""

_NAMED: Final = 3


def age(now: int, then: int) -> str:
    """`12 s`; the age of `then` at `now`."""
    return duration_text(max(0, now - then), COARSE)


def plural(count: int, one: str) -> str:
    """`1 broker`, `2 brokers`, `1,000 brokers`."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"


def some(names: tuple[str, ...]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _NAMED
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown


def kafka_line(kafka: KafkaFacts, prefix: str) -> HealthLine:
    """Kafka: reachable, and the topics are there and fit."""
    if not kafka.reachable:
        return HealthLine("kafka", "trouble", kafka.error or "")
    hidden = tuple(topic.hidden for topic in kafka.topics if topic.hidden)
    seen = [topic for topic in kafka.topics if not topic.hidden]
    brokers = f"{plural(kafka.brokers, 'broker')} ({kafka.servers})"
    if never_ran(kafka):
        return HealthLine(
            "kafka",
            "trouble",
            f"{brokers}, and none of the topics {prefix}.*: no role has ever run here",
        )
    wrong = [text for topic in seen for text in _wrong(topic)]
    if wrong:
        return HealthLine("kafka", "trouble", f"{brokers}; {some(tuple(wrong))}")
    if hidden:
        return HealthLine("kafka", "unknown", f"{brokers}; not visible: needs {some(hidden)}")
    thin = sum(topic.under_replicated for topic in seen)
    if thin:
        lacking = "1 partition lacks" if thin == 1 else f"{thin:,} partitions lack"
        return HealthLine("kafka", "warning", f"{brokers}; {lacking} a replica in sync")
    fit = f"{len(seen)} topics with all their partitions"
    return HealthLine("kafka", "ok", f"{brokers}, {fit}")


def never_ran(kafka: KafkaFacts) -> bool:
    """True if the cluster answers and has none of the topics."""
    topics = kafka.topics
    return kafka.reachable and not any(topic.exists or topic.hidden for topic in topics)


def _wrong(topic: TopicFacts) -> Iterator[str]:
    if not topic.exists:
        yield f"topic {topic.name} does not exist"
    elif topic.partitions != topic.expected:
        yield (
            f"topic {topic.name} has {plural(topic.partitions, 'partition')}, "
            f"PORTQUORUM_PARTITIONS says {topic.expected}"
        )
    elif topic.leaderless:
        without = plural(topic.leaderless, "partition")
        yield f"{without} of topic {topic.name} without a leader (a broker is down)"


def clock_line(log: LogFacts) -> HealthLine | None:
    """The clock of this machine; None unless it is off."""
    offset = log.clock_offset_ms
    if offset is None or abs(offset) <= SKEW_MS:
        return None
    way = "behind" if offset > 0 else "ahead of"
    off = duration_text(abs(offset), COARSE)
    return HealthLine(
        "clock", "warning", f"this machine's clock is {off} {way} the broker's; ages are by that"
    )


def clickhouse_line(found: ClickHouseFacts) -> HealthLine:
    """ClickHouse: reachable, and its tables are those of this program."""
    if not found.reachable:
        return HealthLine("clickhouse", "trouble", found.error or "")
    server = f"{found.version} ({found.server})"
    if found.hidden:
        return HealthLine("clickhouse", "unknown", f"{server}; not visible: {found.hidden}")
    if found.schema is None:
        text = f"{server} has no tables yet; the sink makes them when it starts"
        return HealthLine("clickhouse", "trouble", text)
    if found.schema > found.newest_schema:
        return HealthLine(
            "clickhouse",
            "trouble",
            f"{server} has schema version {found.schema}, this portquorum knows up to "
            f"{found.newest_schema}: upgrade portquorum",
        )
    if found.schema < found.newest_schema:
        return HealthLine(
            "clickhouse",
            "warning",
            f"{server} has schema version {found.schema}, this portquorum needs "
            f"{found.newest_schema}: a restart of the sink brings it",
        )
    return HealthLine("clickhouse", "ok", f"{server}, schema version {found.schema}")


def newest_result_line(facts: HealthFacts) -> HealthLine:
    """The newest result in ClickHouse, held against the shortest interval of the inventory."""
    found, part = facts.clickhouse, "newest result"
    if not found.reachable or found.hidden or found.schema is None:
        away = "ClickHouse is away" if not found.reachable else "ClickHouse has no tables yet"
        return HealthLine(part, "unknown", found.hidden or away)
    watched = bool(found.targets)
    if found.newest_result is None:
        if watched:
            return HealthLine(part, "trouble", "none in ClickHouse yet")
        return HealthLine(part, "ok", "none in ClickHouse: there are no targets")
    old_ms = facts.log.now - found.newest_result
    text = f"{age(facts.log.now, found.newest_result)} old in ClickHouse"
    interval_ms = found.shortest_interval_ms or 0
    if watched and old_ms > interval_ms * 5 // 2 + 60_000:
        every = duration_text(interval_ms, COARSE)
        return HealthLine(part, "trouble", f"{text}, though a target is checked every {every}")
    return HealthLine(part, "ok", text if watched else f"{text}; there are no targets now")


def dead_letters_line(facts: HealthFacts) -> HealthLine:
    """Dead letters of the last hour."""
    count = facts.dead_letters
    if count is None:
        why = f"not visible: needs {facts.dead_letters_hidden}"
        away = _no_kafka(facts)
        return HealthLine("dead letters", "unknown", why if facts.dead_letters_hidden else away)
    if not count:
        return HealthLine("dead letters", "ok", "none in the last hour")
    return HealthLine(
        "dead letters",
        "warning",
        f"{count:,} in the last hour; the table deadletter has each with its reason",
    )


def inventory_line(facts: HealthFacts) -> HealthLine:
    """The inventory: how many targets, and when it was applied."""
    policy, targets = facts.policy, facts.clickhouse.targets
    counted = "" if targets is None else plural(targets, "target")
    if policy is None or policy.hidden:
        why = f"not visible: needs {policy.hidden}" if policy else _no_kafka(facts)
        return HealthLine("inventory", "unknown", f"{counted}; {why}" if counted else why)
    parts = [counted] if counted else []
    unfinished = tuple(one.source for one in policy.applied if not one.done)
    if policy.applied:
        newest = max(policy.applied, key=lambda one: one.at)
        parts.append(f"applied {age(facts.log.now, newest.at)} ago (source {newest.source})")
    if unfinished:
        parts.append(f"an apply of {some(unfinished)} has not ended; repeat it if none runs")
        return HealthLine("inventory", "warning", "; ".join(parts))
    if targets == 0 or (targets is None and not policy.applied):
        parts.append("nothing is watched: portquorum target add, or inventory apply")
        return HealthLine("inventory", "warning", "; ".join(parts))
    return HealthLine("inventory", "ok", ", ".join(parts))


def _no_kafka(facts: HealthFacts) -> str:
    return "no topic is there" if facts.kafka.reachable else "Kafka is away"
