"""Why there is or is not an incident: one test a situation."""

import msgspec
import pytest

from schemas.control import Acknowledged, Resolved, TargetPaused, TargetSet
from schemas.target import LatencyLimit
from streams.checkpoint import decoder
from streams.explain import Explanation, RegionExplained, explain
from streams.explain.format import in_a_row, time_of_day
from tests.unit.streams.rules.fleet import Fleet, target

LIMIT = LatencyLimit(max_ms=250, for_results=2)


def beaten(*targets: object, regions: str = "a b c") -> Fleet:
    """A fleet whose probers are heard."""
    fleet = Fleet(*targets or (target(regions=regions),))  # type: ignore[arg-type]
    for region in regions.split():
        fleet.beat(region)
    return fleet


def explained(fleet: Fleet, of: str = "db") -> Explanation:
    found = explain(fleet.state, of)
    assert found is not None
    return found


def region(fleet: Fleet, name: str) -> RegionExplained:
    return next(one for one in explained(fleet).regions if one.region == name)


def slow(fleet: Fleet, *regions: str, ms: float = 300) -> None:
    for name in regions:
        fleet.append([fleet.result(name, connect_ms=ms)])


def test_a_target_that_the_state_does_not_know_has_no_explanation() -> None:
    assert explain(beaten().state, "other") is None


def test_a_target_that_nobody_has_reported_on() -> None:
    found = explained(beaten())
    assert found.status == "pending"
    assert found.headline == "No incident: no region has reported a result that counts yet."
    assert found.would_change == (
        "Nothing opens or closes before 2 of a, b and c have a fresh result that counts.",
    )


def test_an_incident_that_has_improved_says_what_would_worsen_it() -> None:
    fleet = beaten()
    fleet.down("a", "b", "c")
    fleet.wait(5_000).up("a", "b")
    found = explained(fleet)
    assert (found.incidents[0].episode, found.incidents[0].improved) == (1, True)
    assert found.would_change[1:] == (
        (
            "The regions no longer agree that it is down; when they agree again, the incident "
            "worsens (its outage 2), and people are told."
        ),
    )
    fleet.wait(5_000).down("a", "b")
    found = explained(fleet)
    assert (found.incidents[0].episode, found.incidents[0].improved) == (2, False)
    assert len(found.would_change) == 1


def test_all_is_well_and_what_would_open_an_incident() -> None:
    fleet = beaten()
    fleet.up("a", "b", "c")
    found = explained(fleet)
    assert (found.status, found.headline) == ("up", "No incident: it is up.")
    assert found.because == (
        (
            "0 of 3 regions that count say down; 2 are needed "
            "(quorum, and a majority of the 3 configured)."
        ),
    )
    assert found.would_change == ("An incident opens when 2 of a, b and c fail twice in a row.",)


def test_one_region_is_not_enough_and_who_else_would_be() -> None:
    fleet = beaten()
    fleet.up("a", "b", "c")
    fleet.wait(5_000).down("a", reason="timed_out")
    fleet.fail("b")
    found = explained(fleet)
    assert found.status == "up"
    assert found.headline == "No incident: too few regions say that it is down."
    assert found.would_change == (
        "An incident opens when one more of b and c fails twice in a row.",
        "Failed so far: b 1 of 2.",
    )
    assert region(fleet, "a").said.verdict == "down"
    assert (region(fleet, "b").failures, region(fleet, "b").failures_needed) == (1, 2)


def test_the_last_region_that_is_missing_is_named_alone() -> None:
    fleet = beaten(target(consensus="unanimous", retries=0))
    fleet.up("c")
    fleet.down("a", "b")
    assert explained(fleet).would_change == ("An incident opens when c fails once.",)


def test_the_outlook_is_true() -> None:
    """What it says would open an incident does, and what it says would close it does."""
    fleet = beaten()
    fleet.up("a", "b", "c")
    fleet.wait(5_000).down("a")
    assert "one more of b and c fails twice in a row" in explained(fleet).would_change[0]
    fleet.down("b")
    assert fleet.told == ["opened"]
    assert explained(fleet).would_change == ("The incident closes when a and b succeed once.",)
    fleet.wait(1_000).up("a")
    assert explained(fleet).would_change[0] == "The incident closes when b succeeds once."
    fleet.up("b")
    assert fleet.told[-1] == "closed"
    assert explained(fleet).incidents == ()


def test_too_few_fresh_regions_open_and_close_nothing() -> None:
    fleet = beaten()
    fleet.up("a", "b", "c")
    fleet.wait(160_000)
    fleet.up("a")
    found = explained(fleet)
    assert found.status == "unknown"
    assert found.headline == "No incident, and none can open: too few regions have a fresh result."
    assert found.would_change == (
        "Nothing opens or closes before one of b and c has a fresh result that counts.",
    )
    stale = region(fleet, "b")
    assert stale.said.verdict == "stale"
    assert stale.fresh_until is not None
    assert stale.fresh_until < found.at


def test_what_nobody_could_judge_for_five_minutes_is_unwatched() -> None:
    fleet = beaten()
    fleet.up("a", "b", "c")
    at = fleet.now
    for _ in range(5):
        fleet.wait(90_000).up("a")
    # b and c saw it for 153 s.
    fleet.wait(at + 452_999 - fleet.now).tick()
    assert explained(fleet).status == "unknown"
    fleet.wait(1).tick()
    found = explained(fleet)
    assert found.status == "unwatched"
    assert found.headline == (
        "No incident, and none can open: unwatched, too few regions have had a fresh result since "
        "08:02:33 (5 min)."
    )


def test_silence_and_policy_are_told_apart() -> None:
    fleet = beaten()
    fleet.up("a", "b", "c")
    for _ in range(2):
        fleet.wait(5_000)
        fleet.beat("b")
        fleet.beat("c")
    fleet.wait(5_000).tick()
    assert any("a is silent since" in sentence for sentence in explained(fleet).because)
    assert region(fleet, "a").silent_since is not None
    while fleet.now < (region(fleet, "c").fresh_until or 0):
        fleet.wait(5_000).beat("c")
    fleet.wait(5_000).beat("c")
    assert any(
        "c has no fresh result, though its probers report" in sentence
        for sentence in explained(fleet).because
    )


def test_a_region_that_was_never_heard_is_said() -> None:
    assert "No prober of a, b and c has ever been heard." in explained(Fleet(target())).because


def test_open_after_holds_it_back_until_a_time() -> None:
    fleet = beaten(target(open_after_ms=60_000))
    fleet.down("a", "b", "c")
    found = explained(fleet)
    assert found.status == "down"
    assert "open_after runs" in found.headline
    assert "(in 59 s)" in found.would_change[0]
    fleet.wait(59_000).tick()
    assert fleet.told == ["opened"]


def test_what_was_resolved_by_hand_does_not_open_at_once() -> None:
    fleet = beaten()
    fleet.down("a", "b", "c")
    incident = explained(fleet).incidents[0]
    fleet.control(Resolved(target="db", incident_id=incident.incident_id, by="me"))
    found = explained(fleet)
    assert found.incidents == ()
    assert "resolved by hand" in found.headline
    assert found.would_change == (
        (
            "The last incident was resolved by hand: none opens before the regions agree once "
            "that the target is not down."
        ),
    )


def test_who_resolved_what_is_still_down_is_said_with_the_note() -> None:
    fleet = beaten()
    fleet.down("a", "b", "c")
    incident = explained(fleet).incidents[0].incident_id
    resolved_at = fleet.now
    fleet.control(
        Resolved(target="db", incident_id=incident, by="ann", note="the host is gone for good")
    )
    fleet.wait(60_000).fail("a", "b", "c")
    fleet.state = fleet.restored()
    found = explained(fleet)
    assert found.status == "down"
    assert found.headline == (
        "No incident, though it is still not reachable: resolved by hand by ann at "
        f"{time_of_day(resolved_at)} (60 s ago), who wrote: the host is gone for good."
    )
    [resolved] = found.resolved
    assert (resolved.incident_type, resolved.by, resolved.at, resolved.note) == (
        "unreachable",
        "ann",
        resolved_at,
        "the host is gone for good",
    )
    fleet.wait(1_000).up("a", "b", "c")
    found = explained(fleet)
    assert (found.headline, found.resolved) == ("No incident: it is up.", ())
    assert fleet.state.targets["db"].trouble is None


def test_a_checkpoint_of_0_1_does_not_have_who_resolved() -> None:
    fleet = beaten()
    fleet.down("a", "b", "c")
    incident = explained(fleet).incidents[0].incident_id
    fleet.control(Resolved(target="db", incident_id=incident, by="ann"))
    fleet.state.targets["db"].troubled().held_by = None
    found = explained(fleet)
    assert found.headline == "No incident, though it is still not reachable: resolved by hand."
    assert [(one.by, one.at, one.note) for one in found.resolved] == [(None, None, None)]


def test_who_resolved_what_is_still_slow_is_said() -> None:
    fleet = beaten(target(latency=LatencyLimit(max_ms=100, for_results=1)))
    fleet.up("a", "b", "c", connect_ms=300.0)
    incident = explained(fleet).incidents[0].incident_id
    fleet.control(Resolved(target="db", incident_id=incident, by="ann"))
    found = explained(fleet)
    assert "it is slow: resolved by hand by ann at " in found.headline
    assert [(one.incident_type, one.by, one.note) for one in found.resolved] == [
        ("slow", "ann", None)
    ]
    fleet.wait(1_000).up("a", "b", "c", connect_ms=3.0)
    assert explained(fleet).resolved == ()


def test_an_open_incident_has_its_diagnosis_and_who_has_seen_it() -> None:
    fleet = beaten()
    fleet.down("a", "b", "c")
    incident = explained(fleet).incidents[0]
    fleet.control(
        Acknowledged(target="db", incident_id=incident.incident_id, by="me", note="on it")
    )
    incident = explained(fleet).incidents[0]
    assert (incident.acknowledged_by, incident.acknowledged_note) == ("me", "on it")
    assert incident.likely == "service_down"
    assert incident.sentence is not None
    assert "nothing listens on 5432" in incident.sentence
    assert incident.first_steps == fleet.events[0].first_steps


def test_several_successes_are_counted_down() -> None:
    fleet = beaten(target(recover_after=3))
    fleet.down("a", "b", "c")
    fleet.wait(1_000).up("a")
    assert explained(fleet).would_change == (
        "The incident closes when a succeeds twice in a row, and b and c succeed 3 times in a row.",
    )


def test_a_region_that_fell_silent_with_down_is_waited_for() -> None:
    fleet = beaten()
    fleet.down("a", "b", "c")
    fleet.wait(160_000).up("a", "b")
    told = explained(fleet).would_change[0]
    assert "c succeeds (its last word is down; if it stays without a result" in told
    until = region(fleet, "c").waited_until
    assert until is not None
    while fleet.told[-1] != "closed":
        assert fleet.now < until + 10_000
        fleet.wait(30_000).up("a", "b")
        fleet.tick()
    assert fleet.now >= until


def test_an_incident_that_too_few_regions_see_may_close_without_the_one_that_fell_silent() -> None:
    fleet = beaten(target(regions="a b"), regions="a b")
    fleet.down("a", "b")
    fleet.wait(160_000).fail("a")
    opens, closes = explained(fleet).would_change
    assert opens == "Nothing else opens before b has a fresh result that counts."
    assert closes.startswith(
        "The incident closes when a succeeds once, and b succeeds (its last word is down; if it "
        "stays without a result it is waited for until "
    )
    assert "reported" not in closes
    until = region(fleet, "b").waited_until
    assert until is not None
    while fleet.told[-1] != "closed":
        assert fleet.now < until + 40_000
        fleet.wait(30_000).up("a")
        fleet.tick()
    assert fleet.now >= until


def test_the_last_recheck_is_remembered_for_a_while() -> None:
    fleet = beaten()
    fleet.fail("a")
    recheck = explained(fleet).recheck
    assert recheck is not None
    assert recheck.asked_at == fleet.now
    fleet.wait(10_000).tick()
    assert explained(fleet).recheck is None


def test_slowness_has_an_outlook_of_its_own() -> None:
    fleet = beaten(target(latency=LIMIT))
    slow(fleet, "a", "b", "c", ms=10)
    assert explained(fleet).would_change[-1] == (
        "One for slowness opens when 2 of a, b and c get answers above 250 ms twice in a row."
    )
    for _ in range(2):
        slow(fleet.wait(60_000), "a", "b")
        slow(fleet, "c", ms=10)
    found = explained(fleet)
    assert [one.incident_type for one in found.incidents] == ["slow"]
    assert found.status == "slow"
    assert found.would_change[-1] == (
        "The one for slowness closes when a and b answer quickly twice in a row."
    )
    slow(fleet.wait(60_000), "a", "b", "c", ms=10)
    assert explained(fleet).would_change[-1] == (
        "The one for slowness closes when a and b answer quickly once."
    )
    slow(fleet.wait(60_000), "a", "b", "c", ms=10)
    assert fleet.told[-1] == "closed"


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (
            LatencyLimit(times_usual=3, for_results=2),
            "get answers above 3 times the usual time twice in a row.",
        ),
        (
            LatencyLimit(max_ms=250, times_usual=2.5, for_results=1),
            "get answers above 250 ms or 2.5 times the usual time once.",
        ),
        (
            LatencyLimit(max_ms=250, warn_ahead_ms=86_400_000, for_results=2),
            "get answers above 250 ms twice in a row, or when they rise so that {}.",
        ),
    ],
)
def test_learned_limits_are_said_as_they_are(limit: LatencyLimit, said: str) -> None:
    said = said.format("250 ms would be reached within 24 h")
    fleet = beaten(target(latency=limit))
    slow(fleet, "a", "b", "c", ms=10)
    assert explained(fleet).would_change[-1] == (
        f"One for slowness opens when 2 of a, b and c {said}"
    )


def test_a_rise_ends_when_it_rises_no_more() -> None:
    limit = LatencyLimit(max_ms=250, warn_ahead_ms=86_400_000, for_results=2)
    fleet = beaten(target(latency=limit))
    slow(fleet, "a", "b", "c", ms=10)
    fleet.wait(86_400_000, broker_away=True).tick()
    for _ in range(80):
        slow(fleet.wait(5_000), "a", "b", "c", ms=200)
    found = explained(fleet)
    assert [one.incident_type for one in found.incidents] == ["slow"]
    assert str(found.regions[0].said.detail).startswith("rising: 250 ms in about ")
    assert found.would_change[-1] == (
        "The one for slowness closes when a, b and c rise no more twice in a row."
    )


def test_flapping_says_how_often_and_until_when() -> None:
    fleet = beaten()
    fleet.up("a", "b", "c")
    for _ in range(3):
        fleet.wait(10_000).down("a", "b", "c")
        fleet.wait(10_000).up("a", "b", "c")
    found = explained(fleet)
    assert (found.flapping.transitions, found.flapping.limit) == (6, 6)
    assert any("It went down or up 6 times" in sentence for sentence in found.because)
    fleet.wait(10_000).down("a", "b", "c")
    found = explained(fleet)
    assert [one.incident_type for one in found.incidents] == ["flapping"]
    assert "The flapping ends when it stays down until" in found.would_change[0]
    assert "(30 min from now)" in found.would_change[0]


def test_slow_flapping_is_over_after_two_hours_and_says_so() -> None:
    fleet = beaten()
    fleet.up("a", "b", "c")
    for _ in range(7):
        for _ in range(25):
            fleet.wait(60_000).up("a", "b", "c")
        fleet.wait(10_000).down("a", "b", "c")
        fleet.wait(10_000).up("a", "b", "c")
    found = explained(fleet)
    assert [one.incident_type for one in found.incidents] == ["flapping"]
    assert (found.flapping.slow_transitions, found.flapping.slow_limit) == (13, 12)
    assert any("13 times within the last 6 hours" in sentence for sentence in found.because)
    assert "(2 h from now)" in found.would_change[0]


def test_a_silent_region_is_not_asked() -> None:
    fleet = beaten(target(consensus="unanimous", interval_ms=300_000))
    fleet.up("a", "b", "c")
    for _ in range(3):
        fleet.wait(5_000)
        fleet.beat("a")
        fleet.beat("b")
    assert explained(fleet).would_change == ("An incident opens when a and b fail twice in a row.",)


def test_a_region_that_is_set_aside_is_said() -> None:
    fleet = beaten()
    fleet.up("a", "b", "c")
    for _ in range(3):
        fleet.beat("a", targets=100, failing=90, newly_failing=90)
        fleet.wait(5_000)
        fleet.beat("b", targets=100)
        fleet.beat("c", targets=100)
    assert region(fleet, "a").said.set_aside
    assert not region(fleet, "a").counts
    assert any("a is set aside" in sentence for sentence in explained(fleet).because)


def test_others_of_the_host_and_the_whole_target_are_there() -> None:
    fleet = beaten(target(purpose="orders"), target("ssh", port=22))
    fleet.up("a", "b", "c", of="ssh")
    found = explained(fleet)
    assert found.target.purpose == "orders"
    assert [(one.target, one.status) for one in found.host_targets] == [("ssh", "up")]


def test_it_changes_nothing_and_survives_a_restart() -> None:
    fleet = beaten(target(latency=LIMIT))
    fleet.down("a", "b")
    before = decoder.encode(fleet.state)
    first = explained(fleet)
    assert decoder.encode(fleet.state) == before
    assert explain(fleet.restored(), "db") == first
    assert msgspec.json.decode(msgspec.json.encode(first), type=Explanation) == first


def test_a_new_policy_is_the_one_that_counts() -> None:
    fleet = beaten()
    fleet.up("a", "b", "c")
    fleet.control(TargetSet(target(version=2, retries=3, consensus=0.9)))
    assert explained(fleet).would_change == (
        "An incident opens when a, b and c fail 4 times in a row.",
    )


def test_once_is_no_row() -> None:
    assert [in_a_row(1), in_a_row(2), in_a_row(5)] == ["once", "twice in a row", "5 times in a row"]


def test_a_paused_target_says_by_whom_until_when_and_why() -> None:
    fleet = beaten()
    fleet.down("a", "b", "c")
    until = fleet.now + 3_600_000
    fleet.control(TargetPaused(target="db", until=until, by="ann", note="disk is replaced"))
    found = explained(fleet)
    assert (found.status, found.incidents, found.regions) == ("paused", (), ())
    assert found.headline == (
        "No incident, and none can open: paused by ann until 2027-01-15 09:00:01 UTC: "
        "disk is replaced"
    )
    assert found.would_change == (
        (
            "It is judged again, as a new target, from 2027-01-15 09:00:01 UTC on, or after "
            "`portquorum target resume db`."
        ),
    )
    assert found.paused is not None
    assert (found.paused.by, found.paused.until) == ("ann", until)


def test_a_paused_target_without_an_end() -> None:
    fleet = beaten(target(enabled=False))
    fleet.control(TargetPaused(target="db", until=None, by="ann"))
    found = explained(fleet)
    assert found.headline.endswith(": paused by ann until it is resumed")
    assert found.would_change[0].endswith(
        "after `portquorum target resume db`, and with `enabled: true` in test."
    )


def test_a_disabled_target_names_its_inventory() -> None:
    found = explained(beaten(target(enabled=False)))
    assert found.headline.endswith(": disabled in test (`enabled: false`).")
    assert found.would_change == (
        "It is judged again, as a new target, with `enabled: true` in test.",
    )


def test_a_pause_of_an_unknown_target_explains_nothing() -> None:
    fleet = beaten()
    fleet.control(TargetPaused(target="other", until=None, by="ann"))
    assert explain(fleet.state, "other") is None
