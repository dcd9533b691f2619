"""What Faust acknowledges, and what it should not."""

import asyncio
import gc
import weakref
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from faust.transport.consumer import Consumer
from faust.types import TP
from intervaltree import IntervalTree

from tests.integration.streams.faust_ground import a_name, an_app, committed, create, fill, running
from tests.integration.streams.ground import eventually


@pytest.fixture
async def topic(kafka: str) -> str:
    return await create(kafka, a_name())


@pytest.mark.parametrize(
    ("before", "acked", "offset"),
    [
        (2585, [2586, 2587, 2588, 2589], 2590),  # 2585 was never acknowledged (issue 606)
        (None, [5, 6], 7),  # nor were 0 to 4
    ],
)
def test_the_committed_offset_jumps_over_a_gap(
    before: int | None, acked: list[int], offset: int
) -> None:
    part = TP("t", 0)
    consumer = SimpleNamespace(
        _acked=defaultdict(list, {part: acked}),
        _gap=defaultdict(IntervalTree),
        _committed_offset={part: before},
        _acked_index=defaultdict(set),
    )
    assert Consumer._new_offset(consumer, part) == offset  # type: ignore[arg-type]


async def test_an_offset_is_committed_beyond_one_that_was_never_acknowledged(
    kafka: str, topic: str
) -> None:
    app = an_app(kafka)
    events: list[Any] = []

    @app.agent(app.topic(topic, value_serializer="raw"))
    async def listen(stream: Any) -> None:
        async for event in stream.noack().events():
            events.append(event)  # noqa: PERF401

    await fill(kafka, topic, 5)
    async with running(app):
        await eventually(lambda: asyncio.sleep(0, len(events)), lambda count: count == 5)
        for number in (0, 1):
            events[number].ack()
        await eventually(lambda: committed(kafka, app), lambda offset: offset == 2)
        for number in (3, 4):
            events[number].ack()
        await eventually(lambda: committed(kafka, app), lambda offset: offset == 5)


async def test_an_exception_in_an_agent_acknowledges_the_event(kafka: str, topic: str) -> None:
    app = an_app(kafka)
    seen = []

    @app.agent(app.topic(topic, value_serializer="raw"))
    async def fail(stream: Any) -> None:
        async for value in stream:
            seen.append(value)
            raise ValueError(value)

    await fill(kafka, topic, 1)
    async with running(app):
        await eventually(lambda: committed(kafka, app), lambda offset: offset == 1)
    assert seen == [b"0"]


async def test_an_exception_while_taking_acknowledges_all_that_was_taken(
    kafka: str, topic: str
) -> None:
    app = an_app(kafka)

    @app.agent(app.topic(topic, value_serializer="raw"))
    async def fail(stream: Any) -> None:
        async for values in stream.take(5, within=30):
            raise ValueError(values)

    await fill(kafka, topic, 5)
    async with running(app):
        await eventually(lambda: committed(kafka, app), lambda offset: offset == 5)


async def test_without_acks_faust_commits_nothing_and_keeps_no_message(
    kafka: str, topic: str
) -> None:
    app = an_app(kafka, stream_buffer_maxsize=16)
    messages: list[weakref.ref[Any]] = []

    @app.agent(app.topic(topic, value_serializer="raw", acks=False))
    async def listen(stream: Any) -> None:
        stream = stream.noack()
        async for _ in stream:
            messages.append(weakref.ref(stream.current_event.message))  # noqa: PERF401

    await fill(kafka, topic, 50)
    async with running(app):
        await eventually(lambda: asyncio.sleep(0, len(messages)), lambda count: count == 50)
        await app.consumer.force_commit()
        assert await committed(kafka, app) is None
        assert app.consumer._acked == {}
        gc.collect()
        alive = sum(message() is not None for message in messages)
        assert alive <= 2, "something keeps the payload of messages that are done"


async def test_a_stop_waits_for_a_take_until_its_time_is_over(kafka: str, topic: str) -> None:
    app = an_app(kafka, stream_wait_empty=True)
    order = []

    @app.agent(app.topic(topic, value_serializer="raw"))
    async def listen(stream: Any) -> None:
        async for _ in stream.take(2, within=6):
            order.append("taken")  # noqa: PERF401

    await fill(kafka, topic, 1)
    async with running(app):
        await eventually(
            lambda: asyncio.sleep(0, app.monitor.messages_received_total), lambda count: count == 1
        )
    order.append("stopped")
    assert order == ["taken", "stopped"]
