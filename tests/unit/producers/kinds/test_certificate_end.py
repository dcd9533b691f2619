import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from producers.kinds.certificate_end import (
    CertificateEnd,
    earliest,
    end_ms,
    judged,
    span,
    start_ms,
)

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = 1_800_000_000_000
KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(subject: str, ends: dt.datetime, issuer: str = "Root", padding: int = 0) -> bytes:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    names = [x509.DNSName(f"n{number}.test") for number in range(padding + 1)]
    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(KEY, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def in_days(days: float, *, place: int = 0, der: bytes = b"") -> CertificateEnd:
    return CertificateEnd(round(NOW + days * DAY), place, der)


@pytest.mark.parametrize(
    ("days", "reason", "text"),
    [
        (80, None, None),
        (14, None, None),
        (13.99, None, "the certificate expires in 13.9 days, less than 14 days"),
        (3, None, "the certificate expires in 3.0 days, less than 14 days"),
        (2.9, "certificate_ending", "the certificate expires in 2.9 days, less than 3 days"),
        (1, "certificate_ending", "the certificate expires in 1.0 days, less than 3 days"),
        (0.6, "certificate_ending", "the certificate expires in 14 hours, less than 3 days"),
        (0.01, "certificate_ending", "the certificate expires in 14 minutes, less than 3 days"),
        (0, "certificate_expired", "the certificate expired 0 minutes ago"),
        (-0.06, "certificate_expired", "the certificate expired 1 hour ago"),
        (-200, "certificate_expired", "the certificate expired 200.0 days ago"),
    ],
)
def test_what_is_left_decides(days: float, reason: str | None, text: str | None) -> None:
    assert judged(in_days(days), 3, 14, NOW) == (reason, text)


def test_a_limit_of_one_day_and_of_none() -> None:
    assert judged(in_days(0.5), 1, 14, NOW)[1] == (
        "the certificate expires in 12 hours, less than 1 day"
    )
    assert judged(in_days(0.5), 0, 0, NOW) == (None, None)
    assert judged(in_days(-0.5), 0, 0, NOW)[0] == "certificate_expired"
    # A warning that comes later than the failure is none.
    assert judged(in_days(20), 10, 3, NOW) == (None, None)


@given(st.integers(-(10**13), 10**13), st.integers(0, 365), st.integers(0, 365))
def test_a_text_stands_with_each_reason(left_ms: int, critical: int, warn: int) -> None:
    reason, text = judged(CertificateEnd(NOW + left_ms, 0, b""), critical, warn, NOW)
    assert (reason == "certificate_expired") == (left_ms <= 0)
    assert (reason == "certificate_ending") == (0 < left_ms < critical * DAY)
    assert (text is not None) == (left_ms <= 0 or left_ms < max(critical, warn) * DAY)


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 minutes"),
        (MINUTE, "1 minute"),
        (HOUR - 1, "59 minutes"),
        (HOUR, "1 hour"),
        (DAY - 1, "23 hours"),
        (1.25 * DAY, "1.2 days"),
    ],
)
def test_a_length_of_time(ms: float, text: str) -> None:
    assert span(ms) == text


def test_the_earliest_of_a_chain_has_its_place_and_name() -> None:
    later, soon = dt.datetime(2030, 1, 1, tzinfo=dt.UTC), dt.datetime(2029, 1, 1, tzinfo=dt.UTC)
    leaf, inter = certificate("a", later), certificate("Lower", soon)
    root = certificate("Root", later)
    found = earliest([leaf, inter, root])
    assert found is not None
    assert (found.at_ms, found.place) == (soon.timestamp() * 1000, 1)
    assert found.name == "the intermediate certificate 'Lower'"
    found = earliest([leaf, root])
    assert found is not None
    assert (found.place, found.name) == (0, "the certificate")
    found = earliest([leaf, certificate("Root", soon)])
    assert found is not None
    assert found.name == "the root certificate 'Root'"


@pytest.mark.parametrize("name", ["\x1b[2J red", "x\r\ny", "\u202eabc", "a" * 64, "Bücher"])
def test_a_name_is_clean(name: str) -> None:
    ends = dt.datetime(2029, 1, 1, tzinfo=dt.UTC)
    text = CertificateEnd(0, 1, certificate(name, ends)).name
    assert text.isprintable()
    assert len(text) < 150


def test_what_can_not_be_read_has_no_end() -> None:
    ends = dt.datetime(2029, 1, 1, tzinfo=dt.UTC)
    good = certificate("a", ends)
    for bad in (b"", b"\x30", good[:-40], b"\xff" * 5_000, good[:20] + b"\0" * 200):
        assert end_ms(bad) is None
        assert start_ms(bad) is None
        assert CertificateEnd(0, 1, bad).name == "a certificate of the chain"
    assert earliest([b"\x30", b""]) is None
    found = earliest([b"\x30", good])
    assert found is not None
    assert found.at_ms == ends.timestamp() * 1000
    assert earliest([]) is None


def test_a_long_certificate_is_read_as_any_other() -> None:
    ends = dt.datetime(2029, 1, 1, tzinfo=dt.UTC)
    der = certificate("a", ends, padding=1_000)
    assert len(der) > 10_000
    assert end_ms(der) == end_ms(der) == ends.timestamp() * 1000
