"""An answer that is an error is no answer: least of all that there is no commit."""

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import GroupLoadInProgressError, KafkaError, NotCoordinatorForGroupError
from aiokafka.protocol.commit import OffsetFetchResponse_v3

from foundation.settings import Settings
from sinks.clickhouse.offsets import Committed, Offsets
from sinks.clickhouse.pending_block import Pending
from sinks.clickhouse.suspend_detector import SuspendDetector

PLACE = TopicPartition("p.results", 3)


class Broker:
    """Stands in for aiokafka's admin client: what a broker sent, as it was decoded."""

    def __init__(self, *parts: tuple[int, int, str, int], code: int = 0) -> None:
        self._answer = OffsetFetchResponse_v3(0, [(PLACE.topic, list(parts))], code)

    async def find_coordinator(self, _group: str) -> int:
        return 1

    async def _send_request(self, _request: object, _node: int) -> OffsetFetchResponse_v3:
        return self._answer

    async def close(self) -> None:
        """Nothing to close."""


async def read(broker: Any) -> Committed:
    offsets = Offsets(Settings(), None, "group", SuspendDetector(), topics=())  # type: ignore[arg-type]
    offsets._admin = broker
    return await offsets.read(PLACE)


async def test_a_commit_is_read_with_what_is_pending() -> None:
    pending = Pending(first=7, last=9, at=5)
    found = await read(Broker((3, 7, pending.metadata(), 0)))
    assert (found.offset, found.pending) == (7, pending)


async def test_without_a_commit_there_is_none() -> None:
    assert (await read(Broker((3, -1, "", 0)))).offset is None


@pytest.mark.parametrize("parts", [[], [(3, -1, "", 0)]])
@pytest.mark.parametrize(
    ("code", "error"), [(14, GroupLoadInProgressError), (16, NotCoordinatorForGroupError)]
)
async def test_an_answer_that_is_an_error_as_a_whole_is_one(
    parts: list[tuple[int, int, str, int]], code: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await read(Broker(*parts, code=code))


async def test_an_error_of_the_partition_is_one() -> None:
    with pytest.raises(GroupLoadInProgressError):
        await read(Broker((3, -1, "", 14)))


async def test_an_answer_that_leaves_the_partition_out_is_an_error() -> None:
    with pytest.raises(KafkaError, match="does not speak of"):
        await read(Broker((4, 7, "", 0)))
