"""Of [policy] a prober takes its own region; whatever else can be read is nothing to it."""

from dataclasses import replace

import pytest
from aiokafka import ConsumerRecord

from foundation.settings import Settings
from producers import metrics
from producers.prober.region_policy import RegionPolicy
from schemas import policy
from schemas.policy import (
    PAUSES,
    ApplyMark,
    Maintenance,
    Pause,
    Policy,
    Region,
    Route,
    Silence,
    Team,
)

SILENCE = Silence(
    name="7f3a", begins_at=1, ends_at=2, reason="a disk is replaced", by="ann", created_at=1
)


def record(entry: Policy, source: str = "main") -> ConsumerRecord:
    key, value = policy.key(source, entry), policy.encode(entry)
    return ConsumerRecord(
        topic="portquorum.policy",
        partition=0,
        offset=0,
        timestamp=0,
        timestamp_type=0,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=len(key),
        serialized_value_size=len(value),
        headers=(),
    )


@pytest.mark.parametrize(
    "other",
    [
        SILENCE,
        Maintenance(name="patch", targets=("tag:prod",), start=0, duration_ms=1),
        Route(name="ops", urls=("json://h",)),
        Team(name="ops"),
        Pause(name="db", paused_at=1, until=None, reason="", by="ann"),
        Region(name="elsewhere"),
        ApplyMark(source="main", state="done", at=1),
    ],
    ids=lambda one: type(one).__name__,
)
def test_entries_that_are_not_its_region_change_nothing_and_are_no_fault(other: Policy) -> None:
    seen: list[Region] = []
    follower = RegionPolicy(Settings(), "here", seen.append)
    unreadable = metrics.UNREADABLE.labels("portquorum.policy")
    before = unreadable._value.get()
    mine = Region(name="here", internal=True)
    for one in (record(mine), record(other, policy.SILENCES)):
        follower._take(one)
    assert seen == [mine]
    assert follower.current == mine
    assert unreadable._value.get() == before


def pause(name: str = "db", until: int | None = None) -> Pause:
    return Pause(name=name, paused_at=1, until=until, reason="a disk is replaced", by="ann")


def test_pauses_are_kept_and_each_change_is_told() -> None:
    told: list[str] = []
    follower = RegionPolicy(Settings(), "here", lambda _: None, on_pauses=told.extend)
    follower._take(record(pause(until=5_000), PAUSES))
    assert follower.pauses.holds("db", 4_999)
    follower._take(record(pause(until=5_000), PAUSES))
    follower._take(removal(pause()))
    follower._take(removal(pause()))
    assert not follower.pauses.holds("db", 4_999)
    assert told == ["db", "db"]


def test_a_pause_of_another_source_is_none() -> None:
    follower = RegionPolicy(Settings(), "here", lambda _: None)
    follower._take(record(pause(), "main"))
    assert not follower.pauses.holds("db", 0)


def test_what_ended_while_the_prober_was_away_ends_when_all_is_read() -> None:
    told: list[str] = []
    follower = RegionPolicy(Settings(), "here", lambda _: None, on_pauses=told.extend)
    for name in ("db", "web"):
        follower._take(record(pause(name), PAUSES))
    follower._present = {}
    follower._take(record(pause("web"), PAUSES))
    follower._take(record(pause("ssh"), PAUSES))
    follower._take(removal(pause("ssh")))
    assert follower.pauses.holds("db", 0)
    follower._present_is_read()
    assert told == ["db", "web", "db"]
    assert not follower.pauses.holds("db", 0)
    assert not follower.pauses.holds("ssh", 0)


def removal(entry: Policy) -> ConsumerRecord:
    return replace(record(entry, PAUSES), value=None)
