"""[incidents.open]: the newest event of each open incident, whatever happens to who writes it."""

import asyncio
import signal
from pathlib import Path

import msgspec
import pytest
from aiokafka import ConsumerRecord

from foundation import kafka as clients
from foundation.kafka import Follower
from foundation.settings import Settings
from schemas import incident, topics
from schemas.control import Acknowledged, TargetRemoved, TargetSet
from schemas.incident import IncidentEvent
from schemas.partition import partition_for
from streams.worker.assignment import Assignment
from streams.worker.committer import Committer
from streams.worker.faust_app import StreamApp
from streams.worker.open_repair import EVERY_S, OpenRepair
from streams.worker.open_view import open_incidents
from tests.integration.streams import ground
from tests.integration.streams.ground import Log, Worker, all_acknowledged, eventually, opened

PARTITION = 0

Held = dict[str, ConsumerRecord]


@pytest.fixture
def settings(kafka: str) -> Settings:
    return ground.fresh(kafka)


async def records(settings: Settings) -> list[ConsumerRecord]:
    topic = settings.topic(topics.INCIDENTS_OPEN.name)
    async with Follower(settings, topic) as follower:
        return [record async for record in follower.present()]


async def held(settings: Settings) -> Held:
    """What a compacted read leaves: the last record of each key, without removals."""
    found: Held = {}
    for record in await records(settings):
        found.pop(record.key.decode(), None)
        if record.value is not None:
            found[record.key.decode()] = record
    return found


async def newest(settings: Settings) -> Held:
    """What must be held: the newest event of each open incident, from [incidents] alone."""
    found: Held = {}
    seen = set()
    for record in await ground.incidents(settings):
        event = incident.decode(record.value)
        assert isinstance(event, IncidentEvent)
        if event.event_id in seen:
            continue
        seen.add(event.event_id)
        found.pop(event.incident_id, None)
        if event.event != "closed":
            found[event.incident_id] = record
    return found


async def equal(settings: Settings, count: int, within_s: float = 100) -> None:
    """Waits until `count` incidents are held, each as it is on [incidents]."""

    def same(pair: tuple[Held, Held]) -> bool:
        have, want = pair
        return len(want) == count and shown(have) == shown(want)

    async def look() -> tuple[Held, Held]:
        return await held(settings), await newest(settings)

    await eventually(look, same, within_s)


def shown(found: Held) -> dict[str, tuple[object, ...]]:
    return {key: (one.partition, one.value, one.headers) for key, one in found.items()}


async def put(settings: Settings, like: ConsumerRecord, *, key: bytes, value: bytes | None) -> None:
    """Somebody else's message: with the headers and in the partition of another record."""
    async with clients.producer(settings) as producer:
        await producer.send_and_wait(
            settings.topic(topics.INCIDENTS_OPEN.name),
            key=key,
            value=value,
            headers=[] if value is None else list(like.headers),
            partition=like.partition,
        )


async def test_what_is_open_is_held_as_on_incidents_and_what_closed_is_removed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTQUORUM_INSTALLATION", "acme-eu")
    names = ground.hosts(settings, 6)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path):
            await equal(settings, 6)
            await log.recovery(names[:4])
            await equal(settings, 2)
            last = {record.key: record for record in await records(settings)}
            removed = [one for one in last.values() if one.value is None]
            assert len(removed) == 4
            for one in removed:
                headers = dict(one.headers)
                assert headers["ce_type"] == b"portquorum.incident.closed.v1"
                assert headers["ce_source"] == b"/acme-eu/stream"
    for one in last.values():
        assert one.partition == partition_for(
            dict(one.headers)["ce_subject"].decode(), settings.partitions
        )


async def test_every_message_is_on_incidents_before(settings: Settings, tmp_path: Path) -> None:
    names = ground.hosts(settings, 200)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path):
            async with Follower(settings, settings.topic(topics.INCIDENTS_OPEN.name)) as follower:
                found = 0
                async for record in follower.changes():
                    # Read anew only now and then: each read is the whole topic.
                    if found % 50 == 0:
                        ids = {dict(r.headers)["ce_id"] for r in await ground.incidents(settings)}
                        assert dict(record.headers)["ce_id"] in ids
                    found += 1
                    if found == 200:
                        break


async def test_kill_9_between_the_two_writes_is_repaired_by_the_repetition(
    settings: Settings, tmp_path: Path
) -> None:
    """The worker dies when [incidents] has its events and [incidents.open] refuses them."""
    names = ground.hosts(settings, 4)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        await largest_message(settings, "10")
        with Worker(settings, tmp_path, checkpoint_s=0.3) as worker:
            assert await worker.ends() == 70
            assert "did not confirm a message to [incidents.open]" in worker.said()
        before = await ground.incidents(settings)
        assert before
        assert await held(settings) == {}
        await largest_message(settings, "1048588")
        with Worker(settings, tmp_path):
            await equal(settings, 4)
    assert len(await ground.incidents(settings)) > 4  # some came again


async def largest_message(settings: Settings, size: str) -> None:
    from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

    admin = clients.admin(settings)
    await admin.start()
    name = settings.topic(topics.INCIDENTS_OPEN.name)
    await admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": size})]
    )
    await admin.close()


async def test_kill_9_at_any_time_leaves_what_the_state_has(
    settings: Settings, tmp_path: Path
) -> None:
    names = ground.hosts(settings, 30)
    async with Log(settings) as log:
        await log.targets(names)
        for victim in range(2):
            with Worker(settings, tmp_path, checkpoint_s=0.3) as worker:
                await worker.says("partition assigned")
                await log.outage(names[victim * 10 : victim * 10 + 10])
                await log.recovery(names[victim * 10 : victim * 10 + 5])
                await worker.killed()
        await log.outage(names[20:])
        with Worker(settings, tmp_path):
            await opened(settings, 30)
            await equal(settings, 20)


async def test_an_old_event_after_the_removal_is_removed_again(
    settings: Settings, tmp_path: Path
) -> None:
    """What a worker sends that was stopped for hours and wakes up: a ghost, open for ever."""
    names = ground.hosts(settings, 2, partition=PARTITION)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path) as worker:
            await equal(settings, 2)
            first = await held(settings)
            await log.recovery(names[:1])
            await equal(settings, 1)
            [ghost] = [one for key, one in first.items() if key not in await held(settings)]
            await put(settings, ghost, key=ghost.key, value=ghost.value)
            await equal(settings, 1)
            assert (await records(settings))[-1].value is None
            await worker.says("was not as the state is")
            # Of an incident that nobody knows, too.
            await put(settings, ghost, key=b"nobody", value=b"\xff")
            await equal(settings, 1)
            worker.send(signal.SIGTERM)
            assert await worker.ends() == 0
        # And what comes while nobody is there: the next owner finds it.
        await put(settings, ghost, key=ghost.key, value=ghost.value)
        with Worker(settings, tmp_path):
            await equal(settings, 1)


async def test_an_old_event_after_a_newer_one_is_replaced_by_the_newer_one(
    settings: Settings, tmp_path: Path
) -> None:
    [name] = ground.hosts(settings, 1, partition=PARTITION)
    async with Log(settings) as log:
        await log.targets([name])
        await log.outage([name])
        with Worker(settings, tmp_path) as worker:
            await equal(settings, 1)
            [old] = (await held(settings)).values()
            event = incident.decode(old.value)
            assert isinstance(event, IncidentEvent)
            await log.control(
                name, Acknowledged(target=name, incident_id=event.incident_id, by="alice")
            )
            await eventually(
                lambda: newest(settings),
                lambda found: any(b'"acknowledged_by":"alice"' in r.value for r in found.values()),
            )
            await equal(settings, 1)
            await put(settings, old, key=old.key, value=old.value)
            await equal(settings, 1)
            # A removal by somebody else, too.
            await put(settings, old, key=old.key, value=None)
            await equal(settings, 1)
            worker.send(signal.SIGTERM)
            assert await worker.ends() == 0
        await put(settings, old, key=old.key, value=old.value)
        # Another worker has not written it and finds that it is older than another record.
        with Worker(settings, tmp_path):
            await equal(settings, 1)


async def test_what_others_write_under_true_headers_or_with_odd_keys_is_repaired(
    settings: Settings, tmp_path: Path
) -> None:
    [name] = ground.hosts(settings, 1, partition=PARTITION)
    async with Log(settings) as log:
        await log.targets([name])
        await log.outage([name])
        with Worker(settings, tmp_path) as worker:
            await equal(settings, 1)
            [true] = (await held(settings)).values()
            for key, value in (
                (true.key, b"garbage"),
                (true.key, true.value.replace(b'"severity":"', b'"severity":"x')),
                (true.key, b""),
                (true.key, b"[" * 500_000),
                (b"", b"an empty key"),
                (b"gone", b""),
                (b"k" * 100_000, b"\xff" * 800_000),
                (b"other", true.value),
            ):
                await put(settings, true, key=key, value=value)
                await equal(settings, 1)
            worker.send(signal.SIGTERM)
            assert await worker.ends() == 0
        # While nobody is there. The headers alone look like the newest event.
        await put(settings, true, key=true.key, value=b"garbage")
        await put(settings, true, key=b"other", value=true.value)
        with Worker(settings, tmp_path):
            await equal(settings, 1)
            assert (await records(settings))[-1].key in {true.key, b"other"}


async def test_a_stopped_worker_that_wakes_up_does_not_fight_with_its_heir(
    settings: Settings, tmp_path: Path
) -> None:
    names = ground.hosts(settings, 6)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path, checkpoint_s=0.5) as zombie:
            await equal(settings, 6)
            for number in range(settings.partitions):
                await all_acknowledged(settings, number)
            zombie.send(signal.SIGSTOP)
            with Worker(settings, tmp_path, checkpoint_s=0.5) as heir:
                await heir.restored(settings.partitions - 1)
                await log.recovery(names[:3])
                await equal(settings, 3)
                # The heir wrote three removals; the zombie's state has six open.
                zombie.send(signal.SIGCONT)
                await log.recovery(names[3:5])
                await equal(settings, 1)
                await silent(log)
                await equal(settings, 1)


async def silent(log: Log) -> None:
    """Waits until several comparisons (one each 2 s) have written nothing: there is no war."""
    counts: list[int] = []

    async def look() -> list[int]:
        await log.empty(PARTITION, 1)  # the log goes on, as it always does
        await asyncio.sleep(EVERY_S)
        counts.append(len(await records(log.settings)))
        return counts[-4:]

    await eventually(look, lambda last: len(last) == 4 and len(set(last)) == 1, within_s=90)


async def test_a_state_that_is_behind_the_log_repairs_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    """A worker that lost its partition, and does not know it, must not undo what its heir wrote."""
    names = ground.hosts(settings, 3, partition=PARTITION)
    async with Log(settings) as log, clients.producer(settings) as producer:
        await log.targets(names)
        await log.outage(names[:2])
        with Worker(settings, tmp_path, checkpoint_s=0.5) as worker:
            await equal(settings, 2)
            await all_acknowledged(settings, PARTITION)
            committer = Committer(settings, StreamApp(settings))
            behind = Assignment(settings, producer, producer, committer)
            behind.assigned([PARTITION])
            partition = await behind.ready(PARTITION)
            assert partition is not None
            assert len(open_incidents(partition.state)) == 2
            await log.recovery(names[:1])
            await log.outage(names[2:])
            await equal(settings, 2)
            worker.send(signal.SIGTERM)
            assert await worker.ends() == 0
        repair = OpenRepair(settings, behind)
        before = len(await records(settings))
        # Its state has one open that is not held, and not the one that is.
        await repair._look()
        await repair._look()
        assert len(await records(settings)) == before
        # With the rest of the log it may: a ghost is removed.
        last, *_ = (await held(settings)).values()
        await put(settings, last, key=b"ghost", value=last.value)
        assert await behind.fill(partition, (await ground.log_ends(settings))[PARTITION])
        await repair._look()
        await equal(settings, 2)
        assert (await records(settings))[-1].key == b"ghost"
        await repair._stop()


async def test_a_topic_that_is_made_anew_under_a_reader_and_has_more_than_before(
    settings: Settings, tmp_path: Path
) -> None:
    names = ground.hosts(settings, 2, partition=PARTITION)
    async with Log(settings) as log, clients.producer(settings) as producer:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path, checkpoint_s=0.5) as worker:
            await equal(settings, 2)
            await all_acknowledged(settings, PARTITION)
            worker.send(signal.SIGTERM)
            assert await worker.ends() == 0
        assignment = Assignment(
            settings, producer, producer, Committer(settings, StreamApp(settings))
        )
        assignment.assigned([PARTITION])
        partition = await assignment.ready(PARTITION)
        assert partition is not None
        assert await assignment.fill(partition, (await ground.log_ends(settings))[PARTITION])
        repair = OpenRepair(settings, assignment)
        await repair._look()
        [last, _] = (await held(settings)).values()
        await ground.delete_topic(settings, topics.INCIDENTS_OPEN.name)
        await clients.create_topics(settings)
        for number in range(9):
            await put(settings, last, key=b"ghost-%d" % number, value=last.value)

        async def look() -> tuple[Held, Held]:
            await repair._look()
            return await held(settings), await newest(settings)

        await eventually(look, lambda pair: len(pair[1]) == 2 and shown(pair[0]) == shown(pair[1]))
        await repair._stop()


@pytest.mark.parametrize("how", ["never written", "deleted"])
async def test_what_is_open_already_appears_on_a_new_topic(
    settings: Settings, tmp_path: Path, how: str
) -> None:
    """An upgrade from 0.1, whose incidents are open; and a topic that was deleted."""
    names = ground.hosts(settings, 6)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path) as worker:
            await equal(settings, 6)
            await log.recovery(names[:2])
            await equal(settings, 4)
            worker.send(signal.SIGTERM)
            assert await worker.ends() == 0
        await ground.delete_topic(settings, topics.INCIDENTS_OPEN.name)
        await clients.create_topics(settings)
        events = len(await ground.incidents(settings))
        if how == "never written":
            # 0.1's events have no `target_version` and fewer headers.
            await as_the_first_version_wrote(settings)
        with Worker(settings, tmp_path):
            await equal(settings, 4)
            assert len(await records(settings)) == 4
    # Nothing was sent again for it.
    assert len(await ground.incidents(settings)) == events


async def as_the_first_version_wrote(settings: Settings) -> None:
    """Makes [incidents] anew with the same events in the form of 0.1."""
    found = await ground.incidents(settings)
    await ground.delete_topic(settings, topics.INCIDENTS.name)
    await clients.create_topics(settings)
    async with clients.producer(settings) as producer:
        for record in found:
            value = msgspec.json.decode(record.value)
            del value["target_version"]
            await producer.send_and_wait(
                settings.topic(topics.INCIDENTS.name),
                key=record.key,
                value=msgspec.json.encode(value),
                partition=record.partition,
                headers=[pair for pair in record.headers if pair[0] in OLD_HEADERS],
            )


OLD_HEADERS = {
    "ce_specversion",
    "ce_id",
    "ce_source",
    "ce_type",
    "ce_subject",
    "ce_time",
    "content-type",
    "traceparent",
}


async def test_lost_checkpoints_lose_nothing_that_is_open(
    settings: Settings, tmp_path: Path
) -> None:
    names = ground.hosts(settings, 6)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path, checkpoint_s=0.3) as worker:
            await equal(settings, 6)
            await log.recovery(names[:3])
            await equal(settings, 3)
            worker.send(signal.SIGTERM)
            assert await worker.ends() == 0
        await ground.delete_topic(settings, topics.STATE.name)
        await clients.create_topics(settings)
        await log.recovery(names[3:4])
        with Worker(settings, tmp_path):
            await equal(settings, 2)


async def test_an_incident_that_the_state_has_not_is_removed_when_the_log_was_made_anew(
    settings: Settings, tmp_path: Path
) -> None:
    names = ground.hosts(settings, 2, partition=PARTITION)
    async with Log(settings) as log:
        await log.targets(names)
        await log.outage(names)
        with Worker(settings, tmp_path) as worker:
            await equal(settings, 2)
            worker.send(signal.SIGTERM)
            assert await worker.ends() == 0
    await ground.delete_topic(settings, topics.RESULTS.name)
    async with Log(settings) as log:
        await log.targets(names[:1])
        await log.empty(PARTITION, 1)
        with Worker(settings, tmp_path):
            await eventually(lambda: held(settings), lambda found: found == {})


async def test_a_target_that_moves_to_another_partition_leaves_nothing_behind(
    settings: Settings, tmp_path: Path
) -> None:
    [old] = ground.hosts(settings, 1, partition=0)
    [new] = ground.hosts(settings, 1, partition=1)
    async with Log(settings) as log:
        await log.control(old, TargetSet(target=ground.target(old, id="db")))
        await log.outage([old], of="db")
        with Worker(settings, tmp_path):
            await equal(settings, 1)
            moved = ground.target(new, id="db", version=2)
            await log.control(old, TargetRemoved(target="db", version=2, because="target_changed"))
            await log.control(new, TargetSet(target=moved))
            await log.outage([new], of="db")
            await opened(settings, 2)
            await equal(settings, 1)
            [one] = (await held(settings)).values()
            event = incident.decode(one.value)
            assert isinstance(event, IncidentEvent)
            assert (one.partition, event.host, event.target_version) == (1, new, 2)
