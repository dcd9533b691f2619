"""Keeps [incidents.open] equal to the state: what differs is written again."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from foundation import kafka
from foundation.log_throttle import LogThrottle
from foundation.settings import Settings
from foundation.telemetry import logger
from schemas import incident, topics
from schemas.duration import HOUR_MS
from schemas.incident import IncidentEvent
from streams.rules.messages import OutMessage, open_message
from streams.worker import metrics
from streams.worker.assignment import Assignment
from streams.worker.open_view import (
    NewestEvents,
    OpenDifferences,
    OpenIncidentRef,
    OpenView,
    differences,
    open_incidents,
)
from streams.worker.partition_processor import Partition

EVERY_S: Final = 2.0
"""Time between two comparisons, in s."""

ENDS_EVERY_S: Final = 30.0
"""Time between two checks whether the topic was made anew, in s."""

_WITHIN_S: Final = 5.0
"""Longest wait of one comparison for records and confirmations, in s; the next one goes on."""

_POLL_MS: Final = 200
_AT_ONCE: Final = 200
"""Records that are taken without a pause: the rules share the thread."""

_LOOK_S: Final = 0.05
_SHARE: Final = 50
"""Comparing takes at most this part (1/50) of the worker's time."""

_log = logger(__name__)


class OpenRepair:
    """Follows this worker's partitions of [incidents.open] and compares them with the states.

    They differ when a worker that was stopped wakes up and sends an old event (without repair an
    incident that is over would stay in a compacted topic for ever), when the topic is new or lost,
    and when somebody else writes to it.

    Only a state that has applied the whole log may judge: what the topic held *before* the log's
    end was asked for comes of records that the state has. So two workers that both believe that a
    partition is theirs write the same, and none that sleeps undoes the writes of its heir.
    """

    def __init__(self, settings: Settings, assignment: Assignment) -> None:
        self._settings = settings
        self._assignment = assignment
        self._client: AIOKafkaConsumer | None = None
        self._views: dict[Partition, OpenView] = {}
        self._not_found: dict[Partition, set[bytes]] = {}
        self._ends_at = 0.0
        self._spent = 0.0
        self._throttle: LogThrottle[str] = LogThrottle()

    async def run(self) -> None:
        """Compares until it is cancelled. An error of the cluster is tried again."""
        try:
            while True:
                self._spent = 0.0
                try:
                    await self._look()
                except (KafkaError, OSError) as error:
                    if times := self._throttle.times("reading failed"):
                        _log.warning(
                            "[incidents.open] can't be read, trying again",
                            error=f"{type(error).__name__}: {error}",
                            times=times,
                        )
                    await self._stop()
                await asyncio.sleep(max(EVERY_S, _SHARE * self._spent))
        finally:
            await self._stop()

    async def _look(self) -> None:
        partitions = [one for one in self._assignment.partitions if one.open]
        if not partitions:
            return
        client = await self._following(partitions)
        for view in self._views.values():
            view.removed.clear()  # they matter within one comparison
        await self._read(client)
        await self._notice_new_topic(client)
        suspects = {one: found for one in partitions if (found := self._differences(one))}
        if suspects:
            await self._judge(client, suspects)

    def _differences(self, one: Partition) -> OpenDifferences:
        begun = time.monotonic()
        found = differences(self._views[one], open_incidents(one.state), one.outbox.open_writes)
        self._spent += time.monotonic() - begun
        behind = found.behind - self._not_found[one]
        return OpenDifferences(found.closed, behind)

    async def _judge(
        self, client: AIOKafkaConsumer, suspects: Mapping[Partition, OpenDifferences]
    ) -> None:
        """Repairs what differs still when state, confirmations and topic have caught up."""
        if not await self._read(client, self._parts(suspects)):
            return
        before = {one: self._views[one].next_offset for one in suspects}
        ends = await client.end_offsets([_results(self._settings, one) for one in suspects])
        ends_of = {part.partition: end for part, end in ends.items()}
        current: list[Partition] = []
        for _ in range(round(_WITHIN_S / _LOOK_S)):
            current = [one for one in suspects if one.state.offset >= ends_of[one.number] - 1]
            if len(current) == len(suspects):
                break
            await asyncio.sleep(_LOOK_S)
        numbers = {one: one.outbox.open_number for one in current}
        tickets = {one: one.outbox.open() for one in current}
        if waiting := set().union(*tickets.values()):
            await asyncio.wait(waiting, timeout=_WITHIN_S)
        if not await self._read(client, self._parts(current)):
            return
        for one in current:
            if all(ticket.done() for ticket in tickets[one]):
                found = _settled(
                    one, self._views[one], self._differences(one), before[one], numbers[one]
                )
                await self._repair(one, found, numbers[one])

    async def _repair(self, one: Partition, found: OpenDifferences, number: int) -> None:
        if not one.open or not found:
            return
        one.outbox.repair(open_message(key, None) for key in found.closed)
        known = open_incidents(one.state)
        wanted = {key: known[key] for key in found.behind}
        newest = await _newest(self._settings, one.number, wanted) if wanted else {}
        now_open = open_incidents(one.state)
        writes = one.outbox.open_writes
        missing = [key for key in wanted if key not in newest and key in now_open]
        behind = [
            message
            for key, message in newest.items()
            # What happened meanwhile has its own message.
            if key in now_open and (key not in writes or writes[key].number <= number)
        ]
        if one.open:
            one.outbox.repair(behind)
        self._not_found[one].update(missing)
        metrics.OPEN_REPAIRED.inc(len(found.closed) + len(behind))
        _log.warning(
            "[incidents.open] was not as the state is, and is written again",
            partition=one.number,
            removed=len(found.closed),
            written=len(behind),
            without_events=len(missing),
        )

    async def _following(self, partitions: Sequence[Partition]) -> AIOKafkaConsumer:
        """The reader of these partitions; of new ones it begins at the beginning."""
        if self._client is None:
            client = kafka.consumer(self._settings)
            try:
                await client.start()
            except BaseException:
                await kafka.leave(client, kafka.CLOSE_S)
                raise
            self._client = client
            self._views = {}
        if self._views.keys() != set(partitions):
            self._views = {one: OpenView() for one in partitions}
            self._not_found = {one: set() for one in partitions}
            results = [_results(self._settings, one) for one in partitions]
            ours = self._parts(partitions)
            # The log is assigned for its ends alone.
            self._client.assign([*ours, *results])
            self._client.pause(*results)
            await self._client.seek_to_beginning(*ours)
        return self._client

    async def _read(self, client: AIOKafkaConsumer, parts: Sequence[TopicPartition] = ()) -> bool:
        """Takes all records that have arrived, and of `parts` those up to the present end.

        Returns:
            False if the end was not reached in time: what was not read can't be judged yet.

        Raises:
            KafkaError: the client has ended by itself.
        """
        ends = await client.end_offsets(list(parts)) if parts else {}
        views = {_open(self._settings, one): view for one, view in self._views.items()}
        deadline = time.monotonic() + _WITHIN_S
        while True:
            behind = [part for part, end in ends.items() if await client.position(part) < end]
            late = time.monotonic() >= deadline
            wait_ms = _POLL_MS if behind and not late else 0
            batches = await client.getmany(timeout_ms=wait_ms, max_records=_AT_ONCE)
            if any(task.done() for task in kafka.vital_tasks(client)):
                raise KafkaError("the consumer has ended: nothing more would be read")
            for part, records in batches.items():
                for record in records:
                    views[part].take(record)
            if late or not (batches or behind):
                return not behind
            await asyncio.sleep(0)

    async def _notice_new_topic(self, client: AIOKafkaConsumer) -> None:
        """Begins anew where the topic ends before what was read of it: it was deleted and made."""
        if time.monotonic() - self._ends_at < ENDS_EVERY_S:
            return
        self._ends_at = time.monotonic()
        ends = await client.end_offsets(self._parts(self._views))
        for one, view in self._views.items():
            part = _open(self._settings, one)
            if ends[part] < view.next_offset:
                view.clear()
                self._not_found[one].clear()
                await client.seek_to_beginning(part)

    def _parts(self, partitions: Iterable[Partition]) -> list[TopicPartition]:
        return [_open(self._settings, one) for one in partitions]

    async def _stop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await kafka.leave(client, kafka.CLOSE_S)


def _settled(
    one: Partition, view: OpenView, found: OpenDifferences, before: int, number: int
) -> OpenDifferences:
    """The differences that are older than the log's end that the state has reached.

    Leaves out what was written to the topic from the offset `before` on, and incidents of which our
    messages after `number` tell.
    """
    writes = one.outbox.open_writes

    def ours_is_older(key: bytes) -> bool:
        return key not in writes or writes[key].number <= number

    closed = {key for key in found.closed if view.held[key].offset < before and ours_is_older(key)}
    behind = {
        key
        for key in found.behind
        if ours_is_older(key)
        and view.removed.get(key, -1) < before
        and (key not in view.held or view.held[key].offset < before)
    }
    return OpenDifferences(frozenset(closed), frozenset(behind))


async def _newest(
    settings: Settings, partition: int, incidents: Mapping[bytes, OpenIncidentRef]
) -> dict[bytes, OutMessage]:
    """The newest event of each of these incidents on [incidents], as messages.

    Reads from an hour before the first of them opened (the stamps are those of the workers'
    clocks), and everything if that does not find all.
    """
    since = min(ref.opened_at for ref in incidents.values()) - HOUR_MS
    found: dict[bytes, OutMessage] = {}
    for start in (max(since, 0), 0):
        found = await _search(settings, partition, incidents, start)
        if len(found) == len(incidents):
            break
    return found


async def _search(
    settings: Settings,
    partition: int,
    incidents: Mapping[bytes, OpenIncidentRef],
    since: int,
) -> dict[bytes, OutMessage]:
    part = TopicPartition(settings.topic(topics.INCIDENTS.name), partition)
    newest = NewestEvents(incidents)
    async with kafka.started(kafka.consumer(settings)) as client:
        client.assign([part])
        end = (await client.end_offsets([part]))[part]
        place = (await client.offsets_for_times({part: since}))[part]
        if place is None:
            return {}
        client.seek(part, place.offset)
        last_word = time.monotonic()
        while await client.position(part) < end:
            if time.monotonic() - last_word > _WITHIN_S:
                # What was not read is not missing: it is looked for again.
                raise KafkaError(f"no message of {part.topic}/{part.partition} for {_WITHIN_S:g} s")
            batches = await client.getmany(part, timeout_ms=_POLL_MS, max_records=_AT_ONCE)
            await asyncio.sleep(0)
            for record in batches.get(part, ()):
                last_word = time.monotonic()
                if newest.may_concern(record):
                    try:
                        event = incident.decode(record.value)
                    except msgspec.DecodeError:
                        continue  # the sink dead-letters it
                    if isinstance(event, IncidentEvent):
                        newest.take(event, record)
    return {
        key: open_message(key, record.value, tuple(record.headers))
        for key, record in newest.still_open()
    }


def _open(settings: Settings, one: Partition) -> TopicPartition:
    return TopicPartition(settings.topic(topics.INCIDENTS_OPEN.name), one.number)


def _results(settings: Settings, one: Partition) -> TopicPartition:
    return TopicPartition(settings.topic(topics.RESULTS.name), one.number)
