"""One request and its response, as ClickHouse's HTTP interface writes them."""

import json
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Final

from aiohttp import web

from portquorum.embedded import compression, http_status
from portquorum.embedded.engine import QueryError
from portquorum.embedded.statement import split_insert, starts_insert

MOST_QUERY_BYTES: Final = 1 << 20

# Parameters of the transport; every other one is a setting of the engine, or a `param_`.
_TRANSPORT: Final = frozenset(
    {
        *("query", "database", "user", "password", "quota_key", "query_id", "default_format"),
        *("session_id", "session_timeout", "session_check", "close_session", "role", "stacktrace"),
        *("compress", "decompress", "enable_http_compression", "http_zlib_compression_level"),
        *("wait_end_of_query", "buffer_size", "send_progress_in_http_headers"),
        *("http_headers_progress_interval_ms", "http_write_exception_in_output_format"),
        *("client_protocol_version", "cancel_http_readonly_queries_on_client_close"),
        *("add_http_cors_header", "http_response_buffer_size", "log_comment"),
    }
)
_CONTENT_TYPES: Final = (
    (("TabSeparated", "TSV"), "text/tab-separated-values; charset=UTF-8"),
    (("CSV",), "text/csv; charset=UTF-8; header=absent"),
    (("JSONEachRow", "JSONLines", "NDJSON"), "application/x-ndjson; charset=UTF-8"),
    (("JSON",), "application/json; charset=UTF-8"),
    (("XML",), "application/xml; charset=UTF-8"),
    (("Native", "RowBinary", "Parquet", "Arrow", "ORC"), "application/octet-stream"),
)


class Exchange:
    """What a request asks for beside its statement, and the headers and body of the answer."""

    def __init__(self, request: web.Request, host: str, timezone: str) -> None:
        """Reads the parameters; the body is still unread."""
        self.request = request
        self.id = uuid.uuid4().hex
        self.format: str | None = None
        """The answer's format; None for a statement that gives no result."""
        self._begun_at = time.monotonic_ns()
        self._tag = secrets.token_hex(8)
        self._compressor: compression.Compressor | None = None
        query = request.query
        self.settings = {
            name: value
            for name, value in query.items()
            if name not in _TRANSPORT and not name.startswith("param_")
        }
        self.params = {
            name.removeprefix("param_"): value
            for name, value in query.items()
            if name.startswith("param_")
        }
        self.database = query.get("database") or request.headers.get("X-ClickHouse-Database")
        self.default_format = (
            query.get("default_format")
            or request.headers.get("X-ClickHouse-Format")
            or "TabSeparated"
        )
        self.headers = {
            "X-ClickHouse-Server-Display-Name": host,
            "X-ClickHouse-Query-Id": query.get("query_id") or self.id,
            "X-ClickHouse-Timezone": timezone,
            "X-ClickHouse-Exception-Tag": self._tag,
        }

    def summarise(self, counts: Mapping[str, int]) -> None:
        """Sets X-ClickHouse-Summary: counts as strings, as ClickHouse writes them."""
        names = ("read_rows", "read_bytes", "written_rows", "written_bytes", "result_rows")
        found = {name: str(counts.get(name, 0)) for name in (*names, "result_bytes")}
        found["total_rows_to_read"] = found["read_rows"]
        found["elapsed_ns"] = str(time.monotonic_ns() - self._begun_at)
        self.headers["X-ClickHouse-Summary"] = json.dumps(found, separators=(",", ":"))

    def response(self, body: bytes) -> web.Response:
        """A whole answer."""
        self._describe()
        if self._compressor is not None:
            body = self._compressor.compress(body) + self._compressor.flush()
        return web.Response(body=body, headers=self.headers)

    async def begin(self, first: bytes) -> web.StreamResponse:
        """An answer that goes on with `write` and ends with `finish` or `break_off`."""
        self._describe()
        response = web.StreamResponse(headers=self.headers)
        await response.prepare(self.request)
        await self.write(response, first)
        return response

    async def write(self, response: web.StreamResponse, part: bytes) -> None:
        """The next part; waits while the client is slow."""
        if self._compressor is not None:
            part = self._compressor.compress(part)
        if part:
            await response.write(part)

    async def finish(self, response: web.StreamResponse) -> None:
        """The end of the answer."""
        if self._compressor is not None:
            await response.write(self._compressor.flush())
        await response.write_eof()

    async def break_off(
        self, response: web.StreamResponse, error: QueryError, version: str
    ) -> None:
        """The end of an answer that failed half-way: the error between tags, then a broken line.

        The client can't take what it has for the whole: the body has no proper end.
        """
        text = f"{_with_version(error, version)}\n"
        size = len(text.encode())
        block = f"\r\n__exception__\r\n{self._tag}\r\n{text}{size} {self._tag}\r\n__exception__\r\n"
        await self.write(response, block.encode())
        if self._compressor is not None:
            await response.write(self._compressor.flush())
        response.force_close()
        if self.request.transport is not None:
            self.request.transport.close()

    async def refuse(self, error: QueryError, version: str) -> web.Response:
        """An answer that is an error."""
        self.headers["X-ClickHouse-Exception-Code"] = str(error.code)
        self.headers["Content-Type"] = "text/plain; charset=UTF-8"
        text = f"{_with_version(error, version)}\n"
        status = http_status.of(error.code)
        return web.Response(text=text, status=status, headers=self.headers)

    def _describe(self) -> None:
        if self.format is None:
            return
        self.headers["X-ClickHouse-Format"] = self.format
        self.headers["Content-Type"] = next(
            (text for starts, text in _CONTENT_TYPES if self.format.startswith(starts)),
            "text/plain; charset=UTF-8",
        )
        if self.request.query.get("enable_http_compression", "0") not in {"0", "false"}:
            chosen = compression.choose(self.request.headers.get("Accept-Encoding", ""))
            if chosen is not None:
                self.headers["Content-Encoding"], self._compressor = chosen


async def read_statement(request: web.Request) -> tuple[bytes, AsyncIterator[bytes] | None]:
    """The statement (parameter `query`, then the body), and the rest of the body.

    The rest is None unless the statement is an INSERT that brings its data: then the statement's
    text ends somewhere in that data.

    Raises:
        QueryError: a statement of more than 1 MiB, or a body in an unknown or broken encoding.
    """
    if request.query.get("decompress", "0") not in {"0", ""} or request.query.get(
        "compress", "0"
    ) not in {"0", ""}:
        raise QueryError(
            "Code: 48. DB::Exception: ClickHouse's own block compression (compress=1, decompress=1)"
            " is not implemented here; use Content-Encoding and enable_http_compression. "
            "(NOT_IMPLEMENTED)"
        )
    text = request.query.get("query", "").encode()
    body = _body(request)
    if starts_insert(text) and split_insert(text) is not None:
        return text, body
    if text.strip():
        text += b"\n"
    async for part in body:
        text += part
        if starts_insert(text):
            insert = split_insert(text[:MOST_QUERY_BYTES])
            # At the very end of what has come, a format's name may be half of it.
            if insert is not None and insert.data_at < len(text):
                return text, body
        if len(text) > MOST_QUERY_BYTES:
            raise QueryError(
                f"Code: 229. DB::Exception: The statement has more than {MOST_QUERY_BYTES} bytes. "
                "(QUERY_IS_TOO_LARGE)"
            )
    return text, (body if starts_insert(text) and split_insert(text) is not None else None)


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.lower() in {"identity", ""}:
        async for part in request.content.iter_any():
            yield part
        return
    try:
        decompressor = compression.decompressor(encoding)
    except KeyError:
        raise QueryError(
            f"Code: 48. DB::Exception: Content-Encoding {encoding!r} is not known here; lz4, zstd, "
            "gzip and deflate are. (NOT_IMPLEMENTED)"
        ) from None
    async for part in request.content.iter_any():
        try:
            yield decompressor.decompress(part)
        except compression.Corrupt as error:
            raise QueryError(
                f"Code: 354. DB::Exception: The body is not {encoding}: {error}. "
                "(ZLIB_INFLATE_FAILED)"
            ) from error


def _with_version(error: QueryError, version: str) -> str:
    text = str(error)
    return text if "(version " in text else f"{text} (version {version})"
