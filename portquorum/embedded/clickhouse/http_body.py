"""The body of a request: a form's fields, the statement, and the data behind it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final, NamedTuple, TypeVar

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError

from portquorum.embedded.clickhouse import compression
from portquorum.embedded.clickhouse.blocks import BlockDecompressor
from portquorum.embedded.clickhouse.engine import QueryError
from portquorum.embedded.clickhouse.external_tables import FormFile
from portquorum.embedded.clickhouse.statement import Insert, StatementClass

MOST_QUERY_BYTES: Final = 1 << 20
MOST_PARAMETERS: Final = 1000
"""The most parameters of a URL; half a million fit into one, and hold everybody up for a second."""
MOST_CONTENT_TYPE: Final = 256
MOST_FORM_BYTES: Final = 8 << 20
"""The most bytes of a form with files (external tables); it is in memory as a whole."""
MOST_FIELDS: Final = 256
"""The most fields of a form; each costs about a millisecond, and anybody may send one."""
NEXT_PART_S: Final = 30.0
"""The longest wait for the next part of a body, as ClickHouse's `http_receive_timeout`.

aiohttp (3.14) tells nobody of a chunk that is broken after the first ones: the body just goes on
nowhere, on a connection that may be closed already.
"""

_FILE: Final = b"filename="
_Part = TypeVar("_Part")


class Parameters(NamedTuple):
    """What a URL and a form say."""

    values: dict[str, str]
    files: list[FormFile]


async def read_parameters(
    request: web.BaseRequest, may_be_large: Callable[[], Awaitable[None]]
) -> Parameters:
    """The parameters of the URL, and those of a form (`multipart/form-data`), which has no body.

    Args:
        request: whose parameters these are.
        may_be_large: called before a form with files takes more than 1 MiB; raises if it may not.

    Raises:
        QueryError: a URL of more than 1,000 parameters; a form of more than 256 fields, of more
            than 8 MiB (1 MiB without files), or one that can't be read; and what `may_be_large`
            raises.
    """
    if request.raw_path.count("&") >= MOST_PARAMETERS:
        raise QueryError(
            f"Code: 36. DB::Exception: A URL has up to {MOST_PARAMETERS} parameters, and this one "
            "has more. (BAD_ARGUMENTS)"
        )
    parameters = dict(request.query)
    files: list[FormFile] = []
    if not _is_form(request):
        return Parameters(parameters, files)
    form, is_whole = await _form(request, may_be_large)
    fields = size = 0
    try:
        while (part := await form.next()) is not None:
            if not isinstance(part, BodyPartReader) or not part.name:
                raise QueryError(
                    "Code: 36. DB::Exception: Expected a form of fields and files with names, "
                    "found one without, or one within another. (BAD_ARGUMENTS)"
                )
            fields += 1
            if fields > MOST_FIELDS:
                raise QueryError(
                    f"Code: 36. DB::Exception: A form has up to {MOST_FIELDS} fields, and this one "
                    "has more. (BAD_ARGUMENTS)"
                )
            # Nothing here waits for anything: the others have their turn.
            await asyncio.sleep(0)
            field = bytes(await part.read())
            if part.filename is not None:
                files.append(FormFile(part.name, field))
                continue
            size += len(field)
            parameters[part.name] = field.decode(errors="replace")
    # What aiohttp raises of a form that is none: no end, broken headers or encodings.
    except (ValueError, LookupError, RuntimeError, AssertionError, HttpProcessingError) as error:
        if is_whole:
            raise QueryError(
                f"Code: 36. DB::Exception: The form can't be read: {error}. (BAD_ARGUMENTS)"
            ) from error
    if not is_whole or size > MOST_QUERY_BYTES:
        raise _too_large()
    return Parameters(parameters, files)


async def _form(
    request: web.BaseRequest, may_be_large: Callable[[], Awaitable[None]]
) -> tuple[MultipartReader, bool]:
    """The form up to the most that it may have, and whether that is all of it.

    All has come before it is read: what aiohttp reads while it comes costs it far more.

    Raises:
        QueryError: it has no boundary, or does not begin with a field.
    """
    body = bytearray()
    most = MOST_QUERY_BYTES
    async for part in _received(request):
        body += part
        if len(body) > most and most < MOST_FORM_BYTES and _FILE in body:
            await may_be_large()
            most = MOST_FORM_BYTES
        if len(body) > most:
            break
    if not body.startswith(b"--"):
        # No client of HTTP sends the text before the first field that a mail may have.
        raise QueryError(
            "Code: 36. DB::Exception: The form can't be read: expected -- and its boundary first. "
            "(BAD_ARGUMENTS)"
        )
    loop = asyncio.get_running_loop()
    whole = StreamReader(BaseProtocol(loop), most, loop=loop)
    whole.feed_data(bytes(body))
    whole.feed_eof()
    try:
        return MultipartReader(request.headers, whole), len(body) <= most
    except (ValueError, AssertionError) as error:
        raise QueryError(
            f"Code: 36. DB::Exception: The form can't be read: {error}. (BAD_ARGUMENTS)"
        ) from error


class Statement(NamedTuple):
    """A request's statement."""

    text: bytes
    first: str
    """The first word in upper case; empty if there is none."""
    insert: Insert | None
    data: AsyncIterator[bytes] | None
    """The data of an INSERT, except its beginning in `text`; None for other statements."""


Looking = Callable[[bytes], Awaitable[StatementClass]]
"""`statement.look`, run where a long text delays nobody."""


async def read_statement(
    request: web.BaseRequest,
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
        self.found = StatementClass("", None, takes_input=False)
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


def _is_form(request: web.BaseRequest) -> bool:
    """Whether the body is a form.

    Raises:
        QueryError: a Content-Type of more than 256 characters: Python's own parser of it, which
            aiohttp uses, takes a second for 16 KB.
    """
    if len(request.headers.get("Content-Type", "")) > MOST_CONTENT_TYPE:
        raise QueryError(
            f"Code: 36. DB::Exception: A Content-Type has up to {MOST_CONTENT_TYPE} characters. "
            "(BAD_ARGUMENTS)"
        )
    return request.content_type == "multipart/form-data"


async def _body(request: web.BaseRequest, *, framed: bool) -> AsyncIterator[bytes]:
    """The body without its encodings: `framed` is the one of ClickHouse, inside of any other."""
    body = _decoded(request)
    if not framed:
        async for part in body:
            yield part
        return
    async for piece in _through(BlockDecompressor(), body, "ClickHouse's blocks", "271"):
        yield piece


async def _in_time(coming: Awaitable[_Part]) -> _Part:
    """What comes from the client.

    Raises:
        QueryError: nothing came for `NEXT_PART_S`.
    """
    try:
        async with asyncio.timeout(NEXT_PART_S):
            return await coming
    except TimeoutError as error:
        raise QueryError(
            "Code: 209. DB::Exception: Expected the next part of the body within "
            f"{NEXT_PART_S:.0f} s, and nothing came. (SOCKET_TIMEOUT)"
        ) from error


async def _received(request: web.BaseRequest) -> AsyncIterator[bytes]:
    while part := await _in_time(request.content.readany()):
        yield part


async def _decoded(request: web.BaseRequest) -> AsyncIterator[bytes]:
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.lower() in {"identity", ""}:
        async for part in _received(request):
            yield part
        return
    try:
        decompressor = compression.decompressor(encoding)
    except KeyError:
        raise QueryError(
            f"Code: 48. DB::Exception: Content-Encoding {encoding!r} is not known here; lz4, zstd, "
            "gzip and deflate are. (NOT_IMPLEMENTED)"
        ) from None
    async for piece in _through(decompressor, _received(request), encoding, "354"):
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
