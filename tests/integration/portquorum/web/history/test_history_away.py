"""ClickHouse away, silent, without tables, or too slow: one sentence, and nobody waits for long."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

import pytest
from prometheus_client import REGISTRY

from foundation.settings import Settings
from portquorum.web.history import question_pool
from portquorum.web.history.errors import HistoryTooSlowError, HistoryUnavailableError
from portquorum.web.history.question_pool import QuestionPool
from portquorum.web.history.questions import IncidentQuery, TargetAsked
from portquorum.web.history.stored_history import StoredHistory
from portquorum.web.history.windows import named
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.gate import Answer, Gate, gate

DEADLINE_S = 20.0
SLOW = "SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1"
A_TARGET = TargetAsked(
    target="a", tags=(), regions=(), interval_ms=60_000, window=named("1h", 10**12)
)


@contextmanager
def silent_server() -> Iterator[str]:
    """Takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/portquorum"


def nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    return f"http://user:secret@127.0.0.1:{port}/portquorum"


@asynccontextmanager
async def asking(url: str) -> AsyncIterator[StoredHistory]:
    found = StoredHistory(Settings(clickhouse=url))
    try:
        yield found
    finally:
        await found.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110 - it is no event of ours
            await asyncio.sleep(0.02)


async def refused(ask: Callable[[], Awaitable[object]]) -> HistoryUnavailableError:
    with pytest.raises(HistoryUnavailableError) as found:
        await ask()
    return found.value


@pytest.fixture(scope="module")
def tables(clickhouse: str) -> str:
    """URL of a database with empty tables."""
    return rig.used_place(rig.NO_KAFKA, clickhouse, "web", for_file=True).clickhouse


@pytest.fixture
def quick_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question_pool, "_LOOK_EVERY_S", 0.05)


async def test_nobody_listens_it_says_so_since_when_and_without_the_password() -> None:
    before = time.time_ns() // 1_000_000
    async with asking(nobody()) as history:
        first = await refused(lambda: history.closed_since(0, 10))
        assert str(first).startswith(
            "There is no history: ClickHouse can't be reached at 127.0.0.1"
        )
        assert "secret" not in str(first)
        assert before <= first.since <= time.time_ns() // 1_000_000
        again = await refused(lambda: history.incidents(IncidentQuery(), None, 10))
        assert (str(again), again.since) == (str(first), first.since)
        assert (history.state.trouble, history.state.since) == (str(first), first.since)


@pytest.mark.usefixtures("quick_watch")
async def test_the_target_page_has_nothing_but_the_sentence() -> None:
    async with asking(nobody()) as history:
        told = await history.target(A_TARGET)
        assert told.trouble is not None
        assert "can't be reached" in told.trouble
        assert (told.days, told.latency, told.incidents, told.checks) == (None,) * 4


async def test_a_server_that_says_nothing_is_waited_for_once() -> None:
    with silent_server() as url:
        pool = QuestionPool(Settings(clickhouse=url))
        try:
            await refused(lambda: pool.ask(lambda client: client.query("SELECT 1"), 0.2))
            begun = time.monotonic()
            for _ in range(50):
                await refused(lambda: pool.ask(lambda client: client.query("SELECT 1"), 0.2))
            assert time.monotonic() - begun < 0.2
        finally:
            await pool.close()


async def test_without_tables_it_says_who_makes_them(clickhouse: str) -> None:
    async with asking(f"{clickhouse.rpartition('/')[0]}/web_not_there") as history:
        found = await refused(lambda: history.closed_since(0, 10))
        assert "has no tables yet, which the sink makes" in str(found)


@pytest.mark.usefixtures("quick_watch")
async def test_it_goes_on_when_clickhouse_is_back(tables: str) -> None:
    with gate(tables) as there:
        async with asking(there.url) as history:
            assert await history.closed_since(0, 10) == ()
            shut(there)
            before = value("portquorum_web_history_failures_total", why="away")
            found = await refused(lambda: history.closed_since(0, 10))
            assert history.state.since == found.since
            assert value("portquorum_web_history_away") == 1
            assert value("portquorum_web_history_failures_total", why="away") == before + 1
            opened(there)
            await until(lambda: history.state.trouble is None)
            assert value("portquorum_web_history_away") == 0
            assert await history.closed_since(0, 10) == ()


async def test_a_slow_question_is_ended_and_is_no_absence_of_clickhouse(tables: str) -> None:
    pool = QuestionPool(Settings(clickhouse=tables))
    try:
        with pytest.raises(HistoryTooSlowError, match="within 1 s: ask for less"):
            await pool.ask(lambda client: client.query(SLOW), 1)
        assert pool.trouble is None
        found = await pool.ask(lambda client: client.query("SELECT 1").result_rows, 1)
        assert len(found) == 1
    finally:
        await pool.close()


async def test_a_user_who_may_only_read_and_set_no_limit_is_enough(tables: str) -> None:
    """The `default` of the embedded ClickHouse: what takes too long is ended on this side."""
    there = urlsplit(tables)
    reader = there._replace(netloc=f"{there.hostname}:{there.port}").geturl()
    async with asking(reader) as history:
        assert await history.closed_since(0, 10) == ()
        assert (await history.target(A_TARGET)).trouble is None
    pool = QuestionPool(Settings(clickhouse=reader))
    try:
        with pytest.raises(HistoryTooSlowError):
            await pool.ask(lambda client: client.query(SLOW))
        assert pool.trouble is None
    finally:
        await pool.close()


async def test_of_the_target_page_only_the_slow_part_is_lost(
    tables: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object, **__: object) -> None:
        raise HistoryTooSlowError("too slow")

    monkeypatch.setattr("portquorum.web.history.target_queries.checks", slow)
    async with asking(tables) as history:
        told = await history.target(A_TARGET)
    assert (told.trouble, told.checks) == ("too slow", None)
    assert (told.latency, told.incidents) == ((), ())
    assert told.days is not None


async def test_an_answer_that_comes_while_the_process_is_held_up_is_no_absence(
    tables: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a moment of load cost everybody the history."""
    pool = QuestionPool(Settings(clickhouse=tables))
    try:
        await pool.ask(lambda client: client.query("SELECT 1"), 1)
        monkeypatch.setattr(question_pool, "CONNECT_S", 0)
        monkeypatch.setattr(question_pool, "_GRACE_S", 0)
        asking_now = asyncio.create_task(pool.ask(lambda _: "there", 1))
        await asyncio.sleep(0)
        time.sleep(1.1)  # noqa: ASYNC251 - the fault: nothing else runs here meanwhile
        assert await asking_now == "there"
        assert pool.trouble is None
    finally:
        await pool.close()


async def test_too_many_questions_are_turned_away_and_the_others_answered(tables: str) -> None:
    async with asking(tables) as history:
        await history.closed_since(0, 1)
        answers = await asyncio.gather(
            *(history.closed_since(0, 1) for _ in range(300)), return_exceptions=True
        )
        refusals = [one for one in answers if isinstance(one, HistoryTooSlowError)]
        assert 0 < len(refusals) < 300
        assert all(one == () for one in answers if not isinstance(one, Exception))
        assert await history.closed_since(0, 1) == ()


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def shut(there: Gate) -> None:
    there.rule = lambda _: Answer(503, {}, b"shut")


def opened(there: Gate) -> None:
    there.rule = lambda _: None
