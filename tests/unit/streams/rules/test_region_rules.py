"""Rule 4, second half: silent regions and clocks that are off."""

from schemas.partition import partition_for
from tests.unit.streams.rules.fleet import Fleet, target


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
