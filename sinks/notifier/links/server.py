"""The server of links in messages: one in each notifier's process, also in one that stands by."""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from foundation import telemetry
from foundation.lifecycle import ends_within
from foundation.settings import Settings
from sinks.notifier.links.desk_view import LinkMemory
from sinks.notifier.links.handler import REQUESTS, LinkHandler
from sinks.notifier.links.spoken import SpokenWords

MOST_CONNECTIONS: Final = 64
"""Connections at a time; a new one ends the oldest."""

LIFE_S: Final = 15.0
"""Longest life of a connection, in s: a request a byte at a time holds it no longer."""

CLOSE_WITHIN_S: Final = 1.0
_AGAIN_S: Final = 5.0

_log: Final = telemetry.logger(__name__)


class LinkServer:
    """Serves the links; does nothing without the setting `links`.

    `life_s` and `requests` (a second, at once) are for tests.
    """

    def __init__(
        self,
        settings: Settings,
        current: Callable[[], LinkMemory | None],
        life_s: float = LIFE_S,
        requests: tuple[float, int] = REQUESTS,
    ) -> None:
        """`current` gives the memory of the present notifier, None while there is none."""
        self._settings = settings
        self._current = current
        self._life_s = life_s
        self._requests = requests
        self.port = 0
        """The port that it listens on; 0 while it does not."""

    async def run(self) -> None:
        """Serves until it is cancelled. A port that is taken is tried again and again."""
        settings = self._settings
        if not settings.links or settings.links_key is None:
            return
        spoken = SpokenWords(settings)
        handler = LinkHandler(settings, settings.links_key, self._current, spoken, self._requests)
        runner = web.AppRunner(
            handler.application(),
            access_log=None,
            keepalive_timeout=self._life_s,
            lingering_time=CLOSE_WITHIN_S,
            shutdown_timeout=CLOSE_WITHIN_S / 2,
        )
        await runner.setup()
        try:
            await self._serve(runner)
        finally:
            self.port = 0
            await ends_within(CLOSE_WITHIN_S, runner.cleanup())
            await spoken.close(CLOSE_WITHIN_S)

    async def _serve(self, runner: web.AppRunner) -> None:
        host, _, port = self._settings.links_listen.rpartition(":")
        loop = asyncio.get_running_loop()
        inner = runner.server
        assert inner is not None  # noqa: S101 - `setup` has made it

        def connection() -> RequestHandler:
            return bounded(inner, loop, self._life_s)

        while True:
            try:
                server = await loop.create_server(connection, host.strip("[]"), int(port))
            except OSError as error:
                _log.warning(
                    "links are not served, trying again",
                    listen=self._settings.links_listen,
                    error=str(error),
                )
                await asyncio.sleep(_AGAIN_S)
                continue
            try:
                self.port = server.sockets[0].getsockname()[1]
                _log.info("serving links", listen=f"{host}:{self.port}")
                await asyncio.Event().wait()
            finally:
                server.close()


def bounded(server: web.Server, loop: asyncio.AbstractEventLoop, life_s: float) -> RequestHandler:
    """A connection that ends after `life_s`, and the oldest one at once if there are many."""
    open_ = server.connections
    if len(open_) >= MOST_CONNECTIONS:
        _abort(open_[0])
    made: RequestHandler = server()
    loop.call_later(life_s, _abort, made)
    return made


def _abort(connection: RequestHandler) -> None:
    if connection.transport is not None:
        connection.transport.abort()
