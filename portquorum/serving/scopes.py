"""What a scope of ASGI is of, without importing a framework."""

from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from litestar.types import HTTPScope as HTTPScope
    from litestar.types import LifeSpanScope as LifeSpanScope
    from litestar.types import Receive as Receive
    from litestar.types import Scope as Scope
    from litestar.types import Send as Send


def is_http(scope: "Scope | LifeSpanScope") -> "TypeGuard[HTTPScope]":
    """Whether it is a request."""
    return str(scope["type"]) == "http"
