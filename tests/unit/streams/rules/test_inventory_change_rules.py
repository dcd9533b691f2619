"""Rule 6's table: what becomes of an open incident when the inventory changes."""

import pytest

from schemas.control import TargetSet
from schemas.incident import IncidentType
from schemas.probe import HandshakeProbe
from schemas.target import LatencyLimit, Target
from streams.checkpoint import decoder
from streams.state.freshness import is_fresh
from tests.unit.streams.rules.fleet import Fleet, target
from tests.unit.streams.rules.reference_log import Log

SECOND_MS = 1_000
LIMIT = LatencyLimit(max_ms=100, for_results=1)
QUIET_MS = 1_800_000
TYPES: tuple[IncidentType, ...] = ("unreachable", "slow", "flapping")

each_type = pytest.mark.parametrize("of", TYPES)


def defined(version: int = 1, **changes: object) -> Target:
    return target(**({"retries": 0, "latency": LIMIT, "version": version} | changes))  # type: ignore[arg-type]


def answer(fleet: Fleet, connect_ms: float, *regions: str) -> None:
    fleet.wait(SECOND_MS)
    for region in regions:
        fleet.append([fleet.result(region, connect_ms=connect_ms)])


def trouble(fleet: Fleet, of: IncidentType, *regions: str) -> None:
    """One result of each region that keeps an incident of this type up."""
    if of == "slow":
        answer(fleet, 500.0, *regions)
    else:
        fleet.wait(SECOND_MS).fail(*regions)


def opened(of: IncidentType, **changes: object) -> Fleet:
    """An incident of the type, seen from a, b and c."""
    fleet = Fleet(defined(**changes))  # type: ignore[arg-type]
    for _ in range(3 if of == "flapping" else 0):
        fleet.wait(SECOND_MS).fail("a", "b", "c")
        answer(fleet, 5.0, "a", "b", "c")
    trouble(fleet, of, "a", "b", "c")
    assert [one.incident_type for one in fleet.state.targets["db"].incidents] == [of]
    return fleet


def change(fleet: Fleet, version: int = 2, **changes: object) -> list[str]:
    """What is told of it: `closed slow: target_changed`."""
    before = len(fleet.events)
    fleet.wait(SECOND_MS).control(TargetSet(defined(version, **changes)))
    return told(fleet, before)


def told(fleet: Fleet, since: int) -> list[str]:
    return [
        f"{event.event} {event.incident_type}"
        + (f": {event.closed_because}" if event.closed_because else "")
        for event in fleet.events[since:]
    ]


def incident_is_open(fleet: Fleet, of: IncidentType) -> bool:
    return of in {one.incident_type for one in fleet.state.targets["db"].incidents}


@each_type
def test_a_removed_target_ends_it(of: IncidentType) -> None:
    fleet = opened(of)
    before = len(fleet.events)
    fleet.remove("db")
    assert told(fleet, before) == [f"closed {of}: target_removed"]
    assert fleet.state.hot == {}
    assert fleet.state.transitions == {}


@each_type
def test_a_target_that_goes_to_another_partition_ends_it(of: IncidentType) -> None:
    fleet = opened(of)
    before = len(fleet.events)
    fleet.remove("db", because="target_changed")
    assert told(fleet, before) == [f"closed {of}: target_changed"]


@each_type
@pytest.mark.parametrize("place", [{"kind": "udp"}, {"host": "other"}, {"port": 1}])
def test_another_place_ends_it_and_nothing_that_was_seen_counts_on(
    of: IncidentType, place: dict[str, object]
) -> None:
    fleet = opened(of)
    assert change(fleet, **place) == [f"closed {of}: target_changed"]  # type: ignore[arg-type]
    event = fleet.events[-1]
    assert (event.kind, event.host, event.port) == ("tcp", "db1.example.com", 5432)
    assert fleet.windows() == [None, None, None]
    assert fleet.state.transitions == {}
    before = len(fleet.events)
    trouble(fleet, of, "a")
    assert told(fleet, before) == []


def test_both_that_are_open_end_with_the_place() -> None:
    fleet = opened("slow")
    fleet.wait(SECOND_MS).fail("a", "b", "c")
    assert change(fleet, port=1) == [
        "closed unreachable: target_changed",
        "closed slow: target_changed",
    ]


@each_type
def test_new_words_leave_it_as_it_is_and_its_next_event_says_them(of: IncidentType) -> None:
    fleet = opened(of)
    words: dict[str, object] = {
        "name": "Orders",
        "team": "database",
        "tags": ("prod",),
        "criticality": "critical",
        "runbook": "https://wiki.example.com/db",
    }
    assert change(fleet, **words) == []  # type: ignore[arg-type]
    fleet.remove("db", because="target_changed")
    event = fleet.events[-1]
    assert {word: getattr(event, word) for word in words} == words


@each_type
def test_a_new_policy_leaves_what_regions_said(of: IncidentType) -> None:
    fleet = opened(of)
    assert change(fleet, retries=3, consensus="unanimous", interval_ms=30_000) == []
    assert incident_is_open(fleet, of)
    answer(fleet, 5.0, "a", "b")
    assert incident_is_open(fleet, of)


def test_a_new_policy_is_judged_by_at_once() -> None:
    fleet = Fleet(defined(consensus="unanimous"))
    fleet.up("c")
    fleet.wait(SECOND_MS).fail("a", "b")
    assert fleet.told == []
    assert change(fleet, consensus="quorum") == ["opened unreachable"]
    fleet = Fleet(defined(consensus="unanimous"))
    answer(fleet, 5.0, "c")
    answer(fleet, 500.0, "a", "b")
    assert fleet.told == []
    assert change(fleet, consensus="quorum") == ["opened slow"]


def test_more_successes_wanted_hold_an_end_and_fewer_bring_it() -> None:
    fleet = opened("unreachable", recover_after=3)
    answer(fleet, 5.0, "a", "b", "c")
    answer(fleet, 5.0, "a", "b", "c")
    assert incident_is_open(fleet, "unreachable")
    assert change(fleet, recover_after=2) == ["closed unreachable: recovered"]


def test_open_after_that_is_taken_away_opens_at_once() -> None:
    fleet = Fleet(defined(open_after_ms=600_000))
    fleet.fail("a", "b", "c")
    assert change(fleet) == ["opened unreachable"]


@each_type
def test_a_region_that_is_added_is_pending_and_counts_in_the_majority(of: IncidentType) -> None:
    fleet = opened(of)
    given = change(fleet, regions="a b c d e")
    assert not [one for one in given if one.startswith("closed")]
    fleet.remove("db", because="target_changed")
    event = fleet.events[-1]
    assert event.regions["d"].verdict == event.regions["e"].verdict == "pending"
    assert event.votes.configured == 5


@pytest.mark.parametrize("of", ["unreachable", "slow"])
def test_with_regions_added_more_must_succeed_for_the_end(of: IncidentType) -> None:
    fleet = opened(of, regions="a b c")
    change(fleet, regions="a b c d e f")
    answer(fleet, 5.0, "a", "b", "c")  # three of six
    assert incident_is_open(fleet, of)
    answer(fleet, 5.0, "d")
    assert not incident_is_open(fleet, of)


@pytest.mark.parametrize("of", ["unreachable", "slow"])
def test_a_region_taken_away_no_longer_holds_the_end(of: IncidentType) -> None:
    fleet = opened(of)
    answer(fleet, 5.0, "a", "b")
    assert incident_is_open(fleet, of)
    assert change(fleet, regions="a b") == [f"closed {of}: recovered"]


def test_a_region_taken_away_lets_a_flapping_target_be_up_silently() -> None:
    fleet = opened("flapping")
    answer(fleet, 5.0, "a", "b")
    assert change(fleet, regions="a b") == []
    recovered = fleet.now
    while fleet.now + 10_000 < recovered + QUIET_MS:
        answer(fleet, 5.0, "a", "b")
        fleet.wait(9_000).tick()
    assert incident_is_open(fleet, "flapping")
    fleet.now = recovered + QUIET_MS
    fleet.tick()
    assert fleet.events[-1].closed_because == "recovered"


@each_type
def test_a_region_taken_away_while_others_are_in_trouble_ends_nothing(of: IncidentType) -> None:
    fleet = opened(of)
    given = change(fleet, regions="a b")
    assert not [one for one in given if one.startswith("closed")]
    if of != "flapping":
        assert fleet.events[-1].changes == ("c: no longer checks this target",)


@pytest.mark.parametrize("of", ["unreachable", "slow"])
def test_a_region_that_comes_back_begins_anew(of: IncidentType) -> None:
    fleet = opened(of)
    change(fleet, regions="a b")
    change(fleet, version=3, regions="a b c")
    assert fleet.windows()[2] is None
    answer(fleet, 5.0, "a", "b")
    assert not incident_is_open(fleet, of)


def test_a_region_whose_row_began_is_taken_away_with_its_row() -> None:
    fleet = Fleet(defined(latency=LatencyLimit(max_ms=100, for_results=3)))
    answer(fleet, 500.0, "a")
    answer(fleet, 500.0, "a")
    limit = LatencyLimit(max_ms=100, for_results=3)
    change(fleet, regions="b c", latency=limit)
    change(fleet, version=3, latency=limit)
    answer(fleet, 500.0, "a")
    assert not fleet.windows()[0].slow  # type: ignore[union-attr]


def test_regions_in_another_order_keep_their_words() -> None:
    fleet = Fleet(defined())
    answer(fleet, 500.0, "a")
    fleet.wait(SECOND_MS).fail("b")
    answer(fleet, 5.0, "c")
    change(fleet, regions="c b a")
    c, b, a = fleet.windows()
    assert a is not None
    assert b is not None
    assert c is not None
    assert (a.slow, b.down, c.slow, c.down) == (True, True, False, False)


def test_limits_taken_away_end_only_the_slow_one() -> None:
    fleet = opened("slow")
    fleet.wait(SECOND_MS).fail("a", "b", "c")
    assert change(fleet, latency=None) == ["closed slow: policy_changed"]
    assert incident_is_open(fleet, "unreachable")


@pytest.mark.parametrize("of", ["unreachable", "flapping"])
def test_limits_taken_away_leave_the_others(of: IncidentType) -> None:
    fleet = opened(of)
    assert change(fleet, latency=None) == []
    assert incident_is_open(fleet, of)


def test_limits_taken_away_with_the_slow_region_are_one_event() -> None:
    fleet = opened("slow")
    assert change(fleet, latency=None, regions="a") == ["closed slow: policy_changed"]


@each_type
def test_an_older_definition_or_removal_changes_nothing(of: IncidentType) -> None:
    fleet = opened(of, version=20)
    assert change(fleet, version=19, port=1) == []
    before = len(fleet.events)
    fleet.remove("db")
    assert told(fleet, before) == []
    assert incident_is_open(fleet, of)


@each_type
def test_the_same_definition_again_changes_nothing(of: IncidentType) -> None:
    fleet = opened(of)
    fleet.tick()
    chunks = decoder.encode(fleet.state)
    offset = fleet.state.offset
    assert fleet.control(TargetSet(defined())) == []
    fleet.state.offset = offset
    assert decoder.encode(fleet.state) == chunks


@each_type
def test_other_options_of_the_kind_leave_an_incident_and_are_kept(of: IncidentType) -> None:
    fleet = opened(of)
    assert change(fleet, probe=HandshakeProbe(tls="starttls")) == []
    known = fleet.state.targets["db"].target
    assert (known.version, known.probe) == (2, HandshakeProbe(tls="starttls"))
    assert change(fleet, version=3) == []
    assert fleet.state.targets["db"].target.probe is None


# Another policy holds from the moment of the change


def defined_log(**changes: object) -> Log:
    log = Log()
    redefine(log, 1, **changes)
    return log


def redefine(log: Log, version: int, **changes: object) -> None:
    log.control(TargetSet(target(version=version, **changes)))


def test_fewer_retries_say_down_at_that_moment() -> None:
    log = defined_log(retries=5, interval_ms=300_000)
    for _ in range(3):
        log.wait(1_000).fail("a", "b")
    redefine(log, 2, retries=3, interval_ms=300_000)
    assert log.told == []
    redefine(log, 3, retries=2, interval_ms=300_000)
    assert log.told == ["opened"]


def test_fewer_retries_say_nothing_of_what_was_stale() -> None:
    log = defined_log(retries=5)
    for _ in range(3):
        log.wait(1_000).fail("a", "b", "c")
    log.wait(153_001).tick()
    redefine(log, 2, retries=2)
    log.wait(1_000).fail("a", "b", "c")
    assert log.told == []


def test_more_retries_take_nothing_back() -> None:
    log = defined_log()
    log.down("a", "b", "c")
    redefine(log, 2, retries=5)
    log.wait(60_000).fail("a", "b", "c")
    assert log.told.count("opened") == 1
    assert "closed" not in log.told
    assert all(window is not None and window.down for window in log.windows())


def test_a_higher_recover_after_counts_what_succeeded_up_to_the_old_one() -> None:
    log = defined_log()
    log.down("a", "b", "c")
    for _ in range(5):
        log.wait(1_000).up("a", "b")
    redefine(log, 2, recover_after=3)
    log.wait(1_000).up("a", "b")
    for _ in range(2):
        log.wait(1_000).up("c")
    assert "closed" not in log.told
    log.wait(1_000).up("a", "b")
    assert "closed" not in log.told
    log.wait(1_000).up("c")
    assert log.told[-1] == "closed"


def test_a_shorter_interval_makes_stale_what_is_not_heard_in_the_new_time() -> None:
    """A region whose prober was gone stood against an outage for the old 2.5 hours."""
    log = defined_log(consensus="unanimous", interval_ms=3_600_000, timeout_ms=1_000)
    log.up("a", "b", "c")
    log.wait(5_000).down("a", "b")
    redefine(log, 2, consensus="unanimous", interval_ms=10_000, timeout_ms=1_000)
    for _ in range(5):
        log.wait(5_000).fail("a", "b")
    assert log.told == []
    log.wait(1_000).tick()
    log.wait(1).tick()
    log.wait(1_000).tick()
    assert log.told == ["opened"]


def test_a_longer_interval_leaves_time_for_the_next_check() -> None:
    log = defined_log(interval_ms=10_000, timeout_ms=1_000)
    log.up("a", "b", "c")
    log.wait(5_000)
    redefine(log, 2, interval_ms=300_000, timeout_ms=1_000)
    log.wait(600_000).tick()
    said = [window for window in log.windows() if window is not None]
    assert len(said) == 3
    assert all(is_fresh(window, log.state.running) for window in said)


def test_what_is_stale_stays_so_whatever_the_interval() -> None:
    log = defined_log(interval_ms=10_000, timeout_ms=1_000)
    log.up("a", "b", "c")
    log.wait(26_001).tick()
    redefine(log, 2, interval_ms=300_000, timeout_ms=1_000)
    assert not any(is_fresh(window, log.state.running) for window in log.windows() if window)
