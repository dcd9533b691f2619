"""What each route needs: written beside the route, so that a new one can't be without."""

from collections.abc import Iterator
from typing import Any, Final

from litestar import Litestar
from litestar.enums import HttpMethod
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from portquorum.access.principal import Need

NEED: Final = "need"
_NEEDS: Final[tuple[Need, ...]] = ("public", "viewer", "operator", "admin")


class MissingNeedError(RuntimeError):
    """A route does not say who may use it; the app does not start."""


def needs(need: Need) -> dict[str, Any]:
    """A part of a route's `opt`: `@get("/targets", opt=needs("viewer"))`."""
    return {NEED: need}


def need_of(handler: BaseRouteHandler) -> Need:
    """What a route needs.

    What Litestar answers to OPTIONS by itself names the methods of a route: a viewer may ask.

    Raises:
        MissingNeedError: the route does not say.
    """
    found = handler.opt.get(NEED)
    need = next((one for one in _NEEDS if one == found), None)
    if need is not None:
        return need
    if _is_made_by_litestar(handler):
        return "viewer"
    raise MissingNeedError(f'{handler}: expected opt=needs("…"), found none')


def handlers_of(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Path, method and handler of each route of the app; OPTIONS is one of the methods."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in sorted(handler.http_methods):
                yield route.path, method, handler


def refuse_without_needs(app: Litestar) -> None:
    """Called when the app is made.

    Raises:
        MissingNeedError: some routes do not say what they need; the text names them.
    """
    missing: dict[str, None] = {}
    for path, method, handler in handlers_of(app):
        try:
            need_of(handler)
        except MissingNeedError:
            missing[f"{method} {path}"] = None
    if missing:
        raise MissingNeedError(
            f'expected opt=needs("…") at each route, not at {", ".join(missing)}'
        )


def _is_made_by_litestar(handler: BaseRouteHandler) -> bool:
    methods = getattr(handler, "http_methods", ())
    return set(methods) == {HttpMethod.OPTIONS} and NEED not in handler.opt
