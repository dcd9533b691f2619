"""Questions to ClickHouse beside an event loop: some at a time, each within a time limit.

    answers ──failure──▶ away ──the watch gets an answer──▶ answers

While ClickHouse is away no question waits for it: each fails at once, and one task looks every two
seconds whether it is back. A page waits for a silent ClickHouse once, and never again.
"""

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from foundation import clickhouse
from foundation.settings import Settings
from portquorum.web.history.errors import HistoryTooSlowError, HistoryUnavailableError
from portquorum.web.metrics import HISTORY_AWAY, HISTORY_FAILURES, HISTORY_SECONDS
from sinks.clickhouse.errors import FAILURES, in_words
from sinks.clickhouse.migrate import SchemaTooNewError, refuse_newer

T = TypeVar("T")

PAGE_S: Final = 2.0
"""The longest a question of a page may take, in s."""

REPORT_S: Final = 20.0
"""The longest a question of a report may take, in s."""

CONNECT_S: Final = 1
"""The longest wait for a connection, in s."""

_THREADS: Final = 4
_MOST_WAITING: Final = 128
_GRACE_S: Final = 0.5
"""ClickHouse ends a question at its limit; an answer that it is on its way to give is taken."""
_LOOK_EVERY_S: Final = 2.0

_SMALL: Final = {
    "max_threads": 1,
    "compile_expressions": 0,
    "compile_aggregate_expressions": 0,
    "compile_sort_description": 0,
}
"""Each question is small and several run beside each other: threads and compiled code of their own
cost more than they save."""

_BOUNDS: Final = {"max_result_bytes": 64 << 20, "result_overflow_mode": "throw"}
"""What is on the topics is not believed: no answer fills this process's memory."""

_BUSY: Final = "Too many questions to the history wait: try again."
_IS_THERE: Final = "SELECT 1 FROM incidents LIMIT 1"
_TOO_SLOW: Final = ("(TIMEOUT_EXCEEDED)", "(TOO_SLOW)", "(MEMORY_LIMIT_EXCEEDED)")
_TOO_LARGE: Final = ("(TOO_MANY_ROWS_OR_BYTES)",)
_TOO_MANY: Final = ("(TOO_MANY_SIMULTANEOUS_QUERIES)",)
_NO_TABLES: Final = ("(UNKNOWN_TABLE)", "(UNKNOWN_DATABASE)")


class QuestionPool:
    """A few threads that ask ClickHouse, and what is known of ClickHouse itself."""

    def __init__(self, settings: Settings) -> None:
        """Does not connect yet."""
        self._settings = settings
        self._server = urlsplit(settings.clickhouse).netloc.rpartition("@")[2]
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="history")
        self._clients: dict[float, _LimitedClient] = {}
        self._connecting = Lock()
        self._asked = 0
        self._trouble: HistoryUnavailableError | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def trouble(self) -> HistoryUnavailableError | None:
        """Why and since when ClickHouse does not answer; None if the last question was answered."""
        return self._trouble

    async def ask(self, question: Callable[[Client], T], limit_s: float = PAGE_S) -> T:
        """The answer of `question`, which runs in a thread; each query of it has `limit_s`.

        The whole of it must end within the limit, too.

        Raises:
            HistoryUnavailableError: ClickHouse does not answer.
            HistoryTooSlowError: it took too long, or too many questions wait.
        """
        begun = time.monotonic()
        try:
            return await self._ask(question, limit_s)
        except HistoryUnavailableError:
            HISTORY_FAILURES.labels("away").inc()
            raise
        except HistoryTooSlowError as error:
            HISTORY_FAILURES.labels("busy" if str(error) == _BUSY else "slow").inc()
            raise
        finally:
            HISTORY_SECONDS.observe(time.monotonic() - begun)

    async def _ask(self, question: Callable[[Client], T], limit_s: float) -> T:
        self._refuse_if_away()
        if self._asked >= _THREADS + _MOST_WAITING:
            raise HistoryTooSlowError(_BUSY)
        running = self._start(lambda: self._answer(question, limit_s))
        try:
            return await _result(running, math.ceil(limit_s + _GRACE_S) + 2 * CONNECT_S + _GRACE_S)
        except SchemaTooNewError as error:
            raise self._away(str(error)) from error
        except FAILURES as error:
            raise self._failed(error, limit_s) from error

    async def close(self) -> None:
        """Ends the watch and the threads; what is being asked is waited for."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        for one in self._clients.values():
            one.client.close()

    def _refuse_if_away(self) -> None:
        trouble = self._trouble
        if trouble is not None:
            raise HistoryUnavailableError(str(trouble), trouble.since)

    def _start(self, work: Callable[[], T]) -> Future[T]:
        self._asked += 1
        loop = asyncio.get_running_loop()
        running = self._threads.submit(work)
        running.add_done_callback(lambda _: _call(loop, self._done))
        return running

    def _done(self) -> None:
        self._asked -= 1

    def _answer(self, question: Callable[[Client], T], limit_s: float) -> T:
        """Runs in a thread."""
        self._refuse_if_away()  # It may have been found while the question waited for a thread.
        asked = self._client(limit_s)
        try:
            return question(asked.client)
        except FAILURES as error:
            late = "timed out" in str(error) and not asked.keeps_limit
            if late and asked.client.ping(timeout=CONNECT_S):
                raise HistoryTooSlowError(_too_slow(limit_s)) from error
            raise

    def _client(self, limit_s: float) -> "_LimitedClient":
        """The client whose queries may take `limit_s`; runs in a thread."""
        with self._connecting:
            if limit_s not in self._clients:
                self._clients[limit_s] = _connect(self._settings, limit_s)
            return self._clients[limit_s]

    def _failed(self, error: BaseException, limit_s: float) -> Exception:
        text = str(error)
        if any(sign in text for sign in _TOO_SLOW):
            return HistoryTooSlowError(_too_slow(limit_s))
        if any(sign in text for sign in _TOO_LARGE):
            return HistoryTooSlowError("The answer to this question is too large: ask for less.")
        if any(sign in text for sign in _TOO_MANY):
            return HistoryTooSlowError("ClickHouse answers too many questions: try again.")
        if any(sign in text for sign in _NO_TABLES):
            return self._away(
                f"ClickHouse at {self._server} has no tables yet, which the sink makes"
            )
        if isinstance(error, ClickHouseError) and "DB::Exception" in text:
            return self._away(f"ClickHouse at {self._server} refused: {in_words(error)}")
        return self._away(f"ClickHouse can't be reached at {self._server}: {in_words(error)}")

    def _away(self, why: str) -> HistoryUnavailableError:
        if self._trouble is None:
            self._trouble = HistoryUnavailableError(
                f"There is no history: {why}.", time.time_ns() // 1_000_000
            )
            HISTORY_AWAY.set(1)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._look(), name="history-watch")
        return HistoryUnavailableError(str(self._trouble), self._trouble.since)

    async def _look(self) -> None:
        """Until ClickHouse answers a question about a table of ours."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if self._asked >= _THREADS:
                continue
            looking = self._start(lambda: self._client(PAGE_S).client.query(_IS_THERE))
            try:
                await asyncio.wrap_future(looking)
            except (*FAILURES, SchemaTooNewError):
                continue
            self._trouble = None
            HISTORY_AWAY.set(0)
            return


async def _result(running: Future[T], most_s: float) -> T:
    """What it gives or raises within this time; it is cancelled if it has not begun by then.

    Raises:
        HistoryTooSlowError: it has not ended.
    """
    try:
        async with asyncio.timeout(most_s):
            return await asyncio.wrap_future(running)
    except TimeoutError as error:
        if running.cancelled() or not running.done():
            raise HistoryTooSlowError(_BUSY) from error
        return running.result()  # It ended just then, or the failure is its own.


class _LimitedClient(NamedTuple):
    """A client. `keeps_limit`: ClickHouse lets its user limit the time of a query."""

    client: Client
    keeps_limit: bool


def _connect(settings: Settings, limit_s: float) -> _LimitedClient:
    """Connects.

    Raises:
        clickhouse_connect.driver.exceptions.Error: not reachable, or refused.
        SchemaTooNewError: the tables are those of a newer portquorum.
    """
    client = clickhouse.connect(
        settings,
        connect_timeout=CONNECT_S,
        send_receive_timeout=math.ceil(limit_s + _GRACE_S),  # the client takes whole seconds
        query_retries=0,
        compress=False,  # it is a short way, and a small answer
    )
    known = client.server_settings.get("max_execution_time")
    keeps_limit = known is not None and not known.readonly
    if keeps_limit:
        client.set_client_setting("max_execution_time", limit_s)
        for name, value in (_BOUNDS | _SMALL if limit_s <= PAGE_S else _BOUNDS).items():
            client.set_client_setting(name, value)
    refuse_newer(client, settings)
    return _LimitedClient(client, keeps_limit)


def _too_slow(limit_s: float) -> str:
    return f"ClickHouse has not answered this question within {limit_s:g} s: ask for less."


def _call(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    """Calls it in the loop, from a thread; a loop that has ended needs nothing any more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(what)
