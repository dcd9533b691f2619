"""Faust's tables: when they can be written, when they forget, and what is not confirmed."""

import asyncio
import inspect
import time
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from aiokafka.producer.message_accumulator import MessageAccumulator
from faust.tables.base import Collection
from faust.tables.table import Table

from tests.integration.streams.faust_ground import (
    a_name,
    an_app,
    committed,
    create,
    fill,
    present,
    running,
    send,
)
from tests.integration.streams.ground import eventually


def counting(
    bootstrap: str, topic: str, app_id: str = "", **window: Any
) -> tuple[faust.App, Any, list[str]]:
    """An app that counts values in windows of a second; the table; the keys whose window closed."""
    app = an_app(bootstrap, app_id, topic_allow_declare=True, table_cleanup_interval=0.2)
    closed: list[str] = []
    table = app.Table(
        "counts", default=int, partitions=2, on_window_close=lambda key, _: closed.append(key[0])
    ).tumbling(1.0, **window)

    @app.agent(app.topic(topic, value_serializer="raw"))
    async def count(stream: Any) -> None:
        async for value in stream:
            table[value.decode()] += 1

    return app, table, closed


def names(table: Any) -> set[str]:
    """What is in a windowed table, whatever the window."""
    return {name for name, _ in table.table.data}


async def test_on_window_close_is_called_for_one_partition_only(kafka: str) -> None:
    topic = await create(kafka, a_name(), 2)
    app, table, closed = counting(kafka, topic, expires=2.0)
    async with running(app):
        at = int(time.time() * 1000)
        await send(kafka, topic, b"first", partition=0, timestamp_ms=at)
        await send(kafka, topic, b"second", partition=1, timestamp_ms=at)
        await eventually(
            lambda: asyncio.sleep(0, (app.monitor.events_total, names(table))),
            lambda seen: seen == (2, set()),
        )
    assert len(closed) == 1


async def test_a_recovered_window_never_closes(kafka: str) -> None:
    topic = await create(kafka, a_name(), 2)
    app, table, _ = counting(kafka, topic, expires=600.0)
    async with running(app):
        await send(kafka, topic, b"before")
        await eventually(lambda: committed(kafka, app), lambda offset: offset == 1)
    app, table, closed = counting(kafka, topic, app.conf.id, expires=1.0)
    async with running(app):
        await eventually(lambda: asyncio.sleep(0, names(table)), lambda found: found == {"before"})
        await send(kafka, topic, b"after")
        await eventually(lambda: asyncio.sleep(0, list(closed)), lambda found: "after" in found)
        assert closed == ["after"], "Faust remembers now when recovered windows end"
        assert names(table) == {"before"}


def test_windowed_tables_expire_by_the_wall_clock() -> None:
    source = inspect.getsource(Collection._del_old_keys)
    assert "time.time()" in source
    assert "this lookup can never hit" in source


async def test_no_table_can_be_written_while_taking(kafka: str) -> None:
    topic = await create(kafka, a_name())
    app = an_app(kafka, topic_allow_declare=True)
    table = app.Table("counts", default=int, partitions=1)
    refused = []

    @app.agent(app.topic(topic, value_serializer="raw"))
    async def listen(stream: Any) -> None:
        async for _ in stream.take(2, within=30):
            with pytest.raises(TypeError, match="outside of stream iteration"):
                table["a"] = 1
            refused.append(True)

    await fill(kafka, topic, 2)
    async with running(app):
        await eventually(lambda: asyncio.sleep(0, len(refused)), lambda count: count == 1)


async def test_a_table_is_written_within_a_stream_and_to_the_partition_of_its_event(
    kafka: str,
) -> None:
    topic = await create(kafka, a_name(), 2)
    app = an_app(kafka)
    changelog = await create(kafka, f"{app.conf.id}-counts-changelog", 2)
    table = app.Table("counts", default=str, partitions=2)
    with pytest.raises(TypeError, match="outside of stream iteration"):
        table["key"] = "from nowhere"

    @app.agent(app.topic(topic, value_serializer="raw"))
    async def listen(stream: Any) -> None:
        async for value in stream:
            table["key"] = value.decode()

    async with running(app):
        await send(kafka, topic, b"zero", partition=0)
        await send(kafka, topic, b"one", partition=1)
        found = await eventually(
            lambda: present(kafka, changelog), lambda records: len(records) == 2
        )
    # The same key twice: whoever restores has the value of the partition that he reads last.
    assert {(r.partition, r.key, r.value) for r in found} == {
        (0, b'"key"', b'"zero"'),
        (1, b'"key"', b'"one"'),
    }


async def test_what_a_table_sends_is_not_confirmed_before_the_offset_is_committed(
    kafka: str,
) -> None:
    topic = await create(kafka, a_name())
    app = an_app(kafka)
    changelog = await create(
        kafka, f"{app.conf.id}-counts-changelog", **{"max.message.bytes": "10"}
    )
    table = app.Table("counts", default=str, partitions=1)

    @app.agent(app.topic(topic, value_serializer="raw"))
    async def listen(stream: Any) -> None:
        async for _ in stream:
            table["key"] = "more than the changelog takes"

    await fill(kafka, topic, 3)
    async with running(app):
        await eventually(lambda: committed(kafka, app), lambda offset: offset == 3)
        assert await present(kafka, changelog) == []
    # The future of the changelog's send goes nowhere.
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
