"""The plan by which Kafka's own tool gives partitions more copies. Pure."""

from collections import Counter

from msgspec import Struct

from portquorum.topic_care.model import ClusterFound, PartitionFound


class Move(Struct, frozen=True):
    """The brokers that are to have a copy of a partition, its first one first."""

    topic: str
    partition: int
    replicas: tuple[int, ...]


class Reassignment(Struct, frozen=True):
    """What `kafka-reassign-partitions.sh --reassignment-json-file` takes."""

    version: int
    partitions: tuple[Move, ...]


def reassignment(cluster: ClusterFound, copies: int) -> Reassignment:
    """Gives each partition with fewer copies than `copies` the rest, where the fewest are.

    Copies that are there stay.

    Raises:
        ValueError: there are fewer brokers than that.
    """
    if copies > len(cluster.brokers):
        raise ValueError(f"expected at most {len(cluster.brokers)}, one for each broker")
    load = Counter(dict.fromkeys(cluster.brokers, 0))
    for topic in cluster.topics.values():
        for part in topic.partitions:
            load.update(part.replicas)
    moves = [
        Move(name, part.number, _replicas(part, copies, load))
        for name, topic in sorted(cluster.topics.items())
        for part in topic.partitions
        if len(part.replicas) < copies
    ]
    return Reassignment(1, tuple(moves))


def _replicas(part: PartitionFound, copies: int, load: "Counter[int]") -> tuple[int, ...]:
    chosen = list(part.replicas)
    while len(chosen) < copies:
        free = (broker for broker in load if broker not in chosen)
        broker = min(free, key=lambda one: (load[one], one))
        load[broker] += 1
        chosen.append(broker)
    return tuple(chosen)
