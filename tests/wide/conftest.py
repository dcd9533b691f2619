"""What every wide test may ask for."""

import os
from collections.abc import Iterator

import pytest

from producers.kinds import tls_context
from tests.wide.attempts import ATTEMPTS, CERTIFICATE, KEY
from tests.wide.clients.programs import CLIENTS
from tests.wide.page_behind import PageBehind, page_behind
from tests.wide.pems import made_pems
from tests.wide.server import Pems
from tests.wide.servers.every import EVERY
from tests.wide.verification import Verification


@pytest.fixture(scope="session")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pems]:
    """The certificate of all servers; the checks of the session trust its authority alone.

    It is also the client's certificate that checks show, where they show one.
    """
    pair = made_pems(tmp_path_factory.mktemp("pems"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(pair.ca))
        patch.setenv(CERTIFICATE, pair.cert.read_text())
        patch.setenv(KEY, pair.key.read_text())
        tls_context.context.cache_clear()
        yield pair
    tls_context.context.cache_clear()


@pytest.fixture(scope="session")
def behind(pems: Pems) -> Iterator[PageBehind]:
    """The page that is asked for through each server."""
    with page_behind(pems) as page:
        yield page


@pytest.fixture(scope="session")
def verification() -> Iterator[Verification]:
    """What the run found; at its end it is written if nothing is missing in it.

    With `PORTQUORUM_WIDE_REPORT=part` what was seen of the matrix is written beside it.
    """
    found = Verification()
    yield found
    if os.environ.get("PORTQUORUM_WIDE_REPORT") == "part":
        found.write_part([server.name for server in EVERY], len(ATTEMPTS))
    elif os.environ.get("PORTQUORUM_WIDE_REPORT"):
        refused = found.write([server.name for server in EVERY], len(ATTEMPTS))
        print(f"\n{refused or 'docs/verification.md is written'}", flush=True)  # noqa: T201
        refused = found.write_clients([client.name for client in CLIENTS])
        print(refused or "docs/verification.md has the clients", flush=True)  # noqa: T201
