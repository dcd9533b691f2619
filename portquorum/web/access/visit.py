"""What the edge found out about a request before any route, for the guard and the handlers."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from msgspec import Struct

from portquorum.access.principal import Principal
from portquorum.web.access.asker import Asker

PRINCIPAL: Final = "principal"
"""The key in `scope["state"]`."""
VISIT: Final = "visit"


def _always() -> bool:
    return True


class Visit(Struct, frozen=True, kw_only=True):
    """One request, before its route is known.

    `principal` None: a stranger, who gets `status` with `why` (one sentence) where the route is not
    public. `form_secret` is what the CSRF token of their forms is made from, empty for a program,
    which needs no token. `is_new`: the browser does not have the secret yet. `goes_on` says whether
    the principal is still let in: a live stream asks it. `asker` is where it comes from; None in
    tests.
    """

    principal: Principal | None
    status: HTTPStatus = HTTPStatus.UNAUTHORIZED
    why: str = ""
    form_secret: str = ""
    is_new: bool = False
    goes_on: Callable[[], bool] = _always
    asker: Asker | None = None

    @property
    def is_secure(self) -> bool:
        """True if the browser spoke TLS."""
        return self.asker is not None and self.asker.scheme == "https"


def visit_of(scope: Mapping[str, Any]) -> Visit:
    """The visit that the edge wrote into an ASGI scope."""
    found = scope["state"][VISIT]
    if not isinstance(found, Visit):
        raise TypeError(f"expected a Visit in the scope, found {type(found).__name__}")
    return found
