"""What a scope of ASGI is of, without importing a framework."""

from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from litestar.types import HTTPScope, LifeSpanScope, Receive, Scope, Send

__all__ = ["HTTPScope", "LifeSpanScope", "Receive", "Scope", "Send", "is_http"]
"""The types are there for type checkers alone."""


def is_http(scope: "Scope | LifeSpanScope") -> "TypeGuard[HTTPScope]":
    """Whether it is a request."""
    return str(scope["type"]) == "http"
