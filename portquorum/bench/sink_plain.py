"""The obvious implementation: a consumer that makes a dict of each line and inserts rows.

`python -m portquorum.bench.sink_plain`, as `sink` starts it; the settings say where. It
reads all
partitions from the beginning, until SIGTERM. A crash loses or doubles rows, a line that is no
result ends it.
"""

import asyncio
import json
from typing import Any, Final

from aiokafka import TopicPartition
from clickhouse_connect.driver.client import Client

from foundation import kafka
from foundation.clickhouse import connect
from foundation.settings import Settings, load
from schemas.topics import RESULTS

BLOCK_ROWS: Final = 50_000
_FETCH_BYTES: Final = 1024 * 1024
_US: Final = {"dns_us": "dns_ms", "connect_us": "connect_ms", "total_us": "total_ms"}
_PLAIN: Final = (
    *("target", "kind", "host", "port", "region", "prober", "scheduled_at", "started_at"),
    *("status", "attempt", "cause", "target_version"),
)
COLUMNS: Final = (*_PLAIN, "reason", "address", *_US, "log_partition", "log_offset", "appended_at")


def row(line: dict[str, Any], partition: int, offset: int, at: int) -> dict[str, Any]:
    """The row of a line."""
    made: dict[str, Any] = {name: line[name] for name in _PLAIN}
    made["reason"] = line["reason"] or ""
    made["address"] = line.get("address") or ""
    for column, name in _US.items():
        span = line.get(name)
        made[column] = None if span is None else int(span * 1000 + 0.5)
    return made | {"log_partition": partition, "log_offset": offset, "appended_at": at}


def insert(client: Client, rows: list[dict[str, Any]]) -> None:
    """One insert."""
    values = [[made[name] for name in COLUMNS] for made in rows]
    client.insert("results", values, column_names=COLUMNS)


async def run(settings: Settings) -> None:
    """Reads and inserts until cancelled."""
    client = connect(settings)
    topic = settings.topic(RESULTS.name)
    async with kafka.consumer(settings, max_partition_fetch_bytes=_FETCH_BYTES) as consumer:
        parts = [TopicPartition(topic, number) for number in range(settings.partitions)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        rows: list[dict[str, Any]] = []
        while True:
            batches = await consumer.getmany(timeout_ms=500)
            for part, records in batches.items():
                for record in records:
                    rows += [
                        row(json.loads(line), part.partition, record.offset, record.timestamp)
                        for line in (record.value or b"").splitlines()
                    ]
                    if len(rows) >= BLOCK_ROWS:
                        await asyncio.to_thread(insert, client, rows)
                        rows = []
            if rows and not batches:
                await asyncio.to_thread(insert, client, rows)
                rows = []


if __name__ == "__main__":
    asyncio.run(run(load()))
