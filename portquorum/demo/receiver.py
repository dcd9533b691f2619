"""The channel of the demo: a small HTTP receiver that Apprise posts to (`json://…`)."""

import asyncio
from types import TracebackType
from typing import Final, Self

import msgspec
from aiohttp import web
from msgspec import Struct

from foundation.http_origin import Served, is_forwarded, refusal

HOST: Final = "127.0.0.1"


class ReceivedMessage(Struct, frozen=True):
    """A received message, in the form that people see."""

    title: str
    message: str


class Receiver:
    """Stores the received messages, in order of arrival; use it as an async context manager."""

    def __init__(self) -> None:
        """Listens on entering."""
        self.messages: asyncio.Queue[ReceivedMessage] = asyncio.Queue()
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The Apprise URL."""
        return f"json://{HOST}:{self.port}/"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/", self._post)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        why = refusal(request.method, request.headers, Served(HOST), request.raw_path)
        if why is None and is_forwarded(request.headers):
            why = "expected a message of the demo's notifier, found one that a proxy passed on"
        if why is not None:
            raise web.HTTPForbidden(text=why)
        try:
            self.messages.put_nowait(
                msgspec.json.decode(await request.read(), type=ReceivedMessage)
            )
        except msgspec.MsgspecError as error:
            raise web.HTTPBadRequest(text=f"expected a message of Apprise: {error}") from error
        return web.Response(text="thanks")
