"""What `ack` and `resolve` say of what became of a word."""

import pytest
from msgspec import structs

from portquorum.cli import acknowledge
from portquorum.cli.acknowledge import SpokenWord
from portquorum.presentation.output import out

SPOKEN = SpokenWord(
    incident_id="3f2c",
    incident_type="unreachable",
    target="prod-db",
    name="Production\n\x1b[31mDB",
    by="ann",
    note=None,
    outcome="acknowledged",
)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "acknowledged Production �[31mDB (unreachable) by ann\n"),
        ({"outcome": "resolved"}, "resolved Production �[31mDB (unreachable) by ann\n"),
        ({"outcome": "known"}, "had been acknowledged Production �[31mDB (unreachable) by ann\n"),
        ({"outcome": "closed"}, "too late Production �[31mDB: its incident has closed\n"),
        ({"outcome": "unanswered"}, ""),
        (
            {"outcome": "resolved", "still_down": True},
            (
                "resolved Production �[31mDB (unreachable) by ann\n"
                "  still not reachable: no incident opens before the regions agree once that it is "
                "not down (portquorum explain prod-db)\n"
            ),
        ),
    ],
)
def test_each_outcome_has_its_words(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, object], words: str
) -> None:
    monkeypatch.setattr(out(), "width", 200)
    with out().capture() as printed:
        acknowledge._show(structs.replace(SPOKEN, **fields))
    assert printed.get() == words


def test_what_nobody_answered_since_it_had_closed_is_no_fault_of_the_stream() -> None:
    unanswered = structs.replace(SPOKEN, outcome="unanswered")
    assert acknowledge._looked_up(unanswered, {"3f2c", "9b07"}).outcome == "unanswered"
    assert acknowledge._looked_up(unanswered, {"9b07"}).outcome == "closed"
    assert acknowledge._looked_up(SPOKEN, set()).outcome == "acknowledged"


def test_what_the_stream_has_not_answered_is_one_sentence_with_a_few_names() -> None:
    many = [structs.replace(SPOKEN, outcome="unanswered", name=f"t{n}") for n in range(7)]
    said = acknowledge._unanswered([SPOKEN, *many])
    assert said.startswith("the stream has not answered within 10 s: does it run?")
    assert said.endswith(": t0, t1, t2, t3, t4 and 2 more")
