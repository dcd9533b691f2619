"""Follows and writes [notifier-state]."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from foundation import kafka, telemetry
from foundation.kafka.reconnecting_producer import KeyedMessage
from foundation.settings import Settings
from schemas import incident, notifier_state, topics
from schemas.incident import Event, IncidentEvent, RegionEvent, TargetsEvent
from schemas.notifier_state import SUBJECT_PREFIX, ChannelPace, Subject
from sinks.notifier.log_writer import LogWriter
from sinks.notifier.state_view import TERM_HEADER, StateView

_AGAIN_S: Final = 1.0
_POLL_MS: Final = 500
_FETCH_WAIT_MS: Final = 100
"""The broker answers a fetch after this time at the latest: the question for the end of the log
goes through the same connection and waits behind it."""
_FEW: Final = 500
"""Characters that a shortened text keeps."""

_log = telemetry.logger(__name__)


class StateLog:
    """The log of the notifiers' state, in one process: what it says, and how to add to it."""

    def __init__(self, settings: Settings, on_change: Callable[[], None] = lambda: None) -> None:
        """`on_change` is called after each batch of records that was read."""
        self._settings = settings
        self._partition = TopicPartition(settings.topic(topics.NOTIFIER_STATE.name), 0)
        self._on_change = on_change
        self._writer = LogWriter(settings, topics.NOTIFIER_STATE, shorten=shortened)
        self._client: AIOKafkaConsumer | None = None
        self._moved = asyncio.Condition()
        self._position = 0
        self.view = StateView()
        """What was read so far; another object after an absence of the cluster."""
        self.warm = asyncio.Event()
        """Set when the log has been read to its end once."""

    async def run(self) -> None:
        """Follows the log until cancelled; waits while the cluster is away."""
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError) as error:
                _log.warning("the state can't be followed, beginning again", error=repr(error))
            finally:
                self._client = None
            await asyncio.sleep(_AGAIN_S)

    async def read_to_end(self) -> None:
        """Waits until `view` has everything that is in the log now; waits for the cluster, too."""
        while True:
            client = self._client
            if client is not None:
                try:
                    ends = await client.end_offsets([self._partition])
                except (KafkaError, OSError):
                    await asyncio.sleep(_AGAIN_S)
                    continue
                if await self._reached(client, ends[self._partition]):
                    return
            async with self._moved:
                if self._client is client:
                    await self._moved.wait()

    async def write(self, messages: Sequence[KeyedMessage]) -> None:
        """Writes; on return the broker has confirmed all, in this order.

        Tries without a time limit; cancel it to give up.
        """
        await self._writer.write(messages)

    async def close(self, within_s: float) -> None:
        """Closes the producer; waits so long for what is on its way."""
        await self._writer.close(within_s)

    async def _reached(self, client: AIOKafkaConsumer, end: int) -> bool:
        """True when the view has everything before `end`; False if the client was replaced."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._client is not client or self._position >= end)
        return self._client is client

    async def _follow(self) -> None:
        async with AsyncExitStack() as stack:
            client = kafka.consumer(self._settings, fetch_max_wait_ms=_FETCH_WAIT_MS)
            stack.push_async_callback(kafka.leave, client, _AGAIN_S)
            await client.start()
            client.assign([self._partition])
            await client.seek_to_beginning(self._partition)
            end = (await client.end_offsets([self._partition]))[self._partition]
            view, position = StateView(), await client.position(self._partition)
            while True:
                if position >= end and self.view is not view:
                    self.view = view
                    self.warm.set()
                async with self._moved:
                    if self.view is view:
                        self._client, self._position = client, position
                    self._moved.notify_all()
                self._on_change()
                batches = await client.getmany(timeout_ms=_POLL_MS)
                if any(task.done() for task in kafka.vital_tasks(client)):
                    raise KafkaError("the consumer has ended: nothing more would be read")
                for records in batches.values():
                    for record in records:
                        view.take(record.key, record.value, record.headers)
                position = await client.position(self._partition)


def put(kept: Subject | ChannelPace) -> KeyedMessage:
    """The record of a subject, or of a channel's pace."""
    if isinstance(kept, Subject):
        key = notifier_state.subject_key(kept.key)
    else:
        key = notifier_state.pace_key(kept.id)
    return KeyedMessage(key, notifier_state.encode(kept))


def removal(key: bytes, term: int) -> KeyedMessage:
    """The record that removes a key, by the notifier of `term`."""
    return KeyedMessage(key, None, ((TERM_HEADER, str(term).encode()),))


def shortened(message: KeyedMessage) -> Iterator[KeyedMessage]:
    """Shorter versions of a subject's record: first without lists and long texts of its events.

    Then without the errors of its channels. The audience stays: who is to be told is the state.
    """
    if message.value is None or not message.key.startswith(SUBJECT_PREFIX):
        return
    try:
        subject = notifier_state.decode(message.value)
        if not isinstance(subject, Subject):
            return
        shorter = msgspec.structs.replace(
            subject,
            event=_shortened(subject.event),
            events={name: _shortened(event) for name, event in subject.events.items()},
        )
    except msgspec.DecodeError:
        return
    yield msgspec.structs.replace(message, value=notifier_state.encode(shorter))
    audience = tuple(
        msgspec.structs.replace(member, error=member.error[:_FEW]) for member in subject.audience
    )
    shorter = msgspec.structs.replace(shorter, audience=audience, events={})
    yield msgspec.structs.replace(message, value=notifier_state.encode(shorter))


def _shortened(raw: msgspec.Raw) -> msgspec.Raw:
    if not bytes(raw).lstrip().startswith(b"{"):
        return raw
    try:
        event = incident.decode(bytes(raw))
    except msgspec.DecodeError:
        return raw
    return msgspec.Raw(incident.encode(_without_lists(event)))


def _without_lists(event: Event) -> Event:
    match event:
        case IncidentEvent():
            return msgspec.structs.replace(
                event,
                summary=event.summary[:_FEW],
                host_targets=(),
                changes=(),
                first_steps=tuple(step[:_FEW] for step in event.first_steps[:1]),
                depends_on=(),
            )
        case TargetsEvent():
            return msgspec.structs.replace(
                event, summary=event.summary[:_FEW], most_critical=event.most_critical[:1]
            )
        case RegionEvent():
            return msgspec.structs.replace(event, summary=event.summary[:_FEW])
