"""The app: pages and API over the fleet, the live changes and the history."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from foundation.http_origin import Served
from portquorum.web.api import API_ROUTES, openapi_config
from portquorum.web.api.parameters import known_parameters
from portquorum.web.edge import Edge
from portquorum.web.errors import ErrorPage, error_handlers
from portquorum.web.packing import BROTLI_QUALITY, GZIP_LEVEL, PACKED_FROM
from portquorum.web.page_cache import NOT_PACKED_AGAIN, PageCache
from portquorum.web.parts import Parts

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def create_app(
    parts: Parts,
    served: Served,
    *,
    routes: Sequence[ControllerRouterHandler] = (),
    error_page: ErrorPage | None = None,
    lifespan: Sequence[Lifespan] = (),
) -> Edge:
    """An ASGI app.

    `routes` are the pages, `error_page` theirs for errors; None: a line of text. `lifespan`: what
    runs as long as the app.
    """
    pages = PageCache()
    app = Litestar(
        route_handlers=[*API_ROUTES, *routes],
        dependencies={
            "fleet": Provide(lambda: parts.fleet, sync_to_thread=False),
            "hub": Provide(lambda: parts.hub, sync_to_thread=False),
            "history": Provide(lambda: parts.history, sync_to_thread=False),
            "explainer": Provide(lambda: parts.explainer, sync_to_thread=False),
            "closing": Provide(lambda: parts.closing, sync_to_thread=False),
            "pages": Provide(lambda: pages, sync_to_thread=False),
        },
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
        request_max_body_size=0,
    )
    app.state.known_parameters = known_parameters(app)
    return Edge(app, served)
