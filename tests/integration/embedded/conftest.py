import uuid
from collections.abc import Iterator

import pytest

from tests.integration.embedded.http_calls import Server


@pytest.fixture
def database(clickhouse: str) -> Iterator[str]:
    """A database of the test's own."""
    name = f"embedded_{uuid.uuid4().hex[:8]}"
    server = Server(clickhouse)
    server.value(f"CREATE DATABASE {name} ENGINE = Atomic")
    yield name
    server.value(f"DROP DATABASE {name}")


@pytest.fixture
def owner(clickhouse: str) -> Server:
    return Server(clickhouse)


@pytest.fixture
def reader(clickhouse: str) -> Server:
    return Server(clickhouse, owner=False)
