"""What lasts to a read limit, twice; a file of its own, so that others run beside it."""

from pathlib import Path

import pytest

from tests.integration.sinks.notifier.receivers.misbehaviour import LONG, told_through_misbehaviour
from tests.integration.sinks.notifier.receivers.scene import side_by_side

pytestmark = pytest.mark.timeout(400)


async def test_every_receiver_gives_no_answer_once(kafka: str, tmp_path: Path) -> None:
    await side_by_side(kafka, tmp_path, told_through_misbehaviour, LONG)
