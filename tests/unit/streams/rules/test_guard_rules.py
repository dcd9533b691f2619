"""Rule 8: a region that seems to have lost its own network is set aside."""

from itertools import permutations

import pytest

from streams.rules import work_budget
from streams.rules.apply import Output
from tests.unit.streams.rules.fleet import Fleet, target

MINUTE_MS = 60_000


def well(fleet: Fleet, *regions: str) -> None:
    for region in regions:
        fleet.beat(region, targets=100)


def fails(fleet: Fleet, region: str, *, targets: int = 100, failing: int = 50) -> list[Output]:
    """All that fail have begun to within the minute."""
    return fleet.beat(region, targets=targets, failing=failing, newly_failing=failing)


def cut_off(fleet: Fleet, region: str, *others: str, targets: int = 100, failing: int = 50) -> None:
    """The region fails from now on; the others have looked 10 s later, and are well."""
    fails(fleet, region, targets=targets, failing=failing)
    for _ in range(2):
        fleet.wait(5_000)
        fails(fleet, region, targets=targets, failing=failing)
        well(fleet, *others)


def told(fleet: Fleet) -> list[str]:
    return [
        f"{event.event.removeprefix('region.')} {event.region}" for event in fleet.region_events
    ]


def have_opened(fleet: Fleet) -> list[str]:
    return [event.target for event in fleet.events if event.event == "opened"]


def three_regions() -> Fleet:
    fleet = Fleet(target())
    well(fleet, "a", "b", "c")
    return fleet


# When it becomes suspect


@pytest.mark.parametrize(
    ("targets", "failing", "suspect"),
    [
        (100, 40, False),  # exactly 40 %
        (100, 41, True),
        (1000, 400, False),
        (1000, 401, True),
        (19, 19, False),
        (20, 19, False),
        (20, 20, True),
        (40, 19, False),
        (40, 20, True),
        (50, 20, False),
        (0, 0, False),
    ],
)
def test_more_than_40_percent_and_at_least_20_must_begin_to_fail(
    targets: int, failing: int, suspect: bool
) -> None:
    fleet = three_regions()
    cut_off(fleet, "a", "b", "c", targets=targets, failing=failing)
    assert told(fleet) == ["suspect a"] * suspect


def test_what_has_failed_for_longer_than_a_minute_makes_nobody_suspect() -> None:
    fleet = three_regions()
    for _ in range(4):
        fleet.beat("a", targets=100, failing=90, newly_failing=40)
        fleet.wait(5_000)
        well(fleet, "b", "c")
    assert told(fleet) == []


def test_who_has_recovered_within_the_minute_is_not_suspect_for_the_rest_of_it() -> None:
    fleet = three_regions()
    for failing in (20, 21):
        assert told(fleet) == []
        for _ in range(4):
            fleet.wait(5_000).beat("a", targets=100, failing=failing, newly_failing=90)
            well(fleet, "b", "c")
    assert told(fleet) == ["suspect a"]


def test_what_a_majority_sees_is_no_network_of_their_own() -> None:
    fleet = three_regions()
    for _ in range(4):
        fails(fleet, "a")
        fleet.beat("b", targets=100, failing=41)
        well(fleet, "c")
        fleet.wait(5_000)
    assert told(fleet) == []


def test_exactly_40_percent_of_another_region_are_no_company() -> None:
    fleet = three_regions()
    for _ in range(3):
        fails(fleet, "a")
        fleet.beat("b", targets=100, failing=40)
        well(fleet, "c")
        fleet.wait(5_000)
    assert told(fleet) == ["suspect a"]


# Beats of different moments


def test_in_an_outage_that_all_see_the_first_to_tell_is_not_suspect() -> None:
    """The others' last beats are from before it: they say that all is well."""
    for order in permutations("abc"):
        fleet = three_regions()
        for _ in range(12):
            for region in order:
                fleet.wait(1_700)
                fails(fleet, region)
        assert told(fleet) == []


@pytest.mark.parametrize("share", [50, 100])
def test_nor_while_the_others_find_out_little_by_little(share: int) -> None:
    """All see it within a minute, each at its own pace; b and c begin 8 s later."""
    fleet = three_regions()
    for second in range(0, 90, 2):
        region = "abc"[second // 2 % 3]
        seen = min(share, share * max(0, second - (0 if region == "a" else 8)) // 60)
        fleet.wait(2_000).beat(region, targets=100, failing=seen, newly_failing=seen)
    assert told(fleet) == []


def test_a_region_that_is_cut_off_is_suspect_within_15_s() -> None:
    fleet = three_regions()
    begun = fleet.now
    while not told(fleet):
        fails(fleet, "a")
        fleet.wait(2_500)
        well(fleet, "b", "c")
        fleet.wait(2_500)
    assert told(fleet) == ["suspect a"]
    assert 10_000 <= fleet.region_events[0].at - begun <= 15_000


def test_what_another_said_less_than_10_s_after_it_is_no_contradiction() -> None:
    fleet = three_regions()
    fails(fleet, "a")
    fleet.wait(5_000)
    fleet.state = fleet.restored()
    fleet.wait(4_999)
    fails(fleet, "a")
    well(fleet, "b", "c")
    assert told(fleet) == []
    fleet.wait(1)
    well(fleet, "b")
    assert told(fleet) == []
    well(fleet, "c")
    assert told(fleet) == ["suspect a"]


def test_each_prober_of_the_others_must_have_looked() -> None:
    fleet = three_regions()
    fleet.beat("b", prober="b-2", targets=100)
    cut_off(fleet, "a", "b", "c")
    assert told(fleet) == []
    fleet.beat("b", prober="b-2", targets=100)
    assert told(fleet) == ["suspect a"]


@pytest.mark.parametrize(("newly", "suspect"), [(20, True), (21, False)])
def test_who_begins_to_fail_too_contradicts_nobody(newly: int, suspect: bool) -> None:
    fleet = three_regions()
    for _ in range(3):
        fails(fleet, "a")
        fleet.beat("b", targets=100, failing=newly, newly_failing=newly)
        well(fleet, "c")
        fleet.wait(5_000)
    assert told(fleet) == ["suspect a"] * suspect


def test_who_checks_nothing_contradicts_nobody() -> None:
    fleet = three_regions()
    for _ in range(4):
        fails(fleet, "a")
        fleet.beat("b", targets=0)
        well(fleet, "c")
        fleet.wait(5_000)
    assert told(fleet) == []


def test_whoever_recovers_and_fails_again_has_begun_anew() -> None:
    fleet = three_regions()
    fails(fleet, "a")
    fleet.wait(5_000)
    well(fleet, "a", "b", "c")
    fleet.wait(5_000)
    fails(fleet, "a")
    well(fleet, "b", "c")
    assert told(fleet) == []


def test_of_two_regions_one_alone_is_suspect() -> None:
    fleet = Fleet(target(regions="a b"))
    well(fleet, "a", "b")
    cut_off(fleet, "a", "b")
    assert told(fleet) == ["suspect a"]


def test_two_of_four_are_no_majority() -> None:
    fleet = Fleet(target(regions="a b c d"))
    well(fleet, "c", "d")
    fails(fleet, "a")
    cut_off(fleet, "b", "c", "d")
    assert told(fleet) == ["suspect a", "suspect b"]


def test_the_only_region_is_never_suspect() -> None:
    fleet = Fleet(target(regions="a"))
    cut_off(fleet, "a", failing=100)
    assert told(fleet) == []


def test_regions_that_do_not_report_are_no_part_of_the_majority() -> None:
    fleet = three_regions()
    fails(fleet, "a")
    for _ in range(3):
        fleet.wait(5_000)
        fails(fleet, "a")  # at last b and c were heard 15 s ago
    assert "suspect a" not in told(fleet)
    fleet.wait(1000)
    well(fleet, "b")
    assert "suspect a" in told(fleet)


def test_a_prober_counts_until_it_was_heard_15_s_ago() -> None:
    fleet = three_regions()
    cut_off(fleet, "d", "a", "b", "c")
    assert told(fleet) == ["suspect d"]
    fleet = Fleet(target())
    fleet.beat("b", prober="b-2", targets=100)
    fails(fleet, "a")
    fleet.wait(5_000)
    fleet.wait(9_999)
    fails(fleet, "a")
    well(fleet, "b")
    assert told(fleet) == []  # the second prober of b has not looked
    fleet.wait(1)
    well(fleet, "b")
    assert told(fleet) == ["suspect a"]


def test_the_probers_of_a_region_are_added_up() -> None:
    fleet = three_regions()
    cut_off(fleet, "a", "b", "c", failing=60)
    assert told(fleet) == ["suspect a"]
    for second, suspect in ((20, False), (21, True)):
        fleet = three_regions()
        for _ in range(3):
            fleet.beat("a", prober="a-1", targets=100, failing=60, newly_failing=60)
            fleet.beat("a", prober="a-2", targets=100, failing=second, newly_failing=second)
            fleet.wait(5_000)
            well(fleet, "b", "c")
        assert told(fleet) == ["suspect a"] * suspect


def test_it_is_looked_at_with_the_beats_of_others_too() -> None:
    fleet = three_regions()
    for _ in range(4):
        fails(fleet, "a")
        fleet.beat("b", targets=100, failing=50)
        well(fleet, "c")
        fleet.wait(5_000)
    assert told(fleet) == []
    well(fleet, "b")
    assert told(fleet) == ["suspect a"]


# When it is cleared


def test_it_is_cleared_when_at_most_20_percent_fail() -> None:
    fleet = three_regions()
    cut_off(fleet, "a", "b", "c")
    fleet.wait(1000).beat("a", targets=100, failing=21)
    assert told(fleet) == ["suspect a"]
    fleet.wait(1000).beat("a", targets=100, failing=20)
    assert told(fleet) == ["suspect a", "cleared a"]


def test_it_is_cleared_when_a_majority_fails_widely() -> None:
    fleet = three_regions()
    cut_off(fleet, "a", "b", "c")
    assert fleet.state.set_aside == {"a"}
    fails(fleet, "b")
    assert told(fleet) == ["suspect a", "cleared a"]
    assert fleet.state.set_aside == set()


def test_what_another_region_saw_15_s_ago_clears_nobody() -> None:
    fleet = three_regions()
    cut_off(fleet, "a", "b", "c")
    fleet.wait(1000).beat("b", targets=100, failing=40)
    fleet.wait(15_000)
    well(fleet, "c")
    fails(fleet, "a")
    assert "cleared a" not in told(fleet)


def test_nothing_is_decided_of_a_silent_suspect_region() -> None:
    fleet = three_regions()
    cut_off(fleet, "a", "b", "c")
    for _ in range(20):
        fleet.wait(5000)
        well(fleet, "b", "c")
    assert told(fleet) == ["suspect a", "silent a"]
    assert fleet.state.set_aside == {"a"}
    fleet.beat("a", targets=100)
    assert told(fleet) == ["suspect a", "silent a", "returned a", "cleared a"]


def test_one_partition_speaks_and_all_set_aside() -> None:
    spoken = []
    for partition in range(4):
        fleet = Fleet(partitions=4)
        fleet.state.partition = partition
        well(fleet, "a", "b", "c")
        cut_off(fleet, "a", "b", "c")
        spoken.append(len(fleet.region_events))
        assert fleet.state.set_aside == {"a"}
    assert sorted(spoken) == [0, 0, 0, 1]


# What it means for targets


def test_a_suspect_region_does_not_vote_for_an_incident() -> None:
    fleet = three_regions()
    fleet.up("a", "b", "c")
    cut_off(fleet, "a", "b", "c")
    fleet.wait(1000).down("a", "b")
    assert fleet.told == []
    fleet.down("c")
    opened = fleet.events[0]
    assert (opened.votes.down, opened.votes.fresh, opened.votes.configured) == (2, 2, 3)
    assert opened.regions["a"].set_aside
    assert not opened.regions["b"].set_aside


def test_nor_against_one() -> None:
    fleet = Fleet(target(regions="a b c", consensus="unanimous"))
    well(fleet, "a", "b", "c")
    fleet.up("a", "b", "c")
    fleet.wait(1000).down("b", "c")
    assert fleet.told == []
    cut_off(fleet, "a", "b", "c")
    fleet.wait(1000).tick()
    assert fleet.told == ["opened"]


def test_of_two_regions_the_other_alone_knows_nothing() -> None:
    fleet = Fleet(target(regions="a b"))
    well(fleet, "a", "b")
    fleet.up("a", "b")
    cut_off(fleet, "a", "b")
    fleet.wait(1000).down("a", "b")
    assert fleet.told == []


def test_when_it_is_cleared_its_vote_opens_what_it_would_have() -> None:
    fleet = three_regions()
    fleet.up("a", "b", "c")
    cut_off(fleet, "a", "b", "c")
    began = fleet.wait(1000).now
    fleet.down("a", "b")
    fleet.wait(5000).tick()
    assert fleet.told == []
    fails(fleet, "b")
    assert told(fleet) == ["suspect a", "cleared a"]
    fleet.wait(1000).tick()
    assert fleet.told == ["opened"]
    assert fleet.events[0].first_failed_at == began


def test_a_region_that_is_set_aside_while_its_word_is_down_blocks_the_closing() -> None:
    fleet = three_regions()
    fleet.down("a", "b", "c")
    cut_off(fleet, "a", "b", "c")
    fleet.wait(1000).up("b", "c")
    assert "closed" not in fleet.told
    fleet.up("a")
    assert fleet.told[-1] == "closed"


def test_successes_of_a_suspect_region_are_no_majority_to_close_with() -> None:
    fleet = three_regions()
    fleet.up("a")
    fleet.down("b", "c")
    fleet.wait(200_000)
    cut_off(fleet, "a", "b", "c")
    fleet.down("b")
    fleet.up("c", "a")
    fleet.wait(160_000)
    well(fleet, "b", "c")
    fails(fleet, "a", failing=30)
    fleet.up("b", "a")  # c is stale and was up; a is set aside: one of three
    assert fleet.state.set_aside == {"a"}
    assert "closed" not in fleet.told
    fleet.wait(1000).beat("a", targets=100)
    fleet.wait(1000).tick()
    assert fleet.told[-1] == "closed"


def test_a_suspect_region_given_up_no_longer_blocks() -> None:
    fleet = Fleet(target(abandon_after_ms=60_000))
    well(fleet, "a", "b", "c")
    fleet.down("a", "b", "c")
    cut_off(fleet, "a", "b", "c")
    for _ in range(24):
        fleet.wait(10_000).up("b", "c")
    assert fleet.state.set_aside == {"a"}
    assert fleet.told[-1] == "closed"
    assert fleet.events[-1].abandoned_regions == ("a",)


def test_only_targets_of_the_region_are_looked_at_again() -> None:
    fleet = Fleet(target(), target("web", regions="b c", host="web"))
    well(fleet, "a", "b", "c")
    fleet.down("b", of="db")
    fleet.down("b", of="web")
    fails(fleet, "a")
    fleet.wait(5_000)
    fails(fleet, "a")
    fleet.wait(5_000).tick()
    well(fleet, "b", "c")
    assert told(fleet) == ["suspect a"]
    assert fleet.state.hot["db"] == 0
    assert fleet.state.hot["web"] > 0


def test_of_many_targets_some_wait_for_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_budget, "AT_ONCE", 2)
    names = ("e", "d", "c", "b", "a")
    fleet = Fleet(*(target(name, host=name, consensus="unanimous") for name in names))
    well(fleet, "a", "b", "c")
    for name in names:
        fleet.up("a", "b", "c", of=name)
    for name in names:
        fleet.wait(1000).down("b", "c", of=name)
    cut_off(fleet, "a", "b", "c")
    assert have_opened(fleet) == []
    fleet.wait(1000).tick()
    assert have_opened(fleet) == ["a", "b"]
    fleet.state = fleet.restored()
    fleet.down("a", of="e")  # its own results are no reason to wait
    assert have_opened(fleet) == ["a", "b", "e"]
    fleet.tick()
    assert have_opened(fleet) == ["a", "b", "e", "c", "d"]
    assert not fleet.state.woken


def test_a_checkpoint_keeps_who_is_set_aside_and_what_probers_said() -> None:
    fleet = three_regions()
    cut_off(fleet, "a", "b", "c")
    fleet.beat("b", targets=100, failing=40)
    fleet.state = fleet.restored()
    assert fleet.state.set_aside == {"a"}
    fleet.beat("b", prober="b-2", targets=100, failing=100)
    assert told(fleet) == ["suspect a", "cleared a"]
