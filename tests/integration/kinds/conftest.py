"""Certificates that the checks trust, and one that has expired."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from producers.kinds import tls_context
from tests.integration.kinds.certificates import Certificates, Pair


@pytest.fixture(scope="session")
def made_certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    now = datetime.now(UTC)

    def pair(name: str, *names: str, until: datetime) -> Pair:
        made = ca.issue_cert(*names, not_before=now - timedelta(days=30), not_after=until)
        made_pair = Pair(
            folder / f"{name}.pem", folder / f"{name}.key", until.replace(microsecond=0)
        )
        made_pair.certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        made_pair.key.write_bytes(made.private_key_pem.bytes())
        return made_pair

    later = now + timedelta(days=20)
    return Certificates(
        ca=folder / "ca.pem",
        good=pair("good", "localhost", "127.0.0.1", until=later),
        expired=pair("expired", "localhost", "127.0.0.1", until=now - timedelta(days=1)),
        other=pair("other", "other.example.com", until=later),
        endless=pair("endless", "localhost", "127.0.0.1", until=datetime.max.replace(tzinfo=UTC)),
    )


@pytest.fixture(scope="module")
def pair(made_certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and good certificate in one file, as `openssl s_server` and others take them."""
    path = tmp_path_factory.mktemp("pair") / "good.pem"
    good = made_certificates.good
    path.write_bytes(good.key.read_bytes() + good.certificate.read_bytes())
    return path


@pytest.fixture
def certificates(
    made_certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Certificates]:
    """With them the checks of the test trust our authority alone."""
    monkeypatch.setenv("SSL_CERT_FILE", str(made_certificates.ca))
    tls_context.context.cache_clear()
    yield made_certificates
    tls_context.context.cache_clear()
