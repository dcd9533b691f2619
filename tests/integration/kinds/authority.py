"""Authorities and chains of certificates with the dates that a test needs."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
NAMES = ("localhost", "127.0.0.1", "::1", "*.wild.test", "xn--bcher-kva.test")


class Holder(NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(form.Encoding.PEM)

    @property
    def end_ms(self) -> int:
        return round(self.certificate.not_valid_after_utc.timestamp() * 1000)


def issue(
    name: str,
    issuer: Holder | None,
    days: float,
    *,
    ca: bool = False,
    since_days: float = -100,
    names: tuple[str, ...] = NAMES,
    key: Key | None = None,
    key_ids: bool = True,
) -> Holder:
    """A certificate that ends in so many days, signed by `issuer` or by itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    by = issuer.key if issuer else key
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC).replace(microsecond=0)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=since_days))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    if key_ids:
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        other = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key())
        made = made.add_extension(own, critical=False).add_extension(other, critical=False)
    if not ca:
        made = made.add_extension(
            x509.SubjectAlternativeName([_general(each) for each in names]), critical=False
        )
    return Holder(made.sign(by, hashes.SHA256()), key)


def written(path: Path, holder: Holder, *chain: Holder) -> Path:
    """A file with the key, the certificate, and those that are sent along."""
    key = holder.key.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption()
    )
    path.write_bytes(key + b"".join(each.pem for each in (holder, *chain)))
    return path


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
