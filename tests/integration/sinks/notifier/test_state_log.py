"""The log of the notifiers' state on a real Kafka."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from foundation import kafka as clients
from foundation.kafka.reconnecting_producer import KeyedMessage
from foundation.lifecycle import cancelled
from foundation.settings import Settings
from schemas import incident, notifier_state
from schemas.notifier_state import AudienceMember, Subject, Term, subject_key
from sinks.notifier.state_log import StateLog, put, removal
from sinks.notifier.takeover import MOST_TERM, NoTermLeftError, begin_term
from tests.integration.sinks.notifier.rig import DEADLINE_S, incident_event, until


@asynccontextmanager
async def following(settings: Settings) -> AsyncIterator[StateLog]:
    """A log that is followed, and has been read to its end."""
    log = StateLog(settings)
    task = asyncio.create_task(log.run())
    try:
        async with asyncio.timeout(DEADLINE_S):
            await log.read_to_end()
        yield log
    finally:
        await cancelled(task)
        await log.close(2)


def term(number: int) -> KeyedMessage:
    value = Term(term=number, owner=str(number), at=1)
    return KeyedMessage(notifier_state.TERM_KEY, notifier_state.encode(value))


def subject(number: int, key: str, **event: object) -> Subject:
    return Subject(
        term=number,
        key=key,
        event=msgspec.Raw(incident.encode(incident_event("db1", **event))),
        phase="down",
        episode=1,
        began_at=1,
        changed_at=1,
        audience=(AudienceMember(route="ops", url="json://example", since=1),),
    )


async def test_what_one_writes_another_reads_with_removals_and_their_terms(
    settings: Settings,
) -> None:
    async with following(settings) as writer, following(settings) as reader:
        await writer.write([term(3), put(subject(3, "a")), put(subject(3, "b"))])
        await writer.write([removal(subject_key("a"), 3), removal(subject_key("b"), 2)])
        await reader.read_to_end()
        assert (reader.view.term, reader.view.owner) == (3, "3")
        assert reader.view.values.keys() == {subject_key("b")}
        assert reader.view.overwritten == {subject_key("b")}
    async with following(settings) as later:
        assert later.view.values == reader.view.values


@pytest.mark.parametrize("foreign", [b'{"term":2147483647}', term(MOST_TERM).value])
async def test_a_term_that_nothing_can_follow_is_said_and_not_fought(
    settings: Settings, foreign: bytes
) -> None:
    async with following(settings) as log:
        await log.write([KeyedMessage(subject_key("a"), foreign)])
        await log.read_to_end()
        async with asyncio.timeout(DEADLINE_S):
            with pytest.raises(NoTermLeftError, match="notifier-state"):
                await begin_term(log, lambda: True)


async def test_reading_to_the_end_has_what_was_confirmed_before(settings: Settings) -> None:
    async with following(settings) as writer, following(settings) as reader:
        for number in range(1, 30):
            await writer.write([term(number)])
            await reader.read_to_end()
            assert reader.view.term == number


async def test_a_record_that_the_broker_refuses_as_too_large_is_written_shorter_and_nothing_stops(
    settings: Settings,
) -> None:
    await limit(settings, 20_000)
    # Texts that compression does not make small.
    long = tuple(uuid.uuid4().hex * 10 for _ in range(200))
    async with following(settings) as log, asyncio.timeout(DEADLINE_S):
        await log.write([
            put(subject(1, "small")),
            put(subject(1, "large", changes=long, summary="What is true now.")),
            KeyedMessage(subject_key("garbage"), "".join(long).encode()),
            put(subject(1, "behind")),
        ])  # fmt: skip
        await log.read_to_end()
        found = {key: notifier_state.decode(value) for key, value in log.view.values.items()}
    assert found.keys() == {subject_key(name) for name in ("small", "large", "behind")}
    large = found[subject_key("large")]
    assert isinstance(large, Subject)
    assert large.audience == subject(1, "large").audience
    event = incident.decode(bytes(large.event))
    assert event.summary == "What is true now."


async def limit(settings: Settings, size: int) -> None:
    topic = settings.topic("notifier-state")
    admin = clients.admin(settings)
    await admin.start()
    try:
        change = ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": str(size)})
        await admin.alter_configs([change])
    finally:
        await admin.close()


async def test_a_topic_that_is_made_later_is_waited_for(kafka: str) -> None:
    settings = Settings(kafka=kafka, topic_prefix=f"later-{uuid.uuid4().hex[:8]}", partitions=1)
    log = StateLog(settings)
    task = asyncio.create_task(log.run())
    reading = asyncio.create_task(log.read_to_end())
    try:
        await clients.create_topics(settings)
        await until(reading.done, "the log is read to its end")
    finally:
        await cancelled(task, reading)
        await log.close(2)
