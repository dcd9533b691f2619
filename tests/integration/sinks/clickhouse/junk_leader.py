"""A program: leads a group as it should, until it is told to assign words that nobody can read.

Arguments: as in `main`. Prints a line when it is in the group; any line it reads is the sign.
"""

import asyncio
import sys
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor


class _Assignor(RoundRobinPartitionAssignor):  # type: ignore[misc]
    junk = False

    @classmethod
    def assign(cls, cluster: Any, members: Any) -> Any:
        if cls.junk:
            return dict.fromkeys(members, b"junk")
        return super().assign(cluster, members)


async def main(servers: str, group: str, topic: str) -> None:
    client = AIOKafkaConsumer(
        topic,
        bootstrap_servers=servers,
        group_id=group,
        partition_assignment_strategy=[_Assignor],
        session_timeout_ms=6_000,
        enable_auto_commit=False,
    )
    await client.start()
    print("leading", flush=True)  # noqa: T201 - the test waits for it
    await asyncio.to_thread(sys.stdin.readline)
    _Assignor.junk = True
    client._coordinator.request_rejoin()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
