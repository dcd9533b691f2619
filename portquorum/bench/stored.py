"""What a result takes where it is stored.

`python -m portquorum.bench.stored [--results N] [--json]`.

In the messages that the probers of 100,000 targets at 60 s in three regions make: in the broker's
log, and in ClickHouse's table after its parts were merged, beside other ways to store the same
(`portquorum/bench/stored_ways.py`). Latencies, addresses and failures are as uneven as real ones
(`portquorum/bench/stored_fleet.py`).
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec
from clickhouse_connect.datatypes.registry import get_from_name
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from foundation.clickhouse import connect, database, internal_database
from foundation.settings import Settings
from portquorum.bench.sink import record
from portquorum.bench.stored_fleet import log
from portquorum.bench.stored_ways import VariantSize, column_bytes, compare
from portquorum.bench.stream_fleet import FleetMessage
from portquorum.bench.stream_log import write
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from portquorum.embedded.kafka.main import EmbeddedKafka
from schemas.topics import RESULTS
from sinks.clickhouse.block import build
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.tables import RESULTS as TABLE
from sinks.clickhouse.tables import Rows
from sinks.clickhouse.writer import INSERT_SETTINGS

FLEET: Final = 20_000
INTERVAL_MS: Final = 12_000
"""Interval with which 20,000 targets give as many results as 100,000 at 60 s."""

AGO_MS: Final = 8 * 3_600_000
ROLLUPS: Final = (
    "results_hourly",
    "results_daily",
    "regions_hourly",
    "region_latencies",
    "failures_daily",
)


class StorageReport(Struct, frozen=True, kw_only=True):
    """Bytes a result: as JSON, in the broker's log, in the table and in the roll-ups."""

    load_before: float
    results: int
    messages: int
    json: float
    log: float
    table: float
    rollups: dict[str, float]
    columns: dict[str, float]
    ways: list[VariantSize]


def insert(settings: Settings, messages: Iterable[FleetMessage]) -> None:
    """Inserts like the sink: blocks of one partition each."""
    migrate(settings)
    client = connect(settings)
    types = [get_from_name(kind) for _, kind in TABLE.columns]
    for number, columns in enumerate(_blocks(settings, messages)):
        token = {"insert_deduplication_token": f"block:{number}"}
        context = client.create_insert_context(
            TABLE.name,
            column_names=TABLE.names,
            database=database(settings),
            column_types=types,
            column_oriented=True,
            settings=INSERT_SETTINGS | token,
        )
        context.req_block_size = len(columns)
        client.insert(data=columns.columns, context=context)
    for table in ("results", *ROLLUPS):
        client.command(f"OPTIMIZE TABLE `{place_of(settings, table)}`.{table} FINAL")


def _blocks(settings: Settings, messages: Iterable[FleetMessage]) -> Iterator[Rows]:
    held: dict[int, list[FleetMessage]] = {}
    offsets: dict[int, int] = {}
    for message in messages:
        if message.value:
            held.setdefault(message.partition, []).append(message)
    for partition, batches in held.items():
        waiting, rows = [], 0
        for each in batches:
            offset = offsets[partition] = offsets.get(partition, -1) + 1
            waiting.append(record(settings, partition, offset, each.value))
            rows += each.count
            if rows >= settings.sink_block_rows or each is batches[-1]:
                yield from build(RESULTS, waiting).rows
                waiting, rows = [], 0


def place_of(settings: Settings, table: str) -> str:
    """The database of a table."""
    name = database(settings)
    return internal_database(name) if table in ROLLUPS else name


def table_bytes(settings: Settings, table: str) -> int:
    """Size of the active parts of a table."""
    query = (
        "SELECT sum(bytes_on_disk) FROM system.parts WHERE active "
        "AND database = {database:String} AND table = {table:String}"
    )
    names = {"database": place_of(settings, table), "table": table}
    return int(connect(settings).query(query, parameters=names).result_rows[0][0])


def log_bytes(folder: Path, settings: Settings) -> int:
    """Size of the broker's segments of [results]."""
    name = settings.topic(RESULTS.name)
    return sum(path.stat().st_size for path in folder.rglob(f"{name}-*/*.log"))


def measure(results: int, folder: Path) -> StorageReport:
    """Everything, with services of its own in `folder`."""
    load = os.getloadavg()[0]
    with (
        EmbeddedKafka(folder, "127.0.0.1:0") as kafka,
        EmbeddedClickHouse(folder, "127.0.0.1:0") as clickhouse,
    ):
        settings = Settings(kafka=kafka.bootstrap_servers, clickhouse=clickhouse.url)
        begin = int(time.time() * 1000) - AGO_MS
        messages = list(log(FLEET, results, settings.partitions, begin, INTERVAL_MS))
        written = asyncio.run(write(settings, messages[FLEET:]))
        insert(settings, messages)
        client = connect(settings, send_receive_timeout=600)
        rows = int(client.query("SELECT count() FROM results").result_rows[0][0])
        return StorageReport(
            load_before=load,
            results=written.results,
            messages=written.messages,
            json=written.size / written.results,
            log=log_bytes(folder, settings) / written.results,
            table=table_bytes(settings, "results") / rows,
            rollups={table: table_bytes(settings, table) / rows for table in ROLLUPS},
            columns=column_bytes(client, "results"),
            ways=compare(client),
        )


def shown(report: StorageReport) -> Iterator[Table]:
    """For people."""
    table = Table(title=f"{report.results:,} results in {report.messages:,} messages")
    table.add_column("where")
    table.add_column("bytes a result", justify="right")
    places = {"as JSON": report.json, "in the broker's log": report.log, "results": report.table}
    for name, size in (places | report.rollups).items():
        table.add_row(name, f"{size:.2f}")
    yield table
    table = Table(title="Columns of results")
    table.add_column("column")
    table.add_column("bytes a result", justify="right")
    for name, size in report.columns.items():
        if size >= 0.1:
            table.add_row(name, f"{size:.2f}")
    yield table
    table = Table(title="Other ways to store the same; the first of each is how it is")
    for name in ("", "how", "these columns", "all"):
        table.add_column(name, justify="right" if name in {"these columns", "all"} else "left")
    for one in report.ways:
        table.add_row(one.about, one.says, f"{one.columns:.2f}", f"{one.all:.2f}")
    yield table


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m portquorum.bench.stored", description=__doc__)
    parser.add_argument("--results", type=int, default=1_200_000)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = measure(asked.results, Path(folder))
    if asked.json:
        print(msgspec.json.encode(report).decode())
    else:
        for table in shown(report):
            Console(width=110).print(table)


if __name__ == "__main__":
    main()
