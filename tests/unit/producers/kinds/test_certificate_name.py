"""Names with an underscore, which OpenSSL does not take for a wildcard."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from producers.kinds.certificate_name import is_ours, names_host

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def certificate(common: str, *names: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, NOW, NOW)
    if names:
        found = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(found, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_which_names_are_ours() -> None:
    assert is_ours("a_b.example.com")
    assert not is_ours("a-b.example.com")
    assert not is_ours(None)


@pytest.mark.parametrize(
    ("names", "host", "fine"),
    [
        (["*.example.com"], "a_b.example.com", True),
        (["*.EXAMPLE.com."], "a_b.example.com", True),
        (["x.test", "a_b.example.com"], "a_b.example.com", True),
        (["*.example.com"], "a_b.c.example.com", False),
        (["*.c_d.example.com"], "x.c_d.example.com", True),
        (["a*.example.com"], "a_b.example.com", False),
        (["*.*.example.com"], "a_b.c.example.com", False),
        (["example.com"], "a_b.example.com", False),
        (["*.com"], "a_b.com", False),
        (["*"], "a_b", False),
        (["*.example.org"], "a_b.example.com", False),
        ([], "a_b.example.com", False),
    ],
)
def test_names(names: list[str], host: str, fine: bool) -> None:
    assert names_host(certificate("other.test", *names), host) is fine


def test_the_common_name_counts_without_other_names() -> None:
    assert names_host(certificate("*.example.com"), "a_b.example.com")
    assert not names_host(certificate("*.example.com", "x.test"), "a_b.example.com")


@pytest.mark.parametrize("der", [b"", b"\x30\x03", bytes(100)])
def test_what_can_not_be_read_is_of_nobody(der: bytes) -> None:
    assert not names_host(der, "a_b.example.com")
