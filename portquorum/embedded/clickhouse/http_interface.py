"""ClickHouse's HTTP interface (https://clickhouse.com/docs/interfaces/http) over the engine."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial
from typing import Final

from aiohttp import web

from foundation.http_origin import Served, refusal
from foundation.telemetry import logger
from portquorum.embedded.clickhouse import sessions
from portquorum.embedded.clickhouse.access import User, UserAccess
from portquorum.embedded.clickhouse.engine import EngineProcess, QueryError, Session
from portquorum.embedded.clickhouse.engine_protocol import StatementResult
from portquorum.embedded.clickhouse.http_body import Statement, read_parameters, read_statement
from portquorum.embedded.clickhouse.http_exchange import Exchange
from portquorum.embedded.clickhouse.request_work import RequestWork
from portquorum.embedded.clickhouse.result_parts import (
    PART_BYTES,
    Piped,
    ResultParts,
    Whole,
    kept_back,
)
from portquorum.embedded.clickhouse.sql_guard import StatementRefusedError
from portquorum.embedded.clickhouse.statement import (
    StatementClass,
    around_outfile,
    first_word,
    look,
    output_format,
)

_LOOKED_AT_AT_ONCE_BYTES: Final = 4096
"""A longer text is looked at in a thread: the event loop answers others meanwhile."""
_PINGS: Final = frozenset({"/ping", "/replicas_status"})
_METHODS: Final = ("GET", "HEAD", "POST")


class HttpInterface:
    """Answers. Inserts, our roles' queries and readers' queries have threads of their own."""

    def __init__(
        self, engine: EngineProcess, access: UserAccess, database: str, served: Served
    ) -> None:
        """Takes an open engine.

        Args:
            engine: whose statements these are.
            access: who may do what.
            database: the one of requests that name none.
            served: the hosts that it answers for.
        """
        self._engine = engine
        self._access = access
        self._served = served
        self._sessions = sessions.Sessions(engine, database)
        self._running: set[str] = set()
        self._looks = ThreadPoolExecutor(2, "look")
        self._inserts = ThreadPoolExecutor(4, "insert")
        self._queries = ThreadPoolExecutor(8, "query")
        self._readers = ThreadPoolExecutor(4, "reader")
        with engine.session({}) as session:
            about = session.run("SELECT version(), timezone(), hostName() FORMAT TSVRaw")
            formats = session.run("SELECT name FROM system.formats FORMAT TSVRaw")
        self.version, self._timezone, self._host = about.data.decode().strip().split("\t")
        self._formats = {name.lower(): name for name in formats.data.decode().split()}

    def close(self) -> None:
        """Closes the sessions; the engine must have ended all statements."""
        for pool in (self._looks, self._inserts, self._queries, self._readers):
            pool.shutdown()
        self._sessions.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers a request.

        There are three paths, and no router: aiohttp's (3.14) takes a minute for a path of 1 MB
        that has many slashes, and nobody else is answered meanwhile.

        Raises:
            web.HTTPException: an unknown path or method.
        """
        why = refusal(request.method, request.headers, self._served, request.raw_path)
        if why is not None:
            # No answer, and nothing done, for pages of other origins and foreign host names.
            return web.Response(status=403, text=f"{why}\n")
        if request.path in _PINGS:
            if request.method not in {"GET", "HEAD"}:
                raise web.HTTPMethodNotAllowed(request.method, {"GET", "HEAD"})
            return web.Response(text="Ok.\n")
        if request.path != "/":
            raise web.HTTPNotFound
        if request.method not in _METHODS:
            raise web.HTTPMethodNotAllowed(request.method, _METHODS)
        return await self._handle(request)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        exchange = Exchange(request, self._host, self._timezone)
        try:
            parameters = await read_parameters(request)
            exchange.read(parameters, self._formats)
            user = self._access.user(request.headers, exchange.parameters, request.remote)
            with self._named(exchange.id):
                return await self._answer(exchange, user)
        except QueryError as error:
            return exchange.refuse(error, self.version)
        except (web.HTTPException, ConnectionError):
            raise  # an answer; a client that has gone
        except Exception as error:  # noqa: BLE001 - one request's trouble is no other's
            logger(__name__).exception("request failed", query_id=exchange.id)
            unknown = QueryError(f"Code: 1001. DB::Exception: {error!r}. (STD_EXCEPTION)")
            return exchange.refuse(unknown, self.version)

    @contextmanager
    def _named(self, name: str) -> Iterator[None]:
        """Refuses a name of another running request: a name identifies a statement to kill."""
        if name in self._running:
            raise QueryError(
                f"Code: 216. DB::Exception: Query with id = {name} is already running. "
                "(QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING)"
            )
        self._running.add(name)
        try:
            yield
        finally:
            self._running.discard(name)

    async def _look(self, text: bytes) -> StatementClass:
        if len(text) <= _LOOKED_AT_AT_ONCE_BYTES:
            return look(text)
        return await asyncio.get_running_loop().run_in_executor(self._looks, look, text)

    async def _answer(self, exchange: Exchange, user: User) -> web.StreamResponse:
        def may_insert() -> None:
            if not user.owner or exchange.only_reads:
                raise StatementRefusedError(
                    f"Code: 164. DB::Exception: {user.name}: Cannot execute query in readonly "
                    "mode. (READONLY)"
                )

        statement = await read_statement(
            exchange.request, exchange.parameters, self._look, may_insert
        )
        if not statement.text.strip():
            if exchange.request.method == "POST":
                raise QueryError(
                    "Code: 62. DB::Exception: Syntax error: Empty query. (SYNTAX_ERROR)"
                )
            return web.Response(text="Ok.\n")
        if statement.insert is not None and statement.data is not None:
            return await self._insert(exchange, user, statement)
        return await self._query(exchange, user, statement)

    def _connection(
        self, exchange: Exchange, user: User, work: RequestWork, statement: str
    ) -> AbstractAsyncContextManager[Session]:
        settings = self._access.settings(user, exchange.settings)
        database = self._access.database(user, exchange.database)
        asked = sessions.asked_of(exchange.parameters)
        if asked is not None:
            # What these say is for the session, not for this request.
            if statement == "SET":
                settings = {}
            elif statement == "USE":
                database = None
        elif user.owner and exchange.only_reads:
            settings["readonly"] = "2"  # the engine's word, beside that of the access rules
        settings["log_comment"] = exchange.id
        overlay = sessions.Overlay(settings, database)
        return self._sessions.connection(user.name, asked, work, overlay, keeps=user.owner)

    async def _insert(
        self, exchange: Exchange, user: User, statement: Statement
    ) -> web.StreamResponse:
        assert statement.insert is not None and statement.data is not None  # noqa: S101, PT018
        form = self._formats.get(statement.insert.format.lower())
        if form is None:
            raise _unknown_format(statement.insert.format)
        data = _joined(statement.text[statement.insert.data_at :], statement.data)
        work = RequestWork(self._inserts, self._engine, exchange.id)
        async with self._connection(exchange, user, work, "INSERT") as session:
            head = await work.run(self._access.inserting, statement.insert.head, exchange.params)
            params = {f"param_{name}": text for name, text in exchange.params.items()}
            await work.run(session.set, params)
            inserter = await work.run(session.insert, head, form)
            try:
                async for part in data:
                    await work.run(inserter.append, part)
            except BaseException:
                await work.run(inserter.cancel)
                raise
            rows, size = await work.run(inserter.finish)
        counts = {"read_rows": rows, "read_bytes": size, "written_rows": rows}
        exchange.summarise(counts | {"written_bytes": size})
        return exchange.response(b"")

    async def _query(
        self, exchange: Exchange, user: User, statement: Statement
    ) -> web.StreamResponse:
        sql = statement.text.decode(errors="replace")
        pool = self._queries if user.owner else self._readers
        work = RequestWork(pool, self._engine, exchange.id)
        async with self._connection(exchange, user, work, statement.first) as session:
            parts: ResultParts = await work.run(self._begin, session, user, exchange, sql)
            if exchange.waits_for_end:
                parts = await work.run(kept_back, parts)
            try:
                return await self._send(exchange, work, parts)
            finally:
                await work.run(parts.close)

    def _begin(self, session: Session, user: User, exchange: Exchange, sql: str) -> ResultParts:
        """Starts the result, without reading from it."""
        if user.owner:
            sql, reads = self._access.owning(session, sql, exchange.params, exchange.only_reads)
        else:
            sql, reads = self._access.reading(session, sql), True
        named = output_format(sql.encode()) or exchange.default_format
        form = self._formats.get(named.lower())
        if form is None:
            raise _unknown_format(named)
        if not reads:
            chunk = session.run(sql, form, exchange.params)
            # Some statements tell what they did (KILL QUERY, CHECK TABLE), most have no result.
            exchange.format = form if chunk.data else None
            return Whole(chunk)
        exchange.format = form
        # DESCRIBE, SHOW and the like are short, and have no INTO OUTFILE.
        if first_word(sql.encode()) not in {"SELECT", "WITH", "FROM"}:
            return Whole(session.run(sql, form, exchange.params))
        parts = around_outfile(sql, form)

        def run(pipe: int) -> StatementResult:
            return session.run_into(parts, form, exchange.params, pipe)

        return Piped(run, partial(self._engine.kill, exchange.id))

    async def _send(
        self, exchange: Exchange, work: RequestWork, parts: ResultParts
    ) -> web.StreamResponse:
        # What goes wrong while this fills still gets a status of its own, as in ClickHouse.
        first, whole = await work.run(parts.take)
        exchange.summarise(parts.counts)
        if whole:
            return exchange.response(first)
        response = await exchange.begin(first)
        try:
            while not whole:
                part, whole = await work.run(parts.take)
                await exchange.write(response, part)
        except QueryError as error:
            await exchange.break_off(response, error, self.version)
        else:
            await exchange.finish(response)
        return response


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The parts, with small ones joined."""
    pending = [first]
    size = len(first)
    async for part in rest:
        pending.append(part)
        size += len(part)
        if size >= PART_BYTES:
            yield b"".join(pending)
            pending, size = [], 0
    if size:
        yield b"".join(pending)


def _unknown_format(name: str) -> QueryError:
    return QueryError(f"Code: 73. DB::Exception: Unknown format {name}. (UNKNOWN_FORMAT)")
