"""Who is let in, decided for each request before its route."""

import secrets
from typing import TYPE_CHECKING, Final, Protocol

from foundation.http_origin import Served
from portquorum.access.principal import Principal
from portquorum.web.access.visit import Visit
from portquorum.web.guard import ScopeHeaders, refused

if TYPE_CHECKING:
    from litestar.types import HTTPScope

FORM_COOKIE: Final = "portquorum_form"
"""The secret of the forms of a browser without a session."""

LOCAL: Final = Principal(name="local", scope="admin", via="local")
"""Anybody on this machine, as long as there are no users."""

_OF_A_BROWSER: Final = ("origin", "cookie", "referer")


class Door(Protocol):
    """Decides on each request."""

    def visit(self, scope: "HTTPScope") -> Visit | str:
        """Who asks; a sentence: 403, whatever they ask for."""


class LocalDoor:
    """Everybody on this machine is let in, and nobody else."""

    def __init__(self, served: Served) -> None:
        """`served` are the names that this server answers for."""
        self._served = served

    def visit(self, scope: "HTTPScope") -> Visit | str:
        """Refuses what came from elsewhere, by a proxy or from another site's page."""
        if (why := refused(scope, self._served)) is not None:
            return why
        secret, is_new = form_secret(scope)
        principal = Principal(name=LOCAL.name, scope=LOCAL.scope, via=LOCAL.via, session=secret)
        return Visit(principal=principal, form_secret=secret, is_new=is_new)


def form_secret(scope: "HTTPScope") -> tuple[str, bool]:
    """The secret for forms of who has no session, and whether it is new; empty for a program.

    A program sends none of the headers that a browser does (Origin, Sec-Fetch-Site, Cookie).
    """
    names = {name.decode("latin-1") for name, _ in scope["headers"]}
    if names.isdisjoint(_OF_A_BROWSER) and not any(name.startswith("sec-fetch-") for name in names):
        return "", False
    found = cookie(scope, FORM_COOKIE)
    return (found, False) if found else (secrets.token_urlsafe(32), True)


def cookie(scope: "HTTPScope", name: str) -> str:
    """A cookie's value; empty if there is none, or more than one: somebody may have added it."""
    parsed: list[str] = []
    for header, value in ScopeHeaders(scope).items():
        if header == "cookie":
            for part in value.split(";"):
                key, _, text = part.strip().partition("=")
                if key == name:
                    parsed.append(text.strip('"'))
    return parsed[0] if len(parsed) == 1 else ""
