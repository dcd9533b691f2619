import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.kinds.tls_errors import ClientCertificateError, refuses_client, tls_failure
from producers.kinds.tls_records import has_certificate, is_tls


def error(reason: str | None, text: str = "") -> ssl.SSLError:
    made = ssl.SSLError(1, text)
    made.reason = reason  # type: ignore[misc,assignment]
    return made


@pytest.mark.parametrize(
    ("reason", "text", "told"),
    [
        ("UNSUPPORTED_PROTOCOL", "", "TLS: unsupported protocol: the server speaks only versions"),
        ("BAD_EXTENSION", "", "TLS: bad extension: the server may have chosen another protocol by"),
        ("NO_SUITABLE_KEY_SHARE", "", "TLS: no suitable key share"),
        (
            "TLSV1_ALERT_PROTOCOL_VERSION",
            "",
            "alert 'protocol version': it takes neither TLS 1.2 nor TLS 1.3",
        ),
        ("TLSV1_UNRECOGNIZED_NAME", "", "alert 'unrecognized name': it has no host of this name"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "", "alert 'handshake failure': no cipher"),
        # OpenSSL 3.2 and later say `ssl/tls`; a Python that is older than its OpenSSL has no
        # constant for an error, and gives the text.
        (None, "[SSL] ssl/tls alert handshake failure (_ssl.c:1006)", "alert 'handshake failure'"),
        (None, "[SSL] record layer failure (_ssl.c:1006)", "TLS: record layer failure"),
    ],
)
def test_the_words_of_openssl(reason: str | None, text: str, told: str) -> None:
    failure = tls_failure(error(reason, text), asked=False)
    assert failure.reason == "tls_failed"
    assert told in failure.detail
    assert "_ssl.c" not in failure.detail


@pytest.mark.parametrize(
    "reason",
    [
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "TLSV1_ALERT_ACCESS_DENIED",
    ],
)
def test_an_alert_after_the_question_for_a_certificate_is_the_answer_to_it(reason: str) -> None:
    assert isinstance(tls_failure(error(reason), asked=True), ClientCertificateError)
    sure = reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    assert isinstance(tls_failure(error(reason), asked=False), ClientCertificateError) == sure
    other = tls_failure(error("TLSV1_ALERT_INTERNAL_ERROR"), asked=True)
    assert not isinstance(other, ClientCertificateError)


@given(st.binary(max_size=300))
def test_what_came_in_place_of_tls_is_shown(start: bytes) -> None:
    failure = tls_failure(error("WRONG_VERSION_NUMBER"), asked=False, start=start)
    plain = bool(start) and not is_tls(start)
    assert ("does not speak TLS there, it sent" in failure.detail) == plain


@given(st.text(alphabet=st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1))
def test_text_is_not_tls(text: str) -> None:
    assert not is_tls(text.encode())


def test_a_record_is_tls() -> None:
    assert is_tls(b"\x16\x03\x03\x00\x7a\x02")
    assert is_tls(b"\x15\x03\x01")
    assert is_tls(b"\x16")
    assert not is_tls(b"\x16\x02")
    assert not is_tls(b"")


def record(kind: int, content: bytes) -> bytes:
    return bytes([kind, 3, 3]) + len(content).to_bytes(2) + content


EMPTY = b"\x0b\0\0\x03\0\0\0"
EXCHANGE, CHANGE, FINISHED = record(22, b"\x10" + b"x" * 36), record(20, b"\1"), b"\x8f" + b"y" * 39


@pytest.mark.parametrize(
    ("flight", "expected"),
    [
        (b"", False),
        (record(22, b"\1" + b"h" * 511), False),
        (EXCHANGE + CHANGE + record(22, FINISHED), False),
        (record(22, EMPTY) + EXCHANGE + CHANGE + record(22, FINISHED), True),
        (CHANGE + record(23, FINISHED), False),
        (CHANGE + record(23, EMPTY + b"t" * 17) + record(23, FINISHED), True),
        (record(21, b"\2\x30"), False),
    ],
)
def test_the_answer_to_a_question_for_a_certificate(flight: bytes, expected: bool) -> None:
    assert has_certificate(flight) == expected


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(data: bytes) -> None:
    assert has_certificate(data) in {True, False}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b"<title>400 No required SSL certificate was sent</title>", True),
        (496, b"<title>400 No required SSL certificate was sent</title>", True),
        (403, b"<h3>HTTP Error 403.7 - Forbidden</h3>", True),
        (403, b"Reason: Cannot perform Post-Handshake Authentication.<br />", True),
        (200, b"<title>400 No required SSL certificate was sent</title>", False),
        (400, b"<title>400 Bad Request</title>", False),
        (400, b"", False),
    ],
)
def test_pages_that_refuse_a_client(status: int, body: bytes, expected: bool) -> None:
    assert refuses_client(status, body) == expected
