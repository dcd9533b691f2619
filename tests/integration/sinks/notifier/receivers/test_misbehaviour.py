"""Whatever a receiver does, each of them is told each thing, once where that can be known."""

from pathlib import Path
from typing import Final

import pytest

from tests.integration.sinks.notifier.receivers.misbehaviour import (
    FAULTS,
    LONG,
    MAY_KNOW,
    episode_through_misbehaviour,
    told_through_misbehaviour,
)
from tests.integration.sinks.notifier.receivers.scene import side_by_side

pytestmark = pytest.mark.timeout(300)

REFUSED: Final = [name for name in FAULTS if name not in LONG and name not in MAY_KNOW]
UNKNOWN: Final = [name for name in FAULTS if name not in LONG and name in MAY_KNOW]


@pytest.mark.parametrize("names", [REFUSED, UNKNOWN], ids=["not told", "perhaps told"])
async def test_every_receiver_misbehaves_once(kafka: str, tmp_path: Path, names: list[str]) -> None:
    await side_by_side(kafka, tmp_path, told_through_misbehaviour, names)


@pytest.mark.parametrize(
    "names", [["500", "429", "too long"], ["reset", "reset unread", "garbage"]], ids=["no", "reset"]
)
async def test_an_acknowledgement_and_an_episode_while_all_misbehave(
    kafka: str, tmp_path: Path, names: list[str]
) -> None:
    await side_by_side(kafka, tmp_path, episode_through_misbehaviour, names)
