"""What `ack` and `resolve` say of what became of a word."""

import pytest
from msgspec import structs

from portquorum.cli import acknowledge
from portquorum.cli.acknowledge import SpokenWord
from portquorum.presentation.output import out
from schemas.control import Acknowledged
from sinks.clickhouse.queries import Incident
from tests.unit.portquorum.cli.test_incident_lookup import DB, JOB

SPOKEN = SpokenWord(
    incident_id="3f2c",
    incident_type="unreachable",
    target="prod-db",
    name="Production\n\x1b[31mDB",
    by="ann",
    note=None,
    outcome="acknowledged",
)

UNANSWERED = structs.replace(SPOKEN, outcome="unanswered")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "acknowledged Production �[31mDB (unreachable) by ann\n"),
        ({"outcome": "resolved"}, "resolved Production �[31mDB (unreachable) by ann\n"),
        ({"outcome": "known"}, "already acknowledged Production �[31mDB (unreachable) by ann\n"),
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


def test_nobody_tries_to_reach_a_job() -> None:
    failed = structs.replace(JOB, reasons={"receiver": "job_failed"})
    told = acknowledge._spoken(
        failed, Acknowledged(target="backup", incident_id="c0", by="ann"), None, wait=False
    )
    assert (told.incident_type, told.called) == ("unreachable", "failed")
    said = structs.replace(told, outcome="acknowledged")
    with out().capture() as printed:
        acknowledge._show(said)
    assert "(failed) by ann" in printed.get()


def test_what_nobody_answered_since_it_had_closed_is_no_fault_of_the_stream() -> None:
    def now(*known: Incident, of: SpokenWord = UNANSWERED, note: str | None = None) -> str:
        word = Acknowledged(target="prod-db", incident_id="3f2c", by="ann", note=note)
        return acknowledge._looked_up(of, word, {one.incident_id: one for one in known}).outcome

    still = structs.replace(DB, incident_id="3f2c")
    by_ann = structs.replace(still, acknowledged_by="ann", acknowledged_note="on it")
    assert now(still, DB) == "unanswered"
    assert now(DB) == "closed"
    assert now(of=SPOKEN) == "acknowledged"
    # Said already, and the table did not have it yet.
    assert now(by_ann) == now(by_ann, note="on it") == "known"
    assert now(by_ann, note="another") == "unanswered"
    assert now(structs.replace(by_ann, acknowledged_by="bob")) == "unanswered"


def test_what_the_stream_has_not_answered_is_one_sentence_with_a_few_names() -> None:
    many = [structs.replace(SPOKEN, outcome="unanswered", name=f"t{n}") for n in range(7)]
    said = acknowledge._unanswered([SPOKEN, *many])
    assert said.startswith("the stream has not answered within 10 s: does it run?")
    assert said.endswith(": t0, t1, t2, t3, t4 and 2 more")
