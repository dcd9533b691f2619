"""Lists as CSV (RFC 4180), all rows of a question in one answer."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.datastructures import State as AppState
from litestar.response import Stream
from msgspec import Struct

from portquorum.web.api.parameters import MOST_ROWS
from schemas.plain_text import one_line

MEDIA_TYPE: Final = "text/csv; header=present"
ROWS_AT_MOST: Final = 1_000_000

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a text that begins so for a formula (OWASP, CSV Injection)."""

PageOf = Callable[[str, int], Awaitable[tuple[Sequence[Struct], str]]]
"""Rows after a cursor, at most so many, and the cursor after them (empty: no more)."""


def wants_csv(request: Request[None, None, AppState], form: str) -> bool:
    """Whether the answer is CSV, by `format` or by `Accept`."""
    return form == "csv" or request.headers.get("accept", "").startswith("text/csv")


async def csv_answer(name: str, row: type[Struct], page: PageOf, cursor: str) -> Response[Any]:
    """All rows after `cursor`, as they come.

    The first page is asked for before the answer begins, so that its errors are problems. An error
    after that breaks the connection off: a file that is cut short is never taken for a whole one.
    """
    first = await page(cursor, MOST_ROWS)
    return Stream(
        _lines(row, page, first),
        media_type=MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


async def _lines(
    row: type[Struct], page: PageOf, first: tuple[Sequence[Struct], str]
) -> AsyncIterator[bytes]:
    names = row.__struct_fields__
    yield _text([names])
    rows, following = first
    written = 0
    while True:
        yield _text([[cell(name, getattr(one, name)) for name in names] for one in rows])
        written += len(rows)
        if not following or not rows or written >= ROWS_AT_MOST:
            return
        await asyncio.sleep(0)  # others have their turn
        rows, following = await page(following, MOST_ROWS)


def _text(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def cell(name: str, value: object) -> str:
    """A value as text: times in ISO 8601 (UTC), lists with `;`, what is not known empty."""
    match value:
        case None:
            said = ""
        case bool():
            said = "true" if value else "false"
        case int() if name.endswith("_at") or name in {"at", "since"}:
            moment = datetime.fromtimestamp(value / 1000, UTC)
            said = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case int() | float() | date():
            said = str(value)
        case str():
            said = _harmless(value)
        case tuple() if all(isinstance(one, str) for one in value):
            said = _harmless(";".join(value))
        case _:
            said = _harmless(msgspec.json.encode(value).decode())
    return said


def _harmless(text: str) -> str:
    clean = one_line(text)
    return f"'{clean}" if text.startswith(_FORMULA) else clean
