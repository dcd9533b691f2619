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
    _check_headers(written.headers)
    if written.method == "HEAD" and (body_steps(written) or written.expect_json):
        raise ValueError("expected nothing of the body, since HEAD has none")
    for pattern in (*written.expect_headers.values(), *filter(None, [written.expect_regex])):
        expected(Step(expect_regex=pattern))
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
    for name, value in (("path", written.expect_json), ("value", written.json_value)):
        try:
            if value is not None:
                if name == "path":
                    jsonpath.compile(value)
                else:
                    json.loads(value, parse_constant=_no_json)
        except (ValueError, jsonpath.JSONPathError) as error:
            raise ValueError(
                f"expected a JSONPath and a JSON value, found {value!r}: {error}"
            ) from error
    if written.json_value is not None and written.expect_json is None:
        raise ValueError("expected expect_json beside json_value")


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON (RFC 8259)")
