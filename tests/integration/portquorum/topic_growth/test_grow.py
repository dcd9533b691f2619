"""The move to more partitions, with real streams before and after it."""

import signal
from pathlib import Path

import msgspec
import pytest
from aiokafka import ConsumerRecord, TopicPartition

from foundation import kafka as clients
from foundation.kafka import create_topics
from foundation.settings import Settings
from portquorum.topic_growth.copying import Copy, read_whole, write
from portquorum.topic_growth.grow import GrowthError, grow, planned
from schemas import incident, notifier_state, target, topics
from schemas.incident import IncidentEvent
from schemas.notifier_state import HandledOffsets, Term
from schemas.partition import partition_for
from schemas.topics import Topic
from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker

MORE = 8
HOSTS = 24


async def records(settings: Settings, topic: Topic) -> list[ConsumerRecord]:
    return [record async for record in read_whole(settings, topic)]


async def events(settings: Settings) -> dict[str, IncidentEvent]:
    """The incident events by id, each where its host belongs."""
    found = {}
    for record in await ground.incidents(settings):
        event = incident.decode(record.value)
        if isinstance(event, IncidentEvent):
            assert record.partition == partition_for(str(event.host), settings.partitions)
            found[event.event_id] = event
    return found


async def held(settings: Settings) -> dict[str, int]:
    """What is open on [incidents.open]: the partition of each incident."""
    found: dict[str, int] = {}
    for record in await records(settings, topics.INCIDENTS_OPEN):
        if record.value is None:
            found.pop(record.key.decode(), None)
        else:
            found[record.key.decode()] = record.partition
    return found


def say(_text: str) -> None:
    pass


async def publish_targets(settings: Settings, names: list[str]) -> None:
    copies = [
        Copy(
            partition_for(name, settings.partitions),
            name.encode(),
            msgspec.json.encode(ground.target(name)),
        )
        for name in names
    ]
    # A version before it, in another partition: an apply that did not end.
    old = Copy(
        1 - partition_for(names[0], settings.partitions),
        names[0].encode(),
        msgspec.json.encode(ground.target(names[0], version=0)),
    )
    await write(settings, topics.TARGETS, [*copies, old])


async def test_incidents_stay_open_with_their_ids_and_nothing_comes_twice(  # noqa: PLR0915
    kafka: str, tmp_path: Path
) -> None:
    before = ground.fresh(kafka)
    names = ground.hosts(before, HOSTS)
    down, later = names[:6], names[6:9]
    async with Log(before) as log:
        await publish_targets(before, names)
        await log.targets(names)
        await log.round(names, up=True)
        await log.outage(down)
        with Worker(before, tmp_path) as worker:
            await ground.opened(before, len(down))
            after = planned(before, f"{before.topic_prefix}-more", MORE)
            with pytest.raises(GrowthError, match=r"these roles run .* stream"):
                await grow(before, after, say)
            worker.send(signal.SIGTERM)
            await worker.ends()
        # What no stream has seen: one comes back, three go down.
        await log.recovery(down[:1])
        await log.recovery(down[:1])
        await log.outage(later)
    told = await events(before)
    memory = await remember(before)
    done = await grow(before, after, say)
    assert (done.targets, done.open_incidents) == (HOSTS, len(down) - 1 + len(later))
    assert done.settings["PORTQUORUM_INSTALLATION"] == before.topic_prefix

    with pytest.raises(GrowthError, match="there are topics"):
        await grow(before, after, say)
    placed = {record.key: record for record in await records(after, topics.TARGETS)}
    assert {key.decode() for key in placed} == set(names)
    assert all(target.decode(record.value).version == 1 for record in placed.values())
    assert await remembered(after) == memory

    moved = await events(after)
    assert not moved.keys() & told.keys()
    opened_before = {one.target: one.incident_id for one in told.values() if one.event == "opened"}
    opened_after = {one.target: one.incident_id for one in moved.values() if one.event == "opened"}
    assert set(opened_after) == set(later)
    open_now = {opened_before[name] for name in down[1:]} | set(opened_after.values())
    assert set(await held(after)) == open_now

    async with Log(after) as there:
        there.goes_on_after(log)
        with Worker(after, tmp_path):
            await there.recovery([*down, *later])
            await there.recovery([*down, *later])
            await there.outage([names[-1]])

            async def now() -> dict[str, IncidentEvent]:
                return await events(after)

            def whole(found: dict[str, IncidentEvent]) -> bool:
                kinds = [one.event for one in found.values()]
                return kinds.count("closed") == len(down) + len(later) and (
                    kinds.count("opened") == len(later) + 1
                )

            found = await ground.eventually(now, whole)
            closed = {one.incident_id for one in found.values() if one.event == "closed"}
            assert closed == set(opened_before.values()) | set(opened_after.values())
            last = [one.incident_id for one in found.values() if one.target == names[-1]]
            assert not found.keys() & told.keys()
            await ground.eventually(lambda: held(after), lambda left: set(left) == set(last))
    # What was there is as it was.
    assert await events(before) == told


async def remember(settings: Settings) -> list[tuple[bytes, bytes]]:
    """A notifier's memory: it has decided all events but the last ones."""
    term = notifier_state.encode(Term(term=3, owner="n1", at=1))
    places = HandledOffsets(term=3, offsets={"0": 10_000, "1": 10_000}, at=1)
    copies = [
        Copy(0, b"term", term),
        Copy(0, b"subject/x", b'{"state":"subject"}'),
        Copy(0, b"offsets", notifier_state.encode(places)),
    ]
    await write(settings, topics.NOTIFIER_STATE, copies)
    return [(b"term", term), (b"subject/x", b'{"state":"subject"}')]


async def remembered(settings: Settings) -> list[tuple[bytes, bytes]]:
    found = await records(settings, topics.NOTIFIER_STATE)
    *others, last = found
    places = notifier_state.decode(last.value)
    assert isinstance(places, HandledOffsets)
    assert (last.key, places.term) == (b"offsets", 3)
    assert places.offsets == {str(number): 0 for number in range(MORE)}
    return [(record.key, record.value) for record in others]


async def test_the_sink_begins_behind_what_was_copied(kafka: str) -> None:
    before = ground.fresh(kafka)
    names = ground.hosts(before, 5)
    await create_topics(before)
    await publish_targets(before, names)
    await write(before, topics.POLICY, [Copy(0, b"s/region/eu", b'{"x":1}', at=1_700_000_000_000)])
    after = planned(before, f"{before.topic_prefix}-more", 4)
    await grow(before, after, say)
    (copied,) = await records(after, topics.POLICY)
    assert (copied.key, copied.value, copied.timestamp) == (
        b"s/region/eu",
        b'{"x":1}',
        1_700_000_000_000,
    )
    places = await committed(after)
    assert places[TopicPartition(after.topic("policy"), 0)] == 1
    of_targets = [places[TopicPartition(after.topic("targets"), number)] for number in range(4)]
    assert sum(of_targets) == len(names)
    assert all(places[TopicPartition(after.topic("results"), number)] == 0 for number in range(4))


async def committed(settings: Settings) -> dict[TopicPartition, int]:
    client = clients.admin(settings)
    await client.start()
    try:
        found = await client.list_consumer_group_offsets(settings.group("sink"))
    finally:
        await client.close()
    return {part: place.offset for part, place in found.items()}
