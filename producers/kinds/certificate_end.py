"""The end of a certificate's validity, and what it means for a target."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID
from msgspec import Struct

from producers.checks.os_errors import shown
from schemas.duration import DAY_MS, HOUR_MS
from schemas.result import Reason

_MINUTE_MS: Final = 60_000
# The range of a result (schemas._types.Millis). RFC 5280, section 4.1.2.5: the year 9999 means a
# certificate without end.
_LATEST_MS: Final = 9_999_999_999_999
# The ends of the certificates of most sites; a longer one is read each time.
_REMEMBERED: Final = 2_048
_REMEMBERED_BYTES: Final = 4_096
_UNREADABLE: Final = (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm)


class CertificateEnd(Struct, frozen=True, gc=False):
    """The end of a certificate (UTC ms), and its place in the chain: 0 is the server's own.

    `der` is the certificate itself, for its name.
    """

    at_ms: int
    place: int
    der: bytes

    @property
    def name(self) -> str:
        """The certificate in words: `the certificate` is the server's own."""
        return "the certificate" if self.place == 0 else _name(self.der)


def judged(
    end: CertificateEnd, critical_days: int, warn_days: int, now_ms: float
) -> tuple[Reason | None, str | None]:
    """The reason why the target is down (None: it is up), and the text for people, if any.

    `certificate_expired` after the end, `certificate_ending` with less than `critical_days` left.
    With less than `warn_days` left there is a text without a reason.
    """
    left_ms = end.at_ms - now_ms
    if left_ms <= 0:
        return "certificate_expired", f"{end.name} expired {span(-left_ms)} ago"
    critical = left_ms < critical_days * DAY_MS
    days = critical_days if critical else warn_days
    if left_ms >= days * DAY_MS:
        return None, None
    text = f"{end.name} expires in {span(left_ms)}, less than {_count(days, 'day')}"
    return ("certificate_ending" if critical else None), text


def span(ms: float) -> str:
    """A length of time for people: days with one decimal, below one day hours or minutes.

    Rounded down: less than 14 days are never "14.0 days".
    """
    if ms >= DAY_MS:
        return f"{int(ms * 10 / DAY_MS) / 10:.1f} days"
    if ms >= HOUR_MS:
        return _count(int(ms / HOUR_MS), "hour")
    return _count(int(ms / _MINUTE_MS), "minute")


def earliest(chain: Iterable[bytes]) -> CertificateEnd | None:
    """The earliest end in a chain of certificates (DER); None if no certificate can be read.

    Of equal ends the certificate that is nearest to the server's own.
    """
    found: CertificateEnd | None = None
    for place, der in enumerate(chain):
        at_ms = end_ms(der)
        if at_ms is not None and (found is None or at_ms < found.at_ms):
            found = CertificateEnd(at_ms, place, der)
    return found


def end_ms(der: bytes) -> int | None:
    """The end of a certificate (DER) in UTC ms, limited to the range of a result.

    None if it can't be read. `SSLObject.getpeercert()` would unpack all of its names, of which
    there may be thousands.
    """
    return _remembered_end_ms(der) if len(der) <= _REMEMBERED_BYTES else _end_ms(der)


def start_ms(der: bytes) -> int | None:
    """The beginning of the validity of a certificate (DER) in UTC ms; None if it can't be read."""
    try:
        starts = x509.load_der_x509_certificate(der).not_valid_before_utc
    except _UNREADABLE:
        return None
    return _limited_ms(starts.timestamp())


def _end_ms(der: bytes) -> int | None:
    try:
        ends = x509.load_der_x509_certificate(der).not_valid_after_utc
    except _UNREADABLE:
        return None
    return _limited_ms(ends.timestamp())


_remembered_end_ms = lru_cache(maxsize=_REMEMBERED)(_end_ms)


def _limited_ms(seconds: float) -> int:
    return min(max(0, round(seconds * 1000)), _LATEST_MS)


def _name(der: bytes) -> str:
    """The name of a certificate of an authority."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        subject = certificate.subject
        what = "root" if subject == certificate.issuer else "intermediate"
        names = subject.get_attributes_for_oid(NameOID.COMMON_NAME) or list(subject)
    except _UNREADABLE:
        return "a certificate of the chain"
    text = names[0].value if names else b""
    raw = text.encode() if isinstance(text, str) else text
    return f"the {what} certificate {shown(raw)!r}"


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
