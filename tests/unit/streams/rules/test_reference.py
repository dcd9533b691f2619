"""What docs/rules.md says of slow incidents, the guard and flapping, worked out by hand.

Each account is held against the reference and against the rules, so that they do not agree on the
same mistake.
"""

from collections.abc import Iterable, Iterator, Mapping

import pytest

from schemas.control import Acknowledged, Control, Resolved, TargetSet
from schemas.incident import IncidentType
from schemas.result import CheckResult
from schemas.target import LatencyLimit, Target
from streams.rules.apply import Output
from streams.rules.record import Record
from tests.unit.streams.rules.fleet import Fleet, target
from tests.unit.streams.rules.reference import Reference
from tests.unit.streams.rules.reference_words import (
    Closed,
    Improved,
    OfRegion,
    Opened,
    Returned,
    Seen,
    Silent,
    Told,
    Unwatched,
    Updated,
    Worsened,
    told_by,
)

MINUTE = 60_000
LIMITS = LatencyLimit(max_ms=100, for_results=3)


OF_COVERAGE = (Silent, Returned, Unwatched, Seen)


class Account(Fleet):
    """What is told, in short: `opened slow`, `closed flapping: steady`, `suspect a`.

    Hardly anybody beats here: what is said of that is left out, and stands in `silences`.
    """

    def __init__(self) -> None:
        self.full: list[Told] = []
        self.silences: list[str] = []
        super().__init__()

    def hears(self, found: Iterable[Told]) -> None:
        for one in found:
            if isinstance(one, Silent | Returned):
                self.silences.append(in_short(one))
            elif not isinstance(one, OF_COVERAGE):
                self.full.append(one)

    @property
    def short(self) -> list[str]:
        """What people are told of."""
        return [in_short(one) for one in self.full if not isinstance(one, Updated | Improved)]

    def last(self) -> str:
        return in_short(self.full[-1])

    def incident_id(self, of: IncidentType) -> str:
        raise NotImplementedError

    def outage(self, *regions: str) -> None:
        """A second later down, and soon up again."""
        self.wait(1000).down(*regions)
        self.wait(1000).up(*regions)

    def quiet(self, ms: int) -> None:
        while ms > 0:
            self.now += min(ms, 10_000)
            ms -= 10_000
            self.tick()


class ByReference(Account):
    def __init__(self) -> None:
        self.reference = Reference()
        super().__init__()

    def append(self, results: list[CheckResult], control: Control | None = None) -> list[Output]:
        record = Record(len(self.log), self.now, results, control)
        self.log.append(record)
        found = self.reference.feed(record)
        for one in found:
            if isinstance(one, Opened):
                self.reference.name(one.target, one.type, f"{one.type} {record.offset}")
        self.hears(found)
        return []

    def known(self, target_id: str) -> Target | None:
        watched = self.reference.targets.get(target_id)
        return watched.target if watched else None

    def incident_id(self, of: IncidentType) -> str:
        return self.reference.targets["db"].incidents[of].id


class ByRules(Account):
    def append(self, results: list[CheckResult], control: Control | None = None) -> list[Output]:
        found = super().append(results, control)
        self.hears(told for out in found if (told := told_by(out)) is not None)
        return found

    def incident_id(self, of: IncidentType) -> str:
        return next(one.incident_id for one in reversed(self.events) if one.incident_type == of)


def in_short(told: Told) -> str:
    match told:
        case Opened() | Updated() | Improved() | Worsened():
            return f"{type(told).__name__.lower()} {told.type}"
        case Closed():
            return f"closed {told.type}: {told.because}"
        case _:
            assert isinstance(told, OfRegion)
            return f"{type(told).__name__.lower()} {told.region}"


@pytest.fixture(params=[ByReference, ByRules])
def fleet(request: pytest.FixtureRequest) -> Iterator[Account]:
    made = request.param()
    assert isinstance(made, Account)
    yield made
    assert made.log


def watch(fleet: Account, **changes: object) -> None:
    fleet.control(TargetSet(target(**changes)))  # type: ignore[arg-type]


def rounds(fleet: Account, *times: float | None, regions: str = "a b c") -> None:
    """One round of successes a minute, with these connect times."""
    for connect_ms in times:
        fleet.wait(MINUTE)
        fleet.up(*regions.split(), connect_ms=connect_ms)


# Rule 6: episodes


def look(fleet: Account, minutes: int, failing: str, of: str = "a b c") -> None:
    """Every minute each region of `of` looks; those of `failing` fail, and once more after 1 s."""
    for _ in range(minutes):
        fleet.wait(MINUTE - 1000)
        well = [region for region in of.split() if region not in failing]
        fleet.up(*well)
        fleet.down(*failing.split())


def episodes(fleet: Account) -> list[tuple[str, int]]:
    return [
        (type(one).__name__, one.episode)
        for one in fleet.full
        if isinstance(one, Improved | Worsened | Closed)
    ]


def test_each_outage_beside_a_blocked_region_is_told(fleet: Account) -> None:
    watch(fleet)
    look(fleet, 1, "c")
    for _ in range(5):
        look(fleet, 10, "a b c")
        look(fleet, 25, "c")
    assert fleet.short == ["opened unreachable"] + ["worsened unreachable"] * 4
    fleet.wait(1000).up("a", "b", "c")
    assert episodes(fleet) == [
        ("Improved", 1),
        *(told for number in (2, 3, 4, 5) for told in (("Worsened", number), ("Improved", number))),
        ("Closed", 5),
    ]
    assert fleet.last() == "closed unreachable: recovered"


def test_it_says_when_the_present_outage_began(fleet: Account) -> None:
    watch(fleet)
    look(fleet, 3, "a b c")
    look(fleet, 3, "c")
    fleet.wait(MINUTE)
    began = fleet.now
    fleet.down("b", "a")
    worsened = fleet.full[-2]
    assert in_short(fleet.full[-1]) == "updated unreachable"  # a fails, too
    assert isinstance(worsened, Worsened)
    assert (worsened.at, worsened.began) == (fleet.now, began)
    assert (worsened.votes.down, worsened.votes.need) == (2, 2)


def test_a_flapping_target_beside_a_blocked_region_pages_no_more_and_ends(fleet: Account) -> None:
    watch(fleet)
    for _ in range(4):
        look(fleet, 3, "a b c")
        began = fleet.now
        look(fleet, 3, "c")
    assert fleet.short == [
        "opened unreachable",
        "worsened unreachable",
        "worsened unreachable",
        "closed unreachable: flapping",
        "opened flapping",
    ]
    opened = fleet.full[-1]
    assert isinstance(opened, Opened)
    # The outage of which it was told, not that of the incident before.
    assert opened.first_failed_at == began - 2 * MINUTE - 1000
    for _ in range(3):
        look(fleet, 3, "a b c")
        look(fleet, 3, "c")
    assert fleet.full[-1] is opened
    look(fleet, 27, "c")
    assert fleet.full[-1] is opened
    look(fleet, 1, "c")
    assert fleet.last() == "closed flapping: recovered"
    look(fleet, 10, "c")
    assert fleet.last() == "closed flapping: recovered"
    look(fleet, 1, "a b c")
    assert fleet.short[-1] == "opened unreachable"


@pytest.mark.parametrize("why", ["set aside", "stale", "beside one that is pending"])
def test_it_is_told_whatever_keeps_the_incident_open(fleet: Account, why: str) -> None:
    regions = "a b c d" if why == "beside one that is pending" else "a b c"
    watch(fleet, regions=regions, abandon_after_ms=86_400_000)
    look(fleet, 1, "a b c")
    of = "a b" if why == "stale" else "a b c"
    if why == "set aside":
        calm(fleet, "a", "b")
        fleet.beat("c", targets=100, failing=50, newly_failing=50)
    for _ in range(2):
        look(fleet, 5, "a b c" if of == "a b c" else "a b", of)
        look(fleet, 5, "c" if of == "a b c" else "", of)
    told = [one for one in fleet.short if one != "silent c"]
    assert [one for one in told if "unreachable" in one] == [
        "opened unreachable",
        "worsened unreachable",
    ]
    assert episodes(fleet) == [("Improved", 1), ("Worsened", 2), ("Improved", 2)]


def test_open_after_holds_for_each_episode(fleet: Account) -> None:
    watch(fleet, open_after_ms=3 * MINUTE)
    look(fleet, 5, "a b c")
    look(fleet, 5, "c")
    look(fleet, 2, "a b c")
    look(fleet, 5, "c")
    assert fleet.short == ["opened unreachable"]
    look(fleet, 3, "a b c")
    assert fleet.short == ["opened unreachable"]
    fleet.wait(3 * MINUTE - (2 * MINUTE + 1000) - 1).tick()
    assert fleet.short == ["opened unreachable"]
    fleet.wait(1000).tick()
    assert fleet.short == ["opened unreachable", "worsened unreachable"]
    assert [name for name, _ in episodes(fleet)] == ["Improved", "Worsened"]


def test_recover_after_holds_for_each_episode(fleet: Account) -> None:
    watch(fleet, recover_after=3)
    look(fleet, 1, "a b c")
    look(fleet, 2, "c")
    look(fleet, 1, "a b c")
    assert episodes(fleet) == []
    look(fleet, 2, "c")
    assert episodes(fleet) == []
    look(fleet, 1, "c")
    assert episodes(fleet) == [("Improved", 1)]


def test_a_region_that_falls_silent_improves_nothing(fleet: Account) -> None:
    watch(fleet, regions="a b c d")
    look(fleet, 1, "a b c", "a b c d")
    look(fleet, 5, "b c", "b c d")
    look(fleet, 2, "a b c", "a b c d")
    assert fleet.short == ["opened unreachable"]
    assert episodes(fleet) == []


def test_a_region_that_is_not_waited_for_any_more_is_not_against_it(fleet: Account) -> None:
    watch(fleet, regions="a b c d", abandon_after_ms=10 * MINUTE)
    look(fleet, 1, "a b c", "a b c d")
    look(fleet, 12, "b c", "b c d")
    assert episodes(fleet) == []
    look(fleet, 1, "b c", "b c d")
    assert episodes(fleet) == [("Improved", 1)]


def test_worsening_takes_back_an_acknowledgement(fleet: Account) -> None:
    watch(fleet)
    look(fleet, 2, "a b c")
    ann = Acknowledged(target="db", incident_id=fleet.incident_id("unreachable"), by="ann")
    fleet.control(ann)
    look(fleet, 2, "c")
    fleet.control(ann)  # nothing new
    assert [in_short(one) for one in fleet.full[-2:]] == [
        "updated unreachable",
        "improved unreachable",
    ]
    look(fleet, 1, "a b c")
    assert fleet.short[-1] == "worsened unreachable"
    told = len(fleet.full)
    fleet.control(ann)
    assert [in_short(one) for one in fleet.full[told:]] == ["updated unreachable"]


def test_an_acknowledgement_that_comes_with_the_worsening_is_of_the_outage_before(
    fleet: Account,
) -> None:
    watch(fleet, open_after_ms=3 * MINUTE)
    look(fleet, 5, "a b c")
    look(fleet, 2, "c")
    look(fleet, 3, "a b c")
    ann = Acknowledged(target="db", incident_id=fleet.incident_id("unreachable"), by="ann")
    fleet.wait(MINUTE - 1000).control(ann)
    assert fleet.last() == "worsened unreachable"
    fleet.control(ann)
    assert fleet.last() == "updated unreachable"


def test_what_improved_and_closes_has_gone_up_once(fleet: Account) -> None:
    watch(fleet)
    for _ in range(3):
        fleet.wait(MINUTE).down("a", "b", "c")
        fleet.wait(1000).up("a", "b")
        assert isinstance(fleet.full[-1], Improved)
        fleet.wait(1000).up("c")
    assert fleet.short == ["opened unreachable", "closed unreachable: recovered"] * 3
    fleet.wait(MINUTE).down("a", "b", "c")
    assert fleet.last() == "opened flapping"


def test_what_was_resolved_while_better_opens_with_the_next_outage(fleet: Account) -> None:
    watch(fleet)
    look(fleet, 2, "a b c")
    look(fleet, 2, "c")
    incident = fleet.incident_id("unreachable")
    fleet.control(Resolved(target="db", incident_id=incident, by="ann"))
    look(fleet, 2, "c")
    look(fleet, 1, "a b c")
    assert fleet.short[-2:] == ["closed unreachable: resolved", "opened unreachable"]


def test_slowness_that_comes_and_goes_warns_once(fleet: Account) -> None:
    watch(fleet, latency=LatencyLimit(max_ms=100, for_results=1))
    for _ in range(3):
        rounds(fleet, 300.0)
        fleet.wait(MINUTE).up("a", "b", connect_ms=5.0)
        fleet.up("c", connect_ms=300.0)
    assert fleet.short == ["opened slow"]
    assert episodes(fleet) == []


# Rule 7


def test_three_slow_successes_in_two_of_three_regions_are_a_slow_incident(fleet: Account) -> None:
    watch(fleet, latency=LIMITS)
    rounds(fleet, 5.0, 101.0)
    began = fleet.now
    rounds(fleet, 101.0)
    assert fleet.full == []
    rounds(fleet, 101.0)
    opened = fleet.full[0]
    assert isinstance(opened, Opened)
    assert (opened.type, opened.severity) == ("slow", "warning")
    assert (opened.votes.down, opened.votes.need, opened.votes.fresh) == (2, 2, 3)
    assert (opened.at, opened.first_failed_at) == (fleet.now, began)
    rounds(fleet, 5.0, 100.0)
    assert fleet.short == ["opened slow"]
    rounds(fleet, 5.0)
    assert fleet.short == ["opened slow", "closed slow: recovered"]


def test_one_slow_and_one_down_region_of_three_are_told(fleet: Account) -> None:
    watch(fleet, latency=LIMITS)
    rounds(fleet, 300.0, 300.0, 300.0, regions="a")
    fleet.up("c")
    fleet.fail("b")
    assert fleet.full == []
    fleet.wait(1000).fail("b")
    assert fleet.short == ["opened slow"]
    fleet.wait(1000).down("c")
    assert fleet.short == ["opened slow", "opened unreachable"]


def test_what_has_no_time_and_what_fails_breaks_no_row(fleet: Account) -> None:
    watch(fleet, latency=LIMITS, regions="a")
    rounds(fleet, 300.0, None, 300.0, regions="a")
    fleet.wait(MINUTE).fail("a")
    assert fleet.full == []
    rounds(fleet, 300.0, regions="a")
    assert fleet.short == ["opened slow"]


def test_the_total_time_counts_where_there_is_no_connect_time(fleet: Account) -> None:
    watch(fleet, latency=LatencyLimit(max_ms=100, for_results=1), regions="a")
    fleet.append([fleet.result("a", connect_ms=100.0, total_ms=500.0)])
    assert fleet.full == []
    fleet.wait(MINUTE).append([fleet.result("a", total_ms=100.5)])
    assert fleet.short == ["opened slow"]


def test_one_fast_success_begins_the_row_anew(fleet: Account) -> None:
    watch(fleet, latency=LIMITS, regions="a")
    rounds(fleet, 300.0, 300.0, 5.0, 300.0, 300.0, regions="a")
    assert fleet.full == []


def test_an_outage_goes_before_slowness_and_does_not_end_it(fleet: Account) -> None:
    watch(fleet, latency=LIMITS)
    rounds(fleet, 300.0, 300.0, 300.0)
    fleet.wait(MINUTE).down("a", "b", "c")
    assert fleet.short == ["opened slow", "opened unreachable"]
    rounds(fleet, 5.0)
    assert fleet.short[2:] == ["closed unreachable: recovered"]
    rounds(fleet, 5.0, 5.0)
    assert fleet.short[3:] == ["closed slow: recovered"]


def test_new_limits_begin_rows_anew_and_leave_what_was_said(fleet: Account) -> None:
    watch(fleet, latency=LIMITS, regions="a")
    rounds(fleet, 300.0, 300.0, regions="a")
    watch(fleet, latency=LatencyLimit(max_ms=200, for_results=2), regions="a", version=2)
    rounds(fleet, 300.0, regions="a")
    assert fleet.full == []
    rounds(fleet, 300.0, regions="a")
    assert fleet.short == ["opened slow"]
    watch(fleet, latency=LatencyLimit(max_ms=900, for_results=2), regions="a", version=3)
    assert fleet.short == ["opened slow"]
    rounds(fleet, 300.0, 300.0, regions="a")
    assert fleet.short == ["opened slow", "closed slow: recovered"]


def test_without_limits_nothing_is_slow(fleet: Account) -> None:
    watch(fleet, latency=LIMITS, regions="a")
    rounds(fleet, 300.0, 300.0, 300.0, regions="a")
    watch(fleet, regions="a", version=2)
    assert fleet.short == ["opened slow", "closed slow: policy_changed"]
    watch(fleet, latency=LIMITS, regions="a", version=3)
    rounds(fleet, 300.0, 300.0, regions="a")
    assert len(fleet.full) == 2
    rounds(fleet, 300.0, regions="a")
    assert fleet.last() == "opened slow"


def test_resolved_slowness_opens_again_only_after_it_was_over(fleet: Account) -> None:
    watch(fleet, latency=LatencyLimit(max_ms=100, for_results=1), regions="a")
    rounds(fleet, 300.0, regions="a")
    incident = fleet.incident_id("slow")
    fleet.control(Resolved(target="db", incident_id=incident, by="ann"))
    rounds(fleet, 300.0, regions="a")
    assert fleet.short == ["opened slow", "closed slow: resolved"]
    rounds(fleet, 5.0, 300.0, regions="a")
    assert fleet.short[2:] == ["opened slow"]


def test_unknown_is_not_yet_over(fleet: Account) -> None:
    watch(fleet, latency=LatencyLimit(max_ms=100, for_results=1), regions="a")
    rounds(fleet, 300.0, regions="a")
    incident = fleet.incident_id("slow")
    fleet.control(Resolved(target="db", incident_id=incident, by="ann"))
    fleet.quiet(10 * MINUTE)
    rounds(fleet, 300.0, regions="a")
    assert fleet.short == ["opened slow", "closed slow: resolved"]


def test_a_region_that_is_stale_with_slow_as_its_last_word_is_waited_for(fleet: Account) -> None:
    watch(fleet, latency=LatencyLimit(max_ms=100, for_results=1), abandon_after_ms=10 * MINUTE)
    rounds(fleet, 300.0)
    # c is stale 153 s after its last result, and abandoned 10 min after that.
    rounds(fleet, *[5.0] * 12, regions="a b")
    fleet.wait(32_999).tick()
    assert fleet.short == ["opened slow"]
    fleet.wait(1000).tick()
    closed = fleet.full[-1]
    assert isinstance(closed, Closed)
    assert (closed.because, closed.abandoned) == ("recovered", ("c",))


# Rule 8


def calm(fleet: Account, *regions: str) -> None:
    for region in regions:
        fleet.beat(region, targets=100)


def cut_off(fleet: Account, *beats: Mapping[str, object]) -> None:
    """These beats of c, for 10 s: the others look meanwhile, and are well."""
    for beat in beats:
        fleet.beat("c", **beat)  # type: ignore[arg-type]
    for _ in range(2):
        fleet.wait(5_000)
        for beat in beats:
            fleet.beat("c", **beat)  # type: ignore[arg-type]
        calm(fleet, "a", "b")


HALF: dict[str, int] = {"targets": 100, "failing": 50, "newly_failing": 50}


@pytest.mark.parametrize(
    ("targets", "newly_failing", "suspect"),
    [(100, 41, True), (100, 40, False), (30, 20, True), (30, 19, False), (50, 20, False)],
)
def test_more_than_40_percent_and_20_targets_at_once_are_suspect(
    fleet: Account, targets: int, newly_failing: int, suspect: bool
) -> None:
    calm(fleet, "a", "b")
    cut_off(fleet, {"targets": targets, "failing": newly_failing, "newly_failing": newly_failing})
    assert fleet.short == ["suspect c"] * suspect


def test_the_probers_of_a_region_are_added_up(fleet: Account) -> None:
    calm(fleet, "a", "b")
    first: dict[str, object] = {"prober": "c-1", "targets": 100, "failing": 70, "newly_failing": 70}
    cut_off(fleet, first)
    assert fleet.short == ["suspect c"]
    fleet.beat("c", prober="c-2", targets=300)
    assert fleet.short == ["suspect c", "cleared c"]  # 70 of 400
    for ms in (5_000, 5_000, 4_999):
        fleet.wait(ms)
        fleet.beat("c", **first)  # type: ignore[arg-type]
        calm(fleet, "a", "b")
    assert fleet.short == ["suspect c", "cleared c"]
    fleet.wait(1)
    cut_off(fleet, first)
    assert fleet.short[2:] == ["suspect c"]


def test_what_most_regions_see_is_no_fault_of_theirs(fleet: Account) -> None:
    calm(fleet, "a", "b")
    cut_off(fleet, HALF)
    fleet.beat("b", **HALF)
    assert fleet.short == ["suspect c", "cleared c"]


def test_what_all_see_within_seconds_sets_nobody_aside(fleet: Account) -> None:
    calm(fleet, "a", "b", "c")
    for _ in range(15):
        for region in ("c", "a", "b"):
            fleet.wait(1_600).beat(region, **HALF)
    assert fleet.full == []


def test_who_fails_for_a_fifth_contradicts_nobody(fleet: Account) -> None:
    calm(fleet, "a", "b", "c")
    for _ in range(4):
        fleet.beat("c", **HALF)
        fleet.beat("a", targets=100, failing=21, newly_failing=21)
        calm(fleet, "b")
        fleet.wait(5_000)
    assert fleet.full == []
    fleet.beat("a", targets=100, failing=20, newly_failing=20)
    assert fleet.short == ["suspect c"]


def test_it_is_suspect_until_a_fifth_fails(fleet: Account) -> None:
    calm(fleet, "a", "b")
    cut_off(fleet, HALF)
    fleet.beat("c", targets=100, failing=21)
    assert fleet.short == ["suspect c"]
    fleet.beat("c", targets=100, failing=20)
    assert fleet.short == ["suspect c", "cleared c"]


def test_a_lone_region_is_its_own_majority(fleet: Account) -> None:
    fleet.beat("c", targets=100, failing=100, newly_failing=100)
    assert fleet.full == []


def test_it_is_one_of_those_that_fail_though_some_of_its_targets_are_well_again(
    fleet: Account,
) -> None:
    fleet.beat("c", targets=100, failing=30, newly_failing=60)
    assert fleet.full == []
    cut_off(fleet, {"targets": 100, "failing": 30, "newly_failing": 60})
    assert fleet.short == ["suspect c"]
    fleet.wait(15_000).beat("c", targets=100, failing=30, newly_failing=60)
    assert "cleared c" in fleet.short


def test_a_suspect_region_opens_nothing_and_blocks_nothing_but_a_close(fleet: Account) -> None:
    watch(fleet)
    calm(fleet, "a", "b")
    cut_off(fleet, HALF)
    fleet.up("a", "b", "c")
    fleet.wait(1000).down("c", "b")
    assert fleet.short == ["suspect c"]
    fleet.down("a")
    opened = fleet.full[-1]
    assert isinstance(opened, Opened)
    assert (opened.votes.down, opened.votes.fresh, opened.votes.need) == (2, 2, 2)
    fleet.wait(1000).up("a", "b")
    assert fleet.last() != "closed unreachable: recovered"
    fleet.beat("c", targets=100)
    assert fleet.short[-1] == "cleared c"
    fleet.up("c")
    assert fleet.last() == "closed unreachable: recovered"


def test_its_targets_are_looked_at_when_it_is_cleared(fleet: Account) -> None:
    watch(fleet)
    calm(fleet, "a", "b")
    cut_off(fleet, HALF)
    fleet.up("a", "b", "c")
    fleet.wait(1000).down("c", "b")
    fleet.beat("c", targets=100)
    assert fleet.short == ["suspect c", "cleared c", "opened unreachable"]


def test_of_a_suspect_region_no_row_of_successes_is_asked(fleet: Account) -> None:
    watch(fleet, recover_after=2)
    calm(fleet, "a", "b")
    cut_off(fleet, HALF)
    fleet.wait(1000).down("a", "b")
    fleet.up("c")
    assert fleet.short == ["suspect c", "opened unreachable"]
    for _ in range(2):
        fleet.wait(1000).up("a", "b")
    assert fleet.last() == "closed unreachable: recovered"


# Rule 9


def test_the_seventh_transition_within_an_hour_is_flapping(fleet: Account) -> None:
    watch(fleet)
    for _ in range(3):
        fleet.wait(MINUTE)
        fleet.outage("a", "b", "c")
    assert fleet.short == ["opened unreachable", "closed unreachable: recovered"] * 3
    fleet.wait(MINUTE)
    began = fleet.now + 1000
    fleet.outage("a", "b", "c")
    assert fleet.short[6:] == ["opened flapping"]
    opened = next(one for one in fleet.full if in_short(one) == "opened flapping")
    assert isinstance(opened, Opened)
    assert (opened.first_failed_at, opened.severity) == (began, "warning")
    told = len(fleet.full)
    fleet.outage("a", "b", "c")
    assert len(fleet.full) == told


@pytest.mark.parametrize(("apart", "flaps"), [(0, True), (1, False)])
def test_an_hour_ago_is_no_longer_within_the_hour(fleet: Account, apart: int, flaps: bool) -> None:
    watch(fleet, retries=0, regions="a")
    fleet.outage("a")  # transitions at 0 and 2 s
    for _ in range(2):
        fleet.outage("a")
    first = next(one.at for one in fleet.full if isinstance(one, Opened))
    fleet.quiet(first + 3_600_000 - 1 + apart - fleet.now)
    fleet.fail("a")
    assert (fleet.last() == "opened flapping") == flaps


def test_a_slow_cycle_flaps_until_two_hours_have_passed(fleet: Account) -> None:
    watch(fleet, abandon_after_ms=180 * MINUTE)
    for _ in range(6):
        fleet.quiet(25 * MINUTE)
        fleet.outage("a", "b", "c")
    assert fleet.short == ["opened unreachable", "closed unreachable: recovered"] * 6
    for _ in range(9):
        fleet.quiet(25 * MINUTE)
        fleet.outage("a", "b", "c")
    assert fleet.short[12:] == ["opened flapping"]
    fleet.quiet(120 * MINUTE - 1000)
    fleet.up("a", "b", "c")
    assert fleet.last() == "opened flapping"
    fleet.wait(1000).up("a")
    assert fleet.last() == "closed flapping: recovered"


def flap(fleet: Account) -> None:
    for _ in range(4):
        fleet.outage("a", "b", "c")
    assert fleet.short[-1] == "opened flapping"


def test_it_is_over_when_the_target_was_up_for_half_an_hour(fleet: Account) -> None:
    watch(fleet)
    flap(fleet)
    fleet.quiet(30 * MINUTE - 1000)
    told = len(fleet.full)
    fleet.up("a", "b", "c")
    assert len(fleet.full) == told
    fleet.wait(1000).up("a")
    assert fleet.last() == "closed flapping: recovered"
    fleet.outage("a", "b", "c")
    assert fleet.short[-2:] == ["opened unreachable", "closed unreachable: recovered"]


def test_it_is_not_over_while_nobody_looks(fleet: Account) -> None:
    watch(fleet, abandon_after_ms=60 * MINUTE)
    flap(fleet)
    fleet.quiet(40 * MINUTE)
    assert fleet.last() == "opened flapping"
    fleet.up("a")
    assert fleet.last() == "opened flapping"
    fleet.up("b")
    assert fleet.last() == "closed flapping: recovered"


def test_it_is_abandoned_when_nobody_looks_for_long(fleet: Account) -> None:
    watch(fleet)
    flap(fleet)
    # Stale 153 s after the last word, abandoned half an hour later.
    fleet.quiet(33 * MINUTE)
    closed = fleet.full[-1]
    assert isinstance(closed, Closed)
    assert (closed.because, closed.abandoned) == ("abandoned", ("a", "b", "c"))
    fleet.outage("a", "b", "c")
    assert fleet.last() == "closed unreachable: recovered"


def test_regions_that_never_began_are_not_waited_for(fleet: Account) -> None:
    watch(fleet, regions="a", abandon_after_ms=10 * MINUTE)
    fleet.down("a")
    watch(fleet, regions="a b c", abandon_after_ms=10 * MINUTE, version=2)
    for _ in range(9):
        fleet.wait(MINUTE).up("a")
    fleet.wait(MINUTE - 1).up("a")
    assert fleet.short == ["opened unreachable"]
    fleet.wait(1).up("a")
    closed = fleet.full[-1]
    assert isinstance(closed, Closed)
    assert (closed.because, closed.abandoned) == ("recovered", ("b", "c"))


def test_down_for_half_an_hour_is_an_outage_and_no_flapping(fleet: Account) -> None:
    watch(fleet)
    flap(fleet)
    fleet.wait(MINUTE)
    began = fleet.now
    fleet.down("a", "b", "c")
    fleet.quiet(30 * MINUTE)
    fleet.fail("a", "b")
    # Nobody looked for half an hour: one failure says nothing yet.
    assert fleet.short[-1] == "opened flapping"
    fleet.wait(1000).fail("a", "b")
    assert fleet.short[-2:] == ["closed flapping: steady", "opened unreachable"]
    opened = next(one for one in reversed(fleet.full) if isinstance(one, Opened))
    assert (opened.at, opened.first_failed_at) == (fleet.now, began)
    # That opening is the first of a new count: the seventh transition is an opening again.
    fleet.wait(1000).up("a", "b", "c")
    for _ in range(2):
        fleet.outage("a", "b", "c")
    fleet.wait(1000).down("a", "b")
    assert fleet.short[-1] == "opened flapping"


def test_only_an_acknowledgement_is_told_of_it(fleet: Account) -> None:
    watch(fleet)
    flap(fleet)
    told = len(fleet.full)
    fleet.wait(1000).down("a", "b", "c")
    fleet.wait(1000).fail("a", reason="timed_out")
    assert len(fleet.full) == told
    incident = fleet.incident_id("flapping")
    for by in ("ann", "ann", "bob"):
        fleet.control(Acknowledged(target="db", incident_id=incident, by=by))
    assert [in_short(one) for one in fleet.full[told:]] == ["updated flapping"] * 2


def test_flapping_resolved_by_hand_counts_from_none(fleet: Account) -> None:
    watch(fleet)
    flap(fleet)
    incident = fleet.incident_id("flapping")
    fleet.control(Resolved(target="db", incident_id=incident, by="ann"))
    assert fleet.last() == "closed flapping: resolved"
    fleet.outage("a", "b", "c")
    assert fleet.last() == "closed unreachable: recovered"


@pytest.mark.parametrize("how", ["place", "removed"])
def test_another_place_counts_from_none(fleet: Account, how: str) -> None:
    watch(fleet)
    for _ in range(3):
        fleet.outage("a", "b", "c")
    if how == "removed":
        fleet.remove("db")
        fleet.wait(1000)
        watch(fleet, version=20)
    else:
        watch(fleet, port=5433, version=20)
    fleet.wait(1000).outage("a", "b", "c")
    assert "opened flapping" not in fleet.short


def test_slowness_is_told_beside_flapping(fleet: Account) -> None:
    watch(fleet, latency=LatencyLimit(max_ms=100, for_results=1))
    flap(fleet)
    rounds(fleet, 300.0)
    assert fleet.short[-2:] == ["opened flapping", "opened slow"]
