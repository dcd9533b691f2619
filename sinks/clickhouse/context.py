"""The context that all partition pipelines of a sink share."""

import asyncio

from aiokafka import AIOKafkaConsumer
from msgspec import Struct

from foundation.log_throttle import LogThrottle
from foundation.settings import Settings
from sinks.clickhouse.bad_line_limit import BadLines
from sinks.clickhouse.dead_letters import DeadLetters
from sinks.clickhouse.offsets import Offsets
from sinks.clickhouse.writer import Writer


class SinkContext(Struct, frozen=True):
    """The settings, the group member, and the clients of Kafka and ClickHouse."""

    settings: Settings
    consumer: AIOKafkaConsumer
    offsets: Offsets
    writer: Writer
    letters: DeadLetters
    throttle: LogThrottle[str]
    bad_lines: dict[str, BadLines]
    """By topic name."""
    turns: asyncio.Semaphore
    """Limits the pipelines that fill a whole block at once; the others buffer little meanwhile."""
    desks: asyncio.Semaphore
    """Limits the decoded blocks in memory; both bound the memory of a backlog."""
