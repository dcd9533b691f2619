"""A certificate for the servers of the recipes, which their checks trust."""

from collections.abc import Iterator

import pytest

from producers.kinds import tls_context
from tests.wide.pems import made_pems
from tests.wide.server import Pems


@pytest.fixture(scope="session")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pems]:
    made = made_pems(tmp_path_factory.mktemp("pems"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(made.ca))
        tls_context.context.cache_clear()
        yield made
    tls_context.context.cache_clear()
