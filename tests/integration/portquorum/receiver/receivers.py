"""Receivers as users start them, the topics that they read, and what they wrote."""

import asyncio
import json
import os
import secrets
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from aiokafka import ConsumerRecord
from msgspec import json as msgspec_json

from foundation import kafka
from foundation.settings import Settings
from portquorum.sharing.key_text import digest_of
from schemas import batch, control, topics, web
from schemas.control import Beat
from schemas.partition import partition_for
from schemas.probe import HeartbeatProbe
from schemas.result import RECEIVER, CheckResult
from schemas.target import Target
from schemas.web import ShareKey
from tests.integration.sinks.notifier import rig


def job(job_id: str, **more: Any) -> Target:
    """A heartbeat that reports each minute."""
    fields: dict[str, Any] = {"name": job_id} | more
    return Target(
        id=job_id,
        kind="heartbeat",
        host=None,
        port=None,
        regions=(RECEIVER,),
        interval_ms=60_000,
        timeout_ms=1_000,
        version=1_790_000_000_000,
        source="test",
        probe=HeartbeatProbe(interval_ms=60_000),
        **fields,
    )


def share_key(text: str, about: str | None = None, **more: Any) -> ShareKey:
    """A key for reports, as it is kept."""
    return ShareKey(
        version=1,
        change=secrets.token_hex(8),
        at=0,
        by="test",
        id=secrets.token_hex(4),
        name="test",
        use="ping",
        secret=digest_of(text),
        about=about,
        owner="test",
        created_at=0,
        **more,
    )


def settings_for(bootstrap: str) -> Settings:
    """Settings with topics of their own."""
    return Settings(
        kafka=bootstrap,
        clickhouse="http://127.0.0.1:1/nobody",
        topic_prefix=f"receiver-{uuid.uuid4().hex[:12]}",
        partitions=4,
    )


async def publish(
    settings: Settings, jobs: Iterable[Target], keys: Iterable[ShareKey] = ()
) -> None:
    """Writes jobs to [targets] and keys to [web]."""
    async with kafka.producer(settings, linger_ms=20) as client:
        sent = []
        for one in jobs:
            part = partition_for(one.id, settings.partitions)
            name = settings.topic(topics.TARGETS.name)
            value = msgspec_json.encode(one)
            sent.append(await client.send(name, value, key=one.id.encode(), partition=part))
        for made in keys:
            record_key = web.key(made, secrets.token_hex(8))
            name = settings.topic(topics.WEB.name)
            sent.append(await client.send(name, web.encode(made), key=record_key, partition=0))
        await asyncio.gather(*sent)


async def remove(settings: Settings, job_id: str) -> None:
    """Removes a job from [targets]."""
    async with kafka.producer(settings) as client:
        await client.send_and_wait(
            settings.topic(topics.TARGETS.name),
            None,
            key=job_id.encode(),
            partition=partition_for(job_id, settings.partitions),
        )


async def written(settings: Settings) -> tuple[list[CheckResult], list[tuple[int, Beat]]]:
    """All results on [results], and the beats with their partitions."""
    results: list[CheckResult] = []
    beats: list[tuple[int, Beat]] = []
    async with kafka.Follower(settings, settings.topic(topics.RESULTS.name)) as follower:
        async for record in follower.present():
            found, bad = batch.decode(record.value or b"")
            assert not bad, bad
            assert all(
                partition_for(one.target, settings.partitions) == record.partition for one in found
            )
            results += found
            beats += [(record.partition, one) for one in _beats(record)]
    return results, beats


def _beats(record: ConsumerRecord) -> Iterable[Beat]:
    body = control.body(record.headers)
    if body is not None:
        found = control.decode(body)
        if isinstance(found, Beat):
            yield found


class ReceiverProcess:
    """`portquorum receiver` on a port of its own."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, port: int) -> None:
        self.process = process
        self.port = port
        self.log = log

    @classmethod
    async def start(cls, settings: Settings, log: Path, port: int = 0) -> Self:
        """Starts it; it listens on return."""
        env = {name: value for name, value in os.environ.items() if "PORTQUORUM" not in name} | {
            "PORTQUORUM_KAFKA": settings.kafka,
            "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
            "PORTQUORUM_PARTITIONS": str(settings.partitions),
            "PORTQUORUM_METRICS": "127.0.0.1:0",
            "PORTQUORUM_LOG_FORMAT": "json",
            "PORTQUORUM_DATA_DIR": str(log.parent),
        }
        with log.open("ab") as file:
            begin = file.tell()
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "portquorum.cli", "receiver"),
                *("--listen", f"127.0.0.1:{port}"),
                env=env,
                stderr=file,
                stdout=file,
            )

        def listens() -> bool:
            return process.returncode is not None or _port_in(log, begin) > 0

        await rig.until(listens, "the receiver")
        return cls(process, log, _port_in(log, begin))

    @property
    def url(self) -> str:
        """The beginning of its addresses."""
        return f"http://127.0.0.1:{self.port}"

    async def ready(self) -> None:
        """Returns when it knows keys and jobs."""

        async def knows() -> bool:
            return (await asked(self.port, "GET", "/ping/nobody"))[0] == 404

        await rig.until(knows, "keys and jobs to be read")

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it; returns its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 30)


def _port_in(log: Path, begin: int, event: str = "reports are taken") -> int:
    for line in log.read_bytes()[begin:].splitlines():
        if f'"{event}"'.encode() in line:
            return urlsplit(json.loads(line)["address"]).port or 0
    return 0


async def asked(
    port: int, method: str, path: str, body: bytes = b"", headers: Sequence[str] = ()
) -> tuple[int, bytes]:
    """Status and body of the answer to one request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        host = () if any(one.startswith("Host:") for one in headers) else ("Host: localhost",)
        lines = [f"{method} {path} HTTP/1.0", *host, *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head, _, text = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    return int(head.split()[1]), text


@asynccontextmanager
async def receiver(settings: Settings, log: Path) -> AsyncIterator[ReceiverProcess]:
    """A process for as long as the context."""
    one = await ReceiverProcess.start(settings, log)
    try:
        await one.ready()
        yield one
    finally:
        await one.end(signal.SIGKILL)
