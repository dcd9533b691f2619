"""The real services that integration and system tests share: one of each in a test run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from portquorum.embedded.kafka.main import EmbeddedKafka

# The first start fetches 45 MB; every later one takes seconds.
START_TIMEOUT_S = 300


@contextmanager
def running_kafka(folder: Path) -> Iterator[str]:
    """Kafka on a free port; yields the bootstrap server."""
    with EmbeddedKafka(folder, "127.0.0.1:0") as service:
        yield service.bootstrap_servers


@contextmanager
def running_clickhouse(folder: Path) -> Iterator[str]:
    """ClickHouse on a free port; yields the URL with the full-rights user and the database."""
    with EmbeddedClickHouse(folder, "127.0.0.1:0") as service:
        yield service.url
