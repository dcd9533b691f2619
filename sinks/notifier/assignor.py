"""The assignor of the group: one member gets all partitions, and keeps them.

The name of the protocol is another than that of 0.1 ("range"), so the broker refuses one beside the
other (InconsistentGroupProtocol): two versions never share the partitions.
"""

import struct
from collections.abc import Iterable, Mapping
from typing import Final

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)

PROTOCOL: Final = "portquorum-one-active"
_VERSION: Final = 0
_CLAIM: Final = struct.Struct(">QB")
"""What each member says of itself: its term (0: not active), and 1 if it stands by, warm."""


class OneActiveAssignor(AbstractPartitionAssignor):  # type: ignore[misc]
    """Gives all partitions to the member with the newest term, else to a warm one.

    One instance for a consumer, since it has what the consumer says of itself: aiokafka calls the
    methods of whatever object it is given. Set `term` and `warm` as they change; they go to the
    group with the next rebalance.
    """

    def __init__(self) -> None:
        self.term = 0
        self.warm = False

    @property
    def name(self) -> str:
        """The name of the group's protocol."""
        return PROTOCOL

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What this member asks for, and what it says of itself."""
        claim = _CLAIM.pack(self.term, self.warm)
        return ConsumerProtocolMemberMetadata(_VERSION, list(topics), claim)

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """All partitions of all topics to one member, nothing to the others."""
        active = max(sorted(members), key=lambda member: _claim(members[member].user_data))
        topics = sorted({topic for one in members.values() for topic in one.subscription})
        everything = [
            (topic, sorted(partitions))
            for topic in topics
            if (partitions := cluster.partitions_for_topic(topic))
        ]
        return {
            member: ConsumerProtocolMemberAssignment(
                _VERSION, everything if member == active else [], b""
            )
            for member in members
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Nothing: `term` says whether this member is active."""


def _claim(user_data: bytes | None) -> tuple[int, int]:
    """A member's term and whether it is warm; (0, 0) if it says nothing that can be read."""
    if user_data is None or len(user_data) != _CLAIM.size:
        return 0, 0
    term, warm = _CLAIM.unpack(user_data)
    return term, warm
