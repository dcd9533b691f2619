"""Runs in a container of ours: the lines of [results] on the log, and the rows in ClickHouse.

Prints JSON: `lines`, `rows`, `places` (places of the log that the rows name), `dead`.
"""

import asyncio
import json

from aiokafka import TopicPartition

from foundation import clickhouse, kafka
from foundation.settings import Settings, load
from schemas import batch, topics

_ROWS = "SELECT count(), uniqExact(log_partition, log_offset, log_line) FROM results"


async def lines_of(settings: Settings) -> int:
    """How many results the log has; all else in it (beats, acknowledgements) is not counted."""
    topic = settings.topic(topics.RESULTS.name)
    parts = [TopicPartition(topic, number) for number in range(settings.partitions)]
    count = 0
    client = kafka.consumer(settings)
    await client.start()
    try:
        client.assign(parts)
        ends = await client.end_offsets(parts)
        await client.seek_to_beginning(*parts)
        while any([await client.position(part) < ends[part] for part in parts]):
            for records in (await client.getmany(timeout_ms=1000)).values():
                count += sum(len(batch.decode(one.value)[0]) for one in records)
    finally:
        await client.stop()
    return count


def main() -> None:
    """Reads both, and prints."""
    settings = load()
    lines = asyncio.run(lines_of(settings))
    client = clickhouse.connect(settings)
    ((rows, places),) = client.query(_ROWS).result_rows
    print(json.dumps({"lines": lines, "rows": rows, "places": places}))  # noqa: T201


main()
