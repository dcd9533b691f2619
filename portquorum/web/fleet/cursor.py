"""Cursors: the place behind the last row of a page, as an opaque text.

A place is the row's own sort key, not a number: rows that come or go before it move nothing.
"""

import base64
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from schemas.json_decoder import JsonDecoder

_MOST_CHARS: Final = 4_096
_Text = Annotated[str, Meta(max_length=1_000)]


class CursorError(ValueError):
    """A cursor that no page has given, or that belongs to another sort."""


class Cursor(Struct, frozen=True, array_like=True):
    """`first` is what the rows are sorted by before their names (None: nothing)."""

    sort: _Text
    first: int | _Text | None
    name: _Text
    id: _Text

    def encode(self) -> str:
        """The cursor as base64url of JSON."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


_decoder: JsonDecoder[Cursor] = JsonDecoder(Cursor)


def decode(text: str, sort: str) -> Cursor | None:
    """The cursor of a text; None if the text is empty.

    Raises:
        CursorError: it is none, or belongs to another sort.
    """
    if not text:
        return None
    try:
        text = text[:_MOST_CHARS]
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = _decoder.decode(raw)
    except (ValueError, msgspec.DecodeError) as error:
        raise CursorError(
            f"expected the cursor of a page before, found {text[:40]!r}; ask for the first page"
        ) from error
    if found.sort != sort:
        raise CursorError(
            f"expected a cursor of the sort {sort!r}, found one of {found.sort[:40]!r}; "
            "ask for the first page"
        )
    return found
