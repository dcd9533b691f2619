"""Checks the settings of Kafka's security against each other, and their files. Pure but for them.

A wrong file would be found at the first connection, where OpenSSL names neither the file nor the
setting.
"""

import ssl
from pathlib import Path
from typing import Final, NamedTuple

_PREFIX: Final = "PORTQUORUM_"
_PROTOCOL: Final = "PORTQUORUM_KAFKA_SECURITY_PROTOCOL"


class KafkaSecurity(NamedTuple):
    """The settings in question, by the names that they have in `Settings`."""

    kafka_security_protocol: str
    kafka_username: str | None
    kafka_password: str | None
    kafka_ca_file: str | None
    kafka_cert_file: str | None
    kafka_key_file: str | None

    @property
    def has_users(self) -> bool:
        """SASL."""
        return self.kafka_security_protocol.startswith("SASL")

    @property
    def has_tls(self) -> bool:
        """TLS."""
        return self.kafka_security_protocol.endswith("SSL")


def contradiction(given: KafkaSecurity) -> tuple[str, str] | None:
    """The name of a setting that does not fit the others, and what is wrong; None: all fit."""
    protocol = given.kafka_security_protocol
    for name, value in (("username", given.kafka_username), ("password", given.kafka_password)):
        variable = f"{_PREFIX}KAFKA_{name.upper()}"
        if given.has_users and not value:
            return (
                "kafka_security_protocol",
                f"{protocol} needs a user, and {variable} is not set",
            )
        if value and not given.has_users:
            better = "SASL_SSL" if given.has_tls else "SASL_SSL or SASL_PLAINTEXT"
            why = (
                f"there is a {name}, and {_PROTOCOL} is {protocol}, which sends none: set it to "
                f"{better}, or remove the {name}"
            )
            return f"kafka_{name}", why
    for name in ("ca_file", "cert_file", "key_file"):
        if getattr(given, f"kafka_{name}") and not given.has_tls:
            better = "SASL_SSL" if given.has_users else "SSL or SASL_SSL"
            why = (
                f"there is a file for TLS, and {_PROTOCOL} is {protocol}, which has none: set it "
                f"to {better}, or remove the file"
            )
            return f"kafka_{name}", why
    if given.kafka_key_file and not given.kafka_cert_file:
        return (
            "kafka_key_file",
            f"there is a key, and no certificate in {_PREFIX}KAFKA_CERT_FILE",
        )
    return None


def context_of(given: KafkaSecurity) -> ssl.SSLContext:
    """The TLS of a client with these settings.

    Raises:
        ValueError: a file can't be used; the text names its setting.
    """
    ca_file, cert_file, key_file = given.kafka_ca_file, given.kafka_cert_file, given.kafka_key_file
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ValueError(_wrong("KAFKA_CA_FILE", ca_file, "certificates (PEM)", error)) from error
    if not cert_file:
        return context
    # Without `password` OpenSSL would ask for one on the terminal.
    no_password = bytes
    try:
        context.load_cert_chain(cert_file, key_file, password=no_password)
    except (OSError, ValueError) as error:
        raise ValueError(_pair(cert_file, key_file, error)) from error
    return context


def _pair(cert_file: str, key_file: str | None, error: Exception) -> str:
    """What is wrong with a certificate and its key."""
    certificate = _readable("KAFKA_CERT_FILE", cert_file)
    if certificate:
        return certificate
    key_name = "KAFKA_KEY_FILE" if key_file else "KAFKA_CERT_FILE"
    key = _readable(key_name, key_file or cert_file)
    if key:
        return key
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return (
            f"{_PREFIX}KAFKA_KEY_FILE: {key_file or cert_file} is not the key of the certificate "
            f"in {cert_file} ({_PREFIX}KAFKA_CERT_FILE)"
        )
    if b"-----BEGIN CERTIFICATE-----" not in Path(cert_file).read_bytes():
        return _wrong("KAFKA_CERT_FILE", cert_file, "a certificate (PEM)", None)
    if b"ENCRYPTED" in Path(key_file or cert_file).read_bytes():
        expected = "a private key (PEM) without a password"
    else:
        expected = "a private key (PEM)"
    if key_file is None:
        expected += f" beside the certificate, or {_PREFIX}KAFKA_KEY_FILE"
    return _wrong(key_name, key_file or cert_file, expected, None)


def _readable(name: str, file: str) -> str | None:
    try:
        Path(file).read_bytes()
    except OSError as error:
        return _wrong(name, file, "", error)
    return None


def _wrong(name: str, file: str | None, expected: str, error: OSError | None) -> str:
    variable = f"{_PREFIX}{name}"
    if error is None or isinstance(error, ssl.SSLError):
        return f"{variable}: expected {expected}, and {file} has none"
    return f"{variable}: {file}: {error.strerror or error}"
