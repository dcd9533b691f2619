"""TLS with Python 3.11, 3.12 and 3.13, and with a foreign openssl.cnf: the same answers."""

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.installed import missing
from tests.integration.kinds import tls_peer
from tests.integration.kinds.authority import issue, written
from tests.integration.kinds.tls_servers import listening, server_context

VERSIONS = ("3.11", "3.12", "3.13")
ROOT = Path(__file__).parents[3]

_CONFIGURATION = """
openssl_conf = start
[start]
ssl_conf = ssl
[ssl]
system_default = system
[system]
MinProtocol = TLSv1.3
CipherString = AES128-SHA:@SECLEVEL=0
Options = UnsafeLegacyRenegotiation,ServerPreference
VerifyMode = Peer
"""

EXPECTED = {
    "good": {"outcome": "TLSv1.3", "chains": [3, 2], "asked": False},
    "only TLS 1.2": {"outcome": "TLSv1.2", "chains": [3, 2], "asked": False},
    "no key identifiers": {"outcome": "TLSv1.3", "chains": [2, 1], "asked": False},
    "an extra certificate": {"outcome": "TLSv1.3", "chains": [3, 3], "asked": False},
    "asks in TLS 1.2": {"outcome": "TLSv1.2", "chains": [3, 2], "asked": True},
    "asks in TLS 1.3": {"outcome": "TLSv1.3", "chains": [3, 2], "asked": True},
    "expired": {"outcome": "certificate has expired", "asked": False},
    "an anchor that is no root": {"outcome": "TLSv1.3", "chains": [1, 1], "asked": False},
    "another authority": {"outcome": "unable to get local issuer certificate", "asked": False},
    "only RSA key exchange": {"outcome": "TLSv1.2", "chains": [2, 1], "asked": False},
}


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[int]]]:
    """The file of authorities, and the ports of the servers of EXPECTED."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    folder = tmp_path_factory.mktemp("pythons")
    root = issue("Root", None, 3_000, ca=True)
    inter = issue("Intermediate", root, 900, ca=True)
    own = issue("own", None, 80)
    trusted = folder / "trusted.pem"
    trusted.write_bytes(root.pem + own.pem)
    leaf = issue("a", inter, 80)
    good = written(folder / "good.pem", leaf, inter)
    files = {
        "no_ids": written(folder / "no_ids.pem", issue("a", root, 80, key_ids=False)),
        "extra": written(folder / "extra.pem", leaf, inter, issue("x", None, -9, ca=True)),
        "expired": written(folder / "expired.pem", issue("a", inter, -1), inter),
        "own": written(folder / "own.pem", own),
        "other": written(folder / "other.pem", issue("a", issue("Other", None, 80, ca=True), 80)),
        "rsa": written(
            folder / "rsa.pem", issue("a", root, 80, key=rsa.generate_private_key(65_537, 2_048))
        ),
    }
    old, asks = ssl.TLSVersion.TLSv1_2, ssl.CERT_OPTIONAL
    rsa_only = server_context(files["rsa"], newest=old)
    rsa_only.set_ciphers("AES128-SHA")
    contexts = {
        "good": server_context(good),
        "only TLS 1.2": server_context(good, newest=old),
        "no key identifiers": server_context(files["no_ids"]),
        "an extra certificate": server_context(files["extra"]),
        "asks in TLS 1.2": server_context(good, newest=old, clients=asks, ca=trusted),
        "asks in TLS 1.3": server_context(good, clients=asks, ca=trusted),
        "expired": server_context(files["expired"]),
        "an anchor that is no root": server_context(files["own"]),
        "another authority": server_context(files["other"]),
        "only RSA key exchange": rsa_only,
    }
    with contextlib.ExitStack() as stack:
        yield trusted, [stack.enter_context(listening(contexts[name])) for name in EXPECTED]


def python(version: str) -> str:
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    held = sorted(home.glob(f"versions/{version}.*/bin/python{version}"))
    found = str(held[-1]) if held else shutil.which(f"python{version}")
    if found is None:
        missing(f"Python {version}")
    return found


def said(interpreter: str, ports: tuple[Path, list[int]], **env: str) -> list[dict[str, Any]]:
    """What this Python says of its settings, and of each server."""
    trusted, numbers = ports
    environment = os.environ | {
        "SSL_CERT_FILE": str(trusted),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        **env,
    }
    words = [interpreter, tls_peer.__file__, *map(str, numbers)]
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def assert_expected(answers: list[dict[str, Any]]) -> None:
    settings, *outcomes = answers
    assert settings["oldest"] == "TLSv1_2"
    assert settings["level"] == 2
    assert settings["flags"] == ssl.VERIFY_X509_TRUSTED_FIRST | ssl.VERIFY_X509_PARTIAL_CHAIN
    for (name, expected), outcome in zip(EXPECTED.items(), outcomes, strict=True):
        assert {key: outcome[key] for key in expected} == expected, name


def test_this_python(ports: tuple[Path, list[int]]) -> None:
    assert_expected(said(sys.executable, ports))


def test_what_the_machine_has_set_for_openssl_does_not_decide(
    ports: tuple[Path, list[int]], tmp_path: Path
) -> None:
    file = tmp_path / "openssl.cnf"
    file.write_text(_CONFIGURATION)
    answers = said(sys.executable, ports, OPENSSL_CONF=str(file))
    assert answers == said(sys.executable, ports)
    assert_expected(answers)


@pytest.mark.wide
@pytest.mark.parametrize("version", VERSIONS)
def test_every_python_says_the_same(ports: tuple[Path, list[int]], version: str) -> None:
    answers = said(python(version), ports)
    assert_expected(answers)
    ours = said(sys.executable, ports)
    assert answers[1:] == ours[1:]
    assert answers[0]["options"] == ours[0]["options"]
    # Not the same list if it is built with another OpenSSL.
    assert set(answers[0]["ciphers"]) & set(ours[0]["ciphers"])
