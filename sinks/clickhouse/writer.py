"""Inserts into ClickHouse, each with its deduplication token, in its own threads."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import OperationalError

from foundation.awake_clock import awake_clock
from foundation.backoff import Backoff
from foundation.clickhouse import connect, database
from foundation.log_throttle import LogThrottle
from foundation.settings import Settings
from foundation.telemetry import logger
from sinks.clickhouse import metrics
from sinks.clickhouse.errors import FAILURES, DoubtError, NotInsertedError, in_words
from sinks.clickhouse.tables import ALL, GAPS, Rows, Table
from sinks.clickhouse.threads import in_thread

T = TypeVar("T")

THREADS: Final = 2
"""Number of concurrent inserts."""

INSERT_TIMEOUT_S: Final = 60
INSERT_SETTINGS: Final[dict[str, Any]] = {
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # Times are the probers' word: a block over many days must not be refused for ever.
    "max_partitions_per_insert_block": 0,
    # By default a block is folded as a merge would do it, before it is written: a seventh of
    # ClickHouse's work for a row, and there is nothing to fold in a block.
    "optimize_on_insert": 0,
}

_BACKOFF: Final = Backoff(first_s=0.2, longest_s=5.0)


class Writer:
    """The connection to ClickHouse. Calls queue: at most `THREADS` run at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = database(settings)
        self._client: Client | None = None
        self._up = asyncio.Event()
        self._up.set()
        self._watch: asyncio.Task[None] | None = None
        self._throttle = LogThrottle[str]()
        self._types = {table: [get_from_name(kind) for _, kind in table.columns] for table in ALL}
        self.slots = asyncio.Semaphore(THREADS)
        """Each slot guarantees a free thread: acquire it before the commit of the pending range."""

    async def close(self) -> None:
        """Ends the watch and closes the connections; does not wait for a running insert."""
        if self._watch is not None:
            self._watch.cancel()
        if self._client is not None:
            self._client.close()

    @property
    def is_up(self) -> bool:
        """True if ClickHouse answered the last call."""
        return self._up.is_set()

    async def reachable(self) -> None:
        """Waits until ClickHouse answers, as far as is known."""
        await self._up.wait()

    async def insert(self, rows: Rows, token: str, until: float) -> None:
        """Inserts `rows`; on return they are in the table, by this insert or by an earlier one.

        Raises:
            DoubtError: it could not begin before `until` (of `awake_clock()`); nothing was sent.
            NotInsertedError: not confirmed. It may have landed: insert the same again, with
                the same token.
        """
        began = time.perf_counter()
        table = rows.table.name
        try:
            await self._call(partial(self._insert, rows=rows, token=token, until=until))
        except NotInsertedError:
            metrics.INSERTS.labels(table, "failed").inc()
            raise
        metrics.INSERTS.labels(table, "done").inc()
        metrics.ROWS.labels(table).inc(len(rows))
        metrics.INSERT_SECONDS.labels(table).observe(time.perf_counter() - began)

    async def fresh(self, rows: Rows) -> Rows:
        """The rows with a unique value that is not in the table yet."""
        values = rows.unique_values()
        if not values:
            return rows
        place = f"`{self._database}`.`{rows.table.name}`"
        sql = f"SELECT DISTINCT {rows.table.unique} FROM {place} "  # noqa: S608 - our own names
        sql += f"WHERE {rows.table.unique} IN %(some)s"
        known: set[Any] = set()
        for start in range(0, len(values), 1000):
            found = await self._rows(sql, {"some": values[start : start + 1000]})
            known.update(row[0] for row in found)
        return rows.without(known)

    async def highest(self, tables: Sequence[Table], partition: int) -> tuple[int, int] | None:
        """The highest log offset of a partition in the tables and its log time (UTC ms).

        None if there is none.
        """
        highest: tuple[int, int] | None = None
        for table in tables:
            sql = (
                "SELECT max(log_offset), toUnixTimestamp64Milli(argMax(appended_at, log_offset)), "  # noqa: S608
                f"count() FROM `{self._database}`.`{table.name}` "
                f"WHERE log_partition = {partition:d}"
            )
            ((offset, at, rows),) = await self._rows(sql, {})
            if rows and (highest is None or offset > highest[0]):
                highest = offset, at
        return highest

    async def _rows(self, sql: str, parameters: dict[str, Any]) -> Sequence[Sequence[Any]]:
        def ask(client: Client) -> Sequence[Sequence[Any]]:
            rows: Sequence[Sequence[Any]] = client.query(sql, parameters=parameters).result_rows
            return rows

        return await self._call(ask)

    async def _call(self, work: Callable[[Client], T]) -> T:
        try:
            return await in_thread(partial(self._with_client, work))
        except FAILURES as error:
            self._is_down(error)
            raise NotInsertedError(in_words(error)) from error

    def _with_client(self, work: Callable[[Client], T]) -> T:
        if self._client is None:
            self._client = connect(
                self._settings,
                send_receive_timeout=INSERT_TIMEOUT_S,
                connect_timeout=5,
                native_codec="rust",
            )
        return work(self._client)

    def _insert(self, client: Client, rows: Rows, token: str, until: float) -> None:
        context = client.create_insert_context(
            rows.table.name,
            column_names=rows.table.names,
            database=self._database,
            column_types=self._types[rows.table],
            column_oriented=True,
            settings=INSERT_SETTINGS | {"insert_deduplication_token": token},
        )
        # One native block a token: the rows of a token never depend on how they are cut.
        context.req_block_size = len(rows)
        if awake_clock() >= until:
            raise DoubtError("the pending range was committed too long ago")
        told = client.insert(data=rows.columns, context=context)
        # A server gives the query a name; the engine in this process only counts.
        _sure(told.query_id() or told.written_rows)

    def _is_down(self, error: Exception) -> None:
        if self._up.is_set():
            logger(__name__).warning(
                "ClickHouse does not take inserts: partitions wait, nothing is lost",
                error=in_words(error),
            )
            self._up.clear()
            self._watch = asyncio.create_task(self._wait_for_answer())

    async def _wait_for_answer(self) -> None:
        wait_s: float | None = None
        while True:
            wait_s = _BACKOFF.next(wait_s)
            await asyncio.sleep(wait_s)
            try:
                await in_thread(partial(self._with_client, _ask))
            except FAILURES:
                continue
            except Exception as error:  # noqa: BLE001 - if this task died, all pipelines would wait
                # What answers there is no ClickHouse: a page of a proxy, say.
                if times := self._throttle.times("odd answer"):
                    logger(__name__).warning(
                        "ClickHouse's address gives an answer that makes no sense: still waiting",
                        error=in_words(error),
                        times=times,
                    )
                continue
            logger(__name__).info("ClickHouse answers")
            self._up.set()
            return


def gap_rows(topic: str, partition: int, expected: int, found: int, at: int) -> Rows:
    """A gap: the log had `found` next instead of `expected`."""
    return Rows(GAPS, [[topic], [partition], [expected], [found], [at]])


def _ask(client: Client) -> None:
    _sure([tuple(row) for row in client.query("SELECT 1").result_rows] == [(1,)])


def _sure(ours: object) -> None:
    """Checks that the answer is ClickHouse's: a proxy's page may have status 200."""
    if not ours:
        raise OperationalError("what answers at ClickHouse's address is no ClickHouse")
