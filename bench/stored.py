"""What a result takes where it is stored: `python -m bench.stored [--results N]`.

In the messages that the probers of 100,000 targets at 60 s in three regions make (see
`bench.stream`): in the broker's log, and in ClickHouse's table after its parts were merged.
Latencies are random and addresses all the same; real ones compress otherwise.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from clickhouse_connect.datatypes.registry import get_from_name
from msgspec import Struct

from bench.sink import record
from bench.stream import FLEET, log
from bench.stream_fleet import Message
from bench.stream_log import write
from portquorum.clickhouse import connect, database
from portquorum.embedded.clickhouse import EmbeddedClickHouse
from portquorum.embedded.kafka import EmbeddedKafka
from portquorum.settings import Settings
from schemas.topics import RESULTS
from sinks.clickhouse.block import build
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.tables import RESULTS as TABLE
from sinks.clickhouse.tables import Rows
from sinks.clickhouse.writer import INSERT_SETTINGS


class Report(Struct, frozen=True, kw_only=True):
    """Bytes a result: as JSON, in the broker's log (control records included), in the table."""

    load_before: float
    results: int
    messages: int
    json: float
    log: float
    table: float
    hourly: float


def insert(settings: Settings, messages: Iterable[Message]) -> None:
    """As the sink: blocks of one partition each."""
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
    for table in ("results", "results_hourly"):
        client.command(f"OPTIMIZE TABLE `{database(settings)}`.{table} FINAL")


def _blocks(settings: Settings, messages: Iterable[Message]) -> Iterator[Rows]:
    held: dict[int, list[Message]] = {}
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


def table_bytes(settings: Settings, table: str) -> int:
    """What the active parts of a table take."""
    query = (
        "SELECT sum(bytes_on_disk) FROM system.parts WHERE active "
        "AND database = {database:String} AND table = {table:String}"
    )
    names = {"database": database(settings), "table": table}
    return int(connect(settings).query(query, parameters=names).result_rows[0][0])


def log_bytes(folder: Path, settings: Settings) -> int:
    """What the broker's segments of [results] take."""
    name = settings.topic(RESULTS.name)
    return sum(path.stat().st_size for path in folder.rglob(f"{name}-*/*.log"))


def measure(results: int, folder: Path) -> Report:
    """Everything, with services of its own in `folder`."""
    load = os.getloadavg()[0]
    with (
        EmbeddedKafka(folder, "127.0.0.1:0") as kafka,
        EmbeddedClickHouse(folder, "127.0.0.1:0") as clickhouse,
    ):
        settings = Settings(kafka=kafka.bootstrap_servers, clickhouse=clickhouse.url)
        messages = list(log(FLEET, results, settings.partitions, full=False))
        written = asyncio.run(write(settings, messages[FLEET:]))
        insert(settings, messages)
        return Report(
            load_before=load,
            results=written.results,
            messages=written.messages,
            json=written.size / written.results,
            log=log_bytes(folder, settings) / written.results,
            table=table_bytes(settings, "results") / written.results,
            hourly=table_bytes(settings, "results_hourly") / written.results,
        )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.stored", description=__doc__)
    parser.add_argument("--results", type=int, default=1_200_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(msgspec.json.encode(measure(asked.results, Path(folder))).decode())


if __name__ == "__main__":
    main()
