"""What the sink relies on, held against every kind of ClickHouse that can be had."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import ConsumerRecord

from foundation.clickhouse import database, internal_database
from foundation.settings import Settings
from schemas import batch, topics
from schemas.result import CheckResult
from sinks.clickhouse.block import build
from sinks.clickhouse.errors import DoubtError, NotInsertedError
from sinks.clickhouse.migrate import migrate, migrations
from sinks.clickhouse.suspend_detector import awake_clock
from sinks.clickhouse.tables import GAPS, OF_TOPIC, RESULTS, Rows
from sinks.clickhouse.writer import Writer, gap_rows
from tests.integration.sinks.clickhouse import rig

EXAMPLES = Path(batch.__file__).parent / "examples"
LAST_MS = 9_999_999_999_999
NOW_MS = int(time.time() * 1000)
"""What lies on the log is of today: older rows expire."""


class Store:
    """A database for one test, and a sink's writer for it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.writer = Writer(settings)
        self.client = rig.client_of(settings)

    async def insert(self, rows: Rows, token: str) -> None:
        token = f"{self.settings.topic_prefix} {token}"
        await self.writer.insert(rows, token, awake_clock() + 60)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return rig.ask(self.client, self.settings, sql)

    def raw_and_rolled_up(self) -> tuple[int, int]:
        ((raw,),) = self.ask("SELECT count() FROM {db}.results")
        rolled = {all_of for all_of, _ in rig.rolled_up(self.client, self.settings).values()}
        assert len(rolled) == 1, "the roll-ups differ"
        return raw, rolled.pop()


@asynccontextmanager
async def store(url: str, name: str) -> AsyncIterator[Store]:
    settings = await asyncio.to_thread(rig.used_place, rig.NO_KAFKA, url, name)
    found = Store(settings)
    try:
        with rig.not_used_again_after_a_failure(settings):
            yield found
    finally:
        found.client.command(f"SYSTEM START MERGES `{database(settings)}`.results")
        found.client.close()
        await found.writer.close()


@asynccontextmanager
async def own_store(url: str, name: str) -> AsyncIterator[Store]:
    """Its database is dropped afterwards, with all that it has."""
    settings = rig.place(rig.NO_KAFKA, url, name)
    await asyncio.to_thread(migrate, settings)
    found = Store(settings)
    try:
        yield found
    finally:
        rig.drop(found.client, settings)
        found.client.close()
        await found.writer.close()


def message(
    topic: topics.Topic, value: bytes, offset: int = 0, key: bytes | None = None
) -> ConsumerRecord:
    size = len(value)
    return ConsumerRecord(topic.name, 2, offset, NOW_MS, 1, key, value, None, 0, size, ())


def rows_of(results: list[CheckResult]) -> Rows:
    (rows,) = build(topics.RESULTS, [message(topics.RESULTS, batch.encode(results))]).rows
    return rows


async def test_migrations_may_be_repeated(any_clickhouse: str) -> None:
    settings = rig.place("127.0.0.1:1", any_clickhouse, "migrations")
    assert migrate(settings) == [migration.version for migration in migrations()]
    assert migrate(settings) == []
    client = rig.client_of(settings)
    rig.drop(client, settings)
    client.close()


async def test_a_row_is_what_was_sent_and_is_there_when_the_insert_returns(
    any_clickhouse: str,
) -> None:
    wide = [
        rig.result(0, 0, host=None, port=None, detail="\x00'\\\t\U0001f525", banner="\n" * 300),
        rig.result(1, LAST_MS - 1, total_ms=86_400_000.0, dns_ms=0.0, cert_expires_at=LAST_MS),
        rig.result(2, 0, attempt=255, http_status=999, address="::1", target_version=LAST_MS),
    ]
    times = ("scheduled_at", "started_at", "target_version", "cert_expires_at", "appended_at")
    columns = ", ".join(
        f"toUnixTimestamp64Milli({name})" if name in times else name for name in RESULTS.names
    )
    async with store(any_clickhouse, "rows") as there:
        rows = rows_of(wide)
        await there.insert(rows, "a")
        stored = there.ask(f"SELECT {columns} FROM {{db}}.results ORDER BY log_line")  # noqa: S608
        assert stored == list(zip(*rows.columns, strict=True))


async def test_the_same_token_lands_once_and_another_one_again(any_clickhouse: str) -> None:
    rows = rows_of(rig.results(0, 300))
    async with store(any_clickhouse, "tokens") as there:
        there.client.command(f"SYSTEM STOP MERGES `{database(there.settings)}`.results")
        await there.insert(rows, "a")
        await there.insert(rows, "a")
        assert there.raw_and_rolled_up() == (300, 300)
        await there.insert(rows_of(rig.results(300, 100)), "b")
        await there.insert(rows, "a")
        assert there.raw_and_rolled_up() == (400, 400)
        await there.insert(rows, "c")
        assert there.raw_and_rolled_up() == (700, 700)


async def test_of_two_inserts_of_one_token_at_once_one_lands(any_clickhouse: str) -> None:
    rows = rows_of(rig.results(0, 2_000))
    async with store(any_clickhouse, "atonce") as there:
        for token in "abc":
            await asyncio.gather(there.insert(rows, token), there.insert(rows, token))
        there.client.command(f"SYSTEM STOP MERGES `{database(there.settings)}`.results")
        ((rolled,),) = there.ask("SELECT sum(checks) FROM {internal}.results_hourly")
        assert rolled == 6_000


@pytest.mark.parametrize("name", rig.ROLL_UPS)
async def test_a_roll_up_that_missed_an_insert_gets_it_by_the_same_token(
    any_clickhouse: str, name: str
) -> None:
    """As after a crash between the table's part and the roll-up's; no other one counts it twice."""
    rows = rows_of(rig.results(0, 300))
    async with store(any_clickhouse, "missed") as there:
        place = internal_database(database(there.settings))
        made = there.client.query(
            "SELECT create_table_query FROM system.tables WHERE database = %(d)s AND name = %(n)s",
            parameters={"d": place, "n": f"{name}_mv"},
        ).result_rows[0][0]
        there.client.command(f"DROP TABLE `{place}`.{name}_mv")
        await there.insert(rows, "a")
        assert rig.rolled_up(there.client, there.settings)[name][0] == 0
        there.client.command(made)
        await there.insert(rows, "a")
        assert there.raw_and_rolled_up() == (300, 300)


async def test_a_block_over_many_days_is_one_insert(any_clickhouse: str) -> None:
    found = [rig.result(3, day * 86_400_000 * 20) for day in range(1, 700)]
    async with own_store(any_clickhouse, "days") as there:
        await there.insert(rows_of(found), "a")
        await there.insert(rows_of(found), "a")
        # Of the roll-ups each expires at an age of its own.
        assert there.ask("SELECT count() FROM {db}.results") == [(699,)]


@pytest.mark.parametrize("name", [name for name in OF_TOPIC if name != "results"])
async def test_every_example_of_a_topic_can_be_stored(any_clickhouse: str, name: str) -> None:
    topic = next(topic for topic in topics.ALL if topic.name == name)
    files = sorted((EXAMPLES / name).glob("*.json"))
    records = [
        message(topic, file.read_bytes(), offset, _key(name, file.read_bytes()))
        for offset, file in enumerate(files)
    ]
    block = build(topic, records)
    assert block.letters == []
    async with store(any_clickhouse, name) as there:
        for rows in block.rows:
            for _ in range(2):
                await there.insert(rows, rows.table.name)
            ((count,),) = there.ask(f"SELECT count() FROM {{db}}.{rows.table.name}")  # noqa: S608
            assert count == len(rows)


def _key(name: str, value: bytes) -> bytes:
    found = msgspec.json.decode(value)
    if name == "targets":
        return str(found["id"]).encode()
    if found.get("policy") == "pause":
        return f"pause/pause/{found['name']}".encode()
    return b"source/maintenance/name"


async def test_what_is_stored_is_known(any_clickhouse: str) -> None:
    letters = [message(topics.DEADLETTER, b"garbage", offset) for offset in range(3)]
    (rows,) = build(topics.DEADLETTER, letters).rows
    async with store(any_clickhouse, "known") as there:
        assert await there.writer.highest([RESULTS], 2) is None
        await there.insert(rows_of(rig.results(0, 10)), "a")
        assert await there.writer.highest([RESULTS], 2) == (0, NOW_MS)
        assert len(await there.writer.fresh(rows)) == 3
        (two,) = build(topics.DEADLETTER, letters[:2]).rows
        await there.insert(two, "b")
        fresh = await there.writer.fresh(rows)
        assert fresh.unique_values() == [rows.unique_values()[2]]


async def test_a_refused_insert_is_said_and_the_next_one_can_land(any_clickhouse: str) -> None:
    async with store(any_clickhouse, "refused") as there:
        name = f"`{database(there.settings)}`.{GAPS.name}"
        there.client.command(f"RENAME TABLE {name} TO {name}_away")
        with pytest.raises(NotInsertedError, match=r"UNKNOWN_TABLE|does not exist"):
            await there.insert(gap_rows("t", 0, 1, 2, 3), "a")
        there.client.command(f"RENAME TABLE {name}_away TO {name}")
        await asyncio.wait_for(there.writer.reachable(), 20)
        await there.insert(gap_rows("t", 0, 1, 2, 3), "a")
        assert there.ask("SELECT expected, found FROM {db}.gaps") == [(1, 2)]


async def test_an_insert_that_comes_too_late_sends_nothing(any_clickhouse: str) -> None:
    async with store(any_clickhouse, "late") as there:
        with pytest.raises(DoubtError):
            await there.writer.insert(gap_rows("t", 0, 1, 2, 3), "a", awake_clock() - 1)
        assert there.ask("SELECT count() FROM {db}.gaps") == [(0,)]
