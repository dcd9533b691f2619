from collections.abc import Iterator

import pytest

from tests.integration.portquorum.web.process import Served


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """One server for all tests that do not end it."""
    one = Served()
    yield one
    one.close()
