"""A registry of the test's own: RDAP over HTTP, with what is asked of it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

from msgspec import Struct

from tests.integration.kinds.certificates import Pair

RDAP = "application/rdap+json"


class Answer(Struct, frozen=True):
    """An answer; `held`: it never comes to an end."""

    body: bytes = b""
    status: int = 200
    media: str = RDAP
    headers: tuple[tuple[str, str], ...] = ()
    held: bool = False


class Registry:
    """`answers` by path; anything else is an error 404 of a web server. `asked` are the paths."""

    def __init__(self, scheme: str) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.port = 0
        self._scheme = scheme

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}/"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split()[1]
            self.asked.append(path)
            self.heads.append(head)
            answer = self.answers.get(path, Answer(b"<html>no</html>", 404, "text/html"))
            lines = [f"HTTP/1.1 {answer.status} X", f"Content-Type: {answer.media}"]
            lines += [f"{name}: {value}" for name, value in answer.headers]
            lines += [f"Content-Length: {len(answer.body) + answer.held}", "", ""]
            writer.write("\r\n".join(lines).encode() + answer.body)
            await writer.drain()
            if answer.held:
                await reader.read()
        writer.close()


@contextlib.asynccontextmanager
async def registry(pair: Pair | None = None) -> AsyncIterator[Registry]:
    """A registry that answers; with the certificate of `pair` in TLS."""
    tls: ssl.SSLContext | None = None
    if pair is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(pair.certificate, pair.key)
    found = Registry("http" if tls is None else "https")
    async with await asyncio.start_server(found.serve, "127.0.0.1", 0, ssl=tls) as server:
        found.port = server.sockets[0].getsockname()[1]
        yield found
