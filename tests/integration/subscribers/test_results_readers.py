"""The readers of examples/results-readers, as a person copies them, beside real producers."""

import asyncio
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import msgspec
import pytest
from chdb.session import Session

from foundation import kafka as clients
from foundation.settings import Settings
from producers.publishing.connection import BrokerConnection
from schemas import batch, control, topics
from schemas.control import Acknowledged
from schemas.result import CheckResult
from tests.toolchains import go_program, java_program, node_program

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "results-readers"
PAGE = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
EXAMPLE = msgspec.json.decode(
    (ROOT / "schemas" / "examples" / "results" / "up.json").read_bytes(), type=CheckResult
)
WITHIN_S = 60.0

MESSAGES, EACH = 12, 500
MALFORMED = [b'{"target": "cut', b"{}", b"null", b"\xff\xfe"]
WORD = Acknowledged(target="prod-db", incident_id="0" * 32, by="me", note=None)

READERS: dict[str, Callable[[Path], list[str]]] = {
    "python": lambda _: [sys.executable, str(EXAMPLES / "python" / "results.py")],
    "javascript": lambda to: node_program(EXAMPLES / "javascript", to, "results.mjs"),
    "go": lambda to: go_program(EXAMPLES / "go", to),
    "java": lambda to: java_program(EXAMPLES / "java", to, "Results"),
}


def results(message: int) -> list[CheckResult]:
    return [
        msgspec.structs.replace(EXAMPLE, target=f"t-{message}-{number}") for number in range(EACH)
    ]


LAST = msgspec.structs.replace(EXAMPLE, target="the-last")
PUBLISHED = [one for message in range(MESSAGES) for one in results(message)] + [LAST]


@pytest.fixture(scope="module")
def log(kafka: str) -> Settings:
    """Results among control records, with one message of which some lines are none."""
    settings = Settings(kafka=kafka, partitions=1, topic_prefix=f"readers-{uuid.uuid4().hex[:8]}")
    asyncio.run(publish(settings))
    return settings


async def publish(settings: Settings) -> None:
    await clients.create_topics(settings)
    topic = settings.topic(topics.RESULTS.name)
    connection = BrokerConnection(settings)
    await connection.start()
    try:
        for message in range(MESSAGES):
            value = batch.encode(results(message))
            if message == 5:
                lines = value.splitlines()
                value = b"\n".join(lines[:9] + MALFORMED + lines[9:]) + b"\n"
            await (await connection.send(topic, 0, value))
            await (await connection.send(topic, 0, b"", control.headers(WORD)))
        await (await connection.send(topic, 0, batch.encode([LAST])))
    finally:
        await connection.stop()


@contextmanager
def printing(command: list[str], errors: Path) -> Iterator["Queue[str]"]:
    """The lines of a program that goes on until it is ended."""
    with (
        errors.open("wb") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process,
    ):
        lines: Queue[str] = Queue()

        def take() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                lines.put(line.strip())

        reading = Thread(target=take)
        reading.start()
        try:
            yield lines
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
            reading.join()


@pytest.mark.parametrize(
    "language",
    ["python", *(pytest.param(one, marks=pytest.mark.wide) for one in READERS if one != "python")],
)
def test_a_reader_prints_each_result_once_and_nothing_else(
    log: Settings, tmp_path: Path, language: str
) -> None:
    command = [*READERS[language](tmp_path), log.kafka, log.topic(topics.RESULTS.name)]
    errors = tmp_path / "stderr"
    found: list[str] = []
    with printing(command, errors) as lines:
        try:
            while not found or found[-1] != said(LAST):
                found.append(lines.get(timeout=WITHIN_S))
        except Empty:
            raise AssertionError(f"{len(found)} lines: {errors.read_text()[-2_000:]}") from None
    assert found == [said(one) for one in PUBLISHED]
    # The malformed lines are told by their place, the control records are not.
    told = re.findall(r"\b0:(\d+) line (\d+)", errors.read_text())
    assert told == [("10", str(9 + number)) for number in range(len(MALFORMED))]


def said(one: CheckResult) -> str:
    return f"{one.target} {one.region} {one.status}"


def quoted(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("language", ["python", "java", "javascript"])
def test_what_the_page_quotes_is_in_the_reader(language: str) -> None:
    (reader,) = (
        path for path in (EXAMPLES / language).rglob("[Rr]esults.*") if path.suffix != ".json"
    )
    lines = [line.strip() for line in reader.read_text().splitlines()]
    for quote in quoted(language):
        asked = [line.strip() for line in quote.splitlines()]
        assert any(asked == lines[at : at + len(asked)] for at in range(len(lines))), quote


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Session]:
    session = Session(str(tmp_path / "chdb"))
    yield session
    session.close()


def test_clickhouse_reads_the_values_as_the_page_says(database: Session, tmp_path: Path) -> None:
    """chDB can't run the Kafka engine: a table in memory has what the engine gives."""
    queue, *others = [one for one in quoted("sql")[0].split(";") if one.strip()]
    assert "Kafka" in str(database.query(f"EXPLAIN SYNTAX {queue}"))
    columns, _, _ = queue.rpartition(")\nENGINE")
    given = "_partition UInt64, _offset UInt64, _error String, _raw_message String"
    database.query(f"{columns}, {given}) ENGINE = Memory")
    for statement in others:
        database.query(statement)

    def take(offset: int, value: bytes) -> None:
        message = tmp_path / "message"
        message.write_bytes(value)
        source = f"file('{message}', JSONEachRow, '{structure}')"
        names = "target, region, status, reason, scheduled_at, total_ms"
        database.query(
            f"INSERT INTO results_queue ({names}, _offset) SELECT {names}, {offset} FROM {source}"  # noqa: S608
        )

    structure = " ".join(columns.partition("(")[2].split())
    some = results(0)[:20]
    take(0, batch.encode(some))
    take(1, b"")
    found = str(database.query("SELECT target, log_offset FROM results ORDER BY log_offset", "TSV"))
    assert sorted(found.splitlines()) == sorted(f"{one.target}\t0" for one in some)
    whole = batch.encode(some) + MALFORMED[0]
    with pytest.raises(RuntimeError, match="Cannot parse"):
        take(2, whole)
    message = whole.decode().replace("'", "\\'")
    columns = "INSERT INTO results_queue (_offset, _error, _raw_message)"
    database.query(f"{columns} VALUES (2, 'Cannot parse', '{message}')")
    left = str(database.query("SELECT line FROM results_unreadable", "TSVRaw")).splitlines()
    assert sorted(left) == sorted(line.decode() for line in whole.splitlines())
    assert str(database.query("SELECT count() FROM results", "TSV")).strip() == "20"
