"""Certificates: ca.pem (trusted), and a file NAME.pem (key, certificate, chain) of each kind."""

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SANS = ("localhost", "web.test", "127.0.0.1")
Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def make(folder: Path) -> None:
    """Writes all files into `folder`. Days are counted from now."""
    root = _pair("Root", None, 3000, ca=True)
    inter = _pair("Intermediate", root, 900, ca=True)
    unknown = _pair("Unknown root", None, 3000, ca=True)
    # A root that has ended, of which the intermediate has a second certificate: such a chain was
    # sent everywhere after DST Root CA X3 had ended, and clients took the other way.
    ended = _pair("Ended root", None, -1, ca=True)
    crossed = _pair("Intermediate", ended, -1, ca=True, key=inter[1])
    plain_root = _pair("Root of old", None, 3000, ca=True, key_ids=False, key_usage=False)
    roots = b"".join(_pem(pair) for pair in (root, plain_root))
    (folder / "ca.pem").write_bytes(roots)
    (folder / "empty.pem").write_bytes(b"")

    def leaf(days: float, issuer: Pair = inter, sans: tuple[str, ...] = SANS) -> Pair:
        return _pair("localhost", issuer, days, sans=sans)

    def put(file: str, pair: Pair, *chain: Pair) -> None:
        key = pair[1].private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        (folder / f"{file}.pem").write_bytes(key + b"".join(map(_pem, (pair, *chain))))

    put("good", leaf(80), inter)
    put("soon", leaf(8), inter)
    put("critical", leaf(1), inter)
    put("hours", leaf(0.2), inter)
    put("expired", leaf(-1), inter)
    put("other_name", leaf(80, sans=("other.test",)), inter)
    put("wildcard", leaf(80, sans=("*.wild.test",)), inter)
    put("future", _pair("localhost", inter, 80, sans=SANS, start=1), inter)
    put("no_chain", leaf(80))
    put("self_signed", _pair("localhost", None, 80, sans=SANS))
    put("unknown", leaf(80, unknown), unknown)
    for name, days in (("chain_soon", 5), ("chain_critical", 1), ("chain_expired", -1)):
        issuer = _pair(f"Ends in {days} days", root, days, ca=True)
        put(name, leaf(80, issuer), issuer)
    put("chain_crossed", leaf(80), inter, crossed, ended)
    put("chain_useless", leaf(80), inter, _pair("Of no use", ended, -1, ca=True))
    put("no_key_id", _pair("localhost", root, 80, sans=SANS, key_ids=False))
    put("root_of_old", leaf(80, plain_root))


def _pem(pair: Pair) -> bytes:
    return pair[0].public_bytes(serialization.Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pair(
    cn: str,
    issuer: Pair | None,
    days: float,
    *,
    ca: bool = False,
    sans: tuple[str, ...] = (),
    start: float = -100,
    key_ids: bool = True,
    key_usage: bool = True,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> Pair:
    now = dt.datetime.now(dt.UTC)
    key = key or ec.generate_private_key(ec.SECP256R1())
    over, over_key = issuer or (None, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(cn))
        .issuer_name(over.subject if over else _name(cn))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=start))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    if key_ids:
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(over_key.public_key())
        builder = builder.add_extension(own, critical=False).add_extension(above, critical=False)
    if ca and key_usage:
        use = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(use, critical=True)
    if sans:
        names = [
            x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
            for name in sans
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(over_key, hashes.SHA256()), key
