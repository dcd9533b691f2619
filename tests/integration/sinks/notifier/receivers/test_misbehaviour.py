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

SOAK: Final = ("503", "reset unread")
"""What is done as for another fault, each with a notifier of its own: in the long form alone."""

SHORT: Final = [name for name in FAULTS if name not in LONG and name not in SOAK]
REFUSED: Final = [name for name in SHORT if name not in MAY_KNOW]
UNKNOWN: Final = [name for name in SHORT if name in MAY_KNOW]


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(REFUSED, id="not told"),
        pytest.param(UNKNOWN, id="perhaps told"),
        pytest.param(SOAK, id="like others", marks=pytest.mark.soak),
    ],
)
async def test_every_receiver_misbehaves_once(kafka: str, tmp_path: Path, names: list[str]) -> None:
    await side_by_side(kafka, tmp_path, told_through_misbehaviour, names)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["429", "reset"], id="no and reset"),
        pytest.param(
            ["500", "too long", "reset unread", "garbage"], id="others", marks=pytest.mark.soak
        ),
    ],
)
async def test_an_acknowledgement_and_an_episode_while_all_misbehave(
    kafka: str, tmp_path: Path, names: list[str]
) -> None:
    await side_by_side(kafka, tmp_path, episode_through_misbehaviour, names)
