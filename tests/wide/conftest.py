"""What every wide test may ask for."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from producers.kinds import tls_context
from tests.wide.attempts import ATTEMPTS
from tests.wide.clients.programs import CLIENTS
from tests.wide.server import Pems
from tests.wide.servers.every import EVERY
from tests.wide.verification import Verification


@pytest.fixture(scope="session")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pems]:
    """The certificate of all servers; the checks of the session trust its authority alone."""
    folder: Path = tmp_path_factory.mktemp("pems")
    ca = trustme.CA()
    # RSA: not every old TLS library takes another key.
    made = ca.issue_cert(
        "localhost",
        "127.0.0.1",
        not_after=datetime.now(UTC) + timedelta(days=200),
        key_type=trustme.KeyType.RSA,
    )
    pair = Pems(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    ca.cert_pem.write_to_path(pair.ca)
    pair.cert.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    pair.key.write_bytes(made.private_key_pem.bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(pair.ca))
        tls_context.context.cache_clear()
        yield pair
    tls_context.context.cache_clear()


@pytest.fixture(scope="session")
def verification() -> Iterator[Verification]:
    """What the run found; at its end it is written if nothing is missing in it."""
    found = Verification()
    yield found
    if os.environ.get("PORTQUORUM_WIDE_REPORT"):
        refused = found.write([server.name for server in EVERY], len(ATTEMPTS))
        print(f"\n{refused or 'docs/verification.md is written'}", flush=True)  # noqa: T201
        refused = found.write_clients([client.name for client in CLIENTS])
        print(refused or "docs/verification.md has the clients", flush=True)  # noqa: T201
