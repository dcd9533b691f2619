"""TLS: the handshake, the certificate's chain, name and expiry, the protocol version."""

import time
from typing import Final

from producers.checks.errors import CheckFailedError
from producers.kinds import tls_session
from producers.kinds.check_context import CheckContext
from producers.kinds.kind import Kind
from schemas.probe import Probe, TlsProbe

DAY_MS: Final = 86_400_000
_NOTHING: Final = TlsProbe()
_ORDER: Final = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


async def check(trial: CheckContext) -> None:
    """Up: a handshake, a certificate that is valid for long enough, and an accepted version.

    Raises:
        CheckFailedError: as for all kinds; `certificate_expired` also for one that expires soon.
    """
    probe = trial.target.probe
    options = probe if isinstance(probe, TlsProbe) else _NOTHING
    trial.waiting_for = "connection"
    stream = await trial.connect()
    tls = await tls_session.secure(
        trial, stream, verify=options.verify, server_name=options.server_name
    )
    version = tls.version() or "no TLS"
    trial.banner = version
    least = f"TLSv{options.min_version}"
    if version not in _ORDER[_ORDER.index(least) :]:
        raise CheckFailedError("tls_failed", f"expected {least} or later, found {version}")
    hold_on(trial, options.critical_days, options.warn_days)


def hold_on(trial: CheckContext, critical_days: int, warn_days: int) -> None:
    """Checks the remaining days of a verified certificate.

    With less than `warn_days` the target is up, and the detail has a warning.

    Raises:
        CheckFailedError: `certificate_expired`: less than `critical_days` remain.
    """
    if trial.cert_expires_at is None:
        return
    left_days = (trial.cert_expires_at - time.time() * 1000) / DAY_MS
    said = f"the certificate expires in {left_days:.1f} days, less than"
    if left_days < critical_days:
        raise CheckFailedError("certificate_expired", f"{said} {critical_days}")
    if left_days < warn_days:
        trial.notice = f"{said} {warn_days}"


def _settle(probe: Probe | None, _: int | None) -> Probe:
    return probe if isinstance(probe, TlsProbe) else _NOTHING


KIND: Final = Kind(check=check, port=443, options=TlsProbe, settle=_settle)
