"""A broker's view of probers: targets go in, what arrives on [results] is decoded."""

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from foundation import kafka as clients
from foundation.settings import Settings
from schemas import batch, control, policy
from schemas.partition import host_key, partition_for
from schemas.recheck import RecheckRequest
from schemas.result import CheckResult
from schemas.target import Target

DEADLINE_S = 100.0

_PROBER = """
import asyncio, sys, time
off_ms = float(sys.argv[4])
if off_ms:
    real = time.time
    time.time = lambda: real() + off_ms / 1000
exec(sys.argv[5])
from foundation.settings import load
from producers.prober.main import run
asyncio.run(run(load(), region=sys.argv[1], prober=sys.argv[2], source=sys.argv[3] or None))
"""


class Ground:
    """One prefix on the shared broker, its probers, and all that they have published."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.results: list[CheckResult] = []
        self.arrived: list[tuple[int, CheckResult]] = []
        self.beats: list[tuple[int, control.Beat]] = []
        self.probers: dict[str, asyncio.subprocess.Process] = {}
        self.data = Path(tempfile.mkdtemp(prefix="portquorum-probe-"))
        self.producer: AIOKafkaProducer
        self._consumer: AIOKafkaConsumer
        self._versions = itertools.count(1)

    async def start(self) -> None:
        await clients.topics_ready(self.settings)
        self.producer = clients.producer(self.settings)
        self._consumer = clients.consumer(self.settings, self.settings.topic("results"))
        await self.producer.start()
        await self._consumer.start()

    async def close(self) -> None:
        for process in self.probers.values():
            if process.returncode is None:
                process.kill()
                await process.wait()
        await self._consumer.stop()
        await self.producer.stop()
        shutil.rmtree(self.data)

    # Inventory

    def target(self, name: str, port: int, **more: object) -> Target:
        fields: dict[str, object] = {
            "id": name,
            "name": name,
            "kind": "tcp",
            "host": "127.0.0.1",
            "port": port,
            "regions": ("here",),
            "interval_ms": 1000,
            "timeout_ms": 900,
            "version": next(self._versions),
            "source": "test",
        }
        return Target(**(fields | more))  # type: ignore[arg-type]

    async def apply(self, *targets: Target) -> None:
        for one in targets:
            await self.raw("targets", one.host or one.id, msgspec.json.encode(one), one.id)

    async def remove(self, one: Target) -> None:
        await self.raw("targets", one.host or one.id, None, one.id)

    async def region(self, name: str = "here", **more: object) -> None:
        entry = policy.Region(name=name, **more)  # type: ignore[arg-type]
        await self.producer.send_and_wait(
            self.settings.topic("policy"), policy.encode(entry), policy.key("test", entry)
        )

    async def recheck(self, host: str, requested_at: int, expires_at: int) -> None:
        request = RecheckRequest(
            host=host,
            target="any",
            because="failure",
            requested_at=requested_at,
            expires_at=expires_at,
        )
        await self.raw("rechecks", host, msgspec.json.encode(request), host)

    async def rechecked(self, host: str, target: str) -> None:
        """Asks for rechecks of a host until one of the target is made; fails after a deadline.

        A check that its schedule makes in the same moment answers a request, too.
        """
        deadline = time.monotonic() + DEADLINE_S
        while not any(result.cause == "recheck" for result in self.of(target)):
            assert time.monotonic() < deadline, f"no recheck of {target}; {self.results[-5:]}"
            now = self.of(target)[-1].started_at
            await self.recheck(host, now, now + 60_000)
            await self.read()

    async def raw(self, topic: str, host: str, value: bytes | None, key: str) -> None:
        await self.producer.send_and_wait(
            self.settings.topic(topic),
            value,
            key.encode(),
            partition=partition_for(host, self.settings.partitions),
        )

    # Probers

    async def probe(
        self,
        name: str,
        region: str = "here",
        *,
        source: str = "",
        clock_off_ms: float = 0.0,
        errors: int | None = None,
        fault: str = "",
        metrics: str = "127.0.0.1:0",
        data: Path | None = None,
    ) -> asyncio.subprocess.Process:
        env = os.environ | {
            "PORTQUORUM_KAFKA": self.settings.kafka,
            "PORTQUORUM_TOPIC_PREFIX": self.settings.topic_prefix,
            "PORTQUORUM_PARTITIONS": str(self.settings.partitions),
            "PORTQUORUM_METRICS": metrics,
            "PORTQUORUM_DATA_DIR": str(data or self.data),
            "PORTQUORUM_PROBE_SPOOL_MEMORY_RESULTS": "500",
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _PROBER, region, name, source, str(clock_off_ms), fault),
            env=env,
            stderr=errors,
        )
        self.probers[name] = process
        return process

    async def end(self, name: str) -> int:
        process = self.probers[name]
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE_S):
            return await process.wait()

    # What arrived

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Reads [results] until the condition holds; fails after a deadline."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, f"did not happen: {what}; {self.results[-5:]}"
            await self.read()

    async def read(self) -> None:
        for part, records in (await self._consumer.getmany(timeout_ms=200)).items():
            for record in records:
                if record.value:
                    self._take(record.value, part.partition, record.timestamp)
                elif body := control.body(record.headers):
                    beat = control.decode(body)
                    assert isinstance(beat, control.Beat)
                    self.beats.append((part.partition, beat))

    def _take(self, value: bytes, partition: int, appended_at: int) -> None:
        results, bad = batch.decode(value)
        assert bad == []
        for result in results:
            key = host_key(result.host, result.target)
            assert partition == partition_for(key, self.settings.partitions)
            self.results.append(result)
            self.arrived.append((appended_at, result))

    def of(self, target: str, prober: str | None = None) -> list[CheckResult]:
        return [
            result
            for result in self.results
            if result.target == target and prober in {None, result.prober}
        ]


@contextlib.asynccontextmanager
async def ground_on(bootstrap: str, partitions: int = 4) -> AsyncIterator[Ground]:
    prefix = f"probe-{uuid.uuid4().hex[:8]}"
    made = Ground(Settings(kafka=bootstrap, topic_prefix=prefix, partitions=partitions))
    await made.start()
    try:
        yield made
    finally:
        await made.close()
