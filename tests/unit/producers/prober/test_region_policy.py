"""Of [policy] a prober takes its own region; whatever else can be read is nothing to it."""

import pytest
from aiokafka import ConsumerRecord

from foundation.settings import Settings
from producers import metrics
from producers.prober.region_policy import RegionPolicy
from schemas import policy
from schemas.policy import ApplyMark, Maintenance, Policy, Region, Route, Silence, Team

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
