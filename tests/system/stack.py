"""The shipped roles as processes, watched from outside: what an operator and a subscriber see."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from foundation import clickhouse, kafka
from foundation.settings import Settings
from schemas import batch, incident
from schemas.incident import IncidentEvent
from schemas.result import CheckResult
from tests.commands import Said, called

POLL_S = 0.1


async def eventually(what: str, look: Callable[[], Any], deadline_s: float = 120) -> Any:
    """Waits until `look` gives something true, and returns it."""
    end = time.monotonic() + deadline_s
    while True:
        found = look()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s:.0f} s: {what}; last seen: {found!r}")
        await asyncio.sleep(POLL_S)


class Role:
    """One role in a process of its own; its log goes to a file.

    `sources` is where its program lies, if it is not this checkout; `within` is the beginning of a
    command that runs somewhere else, as `nsenter` does.
    """

    def __init__(
        self,
        name: str,
        arguments: list[str],
        env: dict[str, str],
        log: Path,
        sources: Path | None = None,
        *,
        within: Sequence[str] = (),
    ) -> None:
        self.name = name
        self._within = within
        self._arguments = arguments
        self._env = env
        self._log = log
        self._sources = sources
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **env: str) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self._within, sys.executable, "-m", "portquorum.cli", *self._arguments],
                cwd=self._sources,
                env=self._env | env,
                stdout=log,
                stderr=log,
            )

    def change(self, **env: str) -> None:
        """Changes its settings, for the next start."""
        self._env = self._env | env

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(60)

    def stop(self, deadline_s: float = 20) -> int:
        """SIGTERM; returns the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
        try:
            return self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop; its log: {self.tail()}") from None

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tail(self, lines: int = 15) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])


class Stack:
    """Roles on a Kafka and a ClickHouse; the events on [incidents] as they come."""

    def __init__(self, settings: Settings, folder: Path, env: dict[str, str] | None = None) -> None:
        self.settings = settings
        self.folder = folder
        self.roles: dict[str, Role] = {}
        self.records: list[tuple[IncidentEvent, bytes]] = []
        self.written_ms: dict[str, int] = {}
        """By event id: when its first copy came to the broker, by the broker's clock."""
        self._tasks: list[asyncio.Task[None]] = []
        self.env = {
            **os.environ,
            "PORTQUORUM_KAFKA": settings.kafka,
            "PORTQUORUM_CLICKHOUSE": settings.clickhouse,
            "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
            "PORTQUORUM_PARTITIONS": str(settings.partitions),
            "PORTQUORUM_DATA_DIR": str(folder),
            "PORTQUORUM_CHECKPOINT_INTERVAL_S": "3",
            # A message for each host, at once: mails are looked for by the names of targets.
            "PORTQUORUM_GROUP_INTERVAL_S": "0",
            "PORTQUORUM_METRICS": "127.0.0.1:0",
            "PORTQUORUM_LOG_FORMAT": "json",
            **(env or {}),
        }

    def role(self, name: str, *arguments: str, sources: Path | None = None, **env: str) -> Role:
        """Starts a role under a name of the test's."""
        log = self.folder / f"{name}.log"
        role = Role(name, list(arguments), self.env | env, log, sources)
        self.roles[name] = role
        role.start()
        return role

    def prober(self, region: str, source: str, **env: str) -> Role:
        return self.role(f"probe-{region}", "probe", "--region", region, "--source", source, **env)

    def command(self, *arguments: str) -> Said:
        """A command of `portquorum`, as an operator types it."""
        return called(Path.cwd(), self.env, *arguments)

    async def apply(self, inventory: dict[str, Any], name: str) -> None:
        """Writes an inventory file and applies it under its own source."""
        path = self.folder / f"{name}.yaml"
        path.write_bytes(msgspec.yaml.encode(inventory))
        done = await asyncio.to_thread(
            self.command, "inventory", "apply", str(path), "--source", name, "--yes"
        )
        assert done.returncode == 0, done.stderr + done.stdout

    async def watch(self) -> None:
        """Begins to collect the events on [incidents] and the results on [results]."""
        await kafka.create_topics(self.settings)
        self._tasks.append(asyncio.create_task(self._follow_incidents()))

    async def _follow_incidents(self) -> None:
        async with kafka.Follower(self.settings, self.settings.topic("incidents")) as follower:
            async for record in follower.changes():
                try:
                    event = incident.decode(record.value or b"")
                except msgspec.DecodeError:
                    continue  # a test has forged it
                if isinstance(event, IncidentEvent):
                    self.records.append((event, record.value))
                    self.written_ms.setdefault(event.event_id, record.timestamp)

    def events(self, target: str) -> list[IncidentEvent]:
        """The events of a target, each once, in the order in which they came."""
        found: dict[str, IncidentEvent] = {}
        for event, _ in self.records:
            if event.target == target:
                found.setdefault(event.event_id, event)
        return list(found.values())

    def told(self, target: str) -> list[str]:
        """What people are told of a target: `opened`, `worsened` and `closed`."""
        quiet = {"updated", "improved"}
        return [event.event for event in self.events(target) if event.event not in quiet]

    async def results(self, *, since: dict[int, int] | None = None) -> list[CheckResult]:
        """All results that lie on [results] now, decoded from the broker."""
        return [result async for result in self._read_results(since or {})]

    async def _read_results(self, since: dict[int, int]) -> AsyncIterator[CheckResult]:
        name = self.settings.topic("results")
        parts = [TopicPartition(name, number) for number in range(self.settings.partitions)]
        async with _consumer(self.settings) as client:
            client.assign(parts)
            ends = await client.end_offsets(parts)
            for part in parts:
                client.seek(part, since.get(part.partition, 0))
            while any([await client.position(part) < ends[part] for part in parts]):
                for records in (await client.getmany(timeout_ms=200)).values():
                    for record in records:
                        if record.value:
                            for result in batch.decode(record.value)[0]:
                                yield result

    async def result_ends(self) -> dict[int, int]:
        """The end offset of each partition of [results]."""
        name = self.settings.topic("results")
        parts = [TopicPartition(name, number) for number in range(self.settings.partitions)]
        async with _consumer(self.settings) as client:
            ends = await client.end_offsets(parts)
        return {part.partition: end for part, end in ends.items()}

    async def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return await asyncio.to_thread(self._sql, query)

    def _sql(self, query: str) -> list[tuple[Any, ...]]:
        client = clickhouse.connect(self.settings)
        try:
            return list(client.query(query).result_rows)
        finally:
            client.close()

    async def close(self) -> None:
        """Ends the collectors and every role that still runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        running = [role for role in self.roles.values() if role.alive]
        for role in running:
            role.signal(signal.SIGCONT)
            role.signal(signal.SIGTERM)
        for role in running:
            await asyncio.to_thread(role.stop)


@asynccontextmanager
async def _consumer(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    client = kafka.consumer(settings)
    await client.start()
    try:
        yield client
    finally:
        await client.stop()
