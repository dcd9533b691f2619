"""What was found in Faust 0.15.3, and what the stream is built around.

Each test fails when Faust changes, so that an upgrade shows what may be simplified, or what no
longer holds. The decisions that rest on the rows are 2 and 10 (docs/decisions); "ours" are the
tests of what follows from a row.

| found | pinned by | ours |
|---|---|---|
| the committed offset jumps over a gap | test_faust_acks: `…_jumps_over_a_gap`, `…_was_never_acknowledged` | test_worker: `nothing_is_acknowledged_that_no_checkpoint_covers`; test_faust_acks: `without_acks_…` |
| an exception acknowledges the event, in `take(n)` all n | test_faust_acks: `an_exception_in_an_agent_…`, `…_while_taking_…` | test_feeder; test_worker: `an_event_that_is_not_confirmed_…` |
| `take()` forbids table writes; a long `within` hangs on shutdown | test_faust_tables: `no_table_can_be_written_while_taking`; test_faust_acks: `a_stop_waits_for_a_take` | here: `the_app_uses_nothing_…` |
| windowed tables: one partition, wall clock, lost after a rebalance | test_faust_tables: `on_window_close_…`, `…_by_the_wall_clock`, `a_recovered_window_…` | here: `the_app_uses_nothing_…` |
| `exactly_once` has open faults | test_faust_processes: `exactly_once_…` | test_group, tests/system/test_worker_kills |
| a Struct as `value_type` fails, poison raises before our code | here: `poison_…`, `a_msgspec_struct_…` | test_worker: `what_cannot_be_read_…` |
| tables: only in a stream, the event's partition, unconfirmed, a zombie's late write wins | test_faust_tables: `a_table_is_written_…`, `…_is_not_confirmed_…`, `aiokafka_s_flush_…`; test_faust_processes: `a_zombie_…` | test_partition: `a_checkpoint_waits_…`; test_group: `a_woken_zombie_…` |
| a dead worker is noticed after `broker_session_timeout` | here: `a_dead_worker_…` | test_group: `a_killed_worker_…`; tests/system/test_worker_kills |
| a topic that is missing at the start is never read | here: `a_topic_that_is_missing_…` | test_worker: `another_partition_count_…`, `…_waiting_for_the_broker_…` |
| `app.stop()` or `sys.exit` inside an agent hangs | test_faust_processes: `app_stop_…`, `sys_exit_…` | test_feeder; test_worker: `a_graceful_stop_…` |
| aiokafka without an upper bound | here: `versions_…` | here |
| no fencing: a woken zombie still writes | test_faust_processes: `a_zombie_…` | test_group: `a_woken_zombie_…`; tests/system/test_worker_kills |
"""  # noqa: E501 - a table

import asyncio
import inspect
from importlib import metadata
from typing import Any

import faust
import msgspec
from aiokafka.errors import CommitFailedError
from faust.transport.drivers import aiokafka as driver
from hypothesis import given
from hypothesis import strategies as st

from foundation.settings import Settings
from streams.worker.faust_app import StreamApp
from tests.integration.streams.faust_ground import a_name, an_app, committed, create, running, send
from tests.integration.streams.ground import eventually


def test_versions_are_those_that_were_looked_at() -> None:
    assert metadata.version("faust-streaming") == "0.15.3"
    assert metadata.version("aiokafka").startswith("0.14.")
    needs = metadata.requires("faust-streaming") or []
    [aiokafka] = [need for need in needs if need.startswith("aiokafka")]
    assert "<" not in aiokafka, "Faust bounds aiokafka now: our own bound may go"


def test_a_commit_that_comes_too_late_crashes_faust() -> None:
    # Faust looks for these words to tell it from a fault, and aiokafka breaks the line there.
    assert '"already rebalanced" in str(exc)' in inspect.getsource(driver.AIOKafkaConsumerThread)
    assert "already rebalanced" not in str(CommitFailedError())


async def test_a_topic_that_is_missing_at_the_start_is_not_read(kafka: str) -> None:
    name = a_name()
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


async def test_poison_raises_before_the_agent_and_is_passed_over(kafka: str) -> None:
    topic = await create(kafka, a_name())
    for serializer, given_to_agent in (("json", [{"a": 1}]), ("raw", [b"{", b'{"a":1}'])):
        app = an_app(kafka)
        seen: list[Any] = []

        @app.agent(app.topic(topic, value_serializer=serializer))
        async def listen(stream: Any, seen: list[Any] = seen) -> None:
            async for value in stream:
                seen.append(value)  # noqa: PERF401

        if serializer == "json":
            await send(kafka, topic, b"{", b'{"a":1}')
        async with running(app):
            await eventually(lambda app=app: committed(kafka, app), lambda offset: offset == 2)
        assert seen == given_to_agent


async def test_a_msgspec_struct_as_value_type_gives_the_agent_nothing(kafka: str) -> None:
    class Thing(msgspec.Struct):
        name: str

    topic = await create(kafka, a_name())
    app = an_app(kafka)
    seen = []

    @app.agent(app.topic(topic, value_type=Thing, value_serializer="json"))
    async def listen(stream: Any) -> None:
        async for value in stream:
            seen.append(value)  # noqa: PERF401

    await send(kafka, topic, b'{"name":"x"}')
    async with running(app):
        await eventually(lambda: committed(kafka, app), lambda offset: offset == 1)
    assert seen == []


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


@given(st.integers(min_value=0, max_value=9_999_999_999_999))
def test_faust_s_float_seconds_keep_the_broker_s_milliseconds(millis: int) -> None:
    assert round(millis / 1000.0 * 1000) == millis
