from collections.abc import AsyncIterator

import pytest

from tests.integration.producers.ground import Ground, ground_on


@pytest.fixture
async def ground(kafka: str) -> AsyncIterator[Ground]:
    async with ground_on(kafka) as made:
        yield made
