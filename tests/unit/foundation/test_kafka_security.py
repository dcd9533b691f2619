"""Settings of Kafka's security that contradict each other, and files that can't be used."""

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from foundation.kafka import client_options
from foundation.settings import Settings, SettingsError, load

PASSWORD = "Never-In-A-Text"  # noqa: S105 - of this test alone
USER = {"KAFKA_USERNAME": "me", "KAFKA_PASSWORD": PASSWORD}


def loaded(folder: Path, **others: str) -> Settings:
    env = {f"PORTQUORUM_{name}": value for name, value in others.items()}
    return load({"PORTQUORUM_DATA_DIR": str(folder), **env}, folder)


@pytest.mark.parametrize(
    ("given", "variable", "words"),
    [
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "SECURITY_PROTOCOL", "KAFKA_USERNAME is not set"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_USERNAME": "me"},
            "SECURITY_PROTOCOL",
            "KAFKA_PASSWORD is not set",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", **USER, "KAFKA_PASSWORD": ""},
            "SECURITY_PROTOCOL",
            "KAFKA_PASSWORD is not set",
        ),
        (USER, "USERNAME", "SECURITY_PROTOCOL is PLAINTEXT"),
        ({"KAFKA_PASSWORD": PASSWORD}, "PASSWORD", "set it to SASL_SSL or SASL_PLAINTEXT"),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL", **USER}, "USERNAME", "set it to SASL_SSL"),
        ({"KAFKA_CA_FILE": "/ca.pem"}, "CA_FILE", "SECURITY_PROTOCOL is PLAINTEXT"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", **USER, "KAFKA_CERT_FILE": "/c.pem"},
            "CERT_FILE",
            "set it to SASL_SSL",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_KEY_FILE": "/key.pem"},
            "KEY_FILE",
            "no certificate in PORTQUORUM_KAFKA_CERT_FILE",
        ),
    ],
)
def test_contradictions_are_refused(
    given: dict[str, str], variable: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, **given)
    said = str(caught.value)
    assert said.startswith(f"PORTQUORUM_KAFKA_{variable}: ")
    assert words in said
    assert PASSWORD not in said


def test_the_file_of_the_settings_is_named(tmp_path: Path) -> None:
    (tmp_path / "portquorum.toml").write_text('kafka_security_protocol = "SASL_SSL"\n')
    with pytest.raises(SettingsError, match=r"portquorum\.toml: kafka_security_protocol: SASL_SSL"):
        loaded(tmp_path)


def test_empty_variables_are_none(tmp_path: Path) -> None:
    names = ("KAFKA_USERNAME", "KAFKA_PASSWORD", "KAFKA_CA_FILE", "KAFKA_CERT_FILE")
    assert loaded(tmp_path, **dict.fromkeys(names, "")).kafka_security_protocol == "PLAINTEXT"
    secure = {"KAFKA_SECURITY_PROTOCOL": "SSL", **dict.fromkeys(names, "")}
    assert "ssl_context" in client_options(loaded(tmp_path, **secure))


class Files:
    """Files that can and that can't be used."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        one, two = (authority.issue_cert("me.example") for _ in range(2))
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca)
        self.both, self.certificate = folder / "both.pem", folder / "certificate.pem"
        one.private_key_and_cert_chain_pem.write_to_path(self.both)
        one.cert_chain_pems[0].write_to_path(self.certificate)
        self.key, self.other_key = folder / "key.pem", folder / "other.pem"
        one.private_key_pem.write_to_path(self.key)
        two.private_key_pem.write_to_path(self.other_key)
        self.locked_key, self.text = folder / "locked.pem", folder / "text.pem"
        key = serialization.load_pem_private_key(one.private_key_pem.bytes(), None)
        self.locked_key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(PASSWORD.encode()),
            )
        )
        self.text.write_text("a page of a proxy\n")
        self.folder, self.gone = folder, folder / "gone.pem"


@pytest.mark.parametrize(
    ("ca", "certificate", "key", "words"),
    [
        ("gone", None, None, "PORTQUORUM_KAFKA_CA_FILE: {gone}: No such file or directory"),
        ("folder", None, None, "PORTQUORUM_KAFKA_CA_FILE: "),
        ("text", None, None, "PORTQUORUM_KAFKA_CA_FILE: expected certificates (PEM), and {text}"),
        ("ca", "gone", None, "PORTQUORUM_KAFKA_CERT_FILE: {gone}: No such file or directory"),
        ("ca", "text", None, "PORTQUORUM_KAFKA_CERT_FILE: expected a certificate (PEM), and "),
        ("ca", "certificate", None, "or PORTQUORUM_KAFKA_KEY_FILE"),
        ("ca", "certificate", "gone", "PORTQUORUM_KAFKA_KEY_FILE: {gone}: No such file"),
        ("ca", "certificate", "text", "PORTQUORUM_KAFKA_KEY_FILE: expected a private key (PEM), "),
        ("ca", "certificate", "locked_key", "a private key (PEM) without a password"),
        ("ca", "certificate", "other_key", "{other_key} is not the key of the certificate in "),
    ],
)
def test_files_are_named(
    ca: str, certificate: str | None, key: str | None, words: str, tmp_path: Path
) -> None:
    files = Files(tmp_path)
    given = {
        name: str(getattr(files, file))
        for name, file in (("kafka_ca_file", ca), ("kafka_cert_file", certificate))
        if file
    }
    if key:
        given["kafka_key_file"] = str(getattr(files, key))
    settings = Settings(kafka_security_protocol="SSL", **given)
    with pytest.raises(SettingsError) as caught:
        client_options(settings)
    said = str(caught.value)
    assert words.format(**vars(files)) in said
    assert said.startswith("PORTQUORUM_KAFKA_")


def test_what_fits_is_taken(tmp_path: Path) -> None:
    files = Files(tmp_path)
    for certificate, key in ((files.both, None), (files.certificate, files.key)):
        settings = Settings(
            kafka_security_protocol="SSL",
            kafka_ca_file=str(files.ca),
            kafka_cert_file=str(certificate),
            kafka_key_file=str(key) if key else None,
        )
        assert "ssl_context" in client_options(settings)
