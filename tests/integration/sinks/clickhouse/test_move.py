"""Roll-ups move to a database of their own, while a sink inserts: no row is lost or doubled."""

import asyncio

from clickhouse_connect.datatypes.registry import get_from_name
from msgspec import structs

from foundation.clickhouse import database, internal_database
from foundation.settings import Settings
from schemas import batch
from schemas.topics import RESULTS
from sinks.clickhouse import tables
from sinks.clickhouse.apply_views import statements
from sinks.clickhouse.block import build
from sinks.clickhouse.errors import NotInsertedError
from sinks.clickhouse.migrate import migrate, migrations
from sinks.clickhouse.suspend_detector import awake_clock
from sinks.clickhouse.tables import Rows
from sinks.clickhouse.writer import Writer
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.old_schema import create_old_schema
from tests.integration.sinks.clickhouse.test_contract import message

BLOCK = 200
_LATER = {"signal", "exit_code", "run", "output"}
_OLD = structs.replace(
    tables.RESULTS, columns=tuple(one for one in tables.RESULTS.columns if one[0] not in _LATER)
)


class OldSink:
    """Inserts block after block, each with its token until it is confirmed, as a sink does."""

    def __init__(self, settings: Settings) -> None:
        self.blocks = 0
        self.refused = 0
        self.stopping = asyncio.Event()
        self._writer = Writer(settings)
        self._writer._types[_OLD] = [get_from_name(kind) for _, kind in _OLD.columns]

    async def run(self) -> None:
        while not self.stopping.is_set():
            sent = batch.encode(rig.results(self.blocks * BLOCK, BLOCK))
            (rows,) = build(RESULTS, [message(RESULTS, sent, self.blocks)]).rows
            rows = _as_before_jobs(rows)
            while True:
                try:
                    await self._writer.insert(rows, f"block {self.blocks}", awake_clock() + 60)
                    break
                except NotInsertedError:
                    self.refused += 1
                    await self._writer.reachable()
            self.blocks += 1
        await self._writer.close()


def _as_before_jobs(rows: Rows) -> Rows:
    """The rows of a sink that knows no columns of migration 14."""
    places = [place for place, name in enumerate(rows.table.names) if name in _OLD.names]
    return Rows(_OLD, [rows.columns[place] for place in places])


async def test_one_that_was_interrupted_is_finished_by_the_next(clickhouse: str) -> None:
    settings = rig.place("127.0.0.1:1", clickhouse, "halfmoved")
    client = rig.client_of(settings)
    create_old_schema(client, settings)
    name = database(settings)
    places = {"{database}": f"`{name}`", "{internal}": f"`{internal_database(name)}`"}
    client.command(f"CREATE DATABASE {places['{internal}']} ENGINE = Atomic")
    move = migrations()[5]
    assert move.name == "internal"
    made = statements(move.sql, places)
    first_rename = next(n for n, text in enumerate(made) if text.startswith("RENAME"))
    for statement in made[: first_rename + 2]:
        client.command(statement)
    sink = OldSink(settings)
    task = asyncio.create_task(sink.run())
    # Nothing is taken that some of the roll-ups would not get.
    await rig.until(lambda: sink.refused > 0)
    assert rig.count(client, settings) == 0
    await asyncio.to_thread(migrate, settings)
    await rig.until(lambda: sink.blocks >= 2)
    sink.stopping.set()
    await task
    rig.counts_agree(client, settings, sink.blocks * BLOCK)


async def test_while_a_sink_inserts(clickhouse: str) -> None:
    settings = rig.place("127.0.0.1:1", clickhouse, "move")
    client = rig.client_of(settings)
    create_old_schema(client, settings)
    sink = OldSink(settings)
    task = asyncio.create_task(sink.run())
    await rig.until(lambda: sink.blocks >= 3)
    await asyncio.gather(*(asyncio.to_thread(migrate, settings) for _ in range(3)))
    after = sink.blocks
    await rig.until(lambda: sink.blocks >= after + 3)
    sink.stopping.set()
    await task
    rig.counts_agree(client, settings, sink.blocks * BLOCK)
