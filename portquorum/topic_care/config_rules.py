"""What each setting of a topic does if it is not as declared. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from foundation.kafka.topics import topic_config
from portquorum.topic_care.model import ConfigFound, Difference, Level, TopicFound
from schemas import topics
from schemas.duration import HOUR_MS, duration_text
from schemas.topics import Topic

MESSAGE_BYTES: Final = 1_048_588
"""The largest message of every topic but [web]: Kafka's own default."""

_MIN_IN_SYNC: Final = "min.insync.replicas"
_MAX_BYTES: Final = "max.message.bytes"
_UNCLEAN: Final = "unclean.leader.election.enable"
_RETENTION_BYTES: Final = "retention.bytes"
_TOMBSTONES: Final = "delete.retention.ms"

_LOST: Final = {
    topics.TARGETS.name: "targets that nobody has written since are forgotten at the next start of "
    "a role; `portquorum inventory apply --republish` writes those of files again",
    topics.POLICY.name: "regions, teams, routes and silences are forgotten; `portquorum inventory "
    "apply --republish` writes those of files again",
    topics.STATE.name: "checkpoints go, and a stream that starts reads the log again, or forgets "
    "incidents that are older than it",
    topics.INCIDENTS_OPEN.name: "open incidents vanish from the page and from subscribers",
    topics.NOTIFIER_STATE.name: "the notifier forgets who is to be told of what is open",
    topics.WEB.name: "users, tokens, status pages and targets of the page's own are forgotten",
}
"""What removal by age loses on a topic that keeps the newest record of each key."""

_SHORTER: Final = {
    topics.RESULTS.name: "less can be replayed, and a sink or stream that is away for longer loses "
    "results",
    topics.RECHECKS.name: "a recheck may be gone before a prober reads it",
    topics.CHECKPOINTS.name: "a replay starts later, and a stream without [state] has less to "
    "start from",
    topics.INCIDENTS.name: "a subscriber or notifier that is away for longer misses events",
    topics.NOTIFICATIONS.name: "people may be told twice of what comes again from [results]",
    topics.DEADLETTER.name: "what could not be read is gone sooner",
}

_COMPACTED: Final = {
    topics.RESULTS.name: "brokers refuse records without a key: no result is taken",
    topics.INCIDENTS.name: "only the newest event of a host stays: whoever reads later misses the "
    "others",
    topics.RECHECKS.name: "only the newest request of a host stays, for ever",
    topics.CHECKPOINTS.name: "nothing is removed: it grows for ever",
    topics.DEADLETTER.name: "nothing is removed: it grows for ever",
}

_TIME: Final = {
    topics.RESULTS.name: "the rules take the clocks of probers for the broker's: incidents open "
    "early, late or not at all",
    topics.WEB.name: "what is over is removed by the clocks of those who write, not by age",
}


class Wish(Struct, frozen=True):
    """A setting that a topic should have, beside what is found."""

    topic: Topic
    name: str
    wanted: str
    found: str


def config_differences(name: str, topic: Topic, found: TopicFound) -> Iterator[Difference]:
    """The differences of a topic's settings, which were read; `name` is its full name."""
    configs = found.configs or {}
    wishes = topic_config(topic)
    for setting, wanted in wishes.items():
        if setting in configs and setting != _MAX_BYTES:
            wish = Wish(topic, setting, wanted, configs[setting].value)
            yield from _compare(name, wish)
    yield from _sizes(name, topic, configs)
    yield from _safety(name, found, configs)
    known = {*wishes, _MAX_BYTES, _MIN_IN_SYNC, _UNCLEAN, _RETENTION_BYTES, _TOMBSTONES}
    for setting in sorted(configs):
        if configs[setting].own and setting not in known:
            yield Difference(
                topic=name,
                setting=setting,
                found=configs[setting].value,
                wanted="not set at the topic",
                level="note",
                effect="somebody has set it; portquorum neither needs nor changes it",
            )


def _compare(name: str, wish: Wish) -> Iterator[Difference]:
    if wish.name == "cleanup.policy":
        judged = _cleanup(wish)
    elif wish.name == "retention.ms":
        judged = _retention(wish)
    elif wish.name == "message.timestamp.type":
        judged = _timestamp(wish)
    elif wish.name == "compression.type":
        judged = _compression(wish)
    else:
        judged = _compaction(wish)
    if judged is None:
        return
    level, effect = judged
    yield Difference(
        topic=name,
        setting=wish.name,
        found=_shown(wish.name, wish.found),
        wanted=_shown(wish.name, wish.wanted),
        level=level,
        effect=effect,
        # What is longer or smaller than needed may have a reason.
        repair=None if level == "note" and wish.name != "compression.type" else wish.wanted,
    )


def _cleanup(wish: Wish) -> tuple[Level, str] | None:
    found, wanted = ({one.strip() for one in text.split(",")} for text in (wish.found, wish.wanted))
    topic = wish.topic.name
    if found == wanted:
        return None
    if "delete" in found - wanted:
        return "trouble", f"records are removed by age, and {_LOST[topic]}"
    if "compact" in found - wanted:
        level: Level = "trouble" if topic in {"results", "incidents"} else "warning"
        return level, _COMPACTED[topic]
    if "delete" in wanted - found:
        return "warning", "nothing is removed by age: each start of the notifier reads more"
    return "warning", "superseded records stay as long as others, and readers read more"


def _retention(wish: Wish) -> tuple[Level, str] | None:
    if "delete" not in wish.topic.cleanup:
        return None
    found, wanted = int(wish.found), int(wish.wanted)
    if found == wanted:
        return None
    if found < 0 or found > wanted:
        return "note", "records are kept for longer"
    level: Level = "trouble" if wish.topic is topics.NOTIFICATIONS else "warning"
    return level, _SHORTER[wish.topic.name]


def _timestamp(wish: Wish) -> tuple[Level, str] | None:
    if wish.found == wish.wanted:
        return None
    if wish.topic.name in _TIME:
        return "trouble", _TIME[wish.topic.name]
    return "warning", "records have the time of their arrival, not that of their writer"


def _compression(wish: Wish) -> tuple[Level, str] | None:
    if wish.found == wish.wanted:
        return None
    if wish.found == "producer":
        return "note", "batches stay as they came: an older version's may have another codec"
    return "warning", (
        "brokers pack each batch anew, which costs them CPU; not every client reads each codec"
    )


def _compaction(wish: Wish) -> tuple[Level, str] | None:
    """Settings that say when compaction takes place, and what it may remove."""
    found, wanted = float(wish.found), float(wish.wanted)
    if found == wanted:
        return None
    more: tuple[Level, str] = "warning", "compaction comes later: roles that start read more"
    less: tuple[Level, str] = "note", "the log has smaller files, or is compacted more often"
    if wish.name == "min.compaction.lag.ms":
        more = "note", "superseded records stay for longer"
        less = "trouble", "of two edits of a version the later may count"
    elif wish.name == _TOMBSTONES:
        more = "warning", "removed checkpoints stay for longer: a stream that starts reads more"
        less = "warning", "a reader that is away for longer keeps what was removed"
    return more if found > wanted else less


def _sizes(name: str, topic: Topic, configs: Mapping[str, ConfigFound]) -> Iterator[Difference]:
    needed = int(topic_config(topic).get(_MAX_BYTES, MESSAGE_BYTES))
    found = configs.get(_MAX_BYTES)
    if found is not None and int(found.value) < needed:
        yield Difference(
            topic=name,
            setting=_MAX_BYTES,
            found=found.value,
            wanted=f"{needed} or more",
            level="trouble",
            effect="larger messages are refused: their records do not arrive",
            repair=str(needed),
        )
    bound = configs.get(_RETENTION_BYTES)
    if "delete" in topic.cleanup and bound is not None and int(bound.value) >= 0:
        yield Difference(
            topic=name,
            setting=_RETENTION_BYTES,
            found=bound.value,
            wanted="-1",
            level="warning",
            effect=f"records of larger partitions go before their age: {_SHORTER[topic.name]}",
            remedy="it may guard a disk, so it is not changed: `kafka-configs.sh --alter "
            f"--entity-type topics --entity-name {name} --delete-config {_RETENTION_BYTES}`",
        )
    kept = configs.get(_TOMBSTONES)
    declared = _TOMBSTONES in topic_config(topic)
    if not declared and "compact" in topic.cleanup and kept and int(kept.value) < HOUR_MS:
        yield Difference(
            topic=name,
            setting=_TOMBSTONES,
            found=_shown(_TOMBSTONES, kept.value),
            wanted="1 h or more",
            level="warning",
            effect="a reader that is away for longer keeps what was removed",
            repair=str(24 * HOUR_MS),
        )


def _safety(
    name: str, found: TopicFound, configs: Mapping[str, ConfigFound]
) -> Iterator[Difference]:
    """What is confirmed, and who may lead, when brokers fail."""
    unclean = configs.get(_UNCLEAN)
    if unclean is not None and unclean.value == "true":
        yield Difference(
            topic=name,
            setting=_UNCLEAN,
            found="true",
            wanted="false",
            level="warning",
            effect="a broker that lags may lead after a failure: confirmed records are lost",
            repair="false",
        )
    least = configs.get(_MIN_IN_SYNC)
    if least is None or not found.partitions:
        return
    copies, number = found.copies, int(least.value)
    in_sync = min(len(one.in_sync) for one in found.partitions)
    level: Level = "warning"
    if copies > 1 and number >= copies:  # Kafka 4 takes more than there are for all of them
        effect = "nothing can be written while one broker is away"
        wanted = copies - 1
    elif copies > 2 and number == 1:
        effect = "a record is confirmed by one broker alone, and lost with it"
        wanted = 2
    else:
        return
    may = wanted <= number or in_sync >= wanted
    yield Difference(
        topic=name,
        setting=_MIN_IN_SYNC,
        found=f"{number} of {copies} copies",
        wanted=str(wanted),
        level=level,
        effect=effect,
        repair=str(wanted) if may else None,
        remedy=None if may else "when its partitions are in sync again, repair it",
    )


def _shown(setting: str, value: str) -> str:
    """A value for people."""
    if not setting.endswith(".ms"):
        return value
    return "for ever" if int(value) < 0 else duration_text(int(value))
