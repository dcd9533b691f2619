"""An answer of one text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Send

TEXT: Final = b"text/plain; charset=utf-8"
Header = tuple[bytes, bytes]


async def say(  # noqa: PLR0917 - an answer has so many parts
    scope: "HTTPScope",
    send: "Send",
    status: int,
    body: bytes,
    headers: Sequence[Header] = (),
    kind: bytes = TEXT,
) -> None:
    """Sends a whole answer; to HEAD without its body."""
    first = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*first, *headers]})
    shown = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": shown, "more_body": False})
