"""TLS: the handshake, the certificate's chain, name and expiry, the protocol version."""

import asyncio
import contextlib
import time
from typing import Final

from producers.checks.errors import CheckFailedError
from producers.kinds import tls_session
from producers.kinds.certificate_end import judged
from producers.kinds.check_context import CheckContext
from producers.kinds.connection import Connection
from producers.kinds.kind import Kind
from producers.kinds.tls_errors import ClientCertificateError
from schemas.probe import Probe, TlsProbe

_NOTHING: Final = TlsProbe()
_REFUSAL_S: Final = 0.3
"""The longest wait for a server that takes a client's certificate and says nothing."""
_ORDER: Final = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


async def check(context: CheckContext) -> None:
    """Up: a handshake, a chain of certificates that is valid for long enough, and a version.

    Raises:
        CheckFailedError: as for all kinds; `certificate_ending` if the chain ends too soon.
    """
    probe = context.target.probe
    options = probe if isinstance(probe, TlsProbe) else _NOTHING
    context.waiting_for = "connection"
    stream = await context.connect()
    try:
        tls = await tls_session.secure(
            context,
            stream,
            verify=options.verify,
            server_name=options.server_name,
            client=options.client_certificate,
        )
        version = tls.version() or "no TLS"
        if options.client_certificate is not None and version == "TLSv1.3":
            await _accepted(context, stream)
    except ClientCertificateError:
        # Only up to TLS 1.2 does a server refuse before the handshake is done, and none that is
        # older was offered.
        version = "TLSv1.2"
    context.banner = version
    least = f"TLSv{options.min_version}"
    if version not in _ORDER[_ORDER.index(least) :]:
        raise CheckFailedError("tls_failed", f"expected {least} or later, found {version}")
    hold_on(context, options.critical_days, options.warn_days)
    if stream.asked_for_certificate and options.client_certificate is None:
        context.note(ClientCertificateError().detail)


async def _accepted(context: CheckContext, stream: Connection) -> None:
    """Waits a moment whether the server refuses the client's certificate.

    Raises:
        CheckFailedError: it does.
    """
    if stream.asked_for_certificate:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(_REFUSAL_S, context.left_s / 2)):
                await stream.first_word()


def hold_on(context: CheckContext, critical_days: int, warn_days: int) -> None:
    """Judges the end of the certificate chain that the last TLS handshake has verified.

    With less than `warn_days` left the target is up, with a remark.

    Raises:
        CheckFailedError: `certificate_ending`: less than `critical_days` are left;
            `certificate_expired`: none.
    """
    end = context.certificate_end
    if end is None:
        return
    reason, text = judged(end, critical_days, warn_days, time.time() * 1000)
    if text is None:
        return
    if reason is not None:
        raise CheckFailedError(reason, text)
    context.note(text)


def _settle(probe: Probe | None, _: int | None) -> Probe:
    options = probe if isinstance(probe, TlsProbe) else _NOTHING
    tls_session.check_server_name(options.server_name)
    return options


KIND: Final = Kind(check=check, port=443, options=TlsProbe, settle=_settle)
