"""The options of `http`: what is wrong in an inventory, and the defaults."""

import json
from typing import Final

import jsonpath
from msgspec.structs import replace

from producers.judging.search import expected
from producers.kinds.http_expect import body_steps
from schemas.probe import HttpProbe, Probe, Step

TLS_PORTS: Final = frozenset({443, 8443})

OURS: Final = frozenset(
    {
        "connection",
        "content-length",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers of the connection itself and of a body (RFC 9110, sections 7.6.1 and 8.6). A check has
one request without a body on each connection, so that another value would be wrong."""


def settle(probe: Probe | None, port: int | None) -> Probe:
    """See `producers.kinds.kind.Settle`."""
    written = probe if isinstance(probe, HttpProbe) else HttpProbe()
    if "#" in written.path:
        # No client sends a fragment (RFC 9110, section 7.1), and servers refuse it.
        text = "path: expected a path without a fragment (# and what follows it, or %23 for the"
        raise ValueError(f"{text} character itself), found {written.path!r}")
    _check_headers(written.headers)
    if written.method == "HEAD" and (body_steps(written) or written.expect_json):
        raise ValueError("expected nothing of the body, since HEAD has none")
    for name, pattern in written.expect_headers.items():
        try:
            expected(Step(expect_regex=pattern))
        except ValueError as error:
            raise ValueError(f"expect_headers.{name}: {error}") from error
    expected(Step(expect_regex=written.expect_regex))
    _check_json(written)
    if written.tls is None:
        return replace(written, tls=port in TLS_PORTS)
    return written


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
    try:
        if written.expect_json is not None:
            jsonpath.compile(written.expect_json)
    except (ValueError, jsonpath.JSONPathError) as error:
        why = str(error.args[0]) if error.args else "no such path"  # str has a drawing of it
        text = "expect_json: expected a JSONPath (RFC 9535) such as $.state"
        raise ValueError(f"{text}, found {written.expect_json!r}: {why}") from error
    try:
        if written.json_value is not None:
            json.loads(written.json_value, parse_constant=_no_json)
    except ValueError as error:
        text = "json_value: expected a JSON value in quotes, such as '1', 'true' or '\"ok\"'"
        raise ValueError(f"{text}, found {written.json_value!r}: {error}") from error


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON (RFC 8259)")
