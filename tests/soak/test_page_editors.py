"""Many editors of one target, a kill and an apply, again and again; tests/integration has one."""

import uuid
from pathlib import Path

import pytest

from foundation.settings import Settings
from tests.integration.portquorum.editing.editors import contest

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3_600)]

CONTESTS = 20


async def test_editors_kills_and_applies_leave_one_truth_each_time(
    kafka: str, tmp_path: Path, soak_seed: int
) -> None:
    for number in range(CONTESTS):
        folder = tmp_path / str(number)
        folder.mkdir()
        prefix = f"edits-{uuid.uuid4().hex[:12]}"
        settings = Settings(kafka=kafka, topic_prefix=prefix, partitions=4)
        await contest(settings, folder, editors=200, kill=number % 3 != 0, seed=soak_seed + number)
