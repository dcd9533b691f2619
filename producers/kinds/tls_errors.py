"""Errors of TLS in words for people."""

import re
import ssl
from typing import Final

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.kinds.tls_records import is_tls

# RFC 8446, section 6. `sslv3` and the like in OpenSSL's words is the version that had it first.
_ALERT: Final = re.compile(r"(?:sslv3|tlsv1|tlsv13|ssl/tls)(?: alert)? (.+)")
_NOISE: Final = re.compile(r"^\[[^\]]*\] | \(_ssl\.c:\d+\)$")

# What a server says to a client without a certificate: OpenSSL, BoringSSL, Go, GnuTLS, Java.
_REFUSES_A_CLIENT: Final = frozenset(
    {
        "certificate required",
        "handshake failure",
        "no certificate",
        "bad certificate",
        "unsupported certificate",
        "certificate unknown",
        "unknown ca",
        "access denied",
    }
)

# What nginx, IIS and Apache (with TLS 1.3 and a folder of its own rule) say by a page, in small
# letters: ngx_http_special_response.c, IIS's 403.7, ssl_engine_kernel.c.
_PAGES: Final = (
    b"no required ssl certificate was sent",
    b"403.7 - forbidden",
    b"403.7 forbidden: client certificate required",
    b"cannot perform post-handshake authentication",
)
_PAGE_STATUSES: Final = frozenset({400, 403, 496})

_ALERT_HINTS: Final = {
    "handshake failure": "no cipher, curve or signature in common",
    "insufficient security": "it wants stronger ciphers than were offered",
    "protocol version": "it takes neither TLS 1.2 nor TLS 1.3",
    "unrecognized name": "it has no host of this name; server_name names another one",
    "no application protocol": "it wants a protocol by ALPN that the check does not name",
    "internal error": "its log says more",
    "access denied": "it lets only some clients in",
}

_HINTS: Final = {
    "unsupported protocol": "the server speaks only versions before TLS 1.2; switch TLS 1.2 on",
    "dh key too small": (
        "the Diffie-Hellman parameters of the server have less than 2048 bits; make new ones "
        "(openssl dhparam 2048), or use ECDHE"
    ),
    "unsafe legacy renegotiation disabled": (
        "the server has no secure renegotiation (RFC 5746); update its TLS library"
    ),
    "wrong signature type": "the server signs by an algorithm that is no longer safe, as SHA-1",
    "legacy sigalg disallowed or unsupported": (
        "the server signs by an algorithm that is no longer safe, as SHA-1"
    ),
    # Of Apache without HTTP/2, whose choice is http/1.1 whatever is offered (ssl_engine_kernel.c).
    "bad extension": "the server may have chosen another protocol by ALPN than the one offered",
    "excessive message size": "its certificates have more than 100 KiB",
}


class ClientCertificateError(CheckFailedError):
    """The server ended TLS since no check has a client's certificate: it is alive.

    A kind that expects no more than a server that is alive takes it as up.
    """

    def __init__(self) -> None:
        text = "the server asks for a client certificate, and the target has no client_certificate"
        super().__init__("tls_failed", text)


class RefusedCertificateError(CheckFailedError):
    """The server does not take the client's certificate that the target has."""

    def __init__(self, words: str) -> None:
        super().__init__("tls_failed", f"the server refused the client certificate: {words}")


def refuses_client(status: int, body: bytes) -> bool:
    """Whether a page (its beginning) says that the server wants a client's certificate."""
    return status in _PAGE_STATUSES and any(page in body[:4_096].lower() for page in _PAGES)


def tls_failure(
    error: ssl.SSLError, *, asked: bool, offered: bool = False, start: bytes = b""
) -> CheckFailedError:
    """The failure for an error of OpenSSL.

    `asked`: the server has asked for a client's certificate, and `offered`: it got one. `start` is
    the beginning of what came in a handshake that has not ended.
    """
    if start and not is_tls(start):
        text = f"TLS: the server does not speak TLS there, it sent {shown(start)!r}"
        return CheckFailedError("tls_failed", text)
    words = _words(error)
    alert = _ALERT.fullmatch(words)
    if alert is None:
        hint = _HINTS.get(words)
        return CheckFailedError("tls_failed", f"TLS: {words}: {hint}" if hint else f"TLS: {words}")
    name = alert[1]
    if name == "certificate required" or (asked and name in _REFUSES_A_CLIENT):
        if offered:
            return RefusedCertificateError(f"alert {name!r}")
        return ClientCertificateError()
    hint = _ALERT_HINTS.get(name)
    text = f"TLS: the server refused with the alert {name!r}"
    return CheckFailedError("tls_failed", f"{text}: {hint}" if hint else text)


def _words(error: ssl.SSLError) -> str:
    """OpenSSL's words, of which Python makes a constant if it knows it."""
    if error.reason:
        return error.reason.replace("_", " ").lower()
    return _NOISE.sub("", str(error.args[-1] if error.args else error)).lower()
