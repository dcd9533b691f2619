"""The system tests run in a network namespace of their own: `make test-root`."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from foundation.settings import Settings
from tests.kafka_cluster.network import LINK
from tests.system.ground import Filter, Mailbox
from tests.system.stack import Stack

LONGEST = ("test_chaos.py", "test_faults.py", "test_quorum.py")
"""Files that begin first, so that no process waits for them at the end."""

REGIONS = {"a": "127.0.0.11", "b": "127.0.0.12", "c": "127.0.0.13", "d": "127.0.0.14"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)


def in_own_namespace() -> bool:
    """Whether nothing but loopback and tests' own links are here: a filter harms nobody."""
    interfaces = Path("/proc/net/dev").read_text(encoding="ascii").splitlines()[2:]
    names = {line.split(":")[0].strip() for line in interfaces}
    return {name for name in names if not name.startswith(LINK)} == {"lo"}


@pytest.fixture(scope="module")
def packet_filter() -> Iterator[Filter]:
    if not in_own_namespace():
        pytest.fail("run this in a network namespace of its own: make test-root")
    rules = Filter()
    yield rules
    rules.remove()


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


@pytest.fixture(scope="module")
async def stack(
    kafka: str,
    clickhouse: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Stack]:
    """A fleet of four regions, the stream, the sink and the notifier, on topics of their own."""
    name = request.module.__name__.rpartition(".")[2]
    folder = tmp_path_factory.mktemp(name)
    base = clickhouse.rpartition("/")[0]
    settings = Settings(
        kafka=kafka,
        clickhouse=f"{base}/{name}",
        topic_prefix=name,
        partitions=4,
        data_dir=folder,
    )
    fleet = Stack(settings, folder)
    await fleet.watch()
    fleet.role("sink", "sink")
    fleet.role("stream", "stream")
    fleet.role("notify", "notify")
    for region, source in REGIONS.items():
        fleet.prober(region, source)
    yield fleet
    await fleet.close()
