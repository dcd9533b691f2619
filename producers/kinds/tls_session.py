"""TLS within a check: the handshake and the validation of the certificate."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from producers.checks.errors import CheckFailedError
from producers.kinds.check_context import CheckContext
from producers.kinds.connection import Connection
from schemas.result import Reason

Around = Callable[[CheckContext, Connection], AbstractAsyncContextManager[None]]
"""The dialogue on a connection before and after the TLS handshake."""

# X509_V_ERR_CERT_HAS_EXPIRED, openssl/x509_vfy.h
_EXPIRED: Final = 10
# The range of a result (schemas._types.Millis). RFC 5280, section 4.1.2.5: the year 9999 means a
# certificate without end.
_LATEST_MS: Final = 9_999_999_999_999
# The largest share of the remaining time for reading an invalid certificate.
_SHARE: Final = 0.8


@lru_cache(maxsize=2)
def context(*, verify: bool) -> ssl.SSLContext:
    """A context with the system's trust store (or SSL_CERT_FILE); trusts all without `verify`."""
    made = ssl.create_default_context()
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def at_once(_: CheckContext, __: Connection) -> AbstractAsyncContextManager[None]:
    """TLS from the first byte on."""
    return nullcontext()


async def secure(
    trial: CheckContext,
    stream: Connection,
    *,
    verify: bool,
    server_name: str | None = None,
    around: Around = at_once,
) -> ssl.SSLObject:
    """Switches `stream` to TLS, with the name of the target or another; stores time and expiry.

    OpenSSL does not return an invalid certificate. Its expiry comes from a second connection, if
    there is time for one: `around` is the dialogue on it.

    Raises:
        CheckFailedError: `certificate_expired`, `certificate_invalid`, `tls_failed`.
    """
    silence = trial.silence
    trial.silence, trial.waiting_for = "tls_failed", "end of the TLS handshake"
    began = time.monotonic()
    name = server_name or trial.target.host
    try:
        tls = await stream.secure(context(verify=verify), name)
    except ssl.SSLCertVerificationError as error:
        trial.ended_at = time.monotonic()
        stream.close()  # a check has one connection at a time: the descriptors suffice for that
        trial.cert_expires_at = await _looked_up(trial, name, around)
        raise _does_not_hold(error, trial.cert_expires_at) from error
    trial.tls_ms = (time.monotonic() - began) * 1000
    if verify:
        trial.cert_expires_at = _end_of(tls.getpeercert(binary_form=True))
    trial.silence = silence
    return tls


async def _looked_up(trial: CheckContext, name: str | None, around: Around) -> int | None:
    """The expiry of the invalid certificate; None if it can't be read."""
    shown: bytes | None = None
    other = trial.another()
    # After the certificate has come, errors of the rest of the dialogue do not matter.
    with contextlib.closing(other), contextlib.suppress(CheckFailedError, TimeoutError):
        async with asyncio.timeout(_SHARE * trial.left_s):
            stream = await other.connect_as(trial)
            async with around(other, stream):
                tls = await stream.secure(context(verify=False), name)
                shown = tls.getpeercert(binary_form=True)
    return _end_of(shown)


def _end_of(certificate: bytes | None) -> int | None:
    """The expiry of a certificate (DER); None if it can't be parsed.

    `SSLObject.getpeercert()` would unpack all of its names, of which there may be thousands.
    """
    try:
        ends = x509.load_der_x509_certificate(certificate or b"").not_valid_after_utc
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm):
        return None
    return _told_ms(ends.timestamp())


def _does_not_hold(error: ssl.SSLCertVerificationError, expires_at: int | None) -> CheckFailedError:
    reason: Reason = "certificate_invalid"
    text = error.verify_message
    if error.verify_code == _EXPIRED:
        reason = "certificate_expired"
        if expires_at is not None and expires_at < time.time() * 1000:
            ended = datetime.fromtimestamp(expires_at / 1000, UTC)
            text = f"{text}: it was valid until {ended:%Y-%m-%d %H:%M} UTC"
        elif expires_at is not None:
            text = f"{text}: not the server's own, but one of its chain"
    return CheckFailedError(reason, text)


def _told_ms(seconds: float) -> int:
    """UTC ms, limited to the range of a result."""
    return min(max(0, round(seconds * 1000)), _LATEST_MS)
