"""Rules 1, 2, 5, 6: what counts, when an incident opens and when it closes."""

import pytest
from msgspec import UNSET

from schemas.control import Acknowledged, Resolved, TargetSet
from streams.rules.consensus import majority, need
from tests.unit.streams.rules.fleet import START, Fleet, target


@pytest.mark.parametrize(
    ("fresh", "votes"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5)]
)
def test_a_quorum_is_66_percent_rounded_up(fresh: int, votes: int) -> None:
    assert need("quorum", fresh) == votes


def test_a_fraction_is_the_decimal_that_was_written() -> None:
    assert need(0.7, 10) == 7  # in binary floats 0.7 * 10 rounds up to 8
    assert need(0.5, 4) == 2
    assert need(1.0, 5) == 5
    assert [majority(n) for n in (1, 2, 3, 4, 5)] == [1, 2, 2, 3, 3]


def test_one_failed_attempt_opens_nothing() -> None:
    fleet = Fleet(target())
    fleet.up("a", "b", "c")
    fleet.wait(60_000).fail("a", "b", "c")
    assert fleet.told == []


def test_a_quorum_of_confirmed_failures_opens_one_incident() -> None:
    fleet = Fleet(target())
    fleet.up("a", "b", "c")
    began = fleet.wait(60_000).now
    fleet.down("a", "b", "c")
    assert fleet.told == ["opened", "updated"]
    opened = fleet.events[0]
    assert (opened.votes.down, opened.votes.need, opened.votes.configured) == (2, 2, 3)
    assert opened.first_failed_at == began
    assert opened.opened_at == began + 1000
    assert opened.regions["a"].reason == "connection_refused"
    assert opened.regions["c"].verdict == "up"
    assert fleet.events[1].changes == ("c: Connection refused",)


def test_one_region_of_three_opens_nothing() -> None:
    fleet = Fleet(target())
    fleet.up("a", "b", "c")
    fleet.wait(60_000).down("a", reason="timed_out")
    fleet.up("b", "c")
    for _ in range(10):
        fleet.wait(30_000).down("a", reason="timed_out")
        fleet.up("b", "c")
        fleet.beat("b")
    assert fleet.told == []


def test_two_of_four_open_nothing_and_three_open_one() -> None:
    fleet = Fleet(target(regions="a b c d"))
    fleet.up("a", "b", "c", "d")
    fleet.wait(60_000).down("a", "b")
    assert fleet.told == []
    fleet.down("c")
    assert fleet.told == ["opened"]


def test_unanimous_is_prevented_by_one_fresh_success() -> None:
    fleet = Fleet(target(consensus="unanimous"))
    fleet.up("a", "b", "c")
    fleet.wait(60_000).down("a", "b")
    assert fleet.told == []
    fleet.down("c")
    assert fleet.told == ["opened"]


def test_retries_must_be_apart() -> None:
    fleet = Fleet(target(regions="a"))
    fleet.fail("a")
    fleet.wait(500).fail("a")
    assert fleet.told == []
    fleet.wait(300).fail("a")  # 800 ms = 0.8 × retry_delay after the one that counted
    assert fleet.told == ["opened"]


def test_no_retries_means_the_first_failure_is_the_verdict() -> None:
    fleet = Fleet(target(regions="a", retries=0))
    fleet.fail("a")
    assert fleet.told == ["opened"]


def test_a_success_between_failures_starts_the_row_anew() -> None:
    fleet = Fleet(target(regions="a"))
    fleet.fail("a")
    fleet.wait(1000).up("a")
    fleet.wait(1000).fail("a")
    assert fleet.told == []


def test_late_and_doubled_results_move_nothing() -> None:
    fleet = Fleet(target(regions="a"))
    fleet.up("a")
    late = fleet.result("a", "timed_out", ago=2000)
    fleet.append([late, late, late])
    doubled = fleet.result("a", "timed_out", ago=-10)
    fleet.wait(10).append([doubled, doubled, doubled])
    assert fleet.told == []
    assert fleet.windows()[0].failing.count == 1  # type: ignore[union-attr]


def test_a_result_that_waited_in_a_spool_is_history() -> None:
    fleet = Fleet(target(regions="a", retries=0))
    fleet.wait(600_000)
    fleet.append([fleet.result("a", "timed_out", ago=3_000 + 15_000)])
    assert fleet.told == []
    assert fleet.windows() == [None]


def test_a_time_ahead_of_the_log_is_cut_to_it() -> None:
    fleet = Fleet(target(regions="a", retries=0))
    fleet.append([fleet.result("a", "timed_out", ago=-15_000)])
    assert fleet.events[0].first_failed_at == fleet.now


def test_a_start_that_lies_far_ahead_of_its_append_time_is_history() -> None:
    fleet = Fleet(target(regions="a", retries=0))
    fleet.append([fleet.result("a", "timed_out", ago=-15_001)])
    assert fleet.windows() == [None]
    fleet.wait(1000).fail("a")
    assert fleet.told == ["opened"]


def test_a_copy_of_what_was_ahead_never_counts_again() -> None:
    fleet = Fleet(target(regions="a"))
    ahead = fleet.result("a", "timed_out", ago=-5_000)
    fleet.append([ahead])
    fleet.wait(1000).fail("a")  # its clock is right again, the start is smaller
    for _ in range(7):
        fleet.wait(1000).append([ahead])
    assert fleet.told == []
    fleet.fail("a")  # after all that counted: another failure, and the second one
    assert fleet.told == ["opened"]


def test_a_copy_of_what_was_ahead_does_not_count_after_the_windows_began_anew() -> None:
    fleet = Fleet(target(regions="a", retries=0))
    ahead = fleet.result("a", "timed_out", ago=-10_000)
    fleet.append([ahead])
    fleet.control(TargetSet(target(regions="a", retries=0, port=1, version=2)))
    fleet.control(TargetSet(target(regions="a", retries=0, version=3)))
    fleet.wait(5_000).append([ahead])
    fleet.wait(6_000).append([ahead])
    assert fleet.told == ["opened", "closed"]


def test_what_a_checkpoint_of_before_kept_far_ahead_blinds_nobody() -> None:
    fleet = Fleet(target(regions="a", retries=0))
    fleet.up("a")
    fleet.state.columns.ahead[fleet.state.targets["db"].slot] = START + 3_600_000
    fleet.state = fleet.restored()
    fleet.wait(1000).fail("a")
    assert fleet.told == ["opened"]


@pytest.mark.parametrize("reason", ["prober_error", "address_blocked"])
def test_our_own_faults_count_for_nothing(reason: str) -> None:
    fleet = Fleet(target(regions="a", retries=0))
    fleet.append([fleet.result("a", reason, missed=True)])  # type: ignore[arg-type]
    fleet.wait(1).append([fleet.result("a", reason)])  # type: ignore[arg-type]
    assert fleet.told == []
    assert fleet.windows() == [None]


@pytest.mark.parametrize("other", [{"port": 1}, {"host": "other"}, {"kind": "udp"}])
def test_a_result_about_another_place_is_history(other: dict[str, object]) -> None:
    fleet = Fleet(target(regions="a", retries=0))
    fleet.append([fleet.result("a", "timed_out", **other)])
    assert fleet.told == []


def test_results_of_unknown_targets_and_regions_are_history() -> None:
    fleet = Fleet(target(regions="a", retries=0))
    fleet.append([fleet.result("z", "timed_out"), fleet.result("a", "timed_out", of="x")])
    assert fleet.told == []


def test_it_closes_only_when_the_last_region_succeeds() -> None:
    fleet = Fleet(target())
    fleet.down("a", "b", "c")
    fleet.wait(5000).up("a")
    assert fleet.told[-1] == "updated"
    fleet.up("b")
    assert fleet.told[-1] == "improved"
    fleet.up("c")
    closed = fleet.events[-1]
    assert (closed.event, closed.closed_because) == ("closed", "recovered")
    assert closed.closed_at == fleet.now
    assert len({event.incident_id for event in fleet.events}) == 1
    assert len({event.event_id for event in fleet.events}) == len(fleet.events)


def test_recover_after_wants_more_successes_of_each_region() -> None:
    fleet = Fleet(target(regions="a b", recover_after=2))
    fleet.down("a", "b")
    fleet.wait(1000).up("a", "b")
    assert fleet.told[-1] == "updated"
    fleet.wait(1000).up("a", "b")
    assert fleet.told[-1] == "closed"


def test_a_region_that_was_down_and_fell_silent_blocks_until_abandoned() -> None:
    fleet = Fleet(target())
    fleet.down("a", "b", "c")
    for _ in range(4):
        fleet.wait(60_000).up("a", "b")
        fleet.beat("a")
    assert fleet.told[-1] == "updated"
    assert fleet.events[-1].regions["c"].verdict == "stale"
    while "closed" not in fleet.told and fleet.now < START + 10_000_000:
        fleet.wait(10_000).up("a", "b")
        fleet.beat("a")
    closed = fleet.events[-1]
    assert closed.abandoned_regions == ("c",)
    # c's last word was at 1 s; stale after 153 s; given up 30 min later; looked at every 10 s.
    assert 0 <= fleet.now - (START + 1000 + 153_000 + 1_800_000) <= 10_000


def test_a_silent_region_that_was_up_does_not_block() -> None:
    fleet = Fleet(target())
    fleet.up("a", "b", "c")
    fleet.down("a", "b")
    for _ in range(6):
        fleet.wait(30_000).fail("a", "b")
    fleet.wait(1000).up("a", "b")
    assert fleet.told[-1] == "closed"


def test_too_few_fresh_regions_neither_open_nor_close() -> None:
    fleet = Fleet(target())
    fleet.up("a", "b", "c")
    for _ in range(4):
        fleet.wait(60_000).down("a")
        fleet.beat("a")
    assert fleet.told == []  # one fresh region of three: unknown


def test_removing_the_blocking_region_closes() -> None:
    fleet = Fleet(target())
    fleet.down("a", "b", "c")
    fleet.wait(1000).up("a", "b")
    fleet.control(TargetSet(target(regions="a b", version=2)))
    assert fleet.told[-1] == "closed"


def test_open_after_holds_an_opening() -> None:
    fleet = Fleet(target(regions="a", open_after_ms=120_000))
    fleet.down("a")
    for _ in range(3):
        fleet.wait(30_000).fail("a")
        fleet.tick()
    assert fleet.told == []
    fleet.wait(30_000).tick()
    assert fleet.told == ["opened"]


def test_a_broker_gap_moves_all_deadlines() -> None:
    fleet = Fleet(target(regions="a", open_after_ms=120_000))
    fleet.beat("a")
    fleet.down("a")
    fleet.wait(3_600_000, broker_away=True).beat("a")
    assert fleet.told == []
    assert fleet.region_events == []
    assert fleet.windows()[0].down  # type: ignore[union-attr]


def test_removal_and_another_place_close_with_their_reason() -> None:
    fleet = Fleet(target(), target("other", port=1))
    fleet.down("a", "b")
    fleet.control(TargetSet(target(port=5433, version=2)))
    assert fleet.events[-1].closed_because == "target_changed"
    assert fleet.events[-1].port == 5432
    fleet.wait(1).down("a", "b")
    fleet.remove("db")
    assert fleet.events[-1].closed_because == "target_removed"
    assert "db" not in fleet.state.targets
    assert fleet.told.count("opened") == fleet.told.count("closed") == 2


def test_a_removal_older_than_the_definition_is_ignored() -> None:
    fleet = Fleet(target(version=20))
    fleet.remove("db")
    assert "db" in fleet.state.targets


def test_what_is_said_again_within_the_same_millisecond_has_an_id_of_its_own() -> None:
    fleet = Fleet(target())
    fleet.down("a", "b", "c")
    incident_id = fleet.events[-1].incident_id
    now, told = fleet.wait(1_000).now, []
    for by in ("ann", "bob", "ann"):
        fleet.now = now
        told += fleet.control(Acknowledged(target="db", incident_id=incident_id, by=by))
    assert [(one.acknowledged_by, one.at) for one in told] == [
        ("ann", now),
        ("bob", now),
        ("ann", now),
    ]
    assert len({one.event_id for one in told}) == 3


def test_acknowledge_and_resolve_by_hand() -> None:
    fleet = Fleet(target(regions="a"))
    fleet.down("a")
    incident = fleet.events[0].incident_id
    fleet.control(Acknowledged(target="db", incident_id="another", by="eve"))
    fleet.control(Acknowledged(target="db", incident_id=incident, by="ann"))
    assert fleet.events[-1].acknowledged_by == "ann"
    fleet.control(Resolved(target="db", incident_id=incident, by="ann"))
    assert fleet.events[-1].closed_because == "resolved"
    fleet.wait(60_000).down("a")
    assert fleet.told == ["opened", "updated", "closed"]  # the same outage opens nothing again
    fleet.wait(60_000).up("a")
    fleet.wait(60_000).down("a")
    assert fleet.told[-1] == "opened"


def test_what_was_written_with_an_acknowledgement_goes_with_it() -> None:
    fleet = Fleet(target(regions="a"))
    fleet.down("a")
    incident = fleet.events[0].incident_id
    said = [
        ("ann", None),
        ("ann", "on it"),
        ("ann", "on it"),  # the same record twice
        ("ann", None),  # takes nothing back
        ("ann", "the disk is full"),
        ("bob", None),  # somebody else: whose note was it?
        ("eve", "I was there first"),
    ]
    for by, note in said:
        fleet.control(Acknowledged(target="db", incident_id=incident, by=by, note=note))
    fleet.state = fleet.restored()
    fleet.wait(60_000).up("a")
    assert [(one.event, one.acknowledged_by, one.acknowledged_note) for one in fleet.events] == [
        ("opened", None, UNSET),
        ("updated", "ann", UNSET),
        ("updated", "ann", "on it"),
        ("updated", "ann", "the disk is full"),
        ("updated", "bob", UNSET),
        ("updated", "eve", "I was there first"),
        ("closed", "eve", "I was there first"),
    ]
    assert [one.changes for one in fleet.events[1:-1]] == [
        ("acknowledged by ann",),
        ("acknowledged by ann: on it",),
        ("acknowledged by ann: the disk is full",),
        ("acknowledged by bob",),
        ("acknowledged by eve: I was there first",),
    ]
    assert all((one.resolved_by, one.resolved_note) == (UNSET, UNSET) for one in fleet.events)


@pytest.mark.parametrize("note", [None, "", "the host is gone for good"])
def test_who_resolved_an_incident_and_the_note_stand_in_its_last_event(note: str | None) -> None:
    fleet = Fleet(target(regions="a"))
    fleet.down("a")
    incident = fleet.events[0].incident_id
    fleet.control(Acknowledged(target="db", incident_id=incident, by="ann", note="on it"))
    fleet.control(Resolved(target="db", incident_id=incident, by="bob", note=note))
    closed = fleet.events[-1]
    assert (closed.acknowledged_by, closed.acknowledged_note) == ("ann", "on it")
    assert (closed.resolved_by, closed.resolved_note) == ("bob", note or UNSET)
    fleet.wait(60_000).up("a")
    fleet.wait(60_000).down("a")
    opened = fleet.events[-1]
    assert (opened.event, opened.resolved_by, opened.acknowledged_note) == ("opened", UNSET, UNSET)


def test_the_diagnosis_looks_at_the_other_ports_of_the_host() -> None:
    fleet = Fleet(target(), target("ssh", port=22))
    fleet.up("a", "b", "c", of="ssh")
    fleet.down("a", "b", "c")
    assert "the service is down" in fleet.events[0].summary
    assert [(t.target, t.status) for t in fleet.events[0].host_targets] == [("ssh", "up")]
    fleet.down("a", "b", "c", of="ssh")
    fleet.wait(1000).tick()
    assert "none of its 2 watched ports accepts" in fleet.events[-1].summary
    assert (fleet.events[-1].target, fleet.events[-1].event) == ("db", "updated")


def test_a_dead_host_is_said_at_once() -> None:
    fleet = Fleet(target(), target("ssh", port=22))
    both = ("db", "ssh")
    for of in both:
        fleet.fail("a", "b", "c", of=of, reason="timed_out")
    fleet.wait(1000)
    fleet.fail("a", "b", "c", of="db", reason="timed_out", cause="retry")
    assert "None of the host's 2 watched targets can be reached" in fleet.events[0].summary


def test_a_doubled_result_opens_nothing_after_the_windows_began_anew() -> None:
    fleet = Fleet(target(regions="a", retries=0))
    fleet.fail("a")
    doubled = fleet.log[-1].results
    fleet.wait(1000).control(TargetSet(target(regions="a", retries=0, port=1, version=2)))
    fleet.wait(1000).control(TargetSet(target(regions="a", retries=0, version=3)))
    fleet.append(doubled)
    fleet.remove("db")
    fleet.wait(1000).control(TargetSet(target(regions="a", retries=0, version=20)))
    fleet.append(doubled)
    assert fleet.told == ["opened", "closed"]


def test_a_region_that_stays_still_counts_what_is_newer_for_it() -> None:
    fleet = Fleet(target(retries=0))
    fleet.up("a", "b", "c")
    fleet.wait(60_000).up("c")
    fleet.control(TargetSet(target(regions="a b", retries=0, version=2)))
    # They began before the last word of the region that left, and ended after it.
    fleet.append([fleet.result(region, "timed_out", ago=3_000) for region in "ab"])
    assert fleet.told == ["opened"]


def test_a_doubled_result_ahead_of_the_log_counts_once() -> None:
    fleet = Fleet(target(regions="a"))
    ahead = fleet.result("a", "timed_out", ago=-15_000)
    fleet.append([ahead])
    fleet.wait(1000).append([ahead])
    assert fleet.told == []


def test_a_drained_spool_wakes_nobody() -> None:
    """The broker is away for 5 min; the target is down for 3 of them, and up again at the end."""
    fleet = Fleet(target(interval_ms=300_000))
    fleet.up("a", "b", "c")
    fleet.beat("a")
    spool = {
        region: [
            fleet.result(region, reason, ago=-at, attempt=0)
            for at, reason in (
                (60_000, "connection_refused"),
                (61_000, "connection_refused"),
                (120_000, "connection_refused"),
                (240_000, None),
            )
        ]
        for region in "abc"
    }
    fleet.wait(300_000, broker_away=True)
    for region in "abc":
        fleet.append(spool[region])
    fleet.up("a", "b", "c")
    fleet.beat("a")
    assert fleet.told == []


def test_what_is_resolved_when_all_is_well_mutes_nothing() -> None:
    """The outage began before deadlines were looked at again: nobody was told of it."""
    fleet = Fleet(target(retries=0, abandon_after_ms=7_200_000))
    fleet.wait(5_000).fail("a", "b", "c")
    incident = fleet.events[-1].incident_id
    fleet.wait(200_000).up("a", "b")  # c has been stale since, its last word is down
    fleet.tick()
    assert fleet.told[-1] != "closed"
    fleet.wait(100).control(Resolved(target="db", incident_id=incident, by="ann"))
    assert not fleet.state.targets["db"].held
    fleet.wait(100).fail("a", "b")
    assert fleet.told[-2:] == ["closed", "opened"]


def test_a_failure_within_a_gap_began_when_the_running_clock_stood() -> None:
    fleet = Fleet(target(regions="a", retries=0, open_after_ms=60_000))
    fleet.beat("a")
    fleet.wait(120_000, broker_away=True)
    fleet.append([fleet.result("a", "timed_out", ago=17_000)])
    assert fleet.told == []
    fleet.wait(50_000).fail("a")
    fleet.tick()
    assert fleet.told == []
    fleet.wait(10_000).tick()
    assert fleet.told == ["opened"]


def test_one_region_that_failed_for_long_is_not_the_begin_of_the_outage() -> None:
    fleet = Fleet(target(open_after_ms=60_000))
    fleet.up("a", "b", "c")
    fleet.down("a")
    for _ in range(60):
        fleet.wait(10_000).fail("a")
        fleet.up("b", "c")
    began = fleet.wait(1000).now
    fleet.down("b")
    fleet.tick()
    assert fleet.told == []
    for _ in range(6):
        fleet.wait(10_000).fail("a", "b")
    fleet.tick()
    assert fleet.told == ["opened"]
    assert fleet.events[0].first_failed_at == began


def test_one_control_record_gives_one_event_of_an_incident() -> None:
    fleet = Fleet(target(abandon_after_ms=10_000))
    fleet.down("a", "b", "c")
    incident = fleet.events[0].incident_id
    fleet.wait(1000).up("a", "b")
    while fleet.now < START + 1000 + 153_000 + 5_000:
        fleet.wait(5000).up("a", "b")
        fleet.tick()
    fleet.now = START + 1000 + 153_000 + 10_100
    given = fleet.control(Acknowledged(target="db", incident_id=incident, by="ann"))
    assert [event.event for event in given] == ["closed"]  # type: ignore[union-attr]
    assert fleet.events[-1].acknowledged_by == "ann"


def test_a_resolved_incident_stays_so_while_nothing_is_known() -> None:
    fleet = Fleet(target(regions="a"))
    fleet.down("a")
    fleet.control(Resolved(target="db", incident_id=fleet.events[0].incident_id, by="ann"))
    fleet.wait(300_000).tick()  # stale: unknown
    fleet.down("a")
    assert fleet.told == ["opened", "closed"]


def test_a_region_named_twice_votes_once() -> None:
    fleet = Fleet(target(regions="a b"))
    fleet.control(TargetSet(target(regions="a a b", version=2)))
    fleet.down("a")
    assert fleet.told == []
    assert len(fleet.windows()) == 2


def test_a_host_of_many_ports_is_looked_at_once_a_change() -> None:
    ports = 100
    fleet = Fleet(*(target(f"p{n}", port=n + 1) for n in range(ports)))
    names = [f"p{n}" for n in range(ports)]
    for cause in ("schedule", "retry"):
        for region in "abc":
            fleet.append([fleet.result(region, "timed_out", of=of, cause=cause) for of in names])
        fleet.wait(1000)
    assert fleet.told.count("opened") == ports
    assert "host is down" in fleet.events[-1].summary


def test_a_recovering_region_is_no_new_diagnosis() -> None:
    fleet = Fleet(target())
    fleet.down("a", "b", "c")
    fleet.wait(5000).up("a")
    update = fleet.events[-1]
    assert update.changes == ("a: succeeds",)
    assert update.summary == (
        "db1.example.com:5432 is reachable again from a; "
        "not yet from b (Connection refused), c (Connection refused)."
    )


def test_one_failure_after_a_pause_is_one_failure() -> None:
    fleet = Fleet(target(regions="a"))
    fleet.up("a")
    fleet.wait(60_000).fail("a")
    fleet.wait(5 * 3_600_000).fail("a")
    assert fleet.told == []
    began = fleet.now
    fleet.wait(1000).fail("a")
    assert fleet.told == ["opened"]
    assert fleet.events[0].first_failed_at == began


def test_a_row_goes_on_while_its_region_is_fresh() -> None:
    fleet = Fleet(target(regions="a"))
    fleet.fail("a")
    fleet.wait(153_000).fail("a")  # 2.5 × 60 s + 3 s
    assert fleet.told == ["opened"]
    assert fleet.events[0].first_failed_at == START


def test_open_after_counts_no_time_in_which_nobody_looked() -> None:
    fleet = Fleet(target(regions="a", open_after_ms=600_000))
    fleet.down("a")
    fleet.wait(3_600_000).down("a")
    fleet.tick()
    assert fleet.told == []
    for _ in range(11):
        fleet.wait(60_000).fail("a")
        fleet.tick()
    assert fleet.told == ["opened"]
    assert fleet.events[0].opened_at - fleet.events[0].first_failed_at < 660_000


def test_a_region_that_fails_again_after_a_pause_ends_no_incident_and_does_not_vote() -> None:
    fleet = Fleet(target())
    fleet.down("a", "b", "c")
    for _ in range(4):
        fleet.wait(60_000).up("b", "c")
    assert fleet.events[-1].regions["a"].verdict == "stale"
    told = len(fleet.events)
    fleet.fail("a")
    assert len(fleet.events) == told  # neither "a succeeds" nor an end
    assert fleet.state.targets["db"].incident is not None
    for _ in range(4):
        fleet.wait(60_000).up("b", "c")  # a is stale once more, with one failure
    assert "closed" not in fleet.told
    fleet.down("a")
    assert fleet.events[-1].changes[0] == "a: Connection refused"
    fleet.wait(1000).up("a")
    assert fleet.events[-1].closed_because == "recovered"
    assert fleet.told.count("opened") == 1


def test_an_incident_resolved_by_hand_stays_so_when_its_region_fails_again_after_a_pause() -> None:
    fleet = Fleet(target(regions="a", recover_after=2))
    fleet.down("a")
    fleet.control(Resolved(target="db", incident_id=fleet.events[0].incident_id, by="ann"))
    fleet.wait(3_600_000).fail("a")
    fleet.wait(60_000).fail("a")
    assert fleet.told == ["opened", "closed"]
    fleet.wait(60_000).up("a")
    fleet.wait(60_000).down("a")
    assert fleet.told[2:] == ["opened"]


def test_an_incident_closes_without_a_region_whose_prober_died_after_it_recovered() -> None:
    fleet = Fleet(target(regions="a b"))
    fleet.down("a", "b")
    fleet.wait(60_000).up("b")  # its last word: its prober dies
    silent_from = fleet.now + 153_000
    for _ in range(5):
        fleet.wait(60_000).fail("a")
    while "closed" not in fleet.told and fleet.now < START + 7 * 86_400_000:
        fleet.wait(60_000).up("a")
    closed = fleet.events[-1]
    assert (closed.closed_because, closed.abandoned_regions) == ("recovered", ("b",))
    assert 0 <= fleet.now - (silent_from + 1_800_000) <= 60_000
    assert "(b long silent and not waited for)" in closed.summary


def test_an_incident_closes_without_regions_that_never_started() -> None:
    fleet = Fleet(target(regions="a"))
    fleet.down("a")
    fleet.control(TargetSet(target(regions="a b c", version=2)))
    added = fleet.now
    while "closed" not in fleet.told and fleet.now < START + 86_400_000:
        fleet.wait(60_000).up("a")
    closed = fleet.events[-1]
    assert (closed.closed_because, closed.abandoned_regions) == ("recovered", ("b", "c"))
    assert 0 <= fleet.now - (added + 1_800_000) <= 60_000


def test_what_nobody_looks_at_any_more_is_abandoned_and_not_recovered() -> None:
    fleet = Fleet(target(regions="a"))
    fleet.down("a")
    fleet.wait(1000 + 153_000 + 1_800_000 - 10_000)
    assert fleet.told[-1] != "closed"
    fleet.wait(20_000)
    closed = fleet.events[-1]
    assert (closed.closed_because, closed.abandoned_regions) == ("abandoned", ("a",))
    assert "is not looked at any more" in closed.summary
    assert fleet.state.transitions["db"] == (1_800_000_001_000,)  # the opening alone
    # It is down still when somebody looks again: another outage.
    fleet.down("a")
    assert fleet.told.count("opened") == 2
    assert fleet.events[-1].first_failed_at == fleet.now - 1000


def test_a_prober_that_is_away_for_eleven_minutes_closes_and_opens_nothing() -> None:
    fleet = Fleet(target(regions="a"))
    fleet.down("a")
    fleet.wait(660_000).down("a")
    assert fleet.told.count("opened") == 1
    assert "closed" not in fleet.told


def test_a_region_that_is_set_aside_and_silent_is_not_waited_for() -> None:
    fleet = Fleet(target())
    fleet.down("a", "b", "c")
    for _ in range(3):
        fleet.beat("c", targets=100, failing=60, newly_failing=60)
        fleet.wait(5_000)
        for region in "ab":
            fleet.beat(region, targets=100)
    assert fleet.state.set_aside == {"c"}
    while "closed" not in fleet.told and fleet.now < START + 86_400_000:
        fleet.wait(60_000).up("a", "b")
    assert fleet.events[-1].abandoned_regions == ("c",)
    assert fleet.now - START < 2_100_000


def test_an_incident_that_nobody_looks_at_any_more_says_so() -> None:
    fleet = Fleet(target(regions="a b c"))
    fleet.down("a", "b", "c", reason="unexpected_response")
    fleet.wait(170_000)
    told = fleet.events[-1]
    assert (told.event, told.votes.fresh) == ("updated", 0)
    assert told.summary == (
        "db1.example.com:5432 is still an incident, and nobody looks: no region has a result that "
        "counts."
    )


def test_a_wrong_answer_in_some_regions_is_no_lack_of_a_connection() -> None:
    fleet = Fleet(target(regions="a b c"))
    fleet.up("a", "b", "c")
    fleet.wait(20_000).up("c")
    fleet.down("a", "b", reason="unexpected_response")
    fleet.wait(1_000).up("c")
    fleet.tick()
    assert "It works from c, not from a and b: one of several" in fleet.events[-1].summary
