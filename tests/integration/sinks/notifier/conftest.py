"""A channel that counts, and topics of one's own."""

from collections.abc import Iterator

import pytest

from foundation import kafka as kafka_clients
from foundation.settings import Settings
from tests.integration.sinks.notifier.rig import Hook, hook, settings_for


@pytest.fixture
def channel() -> Iterator[Hook]:
    with hook() as server:
        yield server


@pytest.fixture
async def settings(kafka: str) -> Settings:
    made = settings_for(kafka)
    await kafka_clients.create_topics(made)
    return made
