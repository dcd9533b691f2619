"""One member gets everything, and keeps it."""

import pytest
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata as Metadata
from aiokafka.structs import PartitionMetadata
from hypothesis import given
from hypothesis import strategies as st

from sinks.notifier.assignor import OneActiveAssignor

TOPIC, PARTITIONS = "pq.incidents", 4


def cluster() -> ClusterMetadata:
    made = ClusterMetadata()
    made._partitions[TOPIC] = {
        n: PartitionMetadata(TOPIC, n, 0, [0], [0], None) for n in range(PARTITIONS)
    }
    return made


def member(term: int = 0, warm: bool = False) -> Metadata:
    assignor = OneActiveAssignor()
    assignor.term, assignor.warm = term, warm
    # As it comes from the wire.
    return Metadata.decode(assignor.metadata([TOPIC]).encode())


def holder(members: dict[str, Metadata]) -> str:
    given_out = OneActiveAssignor().assign(cluster(), members)
    assert given_out.keys() == members.keys()
    held = {name: len(one.partitions()) for name, one in given_out.items()}
    (found,) = [name for name, count in held.items() if count]
    assert held[found] == PARTITIONS
    return found


def test_a_single_member_gets_everything() -> None:
    assert holder({"a": member()}) == "a"


def test_the_active_member_keeps_everything_whoever_joins() -> None:
    assert holder({"a": member(warm=True), "b": member(7, warm=True), "c": member()}) == "b"


def test_the_newest_term_wins_against_one_that_was_stopped_meanwhile() -> None:
    assert holder({"a": member(6, warm=True), "b": member(7)}) == "b"


def test_a_warm_member_goes_before_a_cold_one() -> None:
    assert holder({"a": member(), "b": member(warm=True), "c": member()}) == "b"


@given(st.dictionaries(st.text("abc", min_size=1), st.binary(max_size=12) | st.none(), min_size=1))
def test_whatever_a_member_says_of_itself_exactly_one_gets_everything(
    said: dict[str, bytes | None],
) -> None:
    members = {name: Metadata(0, [TOPIC], user_data) for name, user_data in said.items()}
    assert holder(members) in members


@pytest.mark.parametrize("topics", [[], ["elsewhere"]])
def test_without_partitions_nobody_gets_any(topics: list[str]) -> None:
    given_out = OneActiveAssignor().assign(cluster(), {"a": Metadata(0, topics, b"")})
    assert given_out["a"].partitions() == []


def test_its_protocol_is_not_that_of_the_first_version() -> None:
    assert OneActiveAssignor().name != RangePartitionAssignor.name
