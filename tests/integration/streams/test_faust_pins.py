"""What was found in Faust 0.15.3, and what the stream is built around.

Each test fails when Faust changes, so that an upgrade shows what may be simplified, or what no
longer holds. Section 5 of the design says what follows from each.
"""

import asyncio
import gc
import inspect
import subprocess
import sys
import uuid
import weakref
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import metadata
from types import SimpleNamespace
from typing import Any

import faust
import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import CommitFailedError
from aiokafka.producer.message_accumulator import MessageAccumulator
from faust.exceptions import ValueDecodeError
from faust.tables.base import Collection
from faust.tables.table import Table
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st
from intervaltree import IntervalTree

from portquorum.settings import Settings
from streams.shell import StreamApp
from tests.integration.streams.ground import eventually


def an_app(bootstrap: str, **changes: Any) -> faust.App:
    options: dict[str, Any] = {
        "broker": f"kafka://{bootstrap}",
        "topic_disable_leader": True,
        "topic_allow_declare": False,
        "web_enabled": False,
        "store": "memory://",
        "broker_commit_interval": 0.2,
        "broker_session_timeout": 6,
    }
    app = faust.App(f"pin{uuid.uuid4().hex[:8]}", **(options | changes))
    app._create_directories = lambda: None  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def running(app: faust.App) -> AsyncIterator[None]:
    await app.start()
    try:
        yield
    finally:
        await app.stop()


@pytest.fixture
async def topic(kafka: str) -> str:
    name = f"pin{uuid.uuid4().hex[:8]}"
    await create(kafka, name)
    return name


async def create(bootstrap: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await eventually(admin.list_topics, lambda names: name in names)
    await admin.close()


async def fill(bootstrap: str, topic: str, count: int) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for number in range(count):
            await producer.send_and_wait(topic, b"%d" % number, partition=0)


async def committed(bootstrap: str, app: faust.App) -> int | None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(app.conf.id)
    finally:
        await admin.close()
    return next((entry.offset for entry in offsets.values()), None)


def test_versions_are_those_that_were_looked_at() -> None:
    assert metadata.version("faust-streaming") == "0.15.3"
    assert metadata.version("aiokafka").startswith("0.14.")
    needs = metadata.requires("faust-streaming") or []
    [aiokafka] = [need for need in needs if need.startswith("aiokafka")]
    assert "<" not in aiokafka, "Faust bounds aiokafka now: our own bound may go"


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


def test_a_commit_that_comes_too_late_crashes_faust() -> None:
    # Faust looks for these words to tell it from a fault, and aiokafka breaks the line there.
    assert '"already rebalanced" in str(exc)' in inspect.getsource(driver.AIOKafkaConsumerThread)
    assert "already rebalanced" not in str(CommitFailedError())


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


async def test_a_topic_that_is_missing_at_the_start_is_not_read(kafka: str) -> None:
    name = f"pin{uuid.uuid4().hex[:8]}"
    app = an_app(kafka)
    assigned = asyncio.Event()

    @app.agent(app.topic(name, value_serializer="raw"))
    async def listen(stream: Any) -> None:
        async for _ in stream:
            pass

    @app.on_partitions_assigned.connect
    async def note(*_: Any, **__: Any) -> None:
        assigned.set()

    async with running(app):
        await asyncio.wait_for(assigned.wait(), 30)
        await create(kafka, name)
        assert app.consumer.assignment() == set()


def test_poison_raises_before_the_agent_unless_the_serializer_is_raw() -> None:
    app = an_app("127.0.0.1:1")
    poison = SimpleNamespace(value=b"{", headers=None)
    with pytest.raises(ValueDecodeError):
        faust.Schema(value_serializer="json").loads_value(app, poison)
    raw = faust.Schema(value_serializer="raw")
    assert raw.loads_value(app, poison) == b"{"
    assert raw.loads_value(app, SimpleNamespace(value=None, headers=None)) is None


def test_a_msgspec_struct_as_value_type_fails() -> None:
    class Thing(msgspec.Struct):
        name: str

    app = an_app("127.0.0.1:1")
    message = SimpleNamespace(value=b'{"name":"x"}', headers=None)
    with pytest.raises(ValueDecodeError):
        faust.Schema(value_type=Thing, value_serializer="json").loads_value(app, message)


def test_tables_write_only_within_a_stream_and_drop_the_confirmation() -> None:
    app = an_app("127.0.0.1:1")
    table = app.Table("counts", default=int)
    with pytest.raises(TypeError, match="outside of stream iteration"):
        table["a"] = 1
    # The future of the changelog's send goes nowhere: a commit does not wait for it.
    source = inspect.getsource(Table.on_key_set)
    assert "fut = self.send_changelog(" in source
    assert "return fut" not in source
    assert "await" not in source


async def test_aiokafka_s_flush_swallows_failures() -> None:
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    failed.set_exception(RuntimeError("not delivered"))
    batch = SimpleNamespace(future=failed)
    accumulator = SimpleNamespace(_batches={"part": [batch]}, _pending_batches=[])
    await MessageAccumulator.flush(accumulator)
    assert isinstance(failed.exception(), RuntimeError)


def test_windowed_tables_expire_by_the_wall_clock() -> None:
    source = inspect.getsource(Collection._del_old_keys)
    assert "time.time()" in source
    assert "this lookup can never hit" in source


def test_a_dead_worker_is_noticed_late_by_default_and_in_six_seconds_here() -> None:
    assert faust.App("pin-default").conf.broker_session_timeout == 60.0
    assert StreamApp(Settings()).conf.broker_session_timeout == 6.0


def test_the_app_uses_nothing_that_was_found_faulty() -> None:
    app = StreamApp(Settings())
    assert app.conf.processing_guarantee.value == "at_least_once"
    assert app.tables == {}
    [agent] = app.agents.values()
    assert agent.concurrency == 1
    assert agent.channel.acks is False
    assert app.conf.stream_wait_empty is False
    assert app.conf.topic_allow_declare is False


STOPS_ITSELF = """
import asyncio, sys, faust
app = faust.App(
    sys.argv[3], broker="kafka://" + sys.argv[1], topic_disable_leader=True,
    topic_allow_declare=False, web_enabled=False, store="memory://", datadir=sys.argv[4],
)
@app.agent(app.topic(sys.argv[2], value_serializer="raw"))
async def end(stream):
    async for _ in stream:
        print("stopping", flush=True)
        await app.stop()
        print("stopped", flush=True)
async def main():
    await app.start()
    await app.wait_until_stopped()
    await asyncio.sleep(8)
asyncio.run(main())
"""


async def test_app_stop_inside_an_agent_does_not_return(
    kafka: str, topic: str, tmp_path: Any
) -> None:
    await fill(kafka, topic, 1)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STOPS_ITSELF, kafka, topic, topic, str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"stopping\n"
        with suppress(TimeoutError):
            assert await asyncio.wait_for(process.stdout.readline(), 5) == b""
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@given(st.integers(min_value=0, max_value=9_999_999_999_999))
def test_faust_s_float_seconds_keep_the_broker_s_milliseconds(millis: int) -> None:
    assert round(millis / 1000.0 * 1000) == millis
