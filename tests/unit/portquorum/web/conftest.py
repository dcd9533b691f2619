"""An app is made in a third of its time: the parameters of its routes are not reckoned anew.

They are read from its OpenAPI document, which depends on the routes alone; tests make apps by the
hundred.
"""

from collections.abc import Mapping
from typing import Any

from litestar import Litestar
from litestar.routes import HTTPRoute

from portquorum.web import app as web_app

_PARAMETERS: dict[frozenset[Any], Mapping[tuple[str, str], Mapping[str, bool]]] = {}
_known_parameters = web_app.known_parameters


def _known_parameters_once(app: Litestar) -> Mapping[tuple[str, str], Mapping[str, bool]]:
    """What the routes of `app` know."""
    routes = [route for route in app.routes if isinstance(route, HTTPRoute)]
    handlers = [(route.path, one.fn) for route in routes for one in route.route_handlers]
    of = frozenset((path, getattr(fn, "__code__", fn)) for path, fn in handlers)
    if of not in _PARAMETERS:
        _PARAMETERS[of] = _known_parameters(app)
    return _PARAMETERS[of]


web_app.known_parameters = _known_parameters_once
