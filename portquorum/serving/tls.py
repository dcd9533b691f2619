"""The page's certificate: read at the start, and again when it was renewed."""

import asyncio
import ssl
from pathlib import Path
from typing import Final

from foundation import telemetry
from foundation.settings import PREFIX, SettingsError
from portquorum.access.rules import Tls

LOOK_S: Final = 30.0
"""How often the files are looked at."""

_log: Final = telemetry.logger(__name__)


def tls_context(tls: Tls) -> ssl.SSLContext:
    """A server's context: TLS 1.2 and above, HTTP/1.1.

    Raises:
        SettingsError: a file can't be read, is no PEM, or the key is not that of the certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # A key with a password: nobody is here to type it.
        context.load_cert_chain(tls.certificate, tls.key, password="")
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{PREFIX}WEB_TLS_CERTIFICATE: expected the files (PEM) of a certificate and its key, "
            f"found {tls.certificate} and {tls.key}: {_why(error)}"
        ) from error
    return context


async def renewed(context: ssl.SSLContext, tls: Tls, *, look_s: float = LOOK_S) -> None:
    """Reads files that were replaced, without end; cancel the task to stop.

    New connections have the new certificate. Files that do not fit are said in the log, and the
    old ones stay.
    """
    known = _marks(tls)
    while True:
        await asyncio.sleep(look_s)
        found = _marks(tls)
        if found == known:
            continue
        known = found
        try:
            tls_context(tls)
            context.load_cert_chain(tls.certificate, tls.key, password="")
        except (SettingsError, OSError, ValueError) as error:
            _log.warning("a renewed certificate can't be used", error=str(error))
        else:
            _log.info("a renewed certificate is used", certificate=tls.certificate)


def _marks(tls: Tls) -> tuple[tuple[int, int] | None, ...]:
    """What tells a replaced file from the one before."""
    found: list[tuple[int, int] | None] = []
    for path in (tls.certificate, tls.key):
        try:
            status = Path(path).stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_mtime_ns, status.st_ino))
    return tuple(found)


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return str(error.reason or error)
    return getattr(error, "strerror", None) or str(error)
