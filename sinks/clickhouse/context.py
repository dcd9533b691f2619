"""What all lanes of a sink share."""

import asyncio

from aiokafka import AIOKafkaConsumer
from msgspec import Struct

from foundation.log_throttle import LogThrottle
from foundation.settings import Settings
from sinks.clickhouse.bad_line_limit import BadLines
from sinks.clickhouse.dead_letters import Letters
from sinks.clickhouse.offsets import Offsets
from sinks.clickhouse.writer import Writer


class Services(Struct, frozen=True):
    """The settings, the member of the group, and the ways to Kafka and ClickHouse."""

    settings: Settings
    consumer: AIOKafkaConsumer
    offsets: Offsets
    writer: Writer
    letters: Letters
    throttle: LogThrottle[str]
    bad_lines: dict[str, BadLines]
    """By the topic's name."""
    turns: asyncio.Semaphore
    """How many lanes may fill up a whole block at once; the others hold little meanwhile."""
    desks: asyncio.Semaphore
    """How many blocks are held decoded at once; both bound the memory of a backlog."""
