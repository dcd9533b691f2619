"""The judge of the notifiers' soak finds each kind of fault, and nothing where there is none."""

import pytest
from msgspec import structs

from tests.soak.notifier_judge import Evidence, Kill, SentRow, Telling, judge
from tests.soak.notifier_story import PolicyVersion, Step

PEOPLE, PAGER = "json://mail", "pagerduty://key"


def step(seq: int, event: str, phase: str, episode: int = 1, incident: str = "i0001") -> Step:
    return Step(incident, seq, event, f"{incident}-{seq}", phase, episode, "red", 1000 * seq)  # type: ignore[arg-type]


STEPS = (
    step(1, "opened", "down"),
    step(2, "improved", "improved"),
    step(3, "worsened", "down", 2),
    step(4, "closed", "closed", 2),
)
STILL_OPEN = (step(1, "opened", "down", incident="i0002"),)


def told(at: float, seq: int, incident: str = "i0001", **more: object) -> Telling:
    values = {"channel": PEOPLE, "at": at, "at_ms": round(at * 1000), "incident": incident}
    return Telling(**values, seq=seq, **more)  # type: ignore[arg-type]


def paged(at: float, action: str, key: str, **more: object) -> Telling:
    values = {"channel": PAGER, "at": at, "at_ms": round(at * 1000)}
    name = key.partition("/")[0]
    return Telling(**values, incident=name, action=action, key=key, **more)  # type: ignore[arg-type]


FINE = (
    *(told(number, number) for number in (1, 2, 3, 4)),
    told(1, 1, "i0002"),
    paged(1, "trigger", "i0001/1"),
    paged(3, "resolve", "i0001/1"),
    paged(3.5, "trigger", "i0001/2"),
    paged(4, "resolve", "i0001/2"),
    paged(1, "trigger", "i0002/1"),
)
EVIDENCE = Evidence(
    steps=(*STEPS, *STILL_OPEN),
    versions=(PolicyVersion(0, {"red": frozenset({PEOPLE, PAGER})}),),
    tellings=FINE,
    kills=(),
    sent=(),
    open_keys={PAGER: ["i0002/1"]},
    channel_ids={PEOPLE: "p", PAGER: "d"},
)


def row(of: Telling, at_ms: int, event_seq: int = 0) -> SentRow:
    """The row of a message, by the newest event that people can be told of."""
    seq = event_seq or of.seq or {"1": 1, "2": 3}[of.key[-1]]
    return SentRow(
        of.incident,
        EVIDENCE.channel_ids[of.channel],
        at_ms,
        f"{of.incident}-{seq}",
        of.action or "opened",
    )


def without(*gone: Telling) -> tuple[Telling, ...]:
    return tuple(one for one in FINE if one not in gone)


def test_nothing_is_wrong_with_what_is_right() -> None:
    found = judge(EVIDENCE)
    assert (found.wrong, found.doubles) == ([], [])
    assert found.counts["open at the end"] == 1


@pytest.mark.parametrize(
    ("tellings", "words"),
    [
        ((*FINE, told(2.5, 2)), "told twice"),
        ((*FINE, paged(1.5, "trigger", "i0001/1")), "told twice"),
        (without(told(1, 1), told(2, 2), told(3, 3)), "never that it was open"),
        (without(told(4, 4)), "true is closed, episode 2"),
        (without(told(3, 3), told(4, 4)), "knows of i0001: improved"),
        ((*FINE, told(4.5, 3)), "in the order"),
        (without(told(1, 1, "i0002")), "was never told of i0002"),
        ((*FINE, told(1, 1, "i0009")), "which never was"),
        ((*FINE, paged(5, "trigger", "i0001/2")), "after its resolve"),
        (without(paged(1, "trigger", "i0002/1")), "was never told of i0002"),
    ],
)
def test_what_is_wrong_is_found(tellings: tuple[Telling, ...], words: str) -> None:
    wrong = judge(structs.replace(EVIDENCE, tellings=tellings)).wrong
    assert any(words in one for one in wrong), wrong


@pytest.mark.parametrize(
    ("keys", "words"), [(["i0001/2", "i0002/1"], "is over"), ([], "has no open key i0002/1")]
)
def test_keys_at_the_end_are_the_open_incidents(keys: list[str], words: str) -> None:
    wrong = judge(structs.replace(EVIDENCE, open_keys={PAGER: keys})).wrong
    assert [words in one for one in wrong] == [True]


def test_nobody_told_is_found_after_the_channels_changed() -> None:
    other = PolicyVersion(1_500, {"red": frozenset({"json://other"})})
    tellings = tuple(one for one in FINE if one.incident != "i0002")
    changed = structs.replace(
        EVIDENCE, versions=(*EVIDENCE.versions, other), tellings=tellings, open_keys={}
    )
    assert judge(changed).wrong == ["nobody was told of i0002, which is open"]


def test_a_double_by_a_kill_with_its_send_in_flight_is_listed() -> None:
    kill = Kill(number=7, kind="kill", at=2.2, at_ms=2200)
    twice = structs.replace(EVIDENCE, tellings=(*FINE, told(2.5, 2)), kills=(kill,))

    found = judge(twice)

    assert found.wrong == []
    assert [(one.because, one.what) for one in found.doubles] == [
        ("kill 7", "i0001 episode 1 improved")
    ]
    assert found.counts["kills with a send in flight"] == 1


def test_a_double_of_what_was_recorded_before_the_kill_is_wrong() -> None:
    kill = Kill(number=7, kind="kill", at=2.9, at_ms=2900)
    recorded = tuple(row(one, one.at_ms + 50) for one in FINE)
    twice = structs.replace(EVIDENCE, tellings=(*FINE, told(2.5, 2)), kills=(kill,), sent=recorded)
    assert any("told twice" in one for one in judge(twice).wrong)


def test_a_double_of_a_request_that_was_begun_at_a_stop_is_listed() -> None:
    stop = Kill(number=3, kind="stop", at=1.5, at_ms=1500, woken=4.6)
    recorded = tuple(row(one, one.at_ms + 50) for one in FINE)
    for at, listed in ((5.0, 1), (9.0, 0)):
        again = structs.replace(
            EVIDENCE, tellings=(*FINE, told(at, 4)), kills=(stop,), sent=recorded
        )
        found = judge(again)
        assert [one.because for one in found.doubles] == ["woken 3"] * listed
        assert len(found.wrong) == 1 - listed


def test_a_row_of_another_send_is_not_taken_for_this_ones() -> None:
    kill = Kill(number=7, kind="kill", at=2.9, at_ms=2900)
    late = row(told(2, 2), 2600)  # of the first of two; the second was in flight
    first = Kill(number=6, kind="stop", at=2.1, at_ms=2100)
    tellings = (*FINE[:2], told(2.5, 2), told(2.95, 2), *FINE[2:])
    found = judge(structs.replace(EVIDENCE, tellings=tellings, kills=(first, kill), sent=(late,)))
    assert found.wrong == []
    assert [one.because for one in found.doubles] == ["kill 6", "kill 7"]


def test_a_row_of_another_event_of_the_incident_is_not_taken_for_this_ones() -> None:
    """The answer to `improved` was not recorded at the kill; that of the opening was."""
    kill = Kill(number=7, kind="kill", at=2.6, at_ms=2600)
    opening = row(told(1, 1), 2050)
    twice = structs.replace(EVIDENCE, tellings=(*FINE, told(2.8, 2)), kills=(kill,))
    found = judge(structs.replace(twice, sent=(opening,)))
    assert found.wrong == []
    assert [one.because for one in found.doubles] == ["kill 7"]

    found = judge(structs.replace(twice, sent=(opening, row(told(2, 2), 2050))))
    assert any("told twice of i0001 episode 1 improved" in one for one in found.wrong)


def test_a_row_is_of_the_newest_event_that_people_are_told_of() -> None:
    """A text made of an acknowledgement tells of the outage; its row has the opening's event."""
    kill = Kill(number=7, kind="kill", at=2.9, at_ms=2900)
    steps = (step(1, "opened", "down"), step(2, "updated", "down"))
    tellings = (told(2, 2), told(3.2, 2))
    fields = {"steps": steps, "tellings": tellings, "kills": (kill,), "open_keys": {}}
    known = structs.replace(EVIDENCE, **fields, sent=(row(told(2, 2), 2050, event_seq=1),))
    assert any("told twice" in one for one in judge(known).wrong)


def test_the_resolve_of_an_old_key_is_told_by_the_event_of_the_next_episode() -> None:
    kill = Kill(number=7, kind="kill", at=3.9, at_ms=3900)
    resolved = paged(3, "resolve", "i0001/1")
    fields = {"tellings": (*FINE, paged(4.5, "resolve", "i0001/1")), "kills": (kill,)}
    known = structs.replace(EVIDENCE, **fields, sent=(row(resolved, 3050, event_seq=3),))
    assert any("told twice" in one for one in judge(known).wrong)
    other = row(paged(3, "trigger", "i0001/2"), 3050)
    unknown = structs.replace(EVIDENCE, **fields, sent=(other,))
    assert judge(unknown).wrong == []


def test_an_end_after_an_opening_that_may_have_arrived_is_listed() -> None:
    kill = Kill(number=7, kind="kill", at=1.5, at_ms=1500)
    refused = structs.replace(FINE[0], told=False)
    found = judge(structs.replace(EVIDENCE, tellings=(refused, *FINE[3:]), kills=(kill,)))
    assert found.wrong == []
    assert len(found.perhaps) == 1


def test_a_repetition_after_no_answer_is_listed() -> None:
    unsure = structs.replace(FINE[1], sure=False)
    tellings = (*without(FINE[1]), unsure, told(2.5, 2))
    found = judge(structs.replace(EVIDENCE, tellings=tellings))
    assert found.wrong == []
    assert [one.because for one in found.doubles] == ["no answer"]


def test_missed_is_an_end_without_an_opening() -> None:
    tellings = (*without(*FINE[:4]), told(9, 4, missed=True))
    assert judge(structs.replace(EVIDENCE, tellings=tellings)).wrong == []
