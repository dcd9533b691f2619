"""TLS within a check: the handshake, what is asked of the certificate, and what it says."""

import ssl
import time
from functools import lru_cache
from typing import Final

from producers.kinds.stream import Stream
from producers.kinds.trial import Trial
from producers.outcome import CheckFailedError
from schemas.result import Reason

# X509_V_ERR_CERT_HAS_EXPIRED, openssl/x509_vfy.h
_EXPIRED: Final = 10


@lru_cache(maxsize=2)
def context(*, verify: bool) -> ssl.SSLContext:
    """Trusts what the system trusts (or SSL_CERT_FILE); without `verify`, everything."""
    made = ssl.create_default_context()
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


async def secure(
    trial: Trial, stream: Stream, *, verify: bool, server_name: str | None = None
) -> ssl.SSLObject:
    """Turns `stream` to TLS, under the name of the target or another; takes down time and expiry.

    The expiry is known only of a certificate that was verified.

    Raises:
        CheckFailedError: `certificate_expired`, `certificate_invalid`, `tls_failed`.
    """
    before = trial.silence
    trial.silence, trial.waiting_for = "tls_failed", "end of the TLS handshake"
    began = time.monotonic()
    try:
        tls = await stream.secure(context(verify=verify), server_name or trial.target.host)
    except ssl.SSLCertVerificationError as error:
        expired = error.verify_code == _EXPIRED
        reason: Reason = "certificate_expired" if expired else "certificate_invalid"
        raise CheckFailedError(reason, error.verify_message) from error
    trial.tls_ms = (time.monotonic() - began) * 1000
    not_after = (tls.getpeercert() or {}).get("notAfter")
    if isinstance(not_after, str):
        trial.cert_expires_at = round(ssl.cert_time_to_seconds(not_after) * 1000)
    trial.silence = before
    return tls
