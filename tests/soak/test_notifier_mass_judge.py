"""The judge of the mass outage finds each kind of fault, and nothing where there is none."""

import pytest
from msgspec import structs

from tests.soak.notifier_judge import Kill, LogRow
from tests.soak.notifier_mass_judge import Happened, MassEvidence, Message, judge_mass


def happened(number: int, event: str = "opened", behind: bool = False) -> Happened:
    name = f"t{number}"
    return Happened(
        event_id=f"{name}-{event}",
        event=event,
        incident=f"i-{name}",
        target=name,
        person="ann",
        behind=behind,
    )


def message(at: float) -> Message:
    return Message(person="ann", at=at, at_ms=round(at * 1000), free=False)


def row(of: Happened, at: float, group: str, status: str = "sent", why: str = "") -> LogRow:
    return LogRow(
        at_ms=round(at * 1000),
        status=status,
        event=of.event,
        incident=of.incident,
        event_id=of.event_id,
        channel="ann/a1/json",
        action=of.event if status == "sent" else "",
        attempt=1,
        why=why,
        error="",
        group=group,
    )


FIRST, SECOND, SPARED = happened(1), happened(2), happened(3, behind=True)
END = happened(1, "closed")
DOWN = "dependency: gateway0 (gateway0.example.com:443) is down"
EVIDENCE = MassEvidence(
    happened=(FIRST, SECOND, SPARED, END),
    messages=(message(100), message(110), message(120)),
    rows=(
        row(FIRST, 100.1, "a"),
        row(SECOND, 110.1, "b"),
        row(SPARED, 100.2, "x", "not_sent", DOWN),
        row(END, 120.1, "c"),
    ),
    kills=(),
    channels={"ann": "a1"},
    interval_ms=10_000,
    limits={"ann": (3, 60_000)},
)


def test_nothing_is_wrong_with_what_is_right() -> None:
    found = judge_mass(EVIDENCE)
    assert (found.wrong, found.doubles) == ([], [])
    assert (found.counts["told"], found.counts["spared"]) == (2, 1)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"messages": (message(100), message(101), message(120))}, "1000 ms apart"),
        ({"limits": {"ann": (2, 60_000)}}, "3 messages within 60000 ms"),
        ({"messages": (*EVIDENCE.messages, message(140))}, "that no row has"),
        ({"messages": EVIDENCE.messages[:2]}, "a message that never came"),
        ({"rows": EVIDENCE.rows[1:]}, "names opened of t1"),
        ({"rows": (*EVIDENCE.rows[:2], *EVIDENCE.rows[3:])}, "names opened of t3"),
        ({"rows": (*EVIDENCE.rows, row(SPARED, 110.1, "b"))}, "behind a gateway"),
        (
            {"rows": (*EVIDENCE.rows[:2], row(SPARED, 1, "x", "not_sent", "?"), EVIDENCE.rows[3])},
            "no row says that of what",
        ),
        ({"rows": (*EVIDENCE.rows, row(FIRST, 110.1, "b"))}, "t1 was told 2 times"),
        (
            {"rows": (*EVIDENCE.rows[:3], row(END, 120.1, "c", "not_sent", "no"))},
            "the end of t1 was told to nobody",
        ),
        (
            {"rows": (row(FIRST, 100.1, "a", "not_sent", "no"), *EVIDENCE.rows[1:])},
            "its outage was never told",
        ),
        (
            {"rows": (row(FIRST, 100.1, "a", "not_sent", "no"), *EVIDENCE.rows[1:])},
            "nobody was told of t1",
        ),
    ],
)
def test_what_is_wrong_is_found(fields: dict[str, object], words: str) -> None:
    wrong = judge_mass(structs.replace(EVIDENCE, **fields)).wrong
    assert any(words in one for one in wrong), wrong


def test_a_message_whose_answer_a_kill_kept_from_being_recorded_is_a_double() -> None:
    kill = Kill(number=4, kind="kill", at=130.5, at_ms=130_500)
    evidence = structs.replace(
        EVIDENCE, messages=(*EVIDENCE.messages, message(130)), kills=(kill,), limits={}
    )
    found = judge_mass(evidence)
    assert (found.wrong, len(found.doubles)) == ([], 1)


def test_a_process_that_was_stopped_writes_its_row_when_it_is_woken() -> None:
    stop = Kill(number=4, kind="stop", at=120.5, at_ms=120_500, woken=128.0)
    late = (*EVIDENCE.rows[:3], row(END, 128.1, "c"))
    assert judge_mass(structs.replace(EVIDENCE, rows=late, kills=(stop,))).wrong == []


def test_a_row_is_that_of_the_repetition_and_not_of_the_message_that_a_kill_ended() -> None:
    found = judge_mass(
        structs.replace(
            EVIDENCE,
            interval_ms=1_000,
            limits={},
            messages=(message(96.5), message(100), message(110), message(120)),
            kills=(Kill(number=1, kind="kill", at=97.0, at_ms=97_000),),
        )
    )
    assert found.wrong == []
    assert found.doubles == ["ann at 96.5, kill 1"]
