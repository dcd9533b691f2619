"""A client's certificate for TLS, from PEM in memory."""

import hashlib
import os
import ssl
import tempfile
from typing import Final

from producers.kinds import tls_context

_MOST: Final = 64
"""The most contexts that are kept."""

_Key = tuple[bool, bool, tuple[str, ...], str | None, bytes]
_kept: dict[_Key, ssl.SSLContext] = {}


class ClientPemError(Exception):
    """The PEM is no certificate with its key; the text has nothing of it."""


def context(
    *, verify: bool, names: bool, certificate: str, key: str, alpn: tuple[str, ...] = ()
) -> ssl.SSLContext:
    r"""As `tls_context.context`, with a client's certificate: PEM of its chain, and of its key.

    Line breaks may be written as `\n`: not every place for variables takes others.

    Raises:
        ClientPemError: what was expected, and what OpenSSL says.
        TrustStoreError: as there.
    """
    pem = f"{_lines(key)}\n{_lines(certificate)}\n".encode()
    wanted = verify, names, alpn, os.environ.get("SSL_CERT_FILE"), hashlib.sha256(pem).digest()
    found = _kept.get(wanted)
    if found is None:
        # Not the one that checks without a certificate share: this one is changed.
        found = tls_context.made(verify=verify, names=names, alpn=alpn)
        _load(found, pem)
        while len(_kept) >= _MOST:
            del _kept[next(iter(_kept))]
        _kept[wanted] = found
    return found


def _load(made: ssl.SSLContext, pem: bytes) -> None:
    """Loads the certificate; `ssl` takes it of files alone, so that this one is in memory."""
    try:
        if hasattr(os, "memfd_create"):
            with os.fdopen(os.memfd_create("client certificate"), "wb") as file:
                file.write(pem)
                file.flush()
                made.load_cert_chain(f"/proc/self/fd/{file.fileno()}", password=_no_password)
        else:  # not Linux
            with tempfile.NamedTemporaryFile() as file:
                file.write(pem)
                file.flush()
                made.load_cert_chain(file.name, password=_no_password)
    except ssl.SSLError as error:
        words = (error.reason or "no PEM").replace("_", " ").lower()
        text = "expected PEM of a certificate with its chain, and of its key without a password"
        raise ClientPemError(f"{text}, found other text: {words}") from None


def _no_password() -> bytes:
    """Without it OpenSSL would ask for the password of a key on the terminal."""
    return b""


def _lines(pem: str) -> str:
    return pem if "\n" in pem.strip() else pem.replace("\\n", "\n")
