"""Fixtures that every test may ask for. A service starts when the first test asks for it."""

from collections.abc import Iterator

import pytest

from tests.services import running_clickhouse, running_kafka


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of a real Kafka; it is shared, so tests name topics and groups apart."""
    with running_kafka(tmp_path_factory.mktemp("services")) as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real ClickHouse, all rights; it is shared, so tests use databases of their own."""
    with running_clickhouse(tmp_path_factory.mktemp("services")) as url:
        yield url
