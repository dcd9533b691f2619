"""The send log and the notifier's memory in the sink: what is a row, and what a dead letter."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from schemas import topics
from sinks.clickhouse.block import build
from sinks.clickhouse.tables import NOTIFICATIONS
from tests.unit.sinks.clickhouse.messages import record

EXAMPLES: Final = Path(__file__).parents[4] / "schemas" / "examples"


def rows(value: bytes) -> list[dict[str, Any]]:
    block = build(topics.NOTIFICATIONS, [record(value, topic="p.notifications")])
    assert block.letters == []
    (found,) = block.rows
    return [
        dict(zip(NOTIFICATIONS.names, row, strict=True)) for row in zip(*found.columns, strict=True)
    ]


def test_an_event_that_was_not_sent_is_a_row_that_says_why() -> None:
    (row,) = rows((EXAMPLES / "notifications" / "not-sent.json").read_bytes())
    assert (row["status"], row["route"], row["channel"]) == ("not_sent", "", "")
    assert row["why"] == "nobody was told of the outage"
    assert (row["action"], row["error"]) == ("", "")


def test_what_a_channel_was_given_is_in_its_row_and_empty_in_those_of_0_1() -> None:
    old = json.loads((EXAMPLES / "notifications" / "sent.json").read_bytes())
    old.pop("action", None)
    old.pop("why", None)
    (row,) = rows(json.dumps(old).encode())
    assert (row["status"], row["why"], row["action"]) == ("sent", "", "")
    (row,) = rows(json.dumps(old | {"action": "trigger"}).encode())
    assert (row["status"], row["why"], row["action"]) == ("sent", "", "trigger")


@pytest.mark.parametrize("path", sorted((EXAMPLES / "notifier-state").iterdir()), ids=str)
def test_the_notifiers_memory_is_checked_and_not_stored(path: Path) -> None:
    block = build(topics.NOTIFIER_STATE, [record(path.read_bytes(), topic="p.notifier-state")])
    assert (block.rows, block.letters) == ([], [])


@pytest.mark.parametrize(("value", "letters"), [(None, 0), (b"", 1), (b"{}", 1), (b"\xff", 1)])
def test_a_removal_is_fine_and_what_is_no_state_a_dead_letter(
    value: bytes | None, letters: int
) -> None:
    found = record(value, key=b"subject/incident/x", topic="p.notifier-state")
    block = build(topics.NOTIFIER_STATE, [found])
    assert (len(block.rows), len(block.letters)) == (0, letters)
