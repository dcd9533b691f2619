"""The certificates of a TLS session; the standard library alone."""

import ssl
from typing import Any, Final

# _ssl.ENCODING_DER
_DER: Final = 2


def verified_chain(tls: ssl.SSLObject) -> list[bytes]:
    """The certificates (DER) that OpenSSL has verified, the server's own first, the anchor last.

    Other certificates that the server has sent are not in it. Python has a public method for it
    from 3.13 on, and the same private one before. Without either only the server's own is known.
    Empty if there is none.
    """
    return _chain(tls, "get_verified_chain")


def sent_chain(tls: ssl.SSLObject) -> list[bytes]:
    """The certificates (DER) as the server has sent them, the server's own first."""
    return _chain(tls, "get_unverified_chain")


def _chain(tls: ssl.SSLObject, method: str) -> list[bytes]:
    read: Any = getattr(getattr(tls, "_sslobj", None), method, None)
    try:
        if read is not None:
            return [certificate.public_bytes(_DER) for certificate in read() or ()]
        own = tls.getpeercert(binary_form=True)
    except (ValueError, TypeError, AttributeError, ssl.SSLError):
        return []
    return [] if own is None else [own]
