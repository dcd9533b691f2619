"""The obvious implementation: one result a message, a Faust agent, a table with a window.

`python -m portquorum.bench.stream_faust COUNT`; the settings say where Kafka is. Reads COUNT
messages, prints
a `stream_run.Run` as JSON and ends. It does far less than the rules: failures in a row by
target and region, and nothing else.
"""

import asyncio
import logging
import os
import sys
import time
from tempfile import mkdtemp
from typing import Any, Final

import faust
import msgspec

from foundation.settings import Settings, load
from portquorum.bench.stream_run import StreamRun

TOPIC: Final = "bench.single"


class FaustResult(faust.Record, serializer="json", isodates=False):
    """The fields of a result that the agent reads."""

    target: str
    region: str
    started_at: int
    status: str
    reason: str | None = None


def app_of(settings: Settings, count: int) -> faust.App:
    """An app with one agent and one table, with default settings except the broker's."""
    app = faust.App(
        settings.group("bench-single"),
        broker=f"kafka://{settings.kafka}",
        store="memory://",
        web_enabled=False,
        datadir=mkdtemp(prefix="portquorum-bench-"),
        topic_partitions=settings.partitions,
        topic_replication_factor=1,
        consumer_auto_offset_reset="earliest",
    )
    topic = app.topic(settings.topic(TOPIC), key_type=str, value_type=FaustResult)
    failures = app.Table("failures", default=int, partitions=settings.partitions)
    begun: list[float] = []

    async def count_failures(results: Any) -> None:
        done = 0
        async for result in results:
            if not begun:
                begun.extend((time.perf_counter(), time.process_time()))
            key = f"{result.target}|{result.region}"
            failures[key] = 0 if result.status == "up" else failures[key] + 1
            done += 1
            if done == count:
                _tell(count, *begun)

    app.agent(topic)(count_failures)
    return app


def _tell(count: int, began: float, used: float) -> None:
    run = StreamRun(
        results=count,
        messages=count,
        seconds=time.perf_counter() - began,
        cpu_s=time.process_time() - used,
    )
    print(msgspec.json.encode(run).decode(), flush=True)
    # Faust's own stop may hang from within an agent.
    os._exit(0)


async def main() -> None:
    """Runs until all messages are read."""
    logging.disable(logging.WARNING)
    app = app_of(load(), int(sys.argv[1]))
    await app.start()
    await app.wait_until_stopped()


if __name__ == "__main__":
    asyncio.run(main())
