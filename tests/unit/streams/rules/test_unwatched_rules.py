"""Rule 12: targets that nobody can judge; and regions that never began (rule 4)."""

from collections.abc import Iterable

import pytest

from schemas.control import TargetSet
from schemas.incident import TargetsEvent
from schemas.partition import partition_for
from streams.rules import unwatched
from streams.rules.apply import RuleError
from streams.rules.ids import cause_id
from streams.rules.regions import SILENT_AFTER_MS
from streams.rules.unwatched import AWAITED_MS
from tests.unit.streams.rules.fleet import START, Fleet, target

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


class Regions(Fleet):
    """A fleet whose regions beat every 5 s, and check all targets once a minute, unless dead."""

    def pass_time(
        self, ms: int, *, alive: str = "", looking: str | None = None, failing: str = ""
    ) -> "Regions":
        """`alive` regions beat, `looking` ones (else the alive ones) check; `failing` fail."""
        end = self.now + ms
        while self.now + 5 * SECOND <= end:
            self.now += 5 * SECOND
            for region in alive.split():
                self.beat(region)
            if not alive:
                self.tick()
            if (self.now - START) % MINUTE == 0:
                self._check((alive if looking is None else looking).split(), failing.split())
        return self

    def _check(self, regions: Iterable[str], failing: list[str]) -> None:
        results = [
            self.result(region, "timed_out" if name in failing else None, of=name)
            for region in regions
            for name, entry in self.state.targets.items()
            if region in entry.policy.positions
        ]
        if results:
            self.append(results)

    @property
    def coverage(self) -> list[TargetsEvent]:
        return [out for out in self.outputs if isinstance(out, TargetsEvent)]

    @property
    def short(self) -> list[tuple[str, int]]:
        return [(one.event.removeprefix("targets."), one.count) for one in self.coverage]


def test_of_two_regions_one_dies_and_an_hour_of_total_outage_is_not_seen() -> None:
    fleet = Regions(target(regions="a b"))
    fleet.pass_time(10 * MINUTE, alive="a b")
    assert fleet.outputs == []
    dead_at = fleet.now
    fleet.pass_time(10 * MINUTE, alive="a")
    fleet.pass_time(HOUR, alive="a", failing="db")
    assert fleet.events == []
    (told,) = fleet.coverage
    assert (told.event, told.count, told.severity) == ("targets.unwatched", 1, "warning")
    assert [(one.target, one.name) for one in told.most_critical] == [("db", "DB")]
    assert told.silent_regions == {"b": dead_at}
    # The last result of b is fresh for 2.5 x 60 s + 3 s; 5 min later nobody has judged it.
    assert told.since == dead_at + 153 * SECOND
    assert 0 <= told.at - told.since - 5 * MINUTE <= 10 * SECOND
    assert (
        "too few of its regions have results, for up to 5 min, so that an outage of it would open"
        in told.summary
    )
    assert "b (silent since 2027-01-15 08:10:00 UTC)" in told.summary

    fleet.pass_time(2 * MINUTE, alive="a b", failing="db")
    assert fleet.short == [("unwatched", 1), ("watched", 0)]
    assert fleet.told == ["opened"]
    watched = fleet.coverage[-1]
    assert (watched.cause_id, watched.severity) == (told.cause_id, "warning")
    assert watched.summary == "All targets of partition 0 are watched again, after 68 min."


def test_of_four_regions_two_die() -> None:
    fleet = Regions(target(regions="a b c d", criticality="critical"))
    fleet.pass_time(5 * MINUTE, alive="a b c d")
    fleet.pass_time(HOUR, alive="a b", failing="db")
    assert fleet.events == []
    (told,) = fleet.coverage
    assert (told.count, told.severity, sorted(told.silent_regions)) == (1, "critical", ["c", "d"])


def test_one_of_three_regions_may_die() -> None:
    fleet = Regions(target())
    fleet.pass_time(5 * MINUTE, alive="a b c")
    fleet.pass_time(HOUR, alive="a b", failing="db")
    assert fleet.coverage == []
    assert fleet.told == ["opened", "updated"]


def test_regions_that_never_begin_are_silent_and_their_targets_not_watched() -> None:
    fleet = Regions(target(regions="a b"))
    fleet.pass_time(HOUR, alive="a", failing="db")
    assert [(one.event, one.region, one.last_beat_at) for one in fleet.region_events] == [
        ("region.silent", "b", None)
    ]
    assert 0 <= fleet.region_events[0].at - START - AWAITED_MS <= 20 * SECOND
    (told,) = fleet.coverage
    assert told.silent_regions == {"b": None}
    assert "b (never heard)" in told.summary
    fleet.pass_time(2 * MINUTE, alive="a b")
    assert [(one.event, one.region) for one in fleet.region_events] == [
        ("region.silent", "b"),
        ("region.returned", "b"),
    ]
    assert fleet.short == [("unwatched", 1), ("watched", 0)]
    fleet.pass_time(SILENT_AFTER_MS + 5 * SECOND, alive="a")
    assert [one.event for one in fleet.region_events][2:] == ["region.silent"]


def test_a_prober_that_begins_within_five_minutes_was_never_silent() -> None:
    fleet = Regions(target(regions="a b"))
    fleet.pass_time(4 * MINUTE)
    fleet.pass_time(HOUR, alive="a b")
    assert fleet.outputs == []


def test_who_has_no_targets_left_is_not_waited_for() -> None:
    fleet = Regions(target(regions="a b"))
    fleet.pass_time(4 * MINUTE, alive="a")
    fleet.control(TargetSet(target(regions="a", version=2)))
    fleet.pass_time(HOUR, alive="a")
    assert fleet.outputs == []


def test_each_partition_says_of_a_region_that_never_began_what_has_one_id() -> None:
    ids = set()
    for partition in range(4):
        fleet = Regions(target(regions="a b"), partitions=4)
        fleet.state.partition = partition
        fleet.pass_time(10 * MINUTE + partition, alive="a")
        (event,) = fleet.region_events
        ids.add(event.event_id)
    assert len(ids) == 1
    assert partition_for("b", 4) in range(4)


def test_checks_that_say_nothing_are_told_though_every_region_is_heard() -> None:
    fleet = Regions(target())
    fleet.pass_time(5 * MINUTE, alive="a b c")
    fleet.pass_time(10 * MINUTE, alive="a b c", looking="a")
    (told,) = fleet.coverage
    assert (told.count, told.silent_regions) == (1, {})
    assert "All of their regions are heard, but their results do not come" in told.summary
    assert "whether these regions may reach the addresses (`allow`)" in told.summary


def test_a_region_that_is_set_aside_does_not_see() -> None:
    fleet = Regions(target())
    fleet.pass_time(5 * MINUTE, alive="a b c")
    at = fleet.now
    while fleet.now < at + 20 * MINUTE:
        fleet.now += 5 * SECOND
        fleet.beat("a")
        fleet.beat("b", targets=100)
        fleet.beat("c", targets=100, failing=50, newly_failing=50)
        if fleet.now % MINUTE == 0:
            fleet.append([fleet.result("a"), fleet.result("c")])
    assert [one.event for one in fleet.region_events][:1] == ["region.suspect"]
    (told,) = fleet.coverage
    # b is stale 153 s after its last result; c was set aside before, and has results all the time.
    assert told.since == at + 153 * SECOND
    assert 0 <= told.at - told.since - 5 * MINUTE <= 10 * SECOND


def test_the_absence_of_the_broker_is_nobodys_time() -> None:
    fleet = Regions(target(regions="a"))
    fleet.pass_time(5 * MINUTE, alive="a")
    fleet.wait(HOUR, broker_away=True)
    fleet.pass_time(HOUR, alive="a")
    assert fleet.coverage == []


def many(*counts: tuple[str, str, str]) -> list:  # type: ignore[type-arg]
    """Targets: a name, regions, a criticality."""
    return [
        target(name, regions, host=f"{name}.example.com", criticality=criticality)
        for name, regions, criticality in counts
    ]


def test_it_is_told_again_when_it_grows_or_becomes_critical() -> None:
    fleet = Regions(
        *many(
            ("first", "a b", "normal"),
            *((f"t{number}", "a c", "important") for number in range(4)),
            ("z", "a d", "critical"),
        )
    )
    fleet.pass_time(5 * MINUTE, alive="a b c d")
    fleet.pass_time(10 * MINUTE, alive="a c d")
    assert fleet.short == [("unwatched", 1)]
    fleet.pass_time(10 * MINUTE, alive="a d")
    assert fleet.short == [("unwatched", 1), ("unwatched", 5)]
    assert [one.target for one in fleet.coverage[-1].most_critical] == ["t0", "t1", "t2"]
    fleet.pass_time(10 * MINUTE, alive="a")
    assert fleet.short[2:] == [("unwatched", 6)]
    assert fleet.coverage[-1].severity == "critical"
    assert [one.target for one in fleet.coverage[-1].most_critical] == ["z", "t0", "t1"]
    fleet.pass_time(HOUR, alive="a")
    assert len(fleet.coverage) == 3


def test_growth_is_told_once_in_five_minutes_and_what_is_critical_at_once() -> None:
    names = [(f"t{number}", f"a r{number}", "normal") for number in range(8)]
    fleet = Regions(*many(*names, ("z", "a z", "critical")))
    alive = ["a", "z", *(f"r{number}" for number in range(8))]
    fleet.pass_time(5 * MINUTE, alive=" ".join(alive))
    for number in range(8):
        alive.remove(f"r{number}")
        fleet.pass_time(MINUTE, alive=" ".join(alive))
        if number == 2:
            alive.remove("z")
    fleet.pass_time(15 * MINUTE, alive=" ".join(alive))
    times = [(one.at - fleet.coverage[0].at) / MINUTE for one in fleet.coverage]
    assert [count for _, count in fleet.short] == [1, 5, 9]
    assert times[1] < 5 <= times[2] - times[1] < 5.5


def test_it_is_told_again_when_it_is_better_for_five_minutes() -> None:
    fleet = Regions(*many(("x", "a x", "normal"), *((f"t{n}", "a b", "normal") for n in range(9))))
    fleet.pass_time(20 * MINUTE, alive="a")
    assert fleet.short == [("unwatched", 10)]
    fleet.pass_time(5 * MINUTE, alive="a b")
    assert len(fleet.coverage) == 1
    fleet.pass_time(5 * MINUTE, alive="a b")
    assert fleet.short == [("unwatched", 10), ("unwatched", 1)]
    assert fleet.coverage[-1].silent_regions == {"x": None}


def test_a_return_is_told_once_though_targets_are_checked_one_by_one() -> None:
    fleet = Regions(*many(*((f"t{number}", "a b", "normal") for number in range(10))))
    fleet.pass_time(5 * MINUTE, alive="a b")
    fleet.pass_time(HOUR, alive="a")
    for number in range(10):
        fleet.pass_time(20 * SECOND, alive="a b", looking="a")
        fleet.append([fleet.result("b", of=f"t{number}")])
    fleet.pass_time(MINUTE, alive="a b")
    assert fleet.short == [("unwatched", 10), ("watched", 0)]


def test_the_cause_is_the_same_in_each_partition_that_one_region_blinds() -> None:
    last = START + 20 * SECOND
    assert cause_id({"b": last, "c": None}) == cause_id({"c": None, "b": last + 900})
    assert cause_id({"b": last}) != cause_id({"b": last + MINUTE})
    assert cause_id({"b": last}) != cause_id({"b": None})
    causes = set()
    for partition, lateness in enumerate((0, 40, 900)):
        fleet = Regions(target(regions="a b"), partitions=3)
        fleet.state.partition = partition
        fleet.now += 3 * SECOND + lateness
        fleet.beat("b")
        fleet.pass_time(15 * MINUTE, alive="a")
        (event,) = fleet.coverage
        causes.add(event.cause_id)
        assert event.partition == partition
    assert len(causes) == 1


def test_a_removed_target_is_watched_by_nobody_and_missed_by_nobody() -> None:
    fleet = Regions(target(regions="a b"))
    fleet.pass_time(15 * MINUTE, alive="a")
    fleet.remove("db")
    fleet.pass_time(MINUTE, alive="a")
    assert fleet.short == [("unwatched", 1), ("watched", 0)]


def test_new_regions_count_from_when_they_were_given() -> None:
    fleet = Regions(target(regions="a"))
    fleet.pass_time(HOUR, alive="a")
    fleet.control(TargetSet(target(regions="a b", version=2)))
    fleet.pass_time(7 * MINUTE, alive="a")
    assert fleet.coverage == []
    fleet.pass_time(MINUTE, alive="a")
    assert fleet.short == [("unwatched", 1)]


def test_a_look_that_fails_costs_nobody_else_a_turn_and_is_made_again() -> None:
    fleet = Regions(target(regions="a b"), target("other", "a", abandon_after_ms=0))
    fleet.pass_time(5 * MINUTE, alive="a b")
    fleet.wait(SECOND).down("a", of="other")
    failed: list[RuleError] = []

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unwatched, "_find", fail)
        for _ in range(40):
            fleet.now += 5 * SECOND
            try:
                fleet.beat("b")
            except RuleError as error:
                failed.append(error)
                fleet.outputs += error.outputs
    assert len(failed) == 20
    for error in failed:
        assert [(part.result, part.blamed) for part in error.parts] == [(None, False)]
        assert [type(cause) for cause in error.causes] == [ZeroDivisionError]
    assert fleet.told == ["opened", "closed"]
    fleet.pass_time(10 * MINUTE, alive="b")
    assert fleet.short == [("unwatched", 2)]


def test_a_worker_that_takes_over_says_the_same() -> None:
    fleet = Regions(*many(("x", "a x", "normal"), *((f"t{n}", "a b", "normal") for n in range(9))))
    told = []
    for _ in range(40):
        fleet.pass_time(MINUTE, alive="a")
        fleet.state = fleet.restored()
        told.append(len(fleet.coverage))
    assert (told[0], told[-1]) == (0, 1)
    fleet.pass_time(2 * MINUTE, alive="a b x")
    assert fleet.short[-1] == ("watched", 0)
