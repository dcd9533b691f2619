"""The move to more partitions: all steps in their order. What was there is not changed."""

from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from msgspec import Struct, structs

from foundation import kafka
from foundation.kafka.running_roles import running_roles
from foundation.settings import Settings
from portquorum.topic_care.look import look
from portquorum.topic_growth.copying import Copy, as_it_was, read_whole, write
from portquorum.topic_growth.split import FIRST_OFFSET, part_of
from portquorum.topic_growth.tail import Tail, apply_tail, place_of
from schemas import control, incident, notifier_state, target, topics
from schemas.control import Tick
from schemas.incident import IncidentEvent
from schemas.notifier_state import OFFSETS_KEY, HandledOffsets
from schemas.partition import host_key, partition_for
from schemas.topics import Topic
from streams import results_log
from streams.checkpoint import decoder, restore, store
from streams.checkpoint.judged import judged_now
from streams.checkpoint.model import PartitionCheckpoints
from streams.checkpoint.writer import CheckpointWriter
from streams.state.partition_state import PartitionState

MOST_PARTITIONS: Final = 1024

_AS_THEY_ARE: Final = (topics.POLICY, topics.WEB, topics.NOTIFICATIONS)
"""Topics of one partition that are copied record by record."""

_FROM_THE_BEGINNING: Final = (topics.RESULTS, topics.INCIDENTS)
"""Topics of which the sink reads all that is written under the new prefix; of the others it has
stored the rows already."""


class GrowthError(RuntimeError):
    """The move can't be made, or was not finished; nothing under the old prefix was changed."""


class Grown(Struct, frozen=True):
    """What was carried over. `records` were in no checkpoint yet, and led to `events`."""

    targets: int
    open_incidents: int
    records: int
    events: int
    settings: dict[str, str]


def planned(settings: Settings, prefix: str, partitions: int) -> Settings:
    """The settings afterwards.

    Raises:
        GrowthError: the count or the prefix can't be.
    """
    before = settings.partitions
    if partitions <= before or partitions % before or partitions > MOST_PARTITIONS:
        raise GrowthError(
            f"expected a multiple of {before} partitions, above it and up to {MOST_PARTITIONS} "
            f"(so that each new partition has hosts of one earlier one), found {partitions}"
        )
    if prefix == settings.topic_prefix:
        raise GrowthError(f"expected another prefix than {prefix}: its topics stay as they are")
    changed = {
        "topic_prefix": prefix,
        "partitions": partitions,
        "installation": settings.installation or settings.topic_prefix,
    }
    try:
        return msgspec.convert(structs.asdict(settings) | changed, Settings)
    except msgspec.ValidationError as error:
        raise GrowthError(f"the prefix {prefix!r} is none: {error}") from error


async def grow(settings: Settings, after: Settings, say: Callable[[str], None]) -> Grown:
    """Makes the topics of `after` and carries over all that is known; see `planned`.

    `say` is called with a line before each step.

    Raises:
        GrowthError: roles run, or there are topics of the new prefix.
        aiokafka.errors.KafkaError: the cluster went away; what was made under the new prefix is not
            whole.
    """
    await kafka.check_topics(settings)
    await _nothing_runs(settings)
    if (await look(after)).topics:
        raise GrowthError(
            f"there are topics {after.topic_prefix}.* already: take another prefix, or delete them "
            "if they are left from a move that did not end"
        )
    say("reading checkpoints and the records after them")
    states = await _states(settings)
    tail = await apply_tail(
        states, _unseen(settings, states), after.partitions, settings.event_source("stream")
    )
    say(f"making the topics {after.topic_prefix}.* of {after.partitions} partitions")
    await kafka.create_topics(after)
    say("copying targets, policy, users, incidents and who was told")
    count = await _copy_targets(settings, after)
    for topic in _AS_THEY_ARE:
        records = [as_it_was(record, 0) async for record in read_whole(settings, topic)]
        await write(after, topic, records)
    await _copy_notifier(settings, after)
    await _copy_open(settings, after, tail)
    say("writing the states")
    held = await _write_states(after, states)
    await _commit(after)
    await _nothing_runs(settings)
    return Grown(
        targets=count,
        open_incidents=held,
        records=tail.records,
        events=len(tail.messages),
        settings={
            "PORTQUORUM_TOPIC_PREFIX": after.topic_prefix,
            "PORTQUORUM_PARTITIONS": str(after.partitions),
            "PORTQUORUM_INSTALLATION": str(after.installation),
        },
    )


async def _nothing_runs(settings: Settings) -> None:
    """Raises GrowthError while a prober, stream or notifier is a member of its group."""
    found = {one.role for one in await running_roles(settings)} - {"sink"}
    if found:
        raise GrowthError(
            f"these roles run under {settings.topic_prefix}: {', '.join(sorted(found))}. Stop all "
            "roles but the sink, the stream first (and web and receiver, which Kafka does not show)"
        )


async def _states(settings: Settings) -> dict[int, PartitionState]:
    """The newest state of each partition, as a stream that starts would have it."""
    numbers = list(range(settings.partitions))
    shelves = await store.read(settings, topics.STATE.name, numbers)
    bounds = await results_log.bounds(settings, numbers)
    found = {}
    for number, shelf in shelves.items():
        state, _ = restore.from_shelf(shelf, settings.partitions, log_end=bounds[number].end)
        if state is None:
            start = await restore.from_archive(settings, number, bounds[number].end)
            state = start.state
        found[number] = state
    return found


async def _unseen(
    settings: Settings, states: dict[int, PartitionState]
) -> AsyncIterator[ConsumerRecord]:
    bounds = await results_log.bounds(settings, list(states))
    ranges = {number: (one.offset + 1, bounds[number].end) for number, one in states.items()}
    async for record in results_log.read_all(settings, ranges):
        yield record


async def _copy_targets(settings: Settings, after: Settings) -> int:
    """The newest version of each target; an unfinished apply may have left another one."""
    held: dict[tuple[int, bytes], ConsumerRecord] = {}
    async for record in read_whole(settings, topics.TARGETS):
        if record.value is None:
            held.pop((record.partition, record.key), None)
        else:
            held[record.partition, record.key] = record
    newest: dict[str, tuple[int, Copy]] = {}
    for record in held.values():
        try:
            found = target.decode(record.value)
        except msgspec.DecodeError:
            continue  # no reader has it
        known = newest.get(found.id)
        if known is None or found.version > known[0]:
            place = partition_for(host_key(found.host, found.id), after.partitions)
            newest[found.id] = found.version, as_it_was(record, place)
    return await write(after, topics.TARGETS, [copy for _, copy in newest.values()])


async def _copy_notifier(settings: Settings, after: Settings) -> None:
    """The notifier's memory; events that it has not decided yet come again to it."""
    copies: list[Copy] = []
    handled: HandledOffsets | None = None
    async for record in read_whole(settings, topics.NOTIFIER_STATE):
        if record.key != OFFSETS_KEY:
            copies.append(as_it_was(record, 0))
        elif record.value is not None:
            found = notifier_state.decode(record.value)
            handled = found if isinstance(found, HandledOffsets) else handled
    if handled is not None:
        offsets = dict.fromkeys(map(str, range(after.partitions)), 0)
        value = notifier_state.encode(structs.replace(handled, offsets=offsets))
        copies.append(Copy(0, OFFSETS_KEY, value))
        starts = {int(name): at for name, at in handled.offsets.items() if name.isdecimal()}
        events = [
            as_it_was(record, _place(settings, after, record))
            async for record in read_whole(settings, topics.INCIDENTS, starts)
        ]
        await write(after, topics.INCIDENTS, events)
    await write(after, topics.NOTIFIER_STATE, copies)


def _place(settings: Settings, after: Settings, record: ConsumerRecord) -> int:
    before, key = record.partition, record.key or b""
    return place_of(key, before, settings.partitions, after.partitions)


async def _copy_open(settings: Settings, after: Settings, tail: Tail) -> None:
    """What is open, then what the last records have changed of it."""
    held: dict[bytes, Copy] = {}
    async for record in read_whole(settings, topics.INCIDENTS_OPEN):
        try:
            event = incident.decode(record.value) if record.value is not None else None
        except msgspec.DecodeError:
            event = None
        if isinstance(event, IncidentEvent):
            key = host_key(event.host, event.target)
            held[record.key] = as_it_was(record, partition_for(key, after.partitions))
        else:
            held.pop(record.key, None)
    await write(after, topics.INCIDENTS_OPEN, held.values())
    told = [(one.message, one.partition) for one in tail.messages]
    events = (Copy(place, one.key, one.value, one.headers) for one, place in told)
    await write(after, topics.INCIDENTS, events)
    opened = (
        Copy(place, one.then.key, one.then.value, one.then.headers)
        for one, place in told
        if one.then is not None
    )
    await write(after, topics.INCIDENTS_OPEN, opened)


async def _write_states(after: Settings, states: dict[int, PartitionState]) -> int:
    """A first record and a checkpoint of each new partition; returns the open incidents."""
    tick = control.headers(Tick(worker="portquorum topics grow"))
    firsts = (Copy(number, None, b"", tick) for number in range(after.partitions))
    await write(after, topics.RESULTS, firsts)
    held = 0
    async with kafka.producer(after, compression_type=topics.STATE.compression) as producer:
        for number in range(after.partitions):
            state = part_of(states[number % len(states)], number, after.partitions)
            held += sum(len(one.incidents) for one in state.targets.values())
            held += sum(job.incident is not None for job in state.jobs.values())
            shelf = PartitionCheckpoints(number)
            writer = CheckpointWriter(after, producer, shelf, judged_now([], FIRST_OFFSET))
            chunks = decoder.encode(state)
            await writer.write(chunks, state.offset, state.now)
            await writer.archive(chunks, state.offset, state.now)
    return held


async def _commit(after: Settings) -> None:
    """The sink begins behind what was copied: ClickHouse has these rows."""
    parts = {topic: _parts(after, topic) for topic in topics.read_by("sink")}
    every = [part for some in parts.values() for part in some]
    async with kafka.started(kafka.consumer(after, group_id=after.group("sink"))) as client:
        # Once: aiokafka (0.14) fails when another assignment comes while it looks at one.
        client.assign(every)
        ends = await client.end_offsets(every)
        behind = {
            part: 0 if topic in _FROM_THE_BEGINNING else ends[part]
            for topic, some in parts.items()
            for part in some
        }
        await client.commit({part: OffsetAndMetadata(at, "") for part, at in behind.items()})


def _parts(after: Settings, topic: Topic) -> list[TopicPartition]:
    count = topic.partition_count(after.partitions)
    return [TopicPartition(after.topic(topic.name), number) for number in range(count)]
