"""TLS within a check: the handshake, what is asked of the certificate, and what it says."""

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
"""What is said on a connection before TLS begins on it, and after that."""

# X509_V_ERR_CERT_HAS_EXPIRED, openssl/x509_vfy.h
_EXPIRED: Final = 10
# What a result can say (schemas._types.Millis). RFC 5280, section 4.1.2.5, has the year 9999 for
# a certificate that never ends.
_LATEST_MS: Final = 9_999_999_999_999
# Of the time that is left when a certificate did not hold, so much at most is for reading it.
_SHARE: Final = 0.8


@lru_cache(maxsize=2)
def context(*, verify: bool) -> ssl.SSLContext:
    """Trusts what the system trusts (or SSL_CERT_FILE); without `verify`, everything."""
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
    """Turns `stream` to TLS, under the name of the target or another; takes down time and expiry.

    OpenSSL hands over no certificate that does not hold. Its expiry comes from a second connection,
    if there is time for one: `around` is what is said there.

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
        stream.close()  # a check has one connection at a time: so many descriptors are there
        trial.cert_expires_at = await _looked_up(trial, name, around)
        raise _does_not_hold(error, trial.cert_expires_at) from error
    trial.tls_ms = (time.monotonic() - began) * 1000
    if verify:
        trial.cert_expires_at = _end_of(tls.getpeercert(binary_form=True))
    trial.silence = silence
    return tls


async def _looked_up(trial: CheckContext, name: str | None, around: Around) -> int | None:
    """When the certificate ends that does not hold; None if that can't be had."""
    shown: bytes | None = None
    other = trial.another()
    # Once it was shown it does not matter how the rest of the conversation ends.
    with contextlib.closing(other), contextlib.suppress(CheckFailedError, TimeoutError):
        async with asyncio.timeout(_SHARE * trial.left_s):
            stream = await other.connect_as(trial)
            async with around(other, stream):
                tls = await stream.secure(context(verify=False), name)
                shown = tls.getpeercert(binary_form=True)
    return _end_of(shown)


def _end_of(certificate: bytes | None) -> int | None:
    """When a certificate (DER) ends; None if it does not say so in a way that can be read.

    `SSLObject.getpeercert()` would unpack all names of it, of which there may be thousands.
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
    """UTC ms within what a result can say."""
    return min(max(0, round(seconds * 1000)), _LATEST_MS)
