"""The app: pages and API over the fleet, the live changes and the history."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from foundation.http_origin import Served
from portquorum.web.access.door import Door, RecordsDoor
from portquorum.web.access.needs import refuse_without_needs
from portquorum.web.access.permission import permission, principal_of
from portquorum.web.alertmanager.alert_book import AlertBook
from portquorum.web.alertmanager.routes import ALERTMANAGER_ROUTES
from portquorum.web.api import API_ROUTES, openapi_config
from portquorum.web.api.parameters import known_parameters
from portquorum.web.api.repeats import Repeats
from portquorum.web.edge import Edge, RefusalPage
from portquorum.web.errors import ErrorPage, error_handlers
from portquorum.web.packing import BROTLI_QUALITY, GZIP_LEVEL, PACKED_FROM
from portquorum.web.page_cache import NOT_PACKED_AGAIN, PageCache
from portquorum.web.parts import Parts

MOST_BODY: Final = 1_000_000
"""Bytes of the body of a request."""

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def create_app(
    parts: Parts,
    served: Served,
    *,
    routes: Sequence[ControllerRouterHandler] = (),
    error_page: ErrorPage | None = None,
    refusal_page: RefusalPage | None = None,
    lifespan: Sequence[Lifespan] = (),
    door: Door | None = None,
) -> Edge:
    """An ASGI app.

    `routes` are the pages, `error_page` theirs for errors, `refusal_page` that for what the door
    refuses; None: a line of text. `lifespan`: what runs as long as the app. `door` says who is let
    in; None: this machine, as long as the journal has no user.

    Raises:
        portquorum.web.access.needs.MissingNeedError: a route does not say who may use it.
    """
    pages = PageCache()
    repeats = Repeats(parts.journal)
    alert_book = AlertBook(parts.fleet)
    app = Litestar(
        route_handlers=[*API_ROUTES, ALERTMANAGER_ROUTES, *routes],
        dependencies={
            "fleet": Provide(lambda: parts.fleet, sync_to_thread=False),
            "hub": Provide(lambda: parts.hub, sync_to_thread=False),
            "history": Provide(lambda: parts.history, sync_to_thread=False),
            "explainer": Provide(lambda: parts.explainer, sync_to_thread=False),
            "closing": Provide(lambda: parts.closing, sync_to_thread=False),
            "pages": Provide(lambda: pages, sync_to_thread=False),
            "journal": Provide(lambda: parts.journal, sync_to_thread=False),
            "acts": Provide(lambda: parts.acts, sync_to_thread=False),
            "edits": Provide(lambda: parts.edits, sync_to_thread=False),
            "office": Provide(lambda: parts.office, sync_to_thread=False),
            "status_edits": Provide(lambda: parts.status_edits, sync_to_thread=False),
            "keys": Provide(lambda: parts.keys, sync_to_thread=False),
            "alert_book": Provide(lambda: alert_book, sync_to_thread=False),
            "repeats": Provide(lambda: repeats, sync_to_thread=False),
            "principal": Provide(principal_of, sync_to_thread=False),
        },
        guards=[permission],
        exception_handlers=error_handlers(error_page),
        compression_config=CompressionConfig(
            backend="brotli",
            brotli_quality=BROTLI_QUALITY,
            brotli_gzip_fallback=True,
            gzip_compress_level=GZIP_LEVEL,
            minimum_size=PACKED_FROM,
            exclude=["^/api/v1/events$"],
            exclude_opt_key=NOT_PACKED_AGAIN,
        ),
        openapi_config=openapi_config(),
        lifespan=list(lifespan),
        # Ours are foundation.telemetry's.
        logging_config=None,
        request_max_body_size=MOST_BODY,
    )
    refuse_without_needs(app)
    app.state.known_parameters = known_parameters(app)
    return Edge(app, door or RecordsDoor(parts.journal, served), refusal_page)
