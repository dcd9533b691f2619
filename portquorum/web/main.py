"""The role `web`."""

import asyncio
import socket
from typing import Final

from foundation import telemetry
from foundation.http_origin import Served
from foundation.lifecycle import cancelled, ends_within, stop_on_signals
from foundation.loopback_listener import inherited_listener, loopback_listener, place_of
from foundation.settings import PREFIX, Settings
from portquorum.web.app import create_app
from portquorum.web.explaining.explainer import Explainer
from portquorum.web.following import Following
from portquorum.web.history.stored_history import StoredHistory
from portquorum.web.pages.handlers import error_page_of
from portquorum.web.parts import Parts
from portquorum.web.routes import ROUTES
from portquorum.web.server import serve

_CLOSE_S: Final = 2.0
"""What the topics' followers, and the questions to ClickHouse, have at the end."""

_log: Final = telemetry.logger(__name__)


async def run(settings: Settings, *, listen: str | None = None, fd: int | None = None) -> None:
    """Shows the page until SIGTERM or SIGINT; ends within 10 s.

    It answers at once and says that it is blind until the topics are read, and while Kafka is away.
    `listen` goes before the setting, `fd` before both: a listening socket that was inherited.

    Raises:
        foundation.settings.SettingsError: where it should listen can't be used.
        foundation.kafka.TopicMismatchError: the topics are not those of the settings.
        Exception: a fault of ours; the process should end with it and be started again.
    """
    telemetry.configure_logging("web", settings)
    listening = _listening(settings, listen, fd)
    stop = stop_on_signals()
    telemetry.serve_metrics("web", settings)
    following = Following(settings)
    history = StoredHistory(settings)
    closing = asyncio.Event()
    app = create_app(
        Parts(following.fleet, following.hub, history, closing, Explainer(settings)),
        Served(listening.getsockname()[0], settings.http_host_names),
        routes=ROUTES,
        error_page=error_page_of(following.fleet),
    )
    _log.info("page served", address=f"http://{place_of(listening)}/")
    serving = asyncio.create_task(serve(app, listening, closing, stop))
    working = asyncio.create_task(following.run())
    try:
        await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            stop.set()
        await asyncio.wait({serving})
        serving.result()
        if working.done():
            working.result()
            raise RuntimeError("the topics are not followed any more")
    finally:
        await ends_within(_CLOSE_S, cancelled(working, serving))
        await ends_within(_CLOSE_S, history.close())


def _listening(settings: Settings, listen: str | None, fd: int | None) -> socket.socket:
    if fd is not None:
        return inherited_listener(fd, "--fd")
    if listen is not None:
        return loopback_listener(listen, "--listen")
    return loopback_listener(settings.web_listen, f"{PREFIX}WEB_LISTEN")
