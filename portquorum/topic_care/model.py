"""The topics of a cluster as they are, and their differences from what they should be."""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

Level = Literal["trouble", "warning", "note"]
"""`trouble`: records are lost, refused or judged wrongly; `warning`: they may be, or it costs;
`note`: a choice that works."""

LEVELS: Final[tuple[Level, ...]] = ("trouble", "warning", "note")


class PartitionFound(Struct, frozen=True):
    """A partition: its leader (None: it has none), the brokers with a copy, those in sync."""

    number: int
    leader: int | None
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]


class ConfigFound(Struct, frozen=True):
    """The value of a setting in force; `own`: set at the topic, not by a default of the brokers."""

    value: str
    own: bool


class TopicFound(Struct, frozen=True):
    """A topic that is there; `configs` is None if who asks may not read its settings."""

    partitions: tuple[PartitionFound, ...]
    configs: Mapping[str, ConfigFound] | None

    @property
    def copies(self) -> int:
        """The copies of the partition with the fewest."""
        return min((len(one.replicas) for one in self.partitions), default=0)


class ClusterFound(Struct, frozen=True):
    """The brokers that are there, and the topics by full name.

    `unseen` are those that who asks may not see: nobody knows whether they are there.
    """

    brokers: tuple[int, ...]
    topics: Mapping[str, TopicFound]
    unseen: frozenset[str] = frozenset()


class Difference(Struct, frozen=True, kw_only=True):
    """One difference of a topic.

    `setting` is a topic setting of Kafka, or `partitions`, `replication.factor`, `leader`, `topic`
    (it is not there), `right`. `effect` says what it does. `repair` is the value that
    `topics repair` sets; None if it does not, then `remedy` says what can be done.
    """

    topic: str
    setting: str
    found: str
    wanted: str
    level: Level
    effect: str
    repair: str | None = None
    remedy: str | None = None
