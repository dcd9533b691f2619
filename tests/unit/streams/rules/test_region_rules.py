"""Rule 4, second half: silent regions and clocks that are off."""

from schemas.control import TargetSet
from schemas.partition import partition_for
from tests.unit.streams.rules.fleet import Fleet, target
from tests.unit.streams.rules.reference_log import Log


def test_a_region_without_beats_is_told_once_and_again_when_it_returns() -> None:
    fleet = Fleet(target())
    fleet.beat("a")
    for _ in range(6):
        fleet.wait(5000).beat("b")
    assert [event.event for event in fleet.region_events] == ["region.silent"]
    fleet.wait(1000).beat("a")
    assert [event.event for event in fleet.region_events] == ["region.silent", "region.returned"]


def beats_of_three_regions(fleet: Fleet) -> None:
    for region in ("a", "b", "c"):
        fleet.beat(region)
        fleet.now += 1_000
    fleet.now += 2_000


def test_a_broker_that_is_away_for_less_than_a_gap_makes_no_region_silent() -> None:
    fleet = Fleet(target())
    for _ in range(4):
        beats_of_three_regions(fleet)
    fleet.now += 10_000
    fleet.beat("b")
    fleet.now += 500
    fleet.beat("a")
    fleet.beat("c")
    assert fleet.region_events == []


def test_what_is_not_heard_5_s_after_the_broker_came_back_is_silent() -> None:
    fleet = Fleet(target())
    for _ in range(4):
        beats_of_three_regions(fleet)
    fleet.now += 10_000
    fleet.beat("b")
    fleet.now += 4_999
    fleet.beat("c")
    assert fleet.region_events == []
    fleet.now += 1_001
    fleet.beat("c")
    assert [(event.event, event.region) for event in fleet.region_events] == [
        ("region.silent", "a")
    ]


def test_ticks_alone_give_one_respite_only() -> None:
    fleet = Fleet(target())
    fleet.beat("a")
    for _ in range(2):
        fleet.now += 10_000
        fleet.tick()
    assert [event.event for event in fleet.region_events] == ["region.silent"]


def test_one_partition_speaks() -> None:
    spoken = []
    for partition in range(4):
        fleet = Fleet(partitions=4)
        fleet.state.partition = partition
        fleet.beat("a")
        for _ in range(4):
            fleet.wait(5000).beat("b")
        spoken.append(len(fleet.region_events))
    assert spoken == [int(partition_for("a", 4) == partition) for partition in range(4)]


def test_a_skewed_clock_is_told_once() -> None:
    fleet = Fleet()
    for offset in (100, 3_600_000, 3_600_000, 3_000, 100, 6_000):
        fleet.wait(5000).beat("a", offset)
    events = [event.event for event in fleet.region_events]
    assert events == ["region.clock_skewed", "region.clock_skewed"]
    assert "behind" in fleet.region_events[0].summary


# What its last word is worth meanwhile (rule 5)


def unanimous(regions: str = "a b c", **changes: object) -> Log:
    """All have just succeeded, then nothing is heard of c any more."""
    log = Log()
    log.control(
        TargetSet(target(regions=regions, consensus="unanimous", interval_ms=300_000, **changes))
    )
    log.up(*regions.split())
    for region in ("a", "b", "c"):
        log.beat(region)
    return log


def go_on(log: Log, seconds: int, *failing: str) -> None:
    for _ in range(0, seconds, 5):
        log.now += 5_000
        log.fail(*failing)
        log.beat("a")
        log.beat("b")


def test_unanimous_does_not_wait_for_the_last_word_of_a_silent_region() -> None:
    """It waited until the word was stale: 753 s at an interval of 5 min."""
    log = unanimous()
    go_on(log, 10, "a", "b")
    assert log.told == []
    go_on(log, 5, "a", "b")
    assert [event.event for event in log.region_events] == ["region.silent"]
    assert log.told == ["opened"]
    votes = log.events[0].votes
    assert (votes.down, votes.need, votes.fresh, votes.configured) == (2, 2, 3, 3)


def test_a_silent_region_that_returns_is_asked_again() -> None:
    log = unanimous()
    go_on(log, 20)
    log.beat("c")
    go_on(log, 10, "a", "b")
    assert log.told == []


def test_the_majority_of_the_configured_regions_is_needed_all_the_same() -> None:
    log = unanimous("a b c d")
    log.beat("d")
    go_on(log, 30, "a", "b")
    assert {event.region for event in log.region_events} == {"c", "d"}
    assert log.told == []


def test_what_a_silent_region_saw_fail_counts_until_it_is_stale() -> None:
    log = unanimous()
    log.wait(1_000).down("c")
    go_on(log, 20, "a")
    assert log.told == []
    go_on(log, 5, "a", "b")
    go_on(log, 5, "a", "b")
    assert log.told == ["opened"]
    assert log.events[0].votes.down == 3


def test_a_single_failure_of_a_silent_region_speaks_neither_for_nor_against() -> None:
    log = unanimous()
    log.wait(1_000).fail("c")
    go_on(log, 20)
    go_on(log, 10, "a")
    assert log.told == []
    go_on(log, 10, "a", "b")
    assert log.told == ["opened"]


def test_a_restored_worker_knows_who_is_silent() -> None:
    log = unanimous()
    go_on(log, 15)
    log.state = log.restored()
    go_on(log, 10, "a", "b")
    assert log.told == ["opened"]


def test_a_quorum_of_five_is_that_of_the_four_that_are_heard() -> None:
    log = Log()
    log.control(TargetSet(target(regions="a b c d e", interval_ms=300_000)))
    log.up("a", "b", "c", "d", "e")
    for region in ("a", "b", "c", "d", "e"):
        log.beat(region)
    for _ in range(4):
        log.now += 5_000
        log.fail("a", "b", "c")
        for region in ("a", "b", "c", "d"):
            log.beat(region)
    assert log.told == ["opened"]
    assert (log.events[0].votes.need, log.events[0].votes.fresh) == (3, 5)
