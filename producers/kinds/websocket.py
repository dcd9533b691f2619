"""WebSocket (RFC 6455): the upgrade over HTTP/1.1, and messages."""

import os
from typing import Final

from msgspec.structs import replace

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.judging.jobs import Search
from producers.judging.search import expected
from producers.kinds import tls_session
from producers.kinds.check_context import CheckContext
from producers.kinds.connection import Connection
from producers.kinds.http_head import Head, HeadReader
from producers.kinds.http_options import OURS, TLS_PORTS, check_login, check_needs_tls
from producers.kinds.http_refusal import refusal
from producers.kinds.http_request import fields_of, target_of
from producers.kinds.http_url import RequestUrl
from producers.kinds.kind import Kind
from producers.kinds.limits import says_too_many
from producers.kinds.tcp import sent, settle_step
from producers.kinds.tls import hold_on
from producers.kinds.tls_errors import (
    ClientCertificateError,
    RefusedCertificateError,
    refuses_client,
)
from producers.kinds.websocket_messages import Messages
from producers.kinds.websocket_upgrade import accepted, refused, request
from schemas.probe import Exchange, Probe, WebSocketProbe

_OURS: Final = OURS | {
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-version",
}
_LIMITED: Final = frozenset({403, 429, 503})


async def check(context: CheckContext) -> None:
    """Up: the server accepts the upgrade, and each step has its message.

    If nothing is expected, a server that wants a client's certificate is up, with a remark.

    Raises:
        CheckFailedError: as for all kinds; `unexpected_response` for an answer that a client must
            refuse, for a message that does not come, and for a server that closes before.
    """
    probe, target = context.target.probe, context.target
    options = probe if isinstance(probe, WebSocketProbe) else _settled(None, target.port)
    try:
        await _converse(context, options)
    except ClientCertificateError as error:
        if options.steps or options.subprotocols or options.client_certificate is not None:
            raise
        context.note(error.detail)
    hold_on(context, options.critical_days, options.warn_days)


async def _converse(context: CheckContext, options: WebSocketProbe) -> None:
    context.waiting_for = "connection"
    key = os.urandom(16)
    # Before the connection: a secret may be missing.
    asked, data = _request(context, options, key), _sent(context, options)
    stream = await context.connect()
    if options.tls:
        await tls_session.secure(
            context,
            stream,
            verify=options.verify,
            server_name=options.server_name,
            client=options.client_certificate,
            # As browsers do: over HTTP/2 a WebSocket would be another dialogue (RFC 8441).
            alpn=("http/1.1",),
        )
    messages = await _upgraded(context, stream, options, asked, key)
    try:
        for number, step in enumerate(options.steps):
            await _take(context, messages, step, data[number], number + 1)
    except CheckFailedError:
        await messages.bye()
        raise
    # Not after a cancellation: the deadline has passed, and nobody would end a goodbye that the
    # server does not read.
    await messages.bye()


def _sent(context: CheckContext, options: WebSocketProbe) -> list[bytes]:
    """The data of each step, with its secrets.

    Raises:
        CheckFailedError: `secret_missing`.
    """
    return [
        sent(context, step, f"steps[{number}].send") for number, step in enumerate(options.steps)
    ]


async def _upgraded(
    context: CheckContext, stream: Connection, options: WebSocketProbe, asked: bytes, key: bytes
) -> Messages:
    """The open connection.

    Raises:
        CheckFailedError: the server refuses, or answers what a client must refuse.
    """
    broken = None
    try:
        await stream.send(asked)
    except (ClientCertificateError, RefusedCertificateError):
        raise  # the server has explained itself
    except CheckFailedError as error:
        broken = error  # a server may refuse before it closes
    head, rest = await _head(context, stream, broken)
    context.http_status = head.status
    wrong = refused(head, has_origin=any(name.lower() == "origin" for name in options.headers))
    if wrong is not None:
        said = await refusal(context, stream, head, rest, "GET")
        own = options.client_certificate
        if options.tls and own is None and refuses_client(head.status, said):
            raise ClientCertificateError
        text = f"{wrong}: {shown(said)!r}" if said.strip() else wrong
        limited = head.status in _LIMITED and says_too_many(said)
        raise CheckFailedError("too_many_connections" if limited else "unexpected_response", text)
    chosen = accepted(head, key, options.subprotocols)
    if chosen is not None:
        context.banner = f"subprotocol {shown(chosen.encode('latin-1'))}"
    return Messages(stream, rest)


def _request(context: CheckContext, options: WebSocketProbe, key: bytes) -> bytes:
    target = context.target
    if target.host is None or target.port is None:
        raise CheckFailedError("prober_error", "the target has no host or no port")
    fields = fields_of(context, options)
    scheme = "https" if options.tls else "http"
    place = RequestUrl(scheme, target.host, target.port, target_of(context, options))
    return request(place.target, place.authority, key, fields, options.subprotocols)


async def _head(
    context: CheckContext, stream: Connection, broken: CheckFailedError | None
) -> tuple[Head, bytes]:
    """The head of the answer, and what came with it; `broken` is the error of our request."""
    reader = HeadReader()
    context.silence, context.waiting_for = "no_answer", "answer to the upgrade"
    while True:
        try:
            data = await stream.receive()
        except (ClientCertificateError, RefusedCertificateError):
            raise
        except CheckFailedError as error:
            cause = broken or error
            came = f": {reader.begun} came" if reader.heard else ""
            raise CheckFailedError(cause.reason, f"{cause.detail}{came}") from error
        if not data:
            return reader.end(), b""
        head = reader.feed(data)
        if head is not None:
            context.came = None
            return head, reader.rest
        context.silence = "unexpected_response"
        context.waiting_for = "complete head of the answer"
        context.came = lambda: f"{reader.begun} came"


async def _take(
    context: CheckContext, messages: Messages, step: Exchange, data: bytes, number: int
) -> None:
    """Takes one step: each message is looked at by itself, until one fits."""
    wanted = expected(step)
    context.silence = "unexpected_response"
    context.waiting_for = f"room for the message of step {number}"
    broken: CheckFailedError | None = None
    if data:
        try:
            await messages.send(data, text=step.send_hex is None)
        except CheckFailedError as error:
            if wanted is None:
                raise
            broken = error  # the server may have explained itself
    if wanted is None:
        return
    count, found = 0, "none"
    while True:
        text = f"step {number}: expected a message with {wanted.words}, found {found}"
        context.waiting_for = f"message that fits ({text})"
        try:
            message = await messages.next()
        except CheckFailedError as error:
            why = broken if broken is not None and error.reason == "connection_reset" else error
            raise CheckFailedError(why.reason, f"{why.detail}; {text}") from error
        end = await context.verdict(Search(step, message), on_more=count > 0)
        if isinstance(end, int):
            break
        count += 1
        others = f" as the last of {count}" if count > 1 else ""
        found = f"{shown(message)!r}{others}"
    if context.banner is None:
        context.banner = shown(message)


def _settle(probe: Probe | None, port: int | None) -> Probe:
    return _settled(probe, port)


def _settled(probe: Probe | None, port: int | None) -> WebSocketProbe:
    written = probe if isinstance(probe, WebSocketProbe) else WebSocketProbe()
    if "#" in written.path:
        text = "path: expected a path without a fragment (RFC 6455, section 3; %23 for the"
        raise ValueError(f"{text} character itself), found {written.path!r}")
    _check_headers(written)
    check_login(written)
    tls_session.check_server_name(written.server_name)
    seen: set[str] = set()
    for name in written.subprotocols:
        if name in seen:
            raise ValueError(f"subprotocols: expected each once, found {name} twice")
        seen.add(name)
    for number, step in enumerate(written.steps):
        try:
            settle_step(step)
        except ValueError as error:
            raise ValueError(f"steps[{number}]: {error}") from error
    settled = written if written.tls is not None else replace(written, tls=port in TLS_PORTS)
    check_needs_tls(settled)
    return settled


def _check_headers(written: WebSocketProbe) -> None:
    seen: dict[str, str] = {}
    for name in written.headers:
        if name.lower() == "sec-websocket-protocol":
            raise ValueError(f"headers: expected subprotocols in place of {name}, found it here")
        if name.lower() in _OURS:
            text = "expected headers of the request, found one of the connection, which each check"
            raise ValueError(f"headers: {text} sets by itself: {name}")
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise ValueError(f"headers: expected each header once, found {other} and {name}")


KIND: Final = Kind(check=check, port=80, options=WebSocketProbe, settle=_settle, latency_of="total")
