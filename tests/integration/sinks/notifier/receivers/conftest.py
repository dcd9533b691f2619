"""The receivers of a file's tests, and a scene for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.sinks.notifier.receivers.scene import Scene, scene_of
from tests.receivers.neighbourhood import Neighbourhood


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Neighbourhood]:
    with Neighbourhood(tmp_path) as all_of_them:
        yield all_of_them
        assert all_of_them.tunnel.strangers == []


@pytest.fixture
async def scene(kafka: str, street: Neighbourhood, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene_of(kafka, street, tmp_path) as made:
        yield made
