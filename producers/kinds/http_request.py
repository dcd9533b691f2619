"""The request of an `http` check, and the one that a redirect makes of it."""

import base64
import re
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from producers.checks.errors import CheckFailedError
from producers.kinds.check_context import CheckContext
from producers.kinds.http_options import OURS
from producers.kinds.http_url import RequestUrl, shown_url
from schemas.probe import HttpProbe, WebSocketProbe

AGENT: Final = "portquorum"

_TARGET: Final = re.compile(r"/[\x21-\x7e]*")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_FOUND: Final = frozenset({301, 302})
_SEE_OTHER: Final = 303
# RFC 9110, section 8.6: without a body these have a length all the same.
_WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})
_HARMLESS: Final = frozenset({"GET", "HEAD"})
_OF_BODY: Final = ("content-",)


class Request(Struct, frozen=True):
    """One request. `fields`: by name in lower case, name and value. Without a `body` None.

    `own`: it goes to the target's own origin, and no other has been asked before.
    """

    place: RequestUrl
    method: str
    fields: dict[str, tuple[str, str]]
    body: bytes | None = None
    own: bool = True

    def encoded(self, cookies: str | None, *, absolute: bool, login: str | None) -> bytes:
        """The bytes of the request.

        `absolute`: a proxy needs the whole URL; `login` is the value of `Proxy-Authorization`.
        """
        place = self.place
        sent = {"host": ("Host", place.authority), "user-agent": ("User-Agent", AGENT)}
        sent["accept"] = ("Accept", "*/*")
        sent |= self.fields
        if cookies is not None:
            own = sent.get("cookie")
            joined = cookies if own is None else f"{own[1].strip()}; {cookies}"
            sent["cookie"] = ("Cookie", joined)
        if login is not None:
            sent["proxy-authorization"] = ("Proxy-Authorization", login)
        if self.body is not None or self.method in _WITH_LENGTH:
            sent["content-length"] = ("Content-Length", str(len(self.body or b"")))
        sent["connection"] = ("Connection", "close")
        target = f"{place.scheme}://{place.authority}{place.target}" if absolute else place.target
        lines = [f"{self.method} {target} HTTP/1.1"]
        lines += [f"{name}: {value.strip()}" for name, value in sent.values()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + (self.body or b"")


def first(context: CheckContext, options: HttpProbe, place: RequestUrl) -> Request:
    """The request to the target, with its secrets.

    Raises:
        CheckFailedError: `secret_missing`; `prober_error`: a secret can't stand where it is used.
    """
    path = target_of(context, options)
    fields = fields_of(context, options)
    body = None
    if options.body is not None:
        body = context.reveal(options.body, "body").encode()
    elif options.json is not None:
        body = context.reveal(options.json, "json").encode()
        fields.setdefault("content-type", ("Content-Type", "application/json"))
    return Request(replace(place, target=path), options.method, fields, body)


def target_of(context: CheckContext, options: HttpProbe | WebSocketProbe) -> str:
    """The path with its secrets.

    Raises:
        CheckFailedError: as `first`.
    """
    path = context.reveal(options.path, "path")
    if _TARGET.fullmatch(path) is None:
        raise _unfit("path", "visible characters of ASCII")
    return path


def after(request: Request, place: RequestUrl, status: int) -> Request:
    """The request that a redirect with this status makes of `request`, as browsers do it.

    301 and 302 turn POST into GET, 303 all but HEAD; 307 and 308 change nothing (the Fetch
    Standard, HTTP-redirect fetch). Headers, login, body and client certificate are for the
    target's own origin alone, and for it no more after another one was asked.

    Raises:
        CheckFailedError: `unexpected_response`: another origin is to get a method that may change
            something, or a body.
    """
    method, body, fields = request.method, request.body, request.fields
    if (status in _FOUND and method == "POST") or (
        status == _SEE_OTHER and method not in _HARMLESS
    ):
        method, body = "GET", None
        fields = {name: field for name, field in fields.items() if not name.startswith(_OF_BODY)}
    own = request.own and place.origin == request.place.origin
    if place.origin != request.place.origin:
        if body is not None or method not in _HARMLESS:
            what = method if body is None else f"{method} with its body"
            text = f"the status {status} leads {what} to another origin, {shown_url(place.url)}"
            raise CheckFailedError("unexpected_response", f"{text}, which no check does")
        fields = {}
    return Request(place, method, fields, body, own)


def basic(user: str, password: str) -> str:
    """The value of a field for the scheme `Basic`, in UTF-8 (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def fields_of(
    context: CheckContext, options: HttpProbe | WebSocketProbe
) -> dict[str, tuple[str, str]]:
    """The user's fields and login, with their secrets: by name in lower case, name and value.

    Raises:
        CheckFailedError: as `first`.
    """
    # `settle` refuses those of the connection; targets from before it did so have them still.
    fields = {
        name.lower(): (name, context.reveal(value, f"headers.{name}"))
        for name, value in options.headers.items()
        if name.lower() not in OURS
    }
    if options.basic_auth is not None:
        user = context.reveal(options.basic_auth.username, "basic_auth.username")
        password = context.reveal(options.basic_auth.password, "basic_auth.password")
        if ":" in user:
            raise _unfit("basic_auth.username", "no colon (RFC 7617)")
        fields["authorization"] = ("Authorization", basic(user, password))
    if options.bearer is not None:
        token = context.reveal(options.bearer, "bearer").strip()
        fields["authorization"] = ("Authorization", f"Bearer {token}")
    for name, value in fields.values():
        if _VALUE.fullmatch(value) is None:
            raise _unfit(name, "characters of Latin-1 in one line")
    return fields


def _unfit(field: str, expected: str) -> CheckFailedError:
    text = f"{field}: expected {expected} after its secrets were put in, found others"
    return CheckFailedError("prober_error", text)
