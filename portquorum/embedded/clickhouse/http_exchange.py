"""One request and its response, in the form of ClickHouse's HTTP interface."""

import asyncio
import json
import re
import secrets
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp import web

from portquorum.embedded.clickhouse import compression, http_status
from portquorum.embedded.clickhouse.blocks import BlockCompressor
from portquorum.embedded.clickhouse.engine import QueryError
from portquorum.embedded.clickhouse.external_tables import ExternalTable
from portquorum.embedded.clickhouse.http_body import is_on

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
_PIECE_BYTES: Final = 64 << 10
_PIECE_WITHIN_S: Final = 30.0
"""The longest wait for a client to take a piece, as ClickHouse's `http_send_timeout`."""
_QUERY_ID: Final = re.compile(r"[ -~]{1,256}")
_CONTENT_TYPES: Final = (
    (("TabSeparated", "TSV"), "text/tab-separated-values; charset=UTF-8"),
    (("CSV",), "text/csv; charset=UTF-8; header=absent"),
    (("JSONEachRow", "JSONLines", "NDJSON"), "application/x-ndjson; charset=UTF-8"),
    (("JSON",), "application/json; charset=UTF-8"),
    (("XML",), "application/xml; charset=UTF-8"),
    (("Native", "RowBinary", "Parquet", "Arrow", "ORC"), "application/octet-stream"),
)


class Exchange:
    """The options of a request beside its statement, and the headers and body of the response."""

    def __init__(self, request: web.BaseRequest, host: str, timezone: str) -> None:
        """Knows nothing of the parameters yet: `read` tells."""
        self.request = request
        self.format: str | None = None
        """The response's format; None for a statement without a result."""
        self.hurries = False
        """A client that stops reading for `_PIECE_WITHIN_S` loses its answer."""
        self._begun_at = time.monotonic_ns()
        self._tag = secrets.token_hex(8)
        self._compressors: list[compression.Compressor] = []
        self.headers = {
            "X-ClickHouse-Server-Display-Name": host,
            "X-ClickHouse-Timezone": timezone,
            "X-ClickHouse-Exception-Tag": self._tag,
            # Each request is a run of its own, so parts of two answers are not one file: `Range` is
            # ignored, as by a server, and clients are told so (RFC 9110, 14.2 and 14.3).
            "Accept-Ranges": "none",
        }
        self.parameters: Mapping[str, str] = {}
        self.tables: Sequence[ExternalTable] = ()
        self.id = str(uuid.uuid4())

    def read(self, parameters: Mapping[str, str], formats: Mapping[str, str]) -> None:
        """Takes the parameters; headers of ClickHouse go before those of the same meaning.

        Args:
            parameters: of the URL and of a form.
            formats: the engine's, by their names in lower case.

        Raises:
            QueryError: a query id that can't stand in a header, or an unknown format.
        """
        self.parameters = parameters
        self.settings = {
            name: value
            for name, value in parameters.items()
            if name not in _TRANSPORT and not name.startswith("param_")
        }
        self.params = {
            name.removeprefix("param_"): value
            for name, value in parameters.items()
            if name.startswith("param_")
        }
        headers = self.request.headers
        asked = parameters.get("query_id") or headers.get("X-ClickHouse-Query-Id")
        if asked is not None and not _QUERY_ID.fullmatch(asked):
            raise QueryError(
                "Code: 36. DB::Exception: A query_id has up to 256 printable characters of ASCII. "
                "(BAD_ARGUMENTS)"
            )
        self.id = asked or self.id
        self.headers["X-ClickHouse-Query-Id"] = self.id
        self.database = headers.get("X-ClickHouse-Database") or parameters.get("database")
        form = headers.get("X-ClickHouse-Format") or parameters.get("default_format")
        self.default_format = formats.get((form or "TabSeparated").lower(), "")
        if not self.default_format:
            # Whatever else stands there would become a part of the statement.
            raise QueryError(f"Code: 73. DB::Exception: Unknown format {form}. (UNKNOWN_FORMAT)")

    @property
    def only_reads(self) -> bool:
        """True if the request may change nothing: as in ClickHouse, a GET, or with `readonly`."""
        return self.request.method != "POST" or is_on(self.parameters.get("readonly"))

    @property
    def waits_for_end(self) -> bool:
        """True if the response starts after the statement: errors then have their status."""
        return is_on(self.parameters.get("wait_end_of_query"))

    def summarise(self, counts: Mapping[str, int]) -> None:
        """Sets X-ClickHouse-Summary: counts as strings, as ClickHouse writes them."""
        names = ("read_rows", "read_bytes", "written_rows", "written_bytes", "result_rows")
        found = {name: str(counts.get(name, 0)) for name in (*names, "result_bytes")}
        found["total_rows_to_read"] = found["read_rows"]
        found["elapsed_ns"] = str(time.monotonic_ns() - self._begun_at)
        self.headers["X-ClickHouse-Summary"] = json.dumps(found, separators=(",", ":"))

    def response(self, body: bytes) -> web.Response:
        """A complete response."""
        self._describe()
        return web.Response(body=self._packed(body) + self._rest(), headers=self.headers)

    async def begin(self, first: bytes) -> web.StreamResponse:
        """Starts a response that continues with `write` and ends with `finish` or `break_off`."""
        self._describe()
        response = web.StreamResponse(headers=self.headers)
        await response.prepare(self.request)
        if self.request.method != "HEAD":
            await self.write(response, first)
        return response

    async def write(self, response: web.StreamResponse, part: bytes) -> None:
        """Writes the next part; waits for a slow client.

        Raises:
            ConnectionResetError: the client is gone, or took nothing for too long.
        """
        packed = self._packed(part)
        if not self.hurries:
            if packed:
                await response.write(packed)
            return
        for at in range(0, len(packed), _PIECE_BYTES):
            try:
                async with asyncio.timeout(_PIECE_WITHIN_S):
                    await response.write(packed[at : at + _PIECE_BYTES])
            except TimeoutError as error:
                if self.request.transport is not None:
                    self.request.transport.abort()
                raise ConnectionResetError("the client does not read its answer") from error

    async def finish(self, response: web.StreamResponse) -> None:
        """Ends the response."""
        if rest := self._rest():
            await response.write(rest)
        await response.write_eof()

    async def break_off(
        self, response: web.StreamResponse, error: QueryError, version: str
    ) -> None:
        """Ends a response that failed halfway: the error between tags, then a broken line.

        The body has no proper end, so the client can't mistake it for complete.
        """
        text = f"{_with_version(error, version)}\n"
        size = len(text.encode(errors="replace"))
        block = f"\r\n__exception__\r\n{self._tag}\r\n{text}{size} {self._tag}\r\n__exception__\r\n"
        await response.write(self._packed(block.encode(errors="replace")) + self._rest())
        response.force_close()
        if self.request.transport is not None:
            self.request.transport.close()

    def refuse(self, error: QueryError, version: str, *, compressed: bool) -> web.Response:
        """An error response.

        Args:
            error: what is told.
            version: of the engine.
            compressed: in the encodings that the request asks for, as a server does from the
                moment that it knows the user; before that, no error is compressed.
        """
        self.headers["X-ClickHouse-Exception-Code"] = str(error.code)
        self.headers["Content-Type"] = "text/plain; charset=UTF-8"
        body = f"{_with_version(error, version)}\n".encode(errors="replace")
        status = http_status.of(error.code)
        if compressed:
            self._compress()
            body = self._packed(body) + self._rest()
        return web.Response(body=body, status=status, headers=self.headers)

    def _describe(self) -> None:
        if self.format is None:
            return
        self.headers["X-ClickHouse-Format"] = self.format
        self.headers["Content-Type"] = next(
            (text for starts, text in _CONTENT_TYPES if self.format.startswith(starts)),
            "text/plain; charset=UTF-8",
        )
        self._compress()

    def _compress(self) -> None:
        self._compressors.clear()
        if is_on(self.parameters.get("compress")):
            self._compressors.append(BlockCompressor())
        if is_on(self.parameters.get("enable_http_compression")):
            chosen = compression.choose(self.request.headers.get("Accept-Encoding", ""))
            if chosen is not None:
                self.headers["Content-Encoding"] = chosen[0]
                self._compressors.append(chosen[1])

    def _packed(self, part: bytes) -> bytes:
        for compressor in self._compressors:
            part = compressor.compress(part)
        return part

    def _rest(self) -> bytes:
        """The remaining bytes of the compressors, each through the outer ones."""
        rest = b""
        for compressor in self._compressors:
            rest = (compressor.compress(rest) if rest else b"") + compressor.flush()
        return rest


def _with_version(error: QueryError, version: str) -> str:
    text = str(error)
    return text if "(version " in text else f"{text} (version {version})"
