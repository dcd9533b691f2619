"""The fleet fed from a real Kafka: what is there and comes, two processes, a stream that stops."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from msgspec import structs

from foundation import kafka as clients
from foundation.settings import Settings
from portquorum.bench.page_fleet import event_of
from portquorum.web.answers import Change
from portquorum.web.following import Following
from portquorum.web.following.log_clock import LogClock
from portquorum.web.following.pulse import Pulse, stopped_ms
from schemas import control, incident, policy
from schemas.incident import IncidentEvent, RegionEvent
from schemas.partition import partition_for
from schemas.policy import Region
from schemas.target import Target

PARTITIONS = 4


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Topics:
    """Writes what the roles write."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self._settings = settings
        self._producer = producer

    async def send(
        self, topic: str, key: bytes | None, value: bytes | None, host: str, **more: object
    ) -> int:
        partition = 0 if topic == "policy" else partition_for(host, PARTITIONS)
        sent = await self._producer.send_and_wait(
            self._settings.topic(topic), value, key=key, partition=partition, **more
        )
        return int(sent.offset)

    async def target(self, one: Target) -> None:
        value = msgspec.json.encode(one)
        await self.send("targets", one.id.encode(), value, one.host or one.id)

    async def remove(self, one: Target) -> None:
        await self.send("targets", one.id.encode(), None, one.host or one.id)

    async def event(self, event: IncidentEvent) -> None:
        """As the stream: [incidents] first, then [incidents.open]."""
        host, value = event.host or event.target, incident.encode(event)
        await self.send("incidents", host.encode(), value, host)
        kept = None if event.event == "closed" else value
        await self.send("incidents.open", event.incident_id.encode(), kept, host)

    async def beat(self, region: str, number: int) -> None:
        """One beat in every partition."""
        beat = control.Beat(
            region=region,
            prober=f"{region}-1",
            sequence=number,
            started_at=1,
            targets=3,
            failing=0,
            newly_failing=0,
            connectivity=True,
            lag_ms=0.0,
            spool=0,
            clock_offset_ms=None,
        )
        for partition in range(PARTITIONS):
            await self._producer.send_and_wait(
                self._settings.topic("results"),
                b"",
                partition=partition,
                headers=control.headers(beat),
            )


@pytest.fixture
def settings(kafka: str) -> Settings:
    # Nothing listens on port 9: ClickHouse is away.
    return Settings(
        kafka=kafka,
        clickhouse="http://127.0.0.1:9/portquorum",
        topic_prefix=f"web-{uuid.uuid4().hex[:12]}",
        partitions=PARTITIONS,
    )


@pytest.fixture
async def topics(settings: Settings) -> AsyncIterator[Topics]:
    await clients.create_topics(settings)
    producer = clients.producer(settings)
    await producer.start()
    try:
        yield Topics(settings, producer)
    finally:
        await producer.stop()


@asynccontextmanager
async def following(settings: Settings) -> AsyncIterator[Following]:
    """One process of the role, once it has read the topics."""
    one = Following(settings, status_every_s=0.2, pulse_every_s=0.2)
    task = asyncio.ensure_future(one.run())
    try:
        async with asyncio.timeout(60):
            await one.is_present.wait()
        yield one
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - it looks at a whole fleet
            await asyncio.sleep(0.02)


async def next_incident(changes: AsyncIterator[Change | None]) -> Change:
    async with asyncio.timeout(20):
        while True:
            found = await anext(changes)
            assert found is not None, "the viewer was told to ask anew"
            if found.kind == "incident":
                return found


def target(name: str) -> Target:
    return Target(
        id=name,
        name=name,
        kind="tcp",
        host=f"{name}.example.com",
        port=443,
        regions=("ams", "fra", "nyc"),
        interval_ms=60_000,
        timeout_ms=3_000,
        version=wall_ms() - 86_400_000,
        source="test",
        team="web",
    )


def opened(one: Target) -> IncidentEvent:
    at = wall_ms()
    return event_of(one, kind="unreachable", at=at, began=at - 30_000)


def followed(before: IncidentEvent, word: str) -> IncidentEvent:
    at = before.at + 1
    closing = {"closed_at": at, "closed_because": "recovered"} if word == "closed" else {}
    return structs.replace(before, event=word, event_id=str(uuid.uuid4()), at=at, **closing)


async def test_what_is_there_and_what_comes(settings: Settings, topics: Topics) -> None:
    web, db, gone = target("web"), target("db"), target("gone")
    for one in (web, db, gone):
        await topics.target(one)
    await topics.remove(gone)
    region = Region(name="ams")
    await topics.send("policy", policy.key("test", region), policy.encode(region), "")
    await topics.send("targets", b"nonsense", b"{", "x")
    was_open, is_open = opened(web), opened(db)
    await topics.event(was_open)
    await topics.event(followed(was_open, "closed"))
    await topics.event(is_open)
    async with following(settings) as page:
        fleet = page.fleet
        assert (fleet.counts().total, fleet.counts().down) == (2, 1)
        overview = fleet.overview()
        assert [one.title for one in overview.causes] == ["db"]
        assert [one.closed_because for one in overview.closed] == ["recovered"]
        assert {one.name for one in overview.regions} == {"ams", "fra", "nyc"}
        async with page.hub.subscribe() as changes:
            began = time.monotonic()
            await topics.event(followed(is_open, "closed"))
            change = await next_incident(changes)
            assert time.monotonic() - began < 5
            assert (change.subject, change.counts.down) == (is_open.incident_id, 0)
            assert change.incident is not None
            assert change.incident.closed_because == "recovered"
        await topics.target(target("new"))
        await until(lambda: fleet.counts().total == 3)
        await until(lambda: fleet.freshness().history_away_since is not None)


async def test_a_viewer_goes_on_at_another_process(settings: Settings, topics: Topics) -> None:
    web = target("web")
    await topics.target(web)
    async with following(settings) as one, following(settings) as other:
        event = opened(web)
        async with one.hub.subscribe() as changes:
            await topics.event(event)
            seen = await next_incident(changes)
        while not seen.id:
            seen = await next_incident(changes)
        for word in ("updated", "improved", "closed"):
            event = followed(event, word)
            await topics.event(event)
        await until(lambda: other.fleet.counts().down == 0 and not other.fleet.incident_book.open)
        async with other.hub.subscribe(seen.id) as changes:
            words = []
            while not words or words[-1] != "closed":
                change = await next_incident(changes)
                assert change.incident is not None
                words.append(change.incident.event)
        assert "opened" not in words


async def test_the_stream_repairs_the_open_topic(settings: Settings, topics: Topics) -> None:
    web = target("web")
    await topics.target(web)
    forged = opened(web)
    await topics.send("incidents.open", forged.incident_id.encode(), incident.encode(forged), "x")
    async with following(settings) as page:
        assert page.fleet.counts().down == 1
        await topics.send("incidents.open", forged.incident_id.encode(), None, "x")
        await until(lambda: page.fleet.counts().down == 0)


async def test_beats_and_region_events(settings: Settings, topics: Topics) -> None:
    await topics.target(target("web"))
    async with following(settings) as page:

        def states() -> dict[str, str]:
            return {one.name: one.state for one in page.fleet.regions().regions}

        await topics.beat("ams", 0)
        await until(lambda: any(one.probers for one in page.fleet.regions().regions))
        event = RegionEvent(
            event_id=str(uuid.uuid4()),
            event="region.silent",
            region="fra",
            at=wall_ms(),
            summary="No prober of region fra has reported for 15 s.",
            last_beat_at=wall_ms() - 15_000,
        )
        await topics.send("incidents", b"fra", incident.encode(event), "fra")
        await until(lambda: states()["fra"] == "silent")
        assert (states()["ams"], states()["nyc"]) == ("reporting", "never_heard")
        assert page.fleet.freshness().regions_reporting == 1
        assert page.fleet.overview().causes[0].title == "fra"


async def test_what_the_stream_has_not_acknowledged_in_time_was_not_judged(
    settings: Settings, topics: Topics
) -> None:
    await topics.beat("ams", 0)
    wrote_at = wall_ms()
    group = clients.consumer(settings, group_id=settings.group("stream"))
    await group.start()
    try:
        parts = [TopicPartition(settings.topic("results"), number) for number in range(PARTITIONS)]
        group.assign(parts)
        clock = LogClock(newest=wrote_at)
        looker = Pulse(settings, clock, wall_ms)
        sign = await looker.look()
        assert sign.stream_at is not None
        assert sign.stream_at >= wrote_at  # what is younger than a checkpoint need not be done
        await looker.close()

        # A minute later, with a log that has gone on.
        late = lambda: wall_ms() + 60_000  # noqa: E731
        clock.newest = late()
        looker = Pulse(settings, clock, late)
        sign = await looker.look()
        assert sign.stream_at is not None
        assert abs(sign.stream_at - wrote_at) < stopped_ms(settings)
        await group.commit({part: OffsetAndMetadata(1, "") for part in parts})
        sign = await looker.look()
        assert sign.stream_at is not None
        assert sign.stream_at > wrote_at + 50_000
        await looker.close()
    finally:
        await group.stop()


async def test_without_kafka_the_page_is_blind_and_says_since_when() -> None:
    settings = Settings(kafka="127.0.0.1:9", partitions=PARTITIONS)
    page = Following(settings)
    task = asyncio.ensure_future(page.run())
    try:
        await until(lambda: page.fleet.freshness().blind_because == "starting")
        assert page.fleet.overview().counts.total == 0
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
