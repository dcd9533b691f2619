"""Unwatched targets: one condition for each cause, whatever the number of partitions."""

from msgspec.structs import replace

from schemas import notifier_state
from schemas.incident import TargetsEvent, UnwatchedTarget
from schemas.notifier_state import Subject
from schemas.policy import Route
from tests.unit.sinks.notifier.decision.office import MINUTE, WAIT_MS, Office
from tests.unit.sinks.notifier.events import AT, targets_event

A, DUTY = "json://a", "pagerduty://k"


def office() -> Office:
    return Office(Route(name="all", urls=(A, DUTY)))


def part(number: int, count: int, at: int = 0, **fields: object) -> TargetsEvent:
    kind = "targets.unwatched" if count else "targets.watched"
    values = {
        "event": kind,
        "event_id": f"{number}-{at}",
        "partition": number,
        "count": count,
        "at": AT + at,
        "severity": "warning",
        "silent_regions": {f"r{number}": AT},
        "most_critical": tuple(
            UnwatchedTarget(target=f"t{number}-{n}", name=f"T{number}-{n}", criticality="normal")
            for n in range(min(count, 2))
        ),
    }
    return targets_event(**(values | fields))


def event(there: Office) -> TargetsEvent:
    found = there.sent[-1].news[0].event
    assert isinstance(found, TargetsEvent)
    return found


def test_many_partitions_are_one_message_with_their_sum() -> None:
    there = office()
    there.take(*(part(number, 10) for number in range(16)))
    there.wait(WAIT_MS)
    assert there.told(A) == ["opened"]
    assert event(there).count == 160
    assert set(event(there).silent_regions) == {f"r{number}" for number in range(16)}
    assert "160 targets are not watched" in event(there).summary
    assert {row.event_id for row in there.rows if row.status == "sent"} >= {
        f"{number}-0" for number in range(16)
    }
    assert there.told(DUTY) == ["trigger"]


def test_more_later_is_an_update_and_less_is_not() -> None:
    there = office()
    there.take(part(1, 10))
    there.wait(MINUTE)
    there.take(part(2, 5, 60_000))
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "updated"]
    assert event(there).count == 15
    there.take(part(1, 3, 120_000))
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "updated"]
    assert "no more targets than before" in there.whys("targets.unwatched")


def test_it_is_over_when_all_partitions_are_watched() -> None:
    there = office()
    there.take(part(1, 10), part(2, 10))
    there.wait(MINUTE)
    there.take(part(1, 0, 60_000))
    there.wait(MINUTE)
    assert there.told(A) == ["opened"]
    assert there.whys("targets.watched") == ["other partitions still have unwatched targets"]
    there.take(part(2, 0, 61_000))
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "closed"]
    assert there.told(DUTY) == ["trigger", "resolve"]
    assert event(there).event == "targets.watched"


def test_a_critical_target_among_them_is_news() -> None:
    there = office()
    there.take(part(1, 10))
    there.wait(MINUTE)
    there.take(part(1, 10, 60_000, severity="critical"))
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "updated"]


def test_another_cause_of_the_same_partition_takes_the_place_of_the_first() -> None:
    there = office()
    there.take(part(1, 10))
    there.wait(MINUTE)
    there.take(part(1, 400, 60_000, cause_id="c2"))
    there.wait(MINUTE)
    assert sorted(there.told(A)) == ["closed", "opened", "opened"]
    there.take(part(1, 0, 120_000, cause_id="c2"))
    there.wait(MINUTE)
    assert there.told(A).count("closed") == 2
    keys = [(one.action, one.news[0].key) for one in there.sent if one.channel.url == DUTY]
    assert sorted(keys) == [
        ("resolve", "targets:c1"),
        ("resolve", "targets:c2"),
        ("trigger", "targets:c1"),
        ("trigger", "targets:c2"),
    ]


def test_a_partition_that_is_read_later_is_not_taken_for_old() -> None:
    there = office()
    there.take(part(1, 10, 10), part(1, 0, 100))
    there.take(part(2, 7, 12))
    there.wait(MINUTE)
    assert there.told(A)[-1] == "opened"
    assert event(there).count == 7


def test_it_is_the_same_after_a_restart() -> None:
    there = office()
    there.take(*(part(number, 10) for number in range(40)))
    there.wait(MINUTE)
    there.restart()
    there.take(*(part(number, 10) for number in range(40)))
    assert there.told(A) == ["opened"]
    there.take(*(part(number, 0, 60_000) for number in range(39)))
    there.wait(MINUTE)
    assert there.told(A) == ["opened"]
    there.take(part(39, 0, 60_000))
    there.wait(MINUTE)
    assert there.told(A) == ["opened", "closed"]


def test_what_ended_before_it_could_be_told_has_its_rows() -> None:
    there = office()
    there.take(part(1, 10), part(2, 10), part(1, 0, 100), part(2, 0, 101))
    there.wait(MINUTE)
    assert there.told(A) == ["missed"]
    why = "superseded by targets.watched before the channel could take it"
    assert there.whys("targets.unwatched", A) == [why, why]


def test_a_record_with_an_odd_partition_and_the_largest_revision_stops_nothing() -> None:
    there = Office(Route(name="all", urls=("json://a",)))
    there.take(targets_event())
    there.wait(WAIT_MS)
    record = notifier_state.decode(there.log["targets/c1"])
    assert isinstance(record, Subject)
    odd = replace(record, events=record.events | {"x": record.events["3"]}, revision=2**31 - 1)
    there.log["targets/c1"] = notifier_state.encode(odd)
    there.restart(calm=False)
    there.take(targets_event(event_id="t2", at=AT + 1, count=500))
    there.wait(WAIT_MS)
    notifier_state.decode(there.log["targets/c1"])
    assert there.rows[-1].event_id == "t2"
