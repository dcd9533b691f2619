"""gRPC: the health of a server or of one of its services (grpc.health.v1).

https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

import re
import ssl
from typing import Final
from urllib.parse import unquote

from msgspec.structs import replace

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.kinds import tls_session
from producers.kinds.check_context import CheckContext
from producers.kinds.connection import Connection
from producers.kinds.grpc_message import (
    SERVING,
    STATUSES,
    NotGrpcError,
    health,
    request,
)
from producers.kinds.http2_call import Answer, Headers, call
from producers.kinds.http_options import OURS, TLS_PORTS, check_needs_tls
from producers.kinds.http_url import RequestUrl
from producers.kinds.kind import Kind
from producers.kinds.limits import says_too_many
from producers.kinds.tls import hold_on
from producers.kinds.tls_errors import ClientCertificateError
from schemas.probe import GrpcProbe, Probe
from schemas.result import Reason

_PATH: Final = "/grpc.health.v1.Health/Check"
_AGENT: Final = "grpc-portquorum"
_NAME: Final = re.compile(r"[0-9a-z_.-]+")
"""The name of metadata, in small letters (PROTOCOL-HTTP2.md, Custom-Metadata)."""

_AUTHORITY: Final = re.compile(r"[\x21-\x2e\x30-\x3e\x41-\x7e]+")
"""Visible characters but `/`, `?` and `@`."""

_OURS: Final = OURS | {"content-type", "host"}
_CODES: Final = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"),
    *("ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"),
    *("ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
    "UNAUTHENTICATED",
)
_NOT_FOUND: Final = 5
_RESOURCE_EXHAUSTED: Final = 8
_UNIMPLEMENTED: Final = 12
_NO_ALPN: Final = (
    "the server does not choose h2 by ALPN, which clients of gRPC require (RFC 9113, section 3.2)"
)


async def check(context: CheckContext) -> None:
    """Up: the health service says SERVING.

    A server without that service (UNIMPLEMENTED) is down, as for grpc_health_probe, Kubernetes and
    blackbox_exporter: a proxy before a server that is gone says the same.

    Raises:
        CheckFailedError: as for all kinds; `unexpected_response` for another status.
    """
    probe, target = context.target.probe, context.target
    options = probe if isinstance(probe, GrpcProbe) else _settled(None, target.port)
    try:
        await _converse(context, options)
    except ClientCertificateError as error:
        if options.service or options.client_certificate is not None:
            raise
        context.note(error.detail)
    hold_on(context, options.critical_days, options.warn_days)


async def _converse(context: CheckContext, options: GrpcProbe) -> None:
    context.waiting_for = "connection"
    remark: str | None = None
    metadata = {
        name.lower(): context.reveal(value, f"metadata.{name}").strip()
        for name, value in options.metadata.items()
    }
    stream = await context.connect()
    if options.tls:
        tls = await _secured(context, stream, options)
        remark = None if tls.selected_alpn_protocol() == "h2" else _NO_ALPN
    try:
        headers = _headers(context, options, metadata)
        answer = await call(context, stream, headers, request(options.service))
    except ClientCertificateError:
        raise
    except CheckFailedError as error:
        if remark is not None:
            error.detail += f"; {remark}"
        raise
    _judge(context, options, answer)
    context.banner = "SERVING"
    if remark is not None:
        context.note(remark)


async def _secured(context: CheckContext, stream: Connection, options: GrpcProbe) -> ssl.SSLObject:
    try:
        return await tls_session.secure(
            context,
            stream,
            verify=options.verify,
            server_name=options.server_name,
            client=options.client_certificate,
            alpn=("h2",),
        )
    except CheckFailedError as error:
        if "protocol by ALPN" in error.detail:
            error.detail += ", h2: gRPC needs HTTP/2"
        raise


def _headers(context: CheckContext, options: GrpcProbe, metadata: dict[str, str]) -> Headers:
    target = context.target
    if target.host is None or target.port is None:
        raise CheckFailedError("prober_error", "the target has no host or no port")
    scheme = "https" if options.tls else "http"
    place = RequestUrl(scheme, target.host, target.port, _PATH)
    fields = {
        "te": "trailers",
        "grpc-timeout": f"{max(1, round(context.left_s * 1000))}m",
        "content-type": "application/grpc",
        "user-agent": _AGENT,
        "grpc-accept-encoding": "identity",
        **metadata,
    }
    return [
        (":method", "POST"),
        (":scheme", scheme),
        (":path", _PATH),
        (":authority", options.authority or place.authority),
        *fields.items(),
    ]


def _judge(context: CheckContext, options: GrpcProbe, answer: Answer) -> None:
    """Raises for every answer but SERVING.

    Raises:
        CheckFailedError: what was expected and found.
    """
    fields = answer.fields or {}
    status = fields.get(":status", "")
    if len(status) == 3 and status.isdecimal() and int(status) >= 100:
        context.http_status = int(status)
    # Of an answer without data all is in one block (Trailers-Only).
    last = answer.trailers if "grpc-status" in answer.trailers else fields
    code = last.get("grpc-status")
    if code is None:
        raise CheckFailedError("unexpected_response", _no_grpc(fields, answer))
    message = shown(unquote(last.get("grpc-message", ""), errors="replace").encode())
    if code != "0":
        raise _failure(options, code, message)
    try:
        found = health(bytes(answer.data), fields.get("grpc-encoding", "identity"))
    except NotGrpcError as error:
        raise CheckFailedError("unexpected_response", str(error)) from error
    if found != SERVING:
        said = STATUSES.get(found, f"the unknown status {found}")
        text = f"{_of(options)}: expected SERVING, found {said}"
        raise CheckFailedError("unexpected_response", text)


def _failure(options: GrpcProbe, code: str, message: str) -> CheckFailedError:
    number = int(code) if code.isdecimal() and len(code) < 3 else len(_CODES)
    name = _CODES[number] if number < len(_CODES) else f"the status {shown(code.encode())!r}"
    said = f" ({message!r})" if message else ""
    text = f"{_of(options)}: expected SERVING, found {name}{said}"
    if number == _UNIMPLEMENTED:
        text += ": the server has no health service (grpc.health.v1)"
    elif number == _NOT_FOUND:
        text += ": the health service knows no such service"
    many = number == _RESOURCE_EXHAUSTED and says_too_many(message.encode())
    reason: Reason = "too_many_connections" if many else "unexpected_response"
    return CheckFailedError(reason, text)


def _no_grpc(fields: dict[str, str], answer: Answer) -> str:
    """An answer without `grpc-status`: of a web server, or of a proxy before a dead server."""
    status, kind = fields.get(":status"), fields.get("content-type", "none")
    if status != "200":
        said = shown(bytes(answer.data))
        told = f": {said!r}" if said.strip() else ""
        found = shown((status or "none").encode())
        return f"expected an answer of gRPC, found the HTTP status {found}{told}"
    if not kind.startswith("application/grpc"):
        found = shown(kind.encode())
        return f"expected an answer of gRPC, found one with the Content-Type {found!r}"
    return "expected a grpc-status at the end of the answer, found none"


def _of(options: GrpcProbe) -> str:
    return f"service {options.service}" if options.service else "server"


def _settle(probe: Probe | None, port: int | None) -> Probe:
    return _settled(probe, port)


def _settled(probe: Probe | None, port: int | None) -> GrpcProbe:
    written = probe if isinstance(probe, GrpcProbe) else GrpcProbe()
    tls_session.check_server_name(written.server_name)
    if written.authority is not None and _AUTHORITY.fullmatch(written.authority) is None:
        text = "authority: expected a host, and its port if need be"
        raise ValueError(f"{text}, found {written.authority!r}")
    seen: set[str] = set()
    for name in written.metadata:
        small = name.lower()
        if _NAME.fullmatch(small) is None:
            text = "metadata: expected a name of letters, digits, '_', '-' and '.'"
            raise ValueError(f"{text}, found {name}")
        if small in _OURS or small.startswith("grpc-"):
            text = (
                "metadata: expected headers of the call, found one that each check sets by itself"
            )
            raise ValueError(f"{text}: {name}")
        if small in seen:
            raise ValueError(f"metadata: expected each name once, found {small} twice")
        seen.add(small)
    settled = written if written.tls is not None else replace(written, tls=port in TLS_PORTS)
    check_needs_tls(settled)
    return settled


KIND: Final = Kind(check=check, port=50051, options=GrpcProbe, settle=_settle, latency_of="total")
