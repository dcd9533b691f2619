"""The plan for more copies: what is there stays, the rest goes where the fewest are."""

from collections import Counter

import pytest

from portquorum.topic_care.copies import reassignment
from portquorum.topic_care.model import ClusterFound, PartitionFound, TopicFound


def of_one_broker(partitions: int) -> ClusterFound:
    parts = tuple(PartitionFound(number, 1, (1,), (1,)) for number in range(partitions))
    full = TopicFound((PartitionFound(0, 1, (1, 2, 3), (1, 2, 3)),), None)
    return ClusterFound((1, 2, 3), {"t.full": full, "t.lone": TopicFound(parts, None)})


def test_each_partition_gets_the_rest_and_keeps_what_it_has() -> None:
    plan = reassignment(of_one_broker(4), 2)
    assert [move.topic for move in plan.partitions] == ["t.lone"] * 4
    assert all(move.replicas[0] == 1 for move in plan.partitions)
    assert Counter(move.replicas[1] for move in plan.partitions) == {2: 2, 3: 2}
    assert all(
        len(set(move.replicas)) == 3 for move in reassignment(of_one_broker(4), 3).partitions
    )


def test_more_copies_than_brokers_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 3"):
        reassignment(of_one_broker(1), 4)
