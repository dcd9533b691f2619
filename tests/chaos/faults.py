"""The faults: what each takes away, for how long, and how it comes back."""

import asyncio
import contextlib
import errno
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from aiokafka.errors import KafkaError

from foundation import kafka
from schemas import topics
from tests.chaos.plan import Fault
from tests.chaos.services import Service
from tests.chaos.world import INTERVAL_S, PREFIX, SOURCES, Done, World, now_ms
from tests.system.ground import Filter

GARBAGE: Final = (b"\xff", b"{", b'{"target":1}', b"null", b"[" * 2_000)
_BLOCK: Final = 1 << 20


class Trouble:
    """Does what a plan has, on a world; `filter` is of the network namespace."""

    def __init__(self, world: World, packets: Filter) -> None:
        self._world = world
        self._packets = packets
        self.garbage = 0
        """Messages on [results] and [incidents] that nobody can read."""
        self._edits = 0

    async def do(self, fault: Fault) -> None:
        """Does it, and notes when it was."""
        began_ms = now_ms()
        try:
            await self._do(fault)
        finally:
            done = self._world.faults
            if fault.kind == "another worker":  # in between it works as the others do
                done += [Done(str(fault), at, at) for at in (began_ms, now_ms())]
            else:
                done.append(Done(str(fault), began_ms, now_ms()))

    async def _do(self, fault: Fault) -> None:
        world, whom, lasts_s = self._world, fault.whom, fault.lasts_s
        acts: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "kill": lambda: self._kill(whom),
            "stop": lambda: self._stop(whom, lasts_s),
            "region cut": lambda: self._cut(whom, lasts_s),
            "clock": lambda: self._step(lasts_s),
            "disk full": lambda: self._fill(lasts_s),
            "another worker": lambda: self._another(lasts_s),
            "garbage": self._garbage,
            "edit": self._edit,
            "Kafka killed": lambda: _killed(world.kafka, lasts_s),
            "Kafka stopped": lambda: _stopped(world.kafka, lasts_s),
            "Kafka silent": lambda: self._silent(world.kafka.port, lasts_s),
            "ClickHouse killed": lambda: _killed(world.clickhouse, lasts_s),
            "ClickHouse stopped": lambda: _stopped(world.clickhouse, lasts_s),
        }
        await acts[fault.kind]()

    @contextlib.asynccontextmanager
    async def _held(self, name: str) -> AsyncIterator[bool]:
        """Nobody else starts the role meanwhile; False: another fault has it already."""
        if name in self._world.held:
            yield False
            return
        self._world.held.add(name)
        try:
            yield True
        finally:
            self._world.held.discard(name)

    async def _kill(self, name: str) -> None:
        async with self._held(name) as ours:
            role = self._world.role(name)
            if ours and role.alive:
                await asyncio.to_thread(role.kill)
                role.start()

    async def _stop(self, name: str, lasts_s: float) -> None:
        async with self._held(name) as ours:
            role = self._world.role(name)
            if not ours or not role.alive:
                return
            role.signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(lasts_s)
            finally:
                role.signal(signal.SIGCONT)

    async def _cut(self, region: str, lasts_s: float) -> None:
        source, all_hosts = SOURCES[region], "127.0.5.0/24"
        self._packets.drop([source], all_hosts)
        try:
            await asyncio.sleep(lasts_s)
        finally:
            self._packets.lift(source, all_hosts)

    async def _silent(self, port: int, lasts_s: float) -> None:
        with self._packets.silent(port):
            await asyncio.sleep(lasts_s)

    async def _step(self, lasts_s: float) -> None:
        self._world.clock.write_text("+1h", encoding="ascii")
        try:
            await asyncio.sleep(lasts_s / 2)
            self._world.clock.write_text("-1h", encoding="ascii")
            await asyncio.sleep(lasts_s / 2)
        finally:
            self._world.clock.write_text("+0s", encoding="ascii")

    async def _fill(self, lasts_s: float) -> None:
        file = self._world.data_dir / "nothing-but-zeros"
        try:
            await asyncio.to_thread(_until_full, file)
            await asyncio.sleep(lasts_s)
        finally:
            file.unlink(missing_ok=True)

    async def _another(self, lasts_s: float) -> None:
        """Partitions move to it and back."""
        async with self._held("stream-3") as ours:
            if not ours:
                return
            role = self._world.stack.role("stream-3", "stream")
            try:
                await asyncio.sleep(lasts_s)
            finally:
                # One whose Kafka is away may need longer: that is not what is asked here.
                with contextlib.suppress(AssertionError):
                    await asyncio.to_thread(role.stop)
                del self._world.stack.roles["stream-3"]

    async def _garbage(self) -> None:
        """Each lies there once if the broker confirms it; else it is no garbage of ours."""
        settings = self._world.settings
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(10), kafka.producer(settings) as client:
                for value in GARBAGE:
                    for topic in (topics.RESULTS, topics.INCIDENTS):
                        await client.send_and_wait(settings.topic(topic.name), value, partition=0)
                        self.garbage += 1

    async def _edit(self) -> None:
        """Every target gets another interval, and later the first one again."""
        self._edits += 1
        interval_s = INTERVAL_S + self._edits % 2
        with contextlib.suppress(AssertionError):  # Kafka is away: whoever typed it sees it
            await self._world.stack.apply(self._world.inventory(interval_s), PREFIX)


async def _killed(service: Service, away_s: float) -> None:
    await asyncio.to_thread(service.kill)
    try:
        await asyncio.sleep(away_s)
    finally:
        await service.start_again()


async def _stopped(service: Service, lasts_s: float) -> None:
    service.suspend()
    try:
        await asyncio.sleep(lasts_s)
    finally:
        service.resume()


def _until_full(file: Path) -> None:
    """Fills a (small) file system."""
    with file.open("wb", buffering=0) as zeros:
        try:
            while True:
                zeros.write(bytes(_BLOCK))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
