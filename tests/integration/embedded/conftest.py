import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.embedded.clickhouse.http_calls import Server
from tests.integration.embedded.processes import wait_until


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


@pytest.fixture
def clickhouse_folder(owner: Server) -> Path:
    """Where the engine of the fixture `clickhouse` keeps its data."""
    return Path(owner.value("SELECT path FROM system.disks WHERE name = 'default' FORMAT TSVRaw"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB; needs root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
    yield disk

    def unmounted() -> bool:
        return subprocess.run(["umount", disk], check=False, capture_output=True).returncode == 0

    # The watchdog of a service ends a moment after it, and has its log open.
    wait_until(unmounted, 10, "nobody has the disk")
