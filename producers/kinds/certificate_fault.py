"""The fault of an invalid certificate, in words for people."""

import ssl
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from producers.checks.errors import CheckFailedError
from producers.kinds.certificate_end import CertificateEnd, end_ms, start_ms

# openssl/x509_vfy.h
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_SELF_SIGNED: Final = 18
_SELF_SIGNED_IN_CHAIN: Final = 19
_NO_ISSUER: Final = frozenset({2, 20, 21})
_TOO_WEAK: Final = frozenset({66, 67, 68})
# A server may send hundreds; a chain that clients take is shorter.
_LONGEST: Final = 10
_TRUST: Final = "SSL_CERT_FILE of the prober names those that it trusts"


def fault(
    error: ssl.SSLCertVerificationError, sent: list[bytes], now_ms: float
) -> tuple[CheckFailedError, int | None]:
    """The failure for an invalid certificate, and the end to tell (UTC ms, None if unknown).

    `sent` are the certificates (DER) as the server has sent them, the server's own first; empty if
    they could not be read. The end is that of the server's own certificate, or of the one that has
    expired.
    """
    own_end = end_ms(sent[0]) if sent else None
    text, code = error.verify_message, error.verify_code
    if code == _EXPIRED:
        hint, ended = _expired(sent, now_ms)
        return CheckFailedError("certificate_expired", _with(text, hint)), ended or own_end
    if code == _NOT_YET_VALID:
        hint = _not_yet(sent, now_ms)
    elif code == _SELF_SIGNED:
        hint = f"no authority has signed it; {_TRUST}"
    elif code == _SELF_SIGNED_IN_CHAIN:
        hint = f"its authority is not trusted; {_TRUST}"
    elif code in _NO_ISSUER:
        alone = "the server sent no intermediate certificate, or " if len(sent) == 1 else ""
        hint = f"{alone}its authority is not trusted; {_TRUST}" if sent else ""
    else:
        hint = "make a new one, with a longer key or SHA-256" if code in _TOO_WEAK else ""
    return CheckFailedError("certificate_invalid", _with(text, hint)), own_end


def _expired(sent: list[bytes], now_ms: float) -> tuple[str, int | None]:
    for place, der in enumerate(_path(sent)):
        ended = end_ms(der)
        if ended is not None and ended < now_ms:
            until = f"valid until {_day(ended)}"
            if place == 0:
                return f"it was {until}", ended
            return f"not the server's own, but {_named(ended, place, der)}, {until}", ended
    return "not the server's own, but one of its chain" if sent else "", None


def _not_yet(sent: list[bytes], now_ms: float) -> str:
    for place, der in enumerate(_path(sent)):
        starts = start_ms(der)
        if starts is not None and starts > now_ms:
            which = "it" if place == 0 else _named(starts, place, der)
            return f"{which} is valid from {_day(starts)}, by the prober's clock it is too early"
    return ""


def _path(sent: list[bytes]) -> list[bytes]:
    """The certificates that lead from the server's own to an authority, one signs the other.

    Others that a server sends (as an old cross-signed one) have no part in it.
    """
    rest, found = sent[1:_LONGEST], sent[:1]
    try:
        last = x509.load_der_x509_certificate(found[0]) if found else None
        known = [(der, x509.load_der_x509_certificate(der)) for der in rest]
        while last is not None and last.issuer != last.subject:
            issuer = last.issuer
            following = [entry for entry in known if entry[1].subject == issuer]
            if not following:
                break
            der, last = following[0]
            known.remove(following[0])
            found.append(der)
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm):
        return sent[:1]
    return found


def _named(at_ms: int, place: int, der: bytes) -> str:
    return CertificateEnd(at_ms, place, der).name


def _day(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _with(text: str, hint: str) -> str:
    return f"{text}: {hint}" if hint else text
