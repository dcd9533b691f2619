"""What the tests of the sink share: a place of their own, messages, a sink process, waiting."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.structs import OffsetAndMetadata
from clickhouse_connect.driver.client import Client
from msgspec import structs

from foundation.clickhouse import connect, database, internal_database
from foundation.kafka import admin, consumer, create_topics, producer
from foundation.settings import Settings
from schemas import batch
from schemas.result import CheckResult
from sinks.clickhouse.migrate import migrate
from tests.services import views_work


def place(kafka: str, clickhouse: str, name: str, **changes: Any) -> Settings:
    """Settings with a topic prefix and a database that no other test has."""
    unique = f"{name}_{os.getpid()}_{time.monotonic_ns()}"
    there = urlsplit(clickhouse)
    url = there._replace(path=f"{there.path.rpartition('/')[0]}/{unique}").geturl()
    defaults: dict[str, Any] = {
        "partitions": 3,
        "sink_block_wait_s": 0.2,
        "sink_block_rows": 2_000,
        "metrics": "127.0.0.1:0",
    }
    return Settings(kafka=kafka, clickhouse=url, topic_prefix=unique, **(defaults | changes))


_USED: dict[str, str] = {}
"""URL of each database that `used_place` has made → the test or file that had it last."""

NO_KAFKA = "127.0.0.1:1"


def used_place(
    kafka: str, clickhouse: str, name: str, *, for_file: bool = False, **changes: Any
) -> Settings:
    """As `place`, with the tables; in a database of an earlier test, emptied, if there is one.

    To make the tables is 3 s of the processor. For the settings of one test, or of all tests of its
    file (`for_file`), which end all that writes to them and leave all tables and views as they
    were. A sink that was killed may have an insert under way: it is waited for.
    """
    settings = place(kafka, clickhouse, name, **changes)
    test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]
    file = test.partition("::")[0]
    server = settings.clickhouse.rpartition("/")[0]
    for url, user in _USED.items():
        if user not in {test, file} and url.rpartition("/")[0] == server:
            settings = structs.replace(settings, clickhouse=url)
            client = connect(settings)
            _wait_for_inserts(client)
            empty(client, settings)
            client.close()
            name = database(settings)
            views_work(settings.clickhouse, name, internal_database(name))
            break
    else:
        migrate(settings)
    _USED[settings.clickhouse] = file if for_file else test
    return settings


@contextmanager
def not_used_again_after_a_failure(settings: Settings) -> Iterator[None]:
    """A test that failed may have left tables of `used_place` in any state."""
    try:
        yield
    except BaseException:
        _USED.pop(settings.clickhouse, None)
        raise


def _wait_for_inserts(client: Client) -> None:
    running = "SELECT count() FROM system.processes WHERE query_kind = 'Insert'"
    deadline = time.monotonic() + 60
    while client.query(running).result_rows[0][0]:
        if time.monotonic() > deadline:
            raise TimeoutError("an insert of an earlier test does not end")
        time.sleep(0.05)


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a process gets them."""
    names = ("kafka", "clickhouse", "topic_prefix", "partitions", "sink_block_wait_s")
    names += ("sink_block_rows", "sink_bad_lines_ratio", "metrics", "results_ttl_days")
    chosen = {f"PORTQUORUM_{n.upper()}": str(getattr(settings, n)) for n in names}
    return dict(os.environ) | chosen | {"PORTQUORUM_LOG_FORMAT": "json"}


_PROGRAM = """
import asyncio
from foundation.settings import load
from sinks.clickhouse.main import run
asyncio.run(run(load()))
"""


class SinkProcess:
    """A sink as a process of its own, so that it can be killed and stopped."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.log = log
        with log.open("ab") as sink_log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM],
                env=environment(settings),
                stderr=sink_log,
                stdout=sink_log,
            )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        if self.running:
            self._process.kill()
        self._process.wait(60)

    def wait(self, timeout_s: float = 120) -> int:
        """The exit code of a process that ends by itself."""
        return self._process.wait(timeout_s)

    def end(self) -> int:
        """SIGTERM; the exit code."""
        if self.running:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def result(number: int, at: int, **changes: Any) -> CheckResult:
    """The result of a check; `number` makes its identity unique."""
    base: dict[str, Any] = {
        "target": f"target-{number % 50}",
        "kind": "tcp",
        "host": f"host-{number % 10}.example.com",
        "port": 443,
        "region": f"region-{number % 3}",
        "prober": "prober-1",
        "scheduled_at": at + number,
        "started_at": at + number,
        "status": "up",
        "reason": None,
        "attempt": 0,
        "cause": "schedule",
        "target_version": 1_700_000_000_000,
        "address": "192.0.2.1",
        "connect_ms": 1.0 + number % 7,
        "total_ms": 2.0 + number % 7,
    }
    if number % 5 == 4:
        base |= {"status": "down", "reason": "timed_out", "connect_ms": None, "total_ms": None}
    return msgspec.convert(base | changes, CheckResult)


def results(start: int, count: int, at: int | None = None) -> list[CheckResult]:
    """Results with the numbers from `start` on, of the last hour."""
    at = int(time.time() * 1000) - 3_600_000 if at is None else at
    return [result(number, at) for number in range(start, start + count)]


async def ready(settings: Settings) -> AIOKafkaProducer:
    """A producer, once the topics are there."""
    await create_topics(settings)
    client = producer(settings)
    await client.start()
    return client


async def send_results(
    client: AIOKafkaProducer, settings: Settings, found: Sequence[CheckResult], size: int = 100
) -> None:
    """Sends results in batches, to the partitions in turn."""
    futures = [
        await client.send(
            settings.topic("results"),
            value=batch.encode(found[start : start + size]),
            partition=(start // size) % settings.partitions,
        )
        for start in range(0, len(found), size)
    ]
    await asyncio.gather(*futures)


async def commit(
    settings: Settings, topic: str, partition: int, offset: int, metadata: str
) -> None:
    """Commits for the sink's group, which must have no members."""
    where = TopicPartition(settings.topic(topic), partition)
    client = consumer(settings, group_id=settings.group("sink"))
    await client.start()
    try:
        client.assign([where])
        await client.commit({where: (offset, metadata)})
    finally:
        await client.stop()


async def delete_before(settings: Settings, topic: str, partition: int, offset: int) -> None:
    """Removes the first messages of a partition, as retention does."""
    where = TopicPartition(settings.topic(topic), partition)
    client = admin(settings)
    await client.start()
    try:
        await client.delete_records({where: RecordsToDelete(before_offset=offset)})
    finally:
        await client.close()


async def committed(settings: Settings) -> dict[TopicPartition, OffsetAndMetadata]:
    """All commits of the sink's group."""
    client = admin(settings)
    await client.start()
    try:
        found: dict[TopicPartition, OffsetAndMetadata] = await client.list_consumer_group_offsets(
            settings.group("sink")
        )
    finally:
        await client.close()
    return found


async def messages(
    settings: Settings, topic: str, partition: int, number: int
) -> list[ConsumerRecord]:
    """The first messages of a partition."""
    where = TopicPartition(settings.topic(topic), partition)
    client = consumer(settings)
    await client.start()
    try:
        client.assign([where])
        await client.seek_to_beginning(where)
        return [await client.getone() for _ in range(number)]
    finally:
        await client.stop()


def client_of(settings: Settings) -> Client:
    return connect(settings, database="default")


def ask(client: Client, settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query; `{db}` and `{internal}` stand for the test's databases."""
    name = database(settings)
    sql = sql.replace("{internal}", f"`{internal_database(name)}`")
    found = client.query(sql.replace("{db}", f"`{name}`"))
    return [tuple(row) for row in found.result_rows]


def drop(client: Client, settings: Settings) -> None:
    """Drops both databases of the test."""
    name = database(settings)
    client.command(f"DROP DATABASE `{internal_database(name)}`")
    client.command(f"DROP DATABASE `{name}`")


def empty(client: Client, settings: Settings) -> None:
    """Empties all tables but those of migrations and views: quicker than to make them anew."""
    name = database(settings)
    tables = client.query(
        "SELECT database, name FROM system.tables WHERE engine LIKE '%%MergeTree' "
        # Not what a view that is refreshed right now fills: it may be gone in a moment.
        "AND database IN %(both)s AND name NOT IN ('migrations', 'applied_views') "
        "AND NOT startsWith(name, '.tmp')",
        parameters={"both": (name, internal_database(name))},
    ).result_rows
    for place, table in tables:
        client.command(f"TRUNCATE TABLE `{place}`.`{table}`")


async def until(
    condition: Callable[[], Any] | Callable[[], Awaitable[Any]], timeout_s: float = 120
) -> Any:
    """The first true value of `condition`, which is asked again until then.

    Raises:
        TimeoutError: with the last value or error.
    """
    deadline = time.monotonic() + timeout_s
    last: Any = None
    while time.monotonic() < deadline:
        try:
            last = condition()
            if asyncio.iscoroutine(last):
                last = await last
        except Exception as error:  # noqa: BLE001 - the table may not be there yet
            last = error
        else:
            if last:
                return last
        await asyncio.sleep(0.1)
    raise TimeoutError(f"still {last!r} after {timeout_s} s")


def count(client: Client, settings: Settings, table: str = "results") -> int:
    """How many rows a table has."""
    return int(ask(client, settings, f"SELECT count() FROM {{db}}.{table}")[0][0])  # noqa: S608


ROLL_UPS = ("results_hourly", "results_daily", "regions_hourly")


def rolled_up(client: Client, settings: Settings) -> dict[str, tuple[int, int]]:
    """What each roll-up says, without FINAL: results and how many of them were up."""
    sums = "SELECT sum(checks) + sum(missed), sum(up) FROM {internal}."
    return {name: tuple(ask(client, settings, sums + name)[0]) for name in ROLL_UPS}


def stored(client: Client, settings: Settings) -> int:
    """How many results are in the table and in every roll-up: these come a moment later."""
    return min(count(client, settings), *(rows for rows, _ in rolled_up(client, settings).values()))


def counts_agree(client: Client, settings: Settings, lines: int) -> None:
    """Raw rows = lines = identities, and each roll-up says the same, all without FINAL."""
    (raw,) = ask(
        client,
        settings,
        "SELECT count(), uniqExact(target, region, prober, started_at, attempt), "
        "uniqExact(log_partition, log_offset, log_line), countIf(status = 'up'), "
        "countIf(status = 'down') FROM {db}.results",
    )
    assert raw[:3] == (lines, lines, lines)
    assert rolled_up(client, settings) == dict.fromkeys(ROLL_UPS, (lines, raw[3]))
    failures = "SELECT sum(failures) FROM {internal}.failures_daily"
    assert ask(client, settings, failures) == [(raw[4],)]


def log_of(path: Path) -> list[dict[str, Any]]:
    """The JSON lines of a sink's log."""
    return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]
