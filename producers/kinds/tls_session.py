"""TLS within a check: the handshake and the validation of the certificates."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import lru_cache
from typing import Final

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.kinds import tls_client, tls_context
from producers.kinds.certificate_end import CertificateEnd, earliest, end_ms
from producers.kinds.certificate_fault import fault
from producers.kinds.certificate_name import is_ours, names_host
from producers.kinds.check_context import CheckContext
from producers.kinds.connection import Connection
from producers.kinds.tls_chain import sent_chain, verified_chain
from producers.kinds.tls_client import ClientPemError
from producers.kinds.tls_context import TrustStoreError
from producers.kinds.tls_errors import ClientCertificateError
from producers.kinds.tls_records import is_tls
from schemas.partition import canonical_host
from schemas.probe import ClientCertificate

Around = Callable[[CheckContext, Connection], AbstractAsyncContextManager[None]]
"""The dialogue on a connection before and after the TLS handshake."""

# The largest share of the remaining time for reading an invalid certificate.
_SHARE: Final = 0.8


def at_once(_: CheckContext, __: Connection) -> AbstractAsyncContextManager[None]:
    """TLS from the first byte on."""
    return nullcontext()


async def secure(
    context: CheckContext,
    stream: Connection,
    *,
    verify: bool,
    server_name: str | None = None,
    client: ClientCertificate | None = None,
    around: Around = at_once,
    alpn: tuple[str, ...] = (),
) -> ssl.SSLObject:
    """Switches `stream` to TLS, with the name of the target or another, and a client's certificate.

    `alpn`: the protocols that are offered to the server.

    Stores the time, and the earliest end of the verified chain (`certificate_end` and
    `cert_expires_at` of `context`): the server's own certificate, intermediate ones and the root of
    the trust store, since clients refuse the server as soon as one of them has expired.

    OpenSSL does not return an invalid certificate. Its expiry comes from a second connection, if
    there is time for one: `around` is the dialogue on it.

    Raises:
        ClientCertificateError: the server asks for a client's certificate (up to TLS 1.2; later
            ones say so in what follows). Time and end are stored.
        CheckFailedError: `certificate_expired`, `certificate_invalid`, `tls_failed`;
            `prober_error` without a trust store, or with a client's certificate that is none;
            `secret_missing`.
    """
    silence = context.silence
    context.silence, context.waiting_for = "tls_failed", "end of the TLS handshake"
    began = time.monotonic()
    name = _name(server_name or context.target.host)
    settings = _settings(context, client, verify=verify, names=not is_ours(name), alpn=alpn)
    _store(context, None)
    try:
        tls = await stream.secure(settings, name, offers_certificate=client is not None)
    except ssl.SSLCertVerificationError as error:
        context.ended_at = time.monotonic()
        stream.close()  # a check has one connection at a time: the descriptors suffice for that
        sent = await _looked_up(context, name, around)
        failure, context.cert_expires_at = fault(error, sent, time.time() * 1000)
        raise failure from error
    except ClientCertificateError:
        _measure(context, stream, began, name, verify=verify)
        raise
    except CheckFailedError as error:
        if error.reason == "connection_reset":
            error.detail += " during the TLS handshake"
        raise
    except asyncio.CancelledError:
        if not stream.received:
            context.silence = "no_answer"
        elif stream.began_with and not is_tls(stream.began_with):
            context.waiting_for += f", only {shown(stream.began_with)!r}"
        raise
    _measure(context, stream, began, name, verify=verify)
    context.silence = silence
    return tls


def check_server_name(name: str | None) -> None:
    """Checks the option `server_name` of an inventory.

    Raises:
        ValueError: it is neither a host name nor an address.
    """
    if name is None:
        return
    try:
        canonical_host(name)
    except ValueError as error:
        raise ValueError(f"server_name: {error}") from error


def _settings(
    context: CheckContext,
    client: ClientCertificate | None,
    *,
    verify: bool,
    names: bool,
    alpn: tuple[str, ...],
) -> ssl.SSLContext:
    try:
        if client is None:
            return tls_context.context(verify=verify, names=names, alpn=alpn)
        certificate = context.reveal(client.certificate, "client_certificate.certificate")
        key = context.reveal(client.key, "client_certificate.key")
        return tls_client.context(
            verify=verify, names=names, alpn=alpn, certificate=certificate, key=key
        )
    except TrustStoreError as error:
        raise CheckFailedError("prober_error", str(error)) from error
    except ClientPemError as error:
        raise CheckFailedError("prober_error", f"client_certificate: {error}") from error


def _measure(
    context: CheckContext, stream: Connection, began: float, name: str | None, *, verify: bool
) -> None:
    """Stores the time and the end of the chain, and judges the names that OpenSSL can't.

    Raises:
        CheckFailedError: `certificate_invalid`: it is of another host.
    """
    context.tls_ms = (time.monotonic() - began) * 1000
    if not verify or stream.tls is None:
        return
    chain = verified_chain(stream.tls)
    if name is not None and is_ours(name) and not (chain and names_host(chain[0], name)):
        context.cert_expires_at = end_ms(chain[0]) if chain else None
        text = f"Hostname mismatch, certificate is not valid for {name!r}."  # as OpenSSL has it
        raise CheckFailedError("certificate_invalid", text)
    _store(context, earliest(chain))


def _store(context: CheckContext, end: CertificateEnd | None) -> None:
    context.certificate_end = end
    context.cert_expires_at = None if end is None else end.at_ms


async def _looked_up(context: CheckContext, name: str | None, around: Around) -> list[bytes]:
    """The certificates (DER) that the server sends, its own first; empty if they can't be read."""
    sent: list[bytes] = []
    other = context.another()
    # After the certificate has come, errors of the rest of the dialogue do not matter.
    with contextlib.closing(other), contextlib.suppress(CheckFailedError, TimeoutError):
        async with asyncio.timeout(_SHARE * context.left_s):
            stream = await other.connect_as(context)
            async with around(other, stream):
                try:
                    await stream.secure(tls_context.context(verify=False), name)
                finally:
                    if stream.tls is not None:
                        sent = sent_chain(stream.tls)
    return sent


@lru_cache(maxsize=1_024)
def _name(host: str | None) -> str | None:
    """The name for SNI and certificate: IDNA, without a final dot (RFC 6066, section 3).

    A link-local address is meant without its zone, which no certificate has.
    """
    if host is None:
        return None
    try:
        return canonical_host(host).partition("%")[0]
    except ValueError:
        return host  # OpenSSL judges it
