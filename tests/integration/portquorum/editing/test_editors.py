"""100 editors of one target through two processes, and an apply that wants the same id."""

import uuid
from pathlib import Path

import pytest

from foundation.settings import Settings
from tests.integration.portquorum.editing.editors import contest

pytestmark = pytest.mark.timeout(300)


async def test_a_hundred_editors_a_kill_and_an_apply_leave_one_truth_and_lose_no_edit(
    kafka: str, tmp_path: Path
) -> None:
    prefix = f"edit-{uuid.uuid4().hex[:12]}"
    settings = Settings(kafka=kafka, topic_prefix=prefix, partitions=4)
    answers = await contest(settings, tmp_path, editors=100, kill=True)
    assert any(one.status for one in answers), "nobody was answered"
