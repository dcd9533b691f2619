"""The body of a request: its end, whatever its length."""

import asyncio
from typing import TYPE_CHECKING, Final

from portquorum.receiver.report import MOST_OUTPUT

if TYPE_CHECKING:
    from litestar.types import Receive

BODY_S: Final = 15.0
"""The body must be here within this time."""
MOST_BYTES: Final = 10_000_000
"""Bytes that are read; who sends more is answered before the end."""
_KEPT: Final = 4 * MOST_OUTPUT
"""Bytes that are kept: a character has 4 of them at most (UTF-8)."""
_FIRST: Final = 0xC0
_LATER: Final = 0x80


class BodyGoneError(Exception):
    """The client left in the middle of its request."""


class BodyLateError(Exception):
    """The body was not here in time."""


async def body_end(receive: "Receive") -> str:
    """The last `MOST_OUTPUT` characters or more of the body, as UTF-8; "" if there is none.

    Raises:
        BodyGoneError: the client has gone.
        BodyLateError: it was too slow.
    """
    try:
        async with asyncio.timeout(BODY_S):
            return _text(*await _read(receive))
    except TimeoutError:
        raise BodyLateError from None


async def _read(receive: "Receive") -> tuple[bytes, bool]:
    """The end of the body, and whether there was more before it."""
    kept, count = b"", 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise BodyGoneError
        part = message.get("body", b"")
        count += len(part)
        kept = (kept + part)[-_KEPT:]
        if not message.get("more_body", False) or count > MOST_BYTES:
            return kept, count > len(kept)


def _text(kept: bytes, is_cut: bool) -> str:
    start = 0
    if is_cut:  # perhaps in the middle of a character
        while start < min(3, len(kept)) and _LATER <= kept[start] < _FIRST:
            start += 1
    return kept[start:].decode("utf-8", "replace")
