"""What the stream's integration tests stand on: a log to read, workers to read it, eyes to look."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError
from aiokafka.protocol.group import LeaveGroupRequest
from aiokafka.structs import OffsetAndMetadata
from msgspec import Struct, structs

from foundation import kafka
from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import batch, control, incident, topics
from schemas.control import Control, TargetSet, Tick
from schemas.partition import partition_for
from schemas.result import CheckResult
from schemas.target import Target
from streams import results_log
from streams.checkpoint import decoder, store
from streams.checkpoint.model import Checkpoint
from streams.rules.process import step
from streams.state.partition_state import new_state

T = TypeVar("T")
REGIONS = ("eu", "us", "ap")
WORKER = (
    "from foundation import settings; from streams.worker.main import main; main(settings.load())"
)


def fresh(bootstrap: str, partitions: int = 2) -> Settings:
    return Settings(
        kafka=bootstrap, topic_prefix=f"t{uuid.uuid4().hex[:10]}", partitions=partitions
    )


async def eventually(
    look: Callable[[], Awaitable[T]], until: Callable[[T], bool], within_s: float = 100
) -> T:
    """What `look` gives once it satisfies `until`."""
    deadline = time.monotonic() + within_s
    while True:
        found = await look()
        if until(found):
            return found
        assert time.monotonic() < deadline, f"not within {within_s} s; last seen: {found!r}"
        await asyncio.sleep(0.2)


def target(host: str, **changes: object) -> Target:
    plain = Target(
        id=host,
        name=host.upper(),
        kind="tcp",
        host=host,
        port=80,
        regions=REGIONS,
        interval_ms=120_000,
        timeout_ms=60_000,  # so that results of a minute ago have not waited in a spool
        version=1,
        source="test",
    )
    return structs.replace(plain, **changes)


def hosts(settings: Settings, count: int, partition: int | None = None) -> list[str]:
    names = (f"h{number}.example.com" for number in range(10_000))
    return [
        name
        for name in names
        if partition is None or partition_for(name, settings.partitions) == partition
    ][:count]


class Log:
    """Writes to [results]: single messages with many hosts' results one after the other."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._topic = settings.topic(topics.RESULTS.name)
        self._producer = kafka.producer(settings)
        self._second = 0

    async def __aenter__(self) -> Self:
        await kafka.create_topics(self.settings)
        await self._producer.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._producer.stop()

    async def raw(
        self,
        partition: int,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> int:
        sent = await self._producer.send_and_wait(
            self._topic, value=value, key=b"x", partition=partition, headers=list(headers)
        )
        return int(sent.offset)

    async def empty(self, partition: int, count: int) -> None:
        """Appends `count` ticks."""
        tick = control.headers(Tick(worker="test"))
        sent = [
            await self._producer.send(self._topic, value=b"", partition=partition, headers=tick)
            for _ in range(count)
        ]
        await asyncio.gather(*sent)

    async def control(self, host: str, record: Control) -> int:
        return await self.raw(self._partition(host), b"", control.headers(record))

    async def targets(self, names: Iterable[str], **changes: object) -> None:
        for name in names:
            await self.control(name, TargetSet(target=target(name, **changes)))

    def goes_on_after(self, other: "Log") -> None:
        """Its rounds are later than those of `other`: an older result does not count."""
        self._second = other._second

    async def round(self, names: Iterable[str], *, up: bool, of: str = "") -> None:
        """Every region says the same of every host, one message a host and region.

        Of the target `of` of these hosts; by default a target has the host's name.

        Each round is at least a second later than the one before, and about a minute ago: so a
        test need not wait between two failures, and the results are still fresh.
        """
        self._second = max(self._second + 1, int(time.time()) - 60)
        sent = [
            await self._producer.send(
                self._topic,
                value=batch.encode([self._result(name, region, of or name, up=up)]),
                partition=self._partition(name),
            )
            for name in names
            for region in REGIONS
        ]
        await asyncio.gather(*sent)

    async def outage(self, names: Iterable[str], of: str = "") -> None:
        """Opens an incident for each host: two failures in every region."""
        await self.round(names, up=False, of=of)
        await self.round(names, up=False, of=of)

    async def recovery(self, names: Iterable[str]) -> None:
        await self.round(names, up=True)

    def _partition(self, host: str) -> int:
        return partition_for(host, self.settings.partitions)

    def _result(self, host: str, region: str, target_id: str, *, up: bool) -> CheckResult:
        at = self._second * 1000
        return CheckResult(
            target=target_id,
            kind="tcp",
            host=host,
            port=80,
            region=region,
            prober=f"{region}-1",
            scheduled_at=at,
            started_at=at,
            status="up" if up else "down",
            reason=None if up else "connection_refused",
            attempt=0,
            cause="schedule",
            target_version=1,
        )


class Assigned(Struct):
    """What a worker says of a partition that it has restored."""

    event: str
    timestamp: str = ""
    partition: int = -1
    source: str = ""
    offset: int = -1


class Worker:
    """A stream worker as a process of its own. Leaving it kills it if it still runs."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        *,
        checkpoint_s: float = 600,
        command: Sequence[str] = (),
    ) -> None:
        self.settings = settings
        self._log = folder / f"worker-{uuid.uuid4().hex[:6]}.log"
        names = {
            "PORTQUORUM_KAFKA": settings.kafka,
            "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
            "PORTQUORUM_PARTITIONS": str(settings.partitions),
            "PORTQUORUM_CHECKPOINT_INTERVAL_S": str(checkpoint_s),
            "PORTQUORUM_METRICS": "127.0.0.1:0",
            "PORTQUORUM_LOG_FORMAT": "json",
            "PORTQUORUM_DATA_DIR": str(folder),
        }
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                list(command) or [sys.executable, "-c", WORKER],
                env=os.environ | names,
                cwd=folder,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            print(self.said())  # noqa: T201 - pytest shows it beside the failure
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    async def says(self, text: str, within_s: float = 100) -> None:
        async def look() -> bool:
            if text not in self.said():
                assert self.process.poll() is None, f"ended before {text!r}:\n{self.said()}"
                return False
            return True

        await eventually(look, bool, within_s)

    def assigned(self) -> list[Assigned]:
        """Each partition each time that it was restored, in order."""
        lines = (line for line in self.said().splitlines() if '"partition assigned"' in line)
        return [msgspec.json.decode(line, type=Assigned) for line in lines]

    async def restored(self, partition: int) -> Assigned:
        """What it says of `partition`, once it has restored it for the first time."""

        async def look() -> list[Assigned]:
            assert self.process.poll() is None, self.said()
            return [said for said in self.assigned() if said.partition == partition]

        return (await eventually(look, bool))[0]

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def killed(self) -> None:
        """kill -9. The group forgets it at once: without that the next worker waits for 6 s."""
        self.send(signal.SIGKILL)
        await self.ends()
        await leave_group(self.settings)

    async def ends(self, within_s: float = 60) -> int:
        async def look() -> int | None:
            return self.process.poll()

        code = await eventually(look, lambda code: code is not None, within_s)
        assert code is not None
        return code


async def incidents(settings: Settings) -> list[ConsumerRecord]:
    """All messages on [incidents]; copies of one event are checked to have the same bytes."""
    async with Follower(settings, settings.topic(topics.INCIDENTS.name)) as follower:
        found = [record async for record in follower.present()]
    copies: dict[str, set[bytes]] = {}
    for record in found:
        copies.setdefault(incident.decode(record.value).event_id, set()).add(record.value)
    assert all(len(values) == 1 for values in copies.values())
    return found


async def event_counts(settings: Settings) -> dict[str, int]:
    """How many different events of each kind."""
    events = [incident.decode(record.value) for record in await incidents(settings)]
    kinds = list({event.event_id: event.event for event in events}.values())
    return {kind: kinds.count(kind) for kind in set(kinds)}


async def opened(settings: Settings, count: int) -> None:
    """Waits for so many different `opened` events."""
    await eventually(lambda: event_counts(settings), lambda counts: counts.get("opened") == count)


async def checkpoints(settings: Settings, partition: int) -> list[Checkpoint]:
    found = await store.read(settings, topics.STATE.name, [partition])
    return found[partition].complete()


async def log_ends(settings: Settings) -> dict[int, int]:
    found = await results_log.bounds(settings, list(range(settings.partitions)))
    return {number: bound.end for number, bound in found.items()}


async def acknowledged(settings: Settings) -> dict[int, int]:
    """The next offset to read by partition, as the group has it."""
    admin = kafka.admin(settings)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(settings.group("stream"))
    except GroupCoordinatorNotAvailableError:
        return {}  # the broker makes its topic for offsets when the first group asks for one
    finally:
        await admin.close()
    return {part.partition: entry.offset for part, entry in offsets.items()}


async def all_acknowledged(settings: Settings, partition: int) -> int:
    """The log's end at this moment, once everything before it is acknowledged."""
    end = (await log_ends(settings))[partition]
    await eventually(lambda: acknowledged(settings), lambda seen: seen.get(partition, 0) >= end)
    return end


async def leave_group(settings: Settings) -> None:
    """All members of the group leave it, as each does that ends in order."""
    name = settings.group("stream")
    admin = kafka.admin(settings)
    await admin.start()
    try:
        coordinator = await admin.find_coordinator(name)
        [described] = await admin.describe_consumer_groups([name], coordinator)
        for _, _, _, _, _, members, *_ in described.groups:
            for member in members:
                await admin._send_request(LeaveGroupRequest(name, member[0]), coordinator)
    finally:
        await admin.close()


async def rewind_group(settings: Settings) -> None:
    """The group forgets how far it came. It must have no members."""
    topic = settings.topic(topics.RESULTS.name)
    client = kafka.consumer(settings, group_id=settings.group("stream"))
    await client.start()
    try:
        parts = [TopicPartition(topic, number) for number in range(settings.partitions)]
        client.assign(parts)
        await client.commit({part: OffsetAndMetadata(0, "") for part in parts})
    finally:
        await client.stop()


async def folded(settings: Settings, partition: int, offset: int) -> tuple[bytes, ...]:
    """The chunks of the state that the log up to `offset` gives, from nothing, without a worker."""
    state = new_state(partition, settings.partitions)
    async for record in results_log.read(settings, partition, 0, offset + 1):
        step(state, record.offset, record.timestamp, record.value, record.headers)
    return tuple(decoder.encode(state))


async def delete_topic(settings: Settings, topic: str) -> None:
    """Deletes a topic (its name without prefix); nobody must be using it."""
    name = settings.topic(topic)
    admin = kafka.admin(settings)
    await admin.start()
    try:
        await admin.delete_topics([name])
        await eventually(admin.list_topics, lambda found: name not in found)
    finally:
        await admin.close()


async def forget_state(settings: Settings, partition: int) -> None:
    """Deletes all checkpoints of a partition from [state]."""
    found = await store.read(settings, topics.STATE.name, [partition])
    async with kafka.producer(settings) as producer:
        for keys in found[partition].keys().values():
            await store.delete(producer, settings.topic(topics.STATE.name), partition, keys)
