"""The options of `http`: what is wrong in an inventory, and the defaults."""

import json
import re
from typing import Final

from msgspec.structs import replace

from producers.judging.search import expected
from producers.kinds import http_conditions, http_status
from producers.kinds.http_expect import body_steps
from producers.kinds.http_proxy_url import parsed
from producers.kinds.tls_session import check_server_name
from schemas.probe import GrpcProbe, HttpProbe, Probe, Step, WebSocketProbe

TLS_PORTS: Final = frozenset({443, 8443})

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")

OURS: Final = frozenset(
    {
        "connection",
        "content-length",
        "http2-settings",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers of the connection itself, of a body and of a proxy (RFC 9110, sections 7.6.1, 8.6 and
11.7.2). A check has one request on each connection, so that another value would be wrong."""

JSON_OPTIONS: Final = (("json",), ("conditions", "*", "equals"), ("conditions", "*", "any_of", "*"))
"""See `producers.kinds.kind.Kind`."""


def settle(probe: Probe | None, port: int | None) -> Probe:
    """See `producers.kinds.kind.Settle`."""
    written = probe if isinstance(probe, HttpProbe) else HttpProbe()
    if "#" in written.path:
        # No client sends a fragment (RFC 9110, section 7.1), and servers refuse it.
        text = "path: expected a path without a fragment (# and what follows it, or %23 for the"
        raise ValueError(f"{text} character itself), found {written.path!r}")
    _check_headers(written.headers)
    _check_request(written)
    of_body = any(one.json is not None or one.body for one in written.conditions)
    if written.method == "HEAD" and (body_steps(written) or written.expect_json or of_body):
        raise ValueError("expected nothing of the body, since HEAD has none")
    for name, pattern in written.expect_headers.items():
        try:
            expected(Step(expect_regex=pattern))
        except ValueError as error:
            raise ValueError(f"expect_headers.{name}: {error}") from error
    expected(Step(expect_regex=written.expect_regex))
    _check_json(written)
    http_status.check(written.status)
    http_conditions.check(written.conditions)
    settled = written if written.tls is not None else replace(written, tls=port in TLS_PORTS)
    check_needs_tls(settled)
    return settled


def check_needs_tls(settled: HttpProbe | WebSocketProbe | GrpcProbe) -> None:
    """Checks that no option of TLS stands beside `tls: false`.

    Raises:
        ValueError: one does.
    """
    for name in ("server_name", "client_certificate"):
        if not settled.tls and getattr(settled, name) is not None:
            text = "expected it only with TLS (tls: true), found none, so that it means nothing"
            raise ValueError(f"{name}: {text}")


def _check_request(written: HttpProbe) -> None:
    if written.method == "CONNECT":
        raise ValueError("method: expected one that asks the server itself, found CONNECT")
    if written.body is not None and written.json is not None:
        raise ValueError("expected one of body and json, found both")
    check_login(written)
    if written.proxy is not None:
        parsed(written.proxy)
    check_server_name(written.server_name)


def check_login(written: HttpProbe | WebSocketProbe) -> None:
    """Checks `basic_auth` and `bearer`.

    Raises:
        ValueError: the first error of them.
    """
    login = written.basic_auth
    logins = [name for name, value in (("basic_auth", login), ("bearer", written.bearer)) if value]
    logins += [name for name in written.headers if name.lower() == "authorization"]
    if len(logins) > 1:
        found = " and ".join(logins)
        raise ValueError(f"expected one of basic_auth, bearer and a header Authorization: {found}")
    if login is not None and ":" in login.username:
        raise ValueError("basic_auth.username: expected no colon (RFC 7617)")
    if login is not None and not f"{login.username}{login.password}".isprintable():
        raise ValueError("basic_auth: expected no control characters (RFC 7617)")
    if written.bearer is not None and _TOKEN.fullmatch(written.bearer) is None:
        raise ValueError("bearer: expected visible characters of ASCII (RFC 6750)")


def _check_headers(headers: dict[str, str]) -> None:
    seen: dict[str, str] = {}
    for name in headers:
        if name.lower() in OURS:
            text = "expected headers of the request, found one of the connection, which each check"
            raise ValueError(f"headers: {text} sets by itself: {name}")
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise ValueError(f"headers: expected each header once, found {other} and {name}")


def _check_json(written: HttpProbe) -> None:
    if written.json_value is not None and written.expect_json is None:
        raise ValueError("expected expect_json beside json_value, which says where the value is")
    path = written.expect_json
    if path is not None and (why := http_conditions.path_error(path)) is not None:
        text = "expect_json: expected a JSONPath (RFC 9535) such as $.state"
        raise ValueError(f"{text}, found {path!r}: {why}")
    try:
        if written.json_value is not None:
            json.loads(written.json_value, parse_constant=_no_json)
    except ValueError as error:
        text = "json_value: expected a JSON value in quotes, such as '1', 'true' or '\"ok\"'"
        raise ValueError(f"{text}, found {written.json_value!r}: {error}") from error


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON (RFC 8259)")
