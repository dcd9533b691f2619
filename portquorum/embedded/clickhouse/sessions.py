"""`session_id`: an engine connection that outlives its request.

Temporary tables, `SET` and `USE` live in it, as in ClickHouse; what a request's URL says holds for
that request alone. Readers may change nothing, so they get the rules of a session (one request at
a time, timeout, check) and a new connection each time.

Source: ClickHouse, src/Interpreters/Session.cpp, and https://clickhouse.com/docs/interfaces/http.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import msgspec

from portquorum.embedded.clickhouse.engine import (
    EngineProcess,
    QueryError,
    Session,
    quote,
    quote_name,
)
from portquorum.embedded.clickhouse.http_body import is_on
from portquorum.embedded.clickhouse.request_work import RequestWork

DEFAULT_TIMEOUT_S: Final = 60
MOST_TIMEOUT_S: Final = 3600
MOST_SESSIONS: Final = 200
"""Most sessions of one user; each of the owner's holds a connection."""
BUSY_WAIT_S: Final = 1.0
"""Wait for a busy session, in s: a client that abandoned an answer may be back before."""
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
# Whatever a session has set, what we ask of it comes whole and alone.
_AS_IT_IS: Final = "SETTINGS limit = 0, offset = 0, extremes = 0"


class SessionOptions(NamedTuple):
    """A request's session options."""

    id: str
    timeout_s: int
    """Lifetime of the session after the request, in s."""
    must_exist: bool
    closes: bool


class Overlay(NamedTuple):
    """Settings and database for one request."""

    settings: Mapping[str, str]
    database: str | None


class _Held:
    """A session."""

    def __init__(self) -> None:
        self.connection: Session | None = None
        self.ending: asyncio.TimerHandle | None = None
        self.in_use = asyncio.Lock()


def asked_of(parameters: Mapping[str, str]) -> SessionOptions | None:
    """The session options of the parameters; None without `session_id`.

    Raises:
        QueryError: a timeout that is no number of seconds up to an hour.
    """
    if not parameters.get("session_id"):
        return None
    text = parameters.get("session_timeout", str(DEFAULT_TIMEOUT_S))
    # int() refuses thousands of digits with an error of its own.
    if not _SECONDS.fullmatch(text) or int(text) > MOST_TIMEOUT_S:
        raise QueryError(
            f"Code: 374. DB::Exception: Invalid session timeout: {text[:40]!r}; expected 0 to "
            f"{MOST_TIMEOUT_S} seconds. (INVALID_SESSION_TIMEOUT)"
        )
    return SessionOptions(
        parameters["session_id"],
        int(text),
        is_on(parameters.get("session_check")),
        is_on(parameters.get("close_session")),
    )


class Sessions:
    """All sessions; used by one event loop."""

    def __init__(self, engine: EngineProcess, database: str) -> None:
        """Starts without sessions; `database` is the initial database of each."""
        self._engine = engine
        self._database = database
        self._held: dict[tuple[str, str], _Held] = {}

    @asynccontextmanager
    async def connection(
        self,
        user: str,
        asked: SessionOptions | None,
        work: RequestWork,
        overlay: Overlay,
        *,
        keeps: bool,
    ) -> AsyncIterator[Session]:
        """A connection with the overlay applied.

        Args:
            user: whose session; each has names of its own.
            asked: None takes a new connection, which is closed afterwards.
            work: where the engine is called.
            overlay: holds until the end.
            keeps: the connection is the session's own; otherwise it is closed too.

        Raises:
            QueryError: the session is busy or not there, or the overlay can't be had.
        """
        if asked is None:
            async with self._fresh(work, overlay) as connection:
                yield connection
            return
        held = await self._take(user, asked)
        try:
            kept = self._kept(held, work, overlay) if keeps else self._fresh(work, overlay)
            async with kept as connection:
                yield connection
        finally:
            self._release(user, asked, held)

    def close(self) -> None:
        """Ends all sessions; none may be busy."""
        for held in self._held.values():
            if held.ending is not None:
                held.ending.cancel()
            if held.connection is not None:
                held.connection.close()
        self._held.clear()

    @asynccontextmanager
    async def _fresh(self, work: RequestWork, overlay: Overlay) -> AsyncIterator[Session]:
        database = overlay.database or self._database
        connection = await work.run(self._engine.session, overlay.settings, database)
        try:
            yield connection
        finally:
            await work.release(connection.close)

    @asynccontextmanager
    async def _kept(
        self, held: _Held, work: RequestWork, overlay: Overlay
    ) -> AsyncIterator[Session]:
        if held.connection is None:
            held.connection = await work.run(self._engine.session, {}, self._database)
        connection = held.connection
        undo = await work.run(_put, connection, overlay)
        try:
            yield connection
        finally:
            await work.release(_take_off, connection, undo)

    async def _take(self, user: str, asked: SessionOptions) -> _Held:
        held = self._held.get((user, asked.id))
        if held is None:
            if asked.must_exist:
                raise QueryError(
                    f"Code: 372. DB::Exception: Session {asked.id} not found. (SESSION_NOT_FOUND)"
                )
            if sum(name == user for name, _ in self._held) >= MOST_SESSIONS:
                raise QueryError(
                    f"Code: 202. DB::Exception: There are {MOST_SESSIONS} sessions already; give "
                    "them a shorter session_timeout. (TOO_MANY_SIMULTANEOUS_QUERIES)"
                )
            held = self._held[user, asked.id] = _Held()
        if held.ending is not None:
            held.ending.cancel()
        try:
            async with asyncio.timeout(BUSY_WAIT_S):
                await held.in_use.acquire()
        except TimeoutError:
            raise QueryError(
                f"Code: 373. DB::Exception: Session {asked.id} is locked by a concurrent client. "
                "(SESSION_IS_LOCKED)"
            ) from None
        return held

    def _release(self, user: str, asked: SessionOptions, held: _Held) -> None:
        held.in_use.release()
        wait_s = 0 if asked.closes else asked.timeout_s
        loop = asyncio.get_running_loop()
        if held.ending is not None:
            held.ending.cancel()
        held.ending = loop.call_later(wait_s, self._end, (user, asked.id), held)

    def _end(self, key: tuple[str, str], held: _Held) -> None:
        if held.in_use.locked() or self._held.get(key) is not held:
            return  # somebody came meanwhile, whose release ends it
        del self._held[key]
        if held.connection is not None:
            asyncio.get_running_loop().run_in_executor(None, held.connection.close)


def _put(connection: Session, overlay: Overlay) -> list[str]:
    """Applies the overlay; returns the statements that undo it."""
    undo = []
    if overlay.database:
        before = (
            connection.run(f"SELECT currentDatabase() {_AS_IT_IS}", "TSVRaw")
            .data.decode()
            .strip("\n")
        )
        undo.append(f"USE {quote_name(before)}")
    names = ", ".join(quote(name) for name in overlay.settings)
    if names:
        found = connection.run(
            f"SELECT name, value, changed FROM system.settings WHERE name IN ({names}) {_AS_IT_IS}",  # noqa: S608
            "JSONCompactStringsEachRow",
        )
        undo += [_back(*msgspec.json.decode(line)) for line in found.data.splitlines()]
    try:
        if overlay.database:
            connection.run(f"USE {quote_name(overlay.database)}")
        connection.set(overlay.settings)
    except QueryError:
        _take_off(connection, undo)
        raise
    return undo


def _back(name: str, value: str, changed: str) -> str:
    return f"SET {name} = {quote(value) if changed == '1' else 'DEFAULT'}"


def _take_off(connection: Session, undo: list[str]) -> None:
    for statement in undo:
        connection.run(statement)
