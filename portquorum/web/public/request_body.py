"""The body of a small form that a stranger sends; nothing in it is believed."""

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from portquorum.web.access.asker import headers_of, values

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Receive

MOST_BYTES: Final = 8_192
READ_S: Final = 10.0
_FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 10


async def form_of(scope: "HTTPScope", receive: "Receive") -> dict[str, str]:
    """The fields of a form; none of what is no form, too large, too late or cut."""
    kinds = values(headers_of(scope), "content-type")
    if [one.partition(";")[0].strip().lower() for one in kinds] != [_FORM]:
        return {}
    body = b""
    try:
        async with asyncio.timeout(READ_S):
            while True:
                message = await receive()
                if str(message["type"]) != "http.request":
                    return {}
                body += message.get("body", b"")  # type: ignore[operator]
                if len(body) > MOST_BYTES:
                    return {}
                if not message.get("more_body", False):
                    break
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except (TimeoutError, ValueError):
        return {}
    return dict(pairs)
