"""The judge finds what is wrong: each kind of loss, made by hand in evidence that is right."""

import uuid
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.incident import IncidentEvent
from streams.replay.compare import Difference, Given, ReplayComparison
from tests.chaos.evidence import Evidence, Message
from tests.chaos.judge import DETECT_MS, TELL_MS, judge
from tests.chaos.plan import KINDS, drawn
from tests.chaos.world import Done, Down, Looked
from tests.unit.sinks.notifier.decision.crowd import opened

BEGAN = 1_790_000_000_000
ENDED = BEGAN + 60_000
ID = str(uuid.UUID(int=1))


def event(kind: str, at: int, **changes: Any) -> IncidentEvent:
    return replace(
        opened(1, at),
        event=kind,
        incident_id=ID,
        event_id=f"{kind}-{at}",
        target="host-001",
        closed_because="recovered" if kind == "closed" else None,
        **changes,
    )


OPENED, CLOSED = event("opened", BEGAN + 5_000), event("closed", ENDED + 4_000)
TRIGGER = Message("m1", BEGAN + 5_100, f"{ID}/1", "trigger", mass=False)
RESOLVE = Message("m2", ENDED + 4_100, f"{ID}/1", "resolve", mass=False)
RIGHT = Evidence(
    downs=[Down("host-001", BEGAN, ENDED)],
    faults=[],
    looks=[Looked(BEGAN, 200), Looked(ENDED, 503), Looked(ENDED, 0)],
    events=[OPENED, CLOSED],
    rewritten=0,
    copies=1,
    lines=100,
    identities=100,
    letters={"results:0:1:0"},
    result_rows=(100, 100),
    event_rows=(2, 2),
    letter_rows=["results:0:1:0"],
    messages=[TRIGGER, RESOLVE],
    copies_of_messages=1,
    comparison=ReplayComparison(same=2, differences=[], records=9, origins=[]),
    page=None,
)
MISSING = Difference("missing", Given("e", 1, 0, 0, b""), None)
LATE = BEGAN + DETECT_MS + 1_000
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "missed": ({"events": [], "messages": [], "event_rows": (0, 0)}, "an outage was missed"),
    "false": ({"downs": []}, "an incident without an outage"),
    "open": ({"events": [OPENED], "event_rows": (1, 1)}, "has not closed once"),
    "twice": ({"events": [OPENED, OPENED, CLOSED], "event_rows": (3, 3)}, "has not opened once"),
    "late": ({"events": [replace(OPENED, at=LATE), CLOSED]}, "opened after 16000 ms of calm"),
    "other": (
        {"events": [OPENED, replace(CLOSED, closed_because="abandoned")]},
        "closed because of abandoned",
    ),
    "told nobody": ({"messages": []}, "was told to nobody"),
    "told twice": (
        {"messages": [TRIGGER, replace(TRIGGER, id="m3"), RESOLVE]},
        "was told 2 times, of 1 outages",
    ),
    "told late": (
        {"messages": [replace(TRIGGER, at_ms=OPENED.at + TELL_MS + 1), RESOLVE]},
        "was told after 15001 ms of calm",
    ),
    "never resolved": ({"messages": [TRIGGER]}, "was resolved 0 times"),
    "of nothing": (
        {"messages": [TRIGGER, RESOLVE, replace(TRIGGER, id="m3", key="elsewhere")]},
        "which is no incident",
    ),
    "lost rows": ({"result_rows": (99, 99)}, "(99, 99) rows"),
    "double rows": ({"result_rows": (101, 100)}, "(101, 100) rows"),
    "double lines": ({"identities": 99}, "1 lines are there twice"),
    "double events": ({"event_rows": (3, 2)}, "(3, 2) rows"),
    "lost letter": ({"letter_rows": []}, "0 dead letters, 1 lines"),
    "double letter": ({"letter_rows": ["results:0:1:0"] * 2}, "2 dead letters, 1 lines"),
    "other bytes": ({"rewritten": 1}, "with other bytes"),
    "replay": (
        {"comparison": ReplayComparison(same=1, differences=[MISSING], records=9, origins=[])},
        "a replay differs",
    ),
    "page": ({"looks": [Looked(BEGAN, 500)]}, "the page answered [500]"),
}


def test_nothing_is_wrong_with_what_is_right() -> None:
    verdict = judge(RIGHT)
    assert verdict.wrong == []
    assert (verdict.incidents, verdict.unseen) == (1, 0)
    assert (verdict.whole_ms, verdict.detected_ms, verdict.closed_ms) == ([5_000], [5_000], [4_000])


@pytest.mark.parametrize(("changes", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_found(changes: dict[str, Any], words: str) -> None:
    wrong = judge(replace(RIGHT, **changes)).wrong
    assert any(words in one for one in wrong), wrong


@pytest.mark.parametrize(
    ("what", "excused"),
    [
        ("1.0 s: Kafka stopped for 9.0 s", True),
        ("1.0 s: kill stream-1", True),
        ("1.0 s: kill probe-a", False),
        ("1.0 s: region cut b for 9.0 s", False),
        ("1.0 s: ClickHouse killed for 9.0 s", False),
        ("1.0 s: disk full for 9.0 s", False),
        ("1.0 s: kill notify-1", False),
    ],
)
def test_only_what_stands_in_its_way_excuses_a_late_incident(what: str, *, excused: bool) -> None:
    late = replace(RIGHT, events=[replace(OPENED, at=LATE), CLOSED])
    found = judge(replace(late, faults=[Done(what, BEGAN, BEGAN + 9_000)])).wrong
    assert any("of calm" in one for one in found) is not excused


def test_one_of_many_may_be_told_by_the_message_of_all() -> None:
    mass = [replace(TRIGGER, key="mass", mass=True), replace(RESOLVE, key="mass", mass=True)]
    assert judge(replace(RIGHT, messages=mass)).wrong == []


def test_the_same_seed_is_the_same_plan() -> None:
    plan = drawn(7, 300, 24)
    assert plan == drawn(7, 300, 24)
    assert plan != drawn(8, 300, 24)
    day = drawn(7, 86_400, 200)
    assert {one.kind for one in day.faults} == {one.name for one in KINDS}
    assert all(fault.at_s + fault.lasts_s <= day.seconds - 60 for fault in day.faults)
    assert all(outage.at_s + outage.lasts_s <= day.seconds - 60 for outage in day.outages)
    with pytest.raises(ValueError, match="at least 135 s"):
        drawn(7, 100, 24)
