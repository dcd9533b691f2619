"""ClickHouse's HTTP interface (https://clickhouse.com/docs/interfaces/http) over the engine."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from functools import partial
from typing import Final

from aiohttp import web

from foundation.http_origin import Served, refusal
from foundation.telemetry import logger
from portquorum.embedded.clickhouse import external_tables, kill_query, native_format, sessions
from portquorum.embedded.clickhouse.access import User, UserAccess
from portquorum.embedded.clickhouse.engine import EngineProcess, QueryError, Session
from portquorum.embedded.clickhouse.engine_protocol import StatementResult
from portquorum.embedded.clickhouse.http_body import Statement, read_parameters, read_statement
from portquorum.embedded.clickhouse.http_exchange import Exchange
from portquorum.embedded.clickhouse.native_hint import HOLDS
from portquorum.embedded.clickhouse.query_names import comment_of
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
from portquorum.embedded.clickhouse.turns import Turns

_LOOKED_AT_AT_ONCE_BYTES: Final = 4096
"""A longer text is looked at in a thread: the event loop answers others meanwhile."""
_TURN_WAIT_S: Final = 10.0
_OPEN_OF_READERS: Final = 8
"""Readers' statements that run, or whose answer is on its way: each may hold a reader's memory."""
_ANSWER_OF_READER_S: Final = 600.0
"""The longest time for a reader's client to take its answer."""
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
        self._database = database
        self._served = served
        self._sessions = sessions.Sessions(engine, database)
        self._running: set[str] = set()
        self._large_forms = Turns(4, _TURN_WAIT_S, "forms of more than 1 MiB")
        self._open_of_readers = Turns(_OPEN_OF_READERS, _TURN_WAIT_S, "statements of readers")
        self._looks = ThreadPoolExecutor(2, "look")
        self._inserts = ThreadPoolExecutor(4, "insert")
        self._queries = ThreadPoolExecutor(8, "query")
        self._readers = ThreadPoolExecutor(4, "reader")
        # Where all threads are taken, there is something to kill.
        self._owners_kills = ThreadPoolExecutor(2, "kill")
        self._readers_kills = ThreadPoolExecutor(2, "reader's kill")
        with engine.session({}) as session:
            about = session.run("SELECT version(), timezone(), hostName() FORMAT TSVRaw")
            formats = session.run("SELECT name FROM system.formats FORMAT TSVRaw")
        self.version, self._timezone, self._host = about.data.decode().strip().split("\t")
        self._formats = {name.lower(): name for name in formats.data.decode().split()}

    def close(self) -> None:
        """Closes the sessions; the engine must have ended all statements."""
        pools = (self._looks, self._inserts, self._queries, self._readers)
        for pool in (*pools, self._owners_kills, self._readers_kills):
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
        known = False
        held = AsyncExitStack()

        async def may_be_large() -> None:
            # Whoever sends so much says who he is before, in headers or the URL.
            self._access.user(request.headers, request.query, request.remote)
            await held.enter_async_context(self._large_forms.one())

        try:
            async with held:
                values, files = await read_parameters(request, may_be_large)
                exchange.parameters = values
                user = self._access.user(request.headers, values, request.remote)
                known = True
                # Anybody is a reader: those hold a connection with a turn alone.
                request[HOLDS] = user.owner
                exchange.tables = external_tables.take(values, files, self._formats)
                exchange.read(values, self._formats)
                with self._named(exchange.id, user):
                    return await self._answer(exchange, user)
        except QueryError as error:
            return exchange.refuse(error, self.version, compressed=known)
        except (web.HTTPException, ConnectionError):
            raise  # an answer; a client that has gone
        except Exception as error:  # noqa: BLE001 - one request's trouble is no other's
            logger(__name__).exception("request failed", query_id=exchange.id)
            unknown = QueryError(f"Code: 1001. DB::Exception: {error!r}. (STD_EXCEPTION)")
            return exchange.refuse(unknown, self.version, compressed=known)

    @asynccontextmanager
    async def _open(self, exchange: Exchange, user: User, first: str) -> AsyncIterator[None]:
        """The turn of a reader's statement, until its client has the answer.

        Its thread is free while the client does not read, and its memory is not.
        """
        if user.owner or first == "KILL":
            yield
            return
        async with self._open_of_readers.one():
            exchange.request[HOLDS] = True
            yield

    @contextmanager
    def _named(self, query_id: str, user: User) -> Iterator[None]:
        """Refuses an id of another running request: it identifies a statement to kill.

        Each user has ids of its own: readers can't take the owner's, or try which there are.
        """
        name = comment_of(query_id, owner=user.owner)
        if name in self._running:
            raise QueryError(
                f"Code: 216. DB::Exception: Query with id = {query_id} is already running. "
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
        if statement == "KILL":
            # Drivers kill in the session of what they kill, which is busy.
            asked = None
        if asked is not None:
            # What these say is for the session, not for this request.
            if statement == "SET":
                settings = {}
            elif statement == "USE":
                database = None
        elif user.owner and exchange.only_reads:
            settings["readonly"] = "2"  # the engine's word, beside that of the access rules
        settings["log_comment"] = comment_of(exchange.id, owner=user.owner)
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
        name = comment_of(exchange.id, owner=user.owner)
        work = RequestWork(self._inserts, self._engine, name)
        async with self._connection(exchange, user, work, "INSERT") as session:
            head = await work.run(self._access.inserting, statement.insert.head, exchange.params)
            params = {f"param_{name}": text for name, text in exchange.params.items()}
            await work.run(session.set, params)
            inserter = await work.run(session.insert, head, form)
            try:
                async for part in data:
                    await work.run(inserter.append, part)
            except BaseException:
                await work.release(inserter.cancel)
                raise
            rows, size = await work.run(inserter.finish)
        counts = {"read_rows": rows, "read_bytes": size, "written_rows": rows}
        exchange.summarise(counts | {"written_bytes": size})
        return exchange.response(b"")

    async def _query(
        self, exchange: Exchange, user: User, statement: Statement
    ) -> web.StreamResponse:
        sql = statement.text.decode(errors="replace")
        if statement.first == "KILL":
            pool = self._owners_kills if user.owner else self._readers_kills
        else:
            pool = self._queries if user.owner else self._readers
        work = RequestWork(pool, self._engine, comment_of(exchange.id, owner=user.owner))
        async with (
            self._open(exchange, user, statement.first),
            self._connection(exchange, user, work, statement.first) as session,
            self._tables(exchange, user, work, session),
        ):
            parts: ResultParts = await work.run(self._begin, session, user, exchange, sql)
            if exchange.waits_for_end:
                parts = await work.run(kept_back, parts)
            try:
                if user.owner:
                    return await self._send(exchange, work, parts)
                exchange.hurries = True
                async with _whole_within(_ANSWER_OF_READER_S, exchange.request):
                    return await self._send(exchange, work, parts)
            finally:
                await work.release(parts.close)

    @asynccontextmanager
    async def _tables(
        self, exchange: Exchange, user: User, work: RequestWork, session: Session
    ) -> AsyncIterator[None]:
        """The external tables of a request, for as long as its statement runs."""
        if not exchange.tables:
            yield
            return
        await work.run(external_tables.create, session, exchange.tables, self._access.defining)
        try:
            yield
        finally:
            # A reader's connection ends with the request, and by now it can change nothing.
            if user.owner:
                await work.release(external_tables.drop, session, exchange.tables)

    def _begin(self, session: Session, user: User, exchange: Exchange, sql: str) -> ResultParts:
        """Starts the result, without reading from it."""
        if first_word(sql.encode()) == "KILL":
            kill = self._access.killing(user, sql, exchange.params, exchange.only_reads)
            if kill is not None:
                return self._kill(kill, user, exchange, sql)
        if user.owner:
            sql, reads = self._access.owning(session, sql, exchange.params, exchange.only_reads)
        else:
            sql, reads = self._access.reading(session, sql), True
        named = output_format(sql.encode()) or exchange.default_format
        form = self._formats.get(named.lower())
        if form is None:
            raise _unknown_format(named)
        revision = 0
        if form == native_format.NATIVE:
            revision = native_format.revision_of(exchange.parameters)
        if not reads:
            chunk = self._short(session, exchange, sql, form, revision)
            # Some statements tell what they did (KILL QUERY, CHECK TABLE), most have no result.
            exchange.format = form if chunk.data else None
            return Whole(chunk)
        exchange.format = form
        # DESCRIBE, SHOW and the like are short, and have no INTO OUTFILE.
        if first_word(sql.encode()) not in {"SELECT", "WITH", "FROM"}:
            return Whole(self._short(session, exchange, sql, form, revision))
        parts = around_outfile(sql, form)
        stream = None
        if revision:
            columns = native_format.describe(session, parts, exchange.params)
            stream = native_format.NativeStream(columns, revision)
            parts = native_format.in_format(parts, "Buffers")

        def run(pipe: int) -> StatementResult:
            return session.run_into(parts, form, exchange.params, pipe)

        name = comment_of(exchange.id, owner=user.owner)
        piped = Piped(run, partial(self._engine.kill, name))
        return piped if stream is None else native_format.Framed(piped, stream)

    def _short(
        self, session: Session, exchange: Exchange, sql: str, form: str, revision: int
    ) -> StatementResult:
        """The whole result of a statement that has no INTO OUTFILE."""
        if not revision:
            return session.run(sql, form, exchange.params)
        with self._engine.session({}) as fresh:
            return native_format.run_short(session, fresh, sql, exchange.params, revision)

    def _kill(
        self, kill: kill_query.KillQuery, user: User, exchange: Exchange, sql: str
    ) -> ResultParts:
        named = output_format(sql.encode()) or exchange.default_format
        form = self._formats.get(named.lower())
        if form is None:
            raise _unknown_format(named)
        settings = self._access.settings(user, {})
        settings["log_comment"] = comment_of(exchange.id, owner=user.owner)
        database = self._access.database(user, exchange.database) or self._database
        asker = kill_query.Asker(user.name, user.owner, exchange.id, settings, database)
        revision = 0
        if form == native_format.NATIVE:
            revision = native_format.revision_of(exchange.parameters)

        def answering(session: Session, select: str) -> StatementResult:
            if not revision:
                return session.run(select, form)
            return StatementResult(native_format.rows_of(session, select, revision), 0, 0, 0, 0, 0)

        answer = kill_query.run(self._engine, kill, asker, exchange.params, answering)
        # As a server: no table at all of no query.
        exchange.format = None if answer is None else form
        return Whole(StatementResult(b"", 0, 0, 0, 0, 0) if answer is None else answer)

    async def _send(
        self, exchange: Exchange, work: RequestWork, parts: ResultParts
    ) -> web.StreamResponse:
        # What goes wrong while this fills still gets a status of its own, as in ClickHouse.
        first, whole = await work.run(parts.take)
        exchange.summarise(parts.counts)
        if whole:
            return exchange.response(first)
        response = await exchange.begin(first)
        if exchange.request.method == "HEAD":
            return response  # without a body, which aiohttp would write: nobody needs the rows
        try:
            while not whole:
                part, whole = await work.run(parts.take)
                await exchange.write(response, part)
        except QueryError as error:
            await exchange.break_off(response, error, self.version)
        else:
            await exchange.finish(response)
        return response


@asynccontextmanager
async def _whole_within(seconds: float, request: web.BaseRequest) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the client takes too long for the answer") from error


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
