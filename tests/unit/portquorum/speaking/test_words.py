"""Which event answers what a person said."""

from typing import Any

import pytest

from portquorum.speaking.words import Word, answers, heeded
from schemas.control import Acknowledged, Resolved
from tests.unit.sinks.notifier.events import incident_event


def ack(note: str | None = None) -> Acknowledged:
    return Acknowledged(target="prod-db", incident_id="i1", by="ann", note=note)


RESOLVED = Resolved(target="prod-db", incident_id="i1", by="ann")
BY_ANN = {"acknowledged_by": "ann"}


@pytest.mark.parametrize(
    ("fields", "word", "answer", "done"),
    [
        ({"event": "updated", **BY_ANN}, ack(), True, True),
        ({"event": "updated", **BY_ANN, "acknowledged_note": "on it"}, ack("on it"), True, True),
        ({"event": "updated", **BY_ANN, "acknowledged_note": "old"}, ack("on it"), False, False),
        ({"event": "updated", "acknowledged_by": "bob"}, ack(), False, False),
        ({"event": "improved", **BY_ANN}, ack(), True, True),
        ({"event": "worsened"}, ack(), False, False),
        ({"event": "closed", "closed_because": "recovered"}, ack(), True, False),
        ({"event": "closed", "closed_because": "recovered", **BY_ANN}, ack(), True, True),
        ({"event": "updated", **BY_ANN}, RESOLVED, False, False),
        ({"event": "closed", "closed_because": "recovered"}, RESOLVED, True, False),
        (
            {"event": "closed", "closed_because": "resolved", "resolved_by": "ann"},
            RESOLVED,
            True,
            True,
        ),
        (
            {"event": "closed", "closed_because": "resolved", "resolved_by": "bob"},
            RESOLVED,
            True,
            False,
        ),
    ],
)
def test_an_answer_has_the_word_or_closes_the_incident(
    fields: dict[str, Any], word: Word, answer: bool, done: bool
) -> None:
    event = incident_event(**fields)
    assert answers(event, word) == answer
    assert heeded(event, word) == done
