"""The body of a request: a form's fields, the statement, and the data behind it."""

from collections.abc import AsyncIterator, Mapping
from typing import Final

from aiohttp import BodyPartReader, web

from portquorum.embedded import compression
from portquorum.embedded.blocks import BlockDecompressor
from portquorum.embedded.engine import QueryError
from portquorum.embedded.statement import split_insert, starts_insert, takes_input

MOST_QUERY_BYTES: Final = 1 << 20


async def read_parameters(request: web.Request) -> dict[str, str]:
    """The parameters of the URL, and those of a form (`multipart/form-data`), which has no body.

    Raises:
        QueryError: a form of more than 1 MiB, or with a file (ClickHouse's external tables).
    """
    parameters = dict(request.query)
    if not _is_form(request):
        return parameters
    size = 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.filename is not None or not part.name:
            raise QueryError(
                "Code: 48. DB::Exception: A form may have fields with names and no files: external "
                "tables are not known here; use a temporary table in a session. (NOT_IMPLEMENTED)"
            )
        field = bytearray()
        while piece := await part.read_chunk():
            field += piece
            size += len(piece)
            if size > MOST_QUERY_BYTES:
                raise _too_large()
        parameters[part.name] = field.decode(errors="replace")
    return parameters


async def read_statement(
    request: web.Request, parameters: Mapping[str, str]
) -> tuple[bytes, AsyncIterator[bytes] | None]:
    """The statement (parameter `query`, then the body), and the rest of the body.

    The rest is None unless the statement is an INSERT that brings its data: then the statement's
    text ends somewhere in that data.

    Raises:
        QueryError: a statement of more than 1 MiB, an INSERT from `input()`, or a body in an
            unknown or broken encoding.
    """
    text = parameters.get("query", "").encode()
    if _is_form(request):
        return text, None
    body = _body(request, framed=is_on(parameters.get("decompress")))
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
            if insert is None and takes_input(text[:MOST_QUERY_BYTES]):
                raise _no_input()
        if len(text) > MOST_QUERY_BYTES:
            raise _too_large()
    return text, (body if starts_insert(text) and split_insert(text) is not None else None)


def is_on(value: str | None) -> bool:
    """Whether a parameter that switches something is given and not off."""
    return value not in {None, "", "0", "false"}


def _is_form(request: web.Request) -> bool:
    return request.content_type == "multipart/form-data"


async def _body(request: web.Request, *, framed: bool) -> AsyncIterator[bytes]:
    """The body without its encodings: `framed` is the one of ClickHouse, inside of any other."""
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
