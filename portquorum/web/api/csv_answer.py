"""Lists as CSV (RFC 4180), all rows of a question in one answer."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.datastructures import State as AppState
from litestar.response import Stream
from msgspec import Struct

from portquorum.web.api.parameters import MOST_ROWS
from portquorum.web.problem import RETRY_AFTER, ProblemError
from schemas.plain_text import one_line

MEDIA_TYPE: Final = "text/csv; header=present"
ROWS_AT_MOST: Final = 1_000_000

TURNS: Final = 2
"""Pages of files that are asked of the history at a time; other questions go beside them."""
MOST_WAITING: Final = 64
"""Files whose next page of the history waits for its turn; a further file is not begun."""
ROWS_A_TURN: Final = 250
"""Rows that are written before others have their turn: about 5 ms."""

_FORMULA: Final = re.compile(r"(^|;)(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r\n])")
"""A spreadsheet takes a cell that begins so for a formula (OWASP, CSV Injection); where a comma is
the decimal mark, a semicolon parts cells."""

PageOf = Callable[[str, int], Awaitable[tuple[Sequence[Struct], str]]]
"""Rows after a cursor, at most so many, and the cursor after them (empty: no more)."""


def wants_csv(request: Request[None, None, AppState], form: str) -> bool:
    """Whether the answer is CSV, by `format` or by `Accept`."""
    return form == "csv" or request.headers.get("accept", "").startswith("text/csv")


class _Turns:
    """Some files at a time do something, the others wait: they may have a thousand pages each.

    Waiting for a turn is waiting in this process: a question to the history has a time limit.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._gate = asyncio.Semaphore(most)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A turn, after those who came before."""
        gate = self._of_this_loop()
        self.waiting += 1
        try:
            await gate.acquire()
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            gate.release()

    def taken_by(self, page: PageOf) -> PageOf:
        """`page`, each call of which has a turn."""

        async def in_turn(cursor: str, most: int) -> tuple[Sequence[Struct], str]:
            async with self.turn():
                return await page(cursor, most)

        return in_turn

    def _of_this_loop(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._gate, self.waiting = loop, asyncio.Semaphore(self._most), 0
        return self._gate


turns: Final = _Turns(TURNS)
"""Those at the history."""
_here: Final = _Turns(1)
"""Those that are work of this process. Else a hundred files would go before each page."""


async def csv_of_history(
    name: str, row: type[Struct], page: PageOf, cursor: str, names: Sequence[str] = ()
) -> Response[Any]:
    """As `csv_answer`; its questions to the history have turns with those of other files."""
    if turns.waiting >= MOST_WAITING:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"{MOST_WAITING} other files are made of the history: ask again later",
            headers=RETRY_AFTER,
        )
    return await _file(name, names or row.__struct_fields__, turns.taken_by(page), cursor)


async def csv_answer(
    name: str, row: type[Struct], page: PageOf, cursor: str, names: Sequence[str] = ()
) -> Response[Any]:
    """All rows after `cursor`, as they come; `names` are the columns (none: all).

    The first page is asked for before the answer begins, so that its errors are problems. An error
    after that breaks the connection off: a file that is cut short is never taken for a whole one.
    """
    return await _file(name, names or row.__struct_fields__, _here.taken_by(page), cursor)


async def _file(name: str, names: Sequence[str], page: PageOf, cursor: str) -> Response[Any]:
    first = await page(cursor, MOST_ROWS)
    return Stream(
        _lines(names, page, first),
        media_type=MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


async def _lines(
    names: Sequence[str], page: PageOf, first: tuple[Sequence[Struct], str]
) -> AsyncIterator[bytes]:
    yield _text([names])
    rows, following = first
    written = 0
    while True:
        for begin in range(0, len(rows), ROWS_A_TURN):
            async with _here.turn():
                await asyncio.sleep(0)  # who waits for no file goes first
                part = rows[begin : begin + ROWS_A_TURN]
                text = _text([[cell(name, getattr(one, name)) for name in names] for one in part])
            yield text
        written += len(rows)
        if not following or not rows or written >= ROWS_AT_MOST:
            return
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
    return one_line(_FORMULA.sub(r"\1'", text))
