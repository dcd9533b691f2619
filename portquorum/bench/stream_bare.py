"""The limit: a plain consumer that decodes every result and does nothing with it.

`python -m portquorum.bench.stream_bare`; the settings say where. Prints a `stream_run.Run`
as JSON.
"""

import asyncio
import time
from typing import Final

import msgspec
from aiokafka import TopicPartition

from foundation import kafka
from foundation.settings import Settings, load
from portquorum.bench.stream_run import StreamRun
from schemas.result import LoggedResult
from schemas.topics import RESULTS

_decode: Final = msgspec.json.Decoder(LoggedResult).decode_lines
"""Into what the stream decodes, without its look at whether each line is just one result."""

_FETCH_BYTES: Final = 4 * 1024 * 1024


async def run(settings: Settings) -> StreamRun:
    """Reads all partitions from the beginning to their present end."""
    topic = settings.topic(RESULTS.name)
    parts = [TopicPartition(topic, number) for number in range(settings.partitions)]
    client = kafka.consumer(settings, max_partition_fetch_bytes=_FETCH_BYTES)
    await client.start()
    try:
        client.assign(parts)
        ends = await client.end_offsets(parts)
        await client.seek_to_beginning(*parts)
        left = {part for part in parts if ends[part]}
        began, used, count, messages = time.perf_counter(), time.process_time(), 0, 0
        while left:
            for part, records in (await client.getmany(timeout_ms=1000)).items():
                for record in records:
                    if record.value:
                        count += len(_decode(record.value))
                        messages += 1
                if records[-1].offset + 1 >= ends[part]:
                    left.discard(part)
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - used
    finally:
        await client.stop()
    return StreamRun(results=count, messages=messages, seconds=seconds, cpu_s=cpu_s)


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(run(load()))).decode())
