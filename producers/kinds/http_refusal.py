"""The words of an HTTP answer that refuses: the beginning of its body."""

import asyncio
from typing import Final

from producers.checks.errors import CheckFailedError
from producers.kinds.check_context import CheckContext
from producers.kinds.connection import Connection
from producers.kinds.http_body import BodyReader
from producers.kinds.http_coding import Unpacker
from producers.kinds.http_head import Head

_TOLD_BYTES: Final = 4_096
_TOLD_S: Final = 0.5
"""The most of a refusal that is read, and the longest wait for it: its words are in the detail."""


async def refusal(
    context: CheckContext, stream: Connection, head: Head, rest: bytes, method: str
) -> bytes:
    """The beginning of the body, if it comes soon; `rest` came with the head."""
    said = bytearray()
    try:
        unpacker = Unpacker(head, _TOLD_BYTES)
        reader, data = BodyReader(head, method), rest
        async with asyncio.timeout(min(_TOLD_S, context.left_s / 2)):
            while True:
                said += unpacker.feed(reader.feed(data))
                if reader.done or len(said) >= _TOLD_BYTES:
                    break
                data = await stream.receive()
                if not data:
                    break
    except (CheckFailedError, TimeoutError):
        pass  # the status alone says enough
    return bytes(said)
