"""Faust as anybody would use it: what its pins stand on."""

import asyncio
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import faust
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.integration.streams.ground import eventually

LINE_S = 60.0


def an_app(bootstrap: str, app_id: str = "", **changes: Any) -> faust.App:
    options: dict[str, Any] = {
        "broker": f"kafka://{bootstrap}",
        "topic_disable_leader": True,
        "topic_allow_declare": False,
        "web_enabled": False,
        "store": "memory://",
        "broker_commit_interval": 0.2,
        "broker_session_timeout": 6,
        "stream_wait_empty": False,
    }
    app = faust.App(app_id or a_name(), **(options | changes))
    app._create_directories = lambda: None  # type: ignore[method-assign]
    return app


def a_name() -> str:
    return f"pin{uuid.uuid4().hex[:8]}"


@asynccontextmanager
async def running(app: faust.App) -> AsyncIterator[None]:
    await app.start()
    try:
        yield
    finally:
        await app.stop()


async def create(bootstrap: str, name: str, partitions: int = 1, **config: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config)])
    await eventually(admin.list_topics, lambda names: name in names)
    await admin.close()
    return name


async def fill(bootstrap: str, topic: str, count: int) -> None:
    await send(bootstrap, topic, *(b"%d" % number for number in range(count)))


async def send(bootstrap: str, topic: str, *values: bytes, **how: Any) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, **({"partition": 0} | how))


async def present(bootstrap: str, topic: str, **how: Any) -> list[ConsumerRecord]:
    """All records that the topic has at this moment."""
    found: list[ConsumerRecord] = []
    how = {"auto_offset_reset": "earliest"} | how
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, **how) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        for part, end in ends.items():
            while await consumer.position(part) < end:
                for records in (await consumer.getmany(part, timeout_ms=200)).values():
                    found += records
    return found


async def group_offset(bootstrap: str, group: str) -> int | None:
    """The group's next offset in the only partition that it has committed for."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return next((entry.offset for entry in offsets.values()), None)


async def committed(bootstrap: str, app: faust.App) -> int | None:
    """The offset of the app's group."""
    return await group_offset(bootstrap, app.conf.id)


class Program:
    """A Faust program as a process of its own. Leaving it kills it."""

    def __init__(self, source: str, *arguments: str, cwd: Path) -> None:
        self._command = (sys.executable, "-c", source, *arguments)
        self._cwd = cwd
        self.process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=self._cwd,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def says(self, text: str, within_s: float = LINE_S) -> None:
        """Reads until it prints the line `text`.

        Raises:
            TimeoutError: not within `within_s`.
        """
        assert self.process.stdout is not None
        async with asyncio.timeout(within_s):
            while line := await self.process.stdout.readline():
                if line.decode().strip() == text:
                    return
        raise AssertionError(f"it ended before it said {text!r}")
