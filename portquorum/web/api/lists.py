"""Lists that memory has whole (regions, windows, …): search, order and pages over their rows. Pure.

Their usual order is that of the answer: trouble first.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from msgspec import Struct

from portquorum.web.fleet.cursor import Cursor, CursorError, decode

Row = TypeVar("Row", bound=Struct)
Key = Callable[[Row], str | int]


class ListQuery(NamedTuple):
    """Which rows: `sort` is empty (as they come), or a name of an order, with `-` backwards."""

    q: str
    sort: str
    limit: int
    cursor: str


class Listing(NamedTuple, Generic[Row]):
    """What can be asked of rows: what names one, what `q` looks through, the orders."""

    id_of: Callable[[Row], str]
    text_of: Callable[[Row], str]
    orders: Mapping[str, Key[Row]]


def page_of(
    rows: Sequence[Row], listing: Listing[Row], asked: ListQuery
) -> tuple[tuple[Row, ...], int, str]:
    """The rows of a page, the number of all that match, and the next cursor (empty: no more).

    Raises:
        CursorError: the cursor is none, or of another order.
    """
    words = asked.q.lower().split()
    found = [one for one in rows if all(word in listing.text_of(one).lower() for word in words)]
    by = listing.orders.get(asked.sort.lstrip("-"))
    if by is not None:
        backwards = asked.sort.startswith("-")
        found.sort(key=lambda one: (by(one), listing.id_of(one)), reverse=backwards)
    begin = _begin(found, listing, asked)
    shown = found[begin : begin + asked.limit]
    after = begin + len(shown)
    cursor = ""
    if after < len(found):
        cursor = Cursor(asked.sort, after, "", listing.id_of(shown[-1])).encode()
    return tuple(shown), len(found), cursor


def whole(
    rows: Sequence[Row], listing: Listing[Row], q: str, sort: str
) -> Callable[[str, int], Awaitable[tuple[Sequence[Row], str]]]:
    """All rows after a cursor at once, for a CSV."""

    async def page(after: str, most: int) -> tuple[Sequence[Row], str]:
        del most  # they are there
        return page_of(rows, listing, ListQuery(q, sort, max(1, len(rows)), after))[0], ""

    return page


def _begin(found: Sequence[Row], listing: Listing[Row], asked: ListQuery) -> int:
    """Behind the row of the cursor, wherever it is now; if it is gone, at its place."""
    cursor = decode(asked.cursor, asked.sort)
    if cursor is None:
        return 0
    if not isinstance(cursor.first, int) or cursor.first < 0:
        raise CursorError("expected a cursor of this list, found another one")
    here = (place for place, one in enumerate(found) if listing.id_of(one) == cursor.id)
    return max(0, next(here, cursor.first - 2) + 1)
