"""ClickHouse's HTTP interface (https://clickhouse.com/docs/interfaces/http) over the engine."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiohttp import web

from portquorum.embedded.access import Access, RefusedError, User
from portquorum.embedded.engine import STREAMED, Chunk, Engine, QueryError, Session
from portquorum.embedded.http_exchange import Exchange, read_statement
from portquorum.embedded.statement import Insert, first_word, output_format, split_insert
from portquorum.embedded.work import Work

_PART_BYTES: Final = 1 << 20
"""Bodies move between the network and the engine in parts of at least this size."""


class HttpInterface:
    """The handlers. Inserts, our roles' queries and readers' queries have threads of their own."""

    def __init__(self, engine: Engine, access: Access, database: str) -> None:
        """Takes an open engine; `database` is the one of requests that name none."""
        self._engine = engine
        self._access = access
        self._database = database
        self._inserts = ThreadPoolExecutor(4, "insert")
        self._queries = ThreadPoolExecutor(8, "query")
        self._readers = ThreadPoolExecutor(4, "reader")
        with engine.session({}) as session:
            about = session.run("SELECT version(), timezone(), hostName() FORMAT TSVRaw")
        self.version, self._timezone, self._host = about.data.decode().strip().split("\t")

    def application(self) -> web.Application:
        """The routes."""
        app = web.Application()
        app.router.add_route("*", "/", self._handle)
        for path in ("/ping", "/replicas_status"):
            app.router.add_get(path, self._ping)
        return app

    def close(self) -> None:
        """Waits for what is running in the engine."""
        for pool in (self._inserts, self._queries, self._readers):
            pool.shutdown()

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.Response(text="Ok.\n")

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.method not in {"GET", "HEAD", "POST"}:
            raise web.HTTPMethodNotAllowed(request.method, ["GET", "HEAD", "POST"])
        exchange = Exchange(request, self._host, self._timezone)
        try:
            return await self._answer(exchange)
        except QueryError as error:
            return await exchange.refuse(error, self.version)

    async def _answer(self, exchange: Exchange) -> web.StreamResponse:
        user = self._access.user(exchange.request.headers, exchange.request.query)
        sql, data = await read_statement(exchange.request)
        if not sql.strip():
            if exchange.request.method == "POST":
                raise QueryError(
                    "Code: 62. DB::Exception: Syntax error: Empty query. (SYNTAX_ERROR)"
                )
            return web.Response(text="Ok.\n")
        settings = self._access.settings(user, exchange.settings)
        # By this name a running statement is found again when it has to be cancelled.
        settings["log_comment"] = exchange.id
        asked_to_read = exchange.settings.get("readonly", "0") != "0"
        if user.owner and (asked_to_read or exchange.request.method != "POST"):
            settings["readonly"] = "2"  # as in ClickHouse: a GET changes nothing
        insert = split_insert(sql) if data is not None else None
        if insert is None or data is None:
            return await self._query(exchange, user, settings, sql)
        if "readonly" in settings or not user.owner:
            raise RefusedError(
                f"Code: 164. DB::Exception: {user.name}: Cannot execute query in readonly mode. "
                "(READONLY)"
            )
        return await self._insert(exchange, settings, insert, _joined(sql[insert.data_at :], data))

    async def _insert(
        self,
        exchange: Exchange,
        settings: Mapping[str, str],
        insert: Insert,
        data: AsyncIterator[bytes],
    ) -> web.StreamResponse:
        work = Work(self._inserts, self._engine, exchange.id)
        session: Session = await work.run(
            self._engine.session, settings, exchange.database or self._database
        )
        try:
            await work.run(
                session.set, {f"param_{name}": text for name, text in exchange.params.items()}
            )
            inserter = await work.run(session.insert, insert.head, insert.format)
            try:
                async for part in data:
                    await work.run(inserter.append, part)
            except BaseException:
                await work.run(inserter.cancel)
                raise
            rows, size = await work.run(inserter.finish)
        finally:
            await work.run(session.close)
        counts = {"read_rows": rows, "read_bytes": size, "written_rows": rows}
        exchange.summarise(counts | {"written_bytes": size})
        return web.Response(headers=exchange.headers)

    async def _query(
        self, exchange: Exchange, user: User, settings: Mapping[str, str], sql: bytes
    ) -> web.StreamResponse:
        pool = self._queries if user.owner else self._readers
        work = Work(pool, self._engine, exchange.id)
        session: Session = await work.run(
            self._engine.session, settings, exchange.database or self._database
        )
        try:
            chunks = await work.run(
                self._begin, session, user, exchange, sql.decode(errors="replace")
            )
            try:
                return await self._send(exchange, work, chunks)
            finally:
                await work.run(chunks.close)
        finally:
            await work.run(session.close)

    def _begin(self, session: Session, user: User, exchange: Exchange, sql: str) -> "_Chunks":
        """The chunks of the answer, of which none has been asked for yet."""
        if user.owner:
            reads = session.reads(sql)
        else:
            sql, reads = self._access.reading(session, sql), True
        if not reads:
            return _Chunks(session.run(sql, "TabSeparated", exchange.params))
        named = output_format(sql.encode())
        exchange.format = named or exchange.default_format
        # chDB streams SELECT alone, not DESCRIBE, SHOW and the like.
        selects = first_word(sql.encode()) in {"SELECT", "WITH", "FROM"}
        if selects and exchange.format in STREAMED:
            return _Chunks(session.stream(sql, exchange.format, exchange.params))
        return _Chunks(session.run(sql, exchange.format, exchange.params))

    async def _send(self, exchange: Exchange, work: Work, chunks: "_Chunks") -> web.StreamResponse:
        # What goes wrong while this fills still gets a status of its own, as in ClickHouse.
        first, whole = await work.run(chunks.take, _PART_BYTES)
        if whole:
            exchange.summarise(chunks.counts)
            return exchange.response(first)
        response = await exchange.begin(first)
        try:
            while not whole:
                part, whole = await work.run(chunks.take, _PART_BYTES)
                await exchange.write(response, part)
        except QueryError as error:
            await exchange.break_off(response, error, self.version)
        else:
            await exchange.finish(response)
        return response


class _Chunks:
    """An answer, taken in parts, counted."""

    def __init__(self, source: Iterator[Chunk] | Chunk) -> None:
        self._source = iter([source]) if isinstance(source, Chunk) else source
        self._begun_at = time.monotonic()
        self.counts = {"read_rows": 0, "read_bytes": 0, "result_rows": 0, "result_bytes": 0}

    def take(self, least: int) -> tuple[bytes, bool]:
        """At least so many bytes, or the rest; and whether that was all."""
        parts: list[bytes] = []
        size = 0
        while size < least:
            chunk = next(self._source, None)
            if chunk is None:
                return b"".join(parts), True
            parts.append(chunk.data)
            size += len(chunk.data)
            self._count(chunk)
        return b"".join(parts), False

    def close(self) -> None:
        """Lets go of the engine."""
        close = getattr(self._source, "close", None)
        if close is not None:
            close()

    def _count(self, chunk: Chunk) -> None:
        self.counts["result_rows"] += chunk.rows
        self.counts["result_bytes"] += len(chunk.data)
        self.counts["read_rows"] = max(self.counts["read_rows"], chunk.read_rows)
        self.counts["read_bytes"] = max(self.counts["read_bytes"], chunk.read_bytes)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The parts, small ones joined."""
    pending = [first]
    size = len(first)
    async for part in rest:
        pending.append(part)
        size += len(part)
        if size >= _PART_BYTES:
            yield b"".join(pending)
            pending, size = [], 0
    if size:
        yield b"".join(pending)
