"""Apps that are asked one after the other, in front of the last one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from portquorum.serving.plain_answer import say
from portquorum.serving.scopes import is_http

if TYPE_CHECKING:
    from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send


class InFront(Protocol):
    """An ASGI app that answers some requests only."""

    def takes(self, scope: "HTTPScope") -> bool:
        """Whether it answers this request, whatever it answers."""

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answers a request that it takes."""


class Front:
    """An ASGI app: the first of `first` that takes a request answers it, else `last`."""

    def __init__(self, first: Sequence[InFront], last: "ASGIApp") -> None:
        """`last` also gets the lifespan."""
        self._first = tuple(first)
        self._last = last

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answers a request."""
        if is_http(scope):
            for one in self._first:
                if one.takes(scope):
                    await one(scope, receive, send)
                    return
        await self._last(scope, receive, send)


async def only_lifespan(scope: "Scope", receive: "Receive", send: "Send") -> None:
    """A last app that answers 404: there is nothing but what stands in front of it."""
    if is_http(scope):
        await say(scope, send, 404, b"not found")
    elif str(scope["type"]) == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})  # type: ignore[typeddict-item]
        await receive()
        await send({"type": "lifespan.shutdown.complete"})  # type: ignore[typeddict-item]
