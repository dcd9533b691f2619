"""Whether a certificate is of a host that has an underscore in its name.

OpenSSL takes no underscore for a wildcard (openssl/openssl#12566), so that `a_b.example.com` and
`*.example.com` do not match; browsers and curl take any character. All other names are OpenSSL's
business.
"""

from collections.abc import Iterable
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

_UNREADABLE: Final = (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm)
_LEAST_DOTS: Final = 2
"""Of a name with a wildcard: `*.com` is of nobody."""


def is_ours(host: str | None) -> bool:
    """Whether this module judges the name."""
    return host is not None and "_" in host


def names_host(der: bytes, host: str) -> bool:
    """Whether the certificate (DER) is of this host (RFC 9525, section 6.3).

    A common name counts in a certificate without other names. The host is a name in lower case
    without a final dot.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        try:
            found: Iterable[str] = certificate.extensions.get_extension_for_class(
                x509.SubjectAlternativeName
            ).value.get_values_for_type(x509.DNSName)
        except x509.ExtensionNotFound:
            commons = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            found = [one.value for one in commons if isinstance(one.value, str)]
    except _UNREADABLE:
        return False
    return any(_matches(name.lower().removesuffix("."), host) for name in found)


def _matches(name: str, host: str) -> bool:
    if name == host:
        return True
    label, _, parent = host.partition(".")
    return bool(label) and name == f"*.{parent}" and name.count(".") >= _LEAST_DOTS
