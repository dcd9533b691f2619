"""Why a broker's certificate is not accepted, in words with what stands in it. Pure."""

import ssl
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from foundation.kafka import trouble_words as words
from foundation.kafka.trouble_words import Trouble

# OpenSSL's codes (x509_vfy.h).
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_ISSUERS: Final = frozenset({2, 18, 19, 20, 21})
_NAMES: Final = frozenset({62, 63, 64})


def trouble(
    where: str,
    host: str,
    error: ssl.SSLCertVerificationError,
    shown: bytes | None,
    ca_file: str | None,
) -> Trouble:
    """`shown` is the certificate (DER) that the server showed, None if it is not known."""
    certificate = _read(shown)
    code = error.verify_code
    if code == _EXPIRED:
        return words.certificate_expired(
            where, _day(certificate.not_valid_after_utc) if certificate else ""
        )
    if code == _NOT_YET_VALID:
        return words.certificate_not_yet_valid(
            where, _day(certificate.not_valid_before_utc) if certificate else ""
        )
    if code in _NAMES:
        return words.certificate_other_name(where, host, _names(certificate))
    if code in _ISSUERS:
        issuer = certificate.issuer.rfc4514_string() if certificate else ""
        return words.certificate_unknown_issuer(where, issuer, ca_file)
    return words.certificate_invalid(where, error.verify_message)


def _read(shown: bytes | None) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(shown) if shown else None
    except ValueError:
        return None


def _day(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _names(certificate: x509.Certificate | None) -> tuple[str, ...]:
    """The DNS names and addresses of a certificate."""
    if certificate is None:
        return ()
    try:
        found = certificate.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        ).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    if not isinstance(found, x509.SubjectAlternativeName):
        return ()
    return tuple(str(one.value) for one in found)
