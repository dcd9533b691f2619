"""The body of a request: a form's fields, the statement, and the data behind it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final, NamedTuple

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from portquorum.embedded.clickhouse import compression
from portquorum.embedded.clickhouse.blocks import BlockDecompressor
from portquorum.embedded.clickhouse.engine import QueryError
from portquorum.embedded.clickhouse.statement import Insert, Look

MOST_QUERY_BYTES: Final = 1 << 20


async def read_parameters(request: web.Request) -> dict[str, str]:
    """The parameters of the URL, and those of a form (`multipart/form-data`), which has no body.

    Raises:
        QueryError: a form of more than 1 MiB, one that can't be read, or one with a file
            (ClickHouse's external tables).
    """
    parameters = dict(request.query)
    if not _is_form(request):
        return parameters
    size = 0
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.filename is not None or not part.name:
                raise QueryError(
                    "Code: 48. DB::Exception: A form may have fields with names and no files: "
                    "external tables are not known here; use a temporary table in a session. "
                    "(NOT_IMPLEMENTED)"
                )
            field = bytearray()
            while piece := await part.read_chunk():
                field += piece
                size += len(piece)
                if size > MOST_QUERY_BYTES:
                    raise _too_large()
            parameters[part.name] = field.decode(errors="replace")
    # What aiohttp raises of a form that is none: no boundary, no end, broken headers or encodings.
    except (ValueError, LookupError, RuntimeError, AssertionError, HttpProcessingError) as error:
        raise QueryError(
            f"Code: 36. DB::Exception: The form can't be read: {error}. (BAD_ARGUMENTS)"
        ) from error
    return parameters


class Statement(NamedTuple):
    """A request's statement."""

    text: bytes
    first: str
    """The first word in upper case; empty if there is none."""
    insert: Insert | None
    data: AsyncIterator[bytes] | None
    """The data of an INSERT, except its beginning in `text`; None for other statements."""


Looking = Callable[[bytes], Awaitable[Look]]
"""`statement.look`, run where a long text delays nobody."""


async def read_statement(
    request: web.Request,
    parameters: Mapping[str, str],
    looking: Looking,
    may_insert: Callable[[], None],
) -> Statement:
    """The statement: parameter `query`, then the body up to an INSERT's data.

    Args:
        request: whose body is read.
        parameters: of the URL and of a form.
        looking: tells what a text is.
        may_insert: raises if the user may not insert; called before the data is read.

    Raises:
        QueryError: a statement of more than 1 MiB, an INSERT from `input()`, or a body in an
            unknown or broken encoding; and what `may_insert` raises.
    """
    reading = _Reading(looking, may_insert, parameters.get("query", "").encode(errors="replace"))
    await reading.look()
    if _is_form(request):
        return reading.statement(None)
    body = _body(request, framed=is_on(parameters.get("decompress")))
    if reading.found.insert is not None:
        return reading.statement(body)
    if reading.text.strip():
        reading.text += b"\n"
    async for part in body:
        reading.text += part
        if await reading.has_data():
            return reading.statement(body)
    await reading.look()
    return reading.statement(body)


class _Reading:
    """The statement as received so far, and its class."""

    def __init__(self, looking: Looking, may_insert: Callable[[], None], text: bytes) -> None:
        self.text = bytearray(text)
        self.found = Look("", None, takes_input=False)
        self._looking = looking
        self._may_insert = may_insert
        self._next_look = 0

    async def look(self) -> None:
        self.found = await self._looking(bytes(self.text[:MOST_QUERY_BYTES]))
        if self.found.first == "INSERT":
            self._may_insert()
        if self.found.takes_input:
            raise _no_input()

    async def has_data(self) -> bool:
        """True if the data of an INSERT has begun.

        Checks again only when the text has doubled: a body may arrive byte by byte.
        """
        size = len(self.text)
        if size < self._next_look and size <= MOST_QUERY_BYTES:
            return False
        self._next_look = 2 * size
        await self.look()
        # At the very end of what has come, a format's name may be half of it.
        insert = self.found.insert
        if insert is not None and insert.data_at < size:
            return True
        if size > MOST_QUERY_BYTES:
            raise _too_large()
        return False

    def statement(self, body: AsyncIterator[bytes] | None) -> Statement:
        insert = None if body is None else self.found.insert
        data = None if insert is None else body
        return Statement(bytes(self.text), self.found.first, insert, data)


def is_on(value: str | None) -> bool:
    """True if a switch parameter is given and not off."""
    return value not in {None, "", "0", "false"}


def _is_form(request: web.Request) -> bool:
    return request.content_type == "multipart/form-data"


async def _body(request: web.Request, *, framed: bool) -> AsyncIterator[bytes]:
    """The decoded body; `framed` is ClickHouse's own compression, inside of any other encoding."""
    body = _decoded(request)
    if not framed:
        async for part in body:
            yield part
        return
    async for piece in _through(BlockDecompressor(), body, "ClickHouse's blocks", "271"):
        yield piece


async def _decoded(request: web.Request) -> AsyncIterator[bytes]:
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
    async for piece in _through(decompressor, request.content.iter_any(), encoding, "354"):
        yield piece


async def _through(
    decompressor: compression.Decompressor, body: AsyncIterator[bytes], name: str, code: str
) -> AsyncIterator[bytes]:
    word = {"271": "CANNOT_DECOMPRESS", "354": "ZLIB_INFLATE_FAILED"}[code]
    try:
        async for part in body:
            for piece in decompressor.decompress(part):
                if piece:
                    yield piece
        decompressor.finish()
    except compression.Corrupt as error:
        raise QueryError(
            f"Code: {code}. DB::Exception: The body is not {name}: {error}. ({word})"
        ) from error


def _no_input() -> QueryError:
    return QueryError(
        "Code: 48. DB::Exception: INSERT … SELECT … FROM input(…) is not known here; insert the "
        "data into a temporary table of a session (session_id), and INSERT … SELECT from that. "
        "(NOT_IMPLEMENTED)"
    )


def _too_large() -> QueryError:
    return QueryError(
        f"Code: 229. DB::Exception: The statement has more than {MOST_QUERY_BYTES} bytes. "
        "(QUERY_IS_TOO_LARGE)"
    )
