"""What docs/rules.md says of jobs (rule 16), worked out by hand.

Each account is held against the reference and against the rules, so that they do not agree on the
same mistake.
"""

import pytest

from schemas.control import Acknowledged, Resolved, TargetPaused, TargetResumed, TargetSet
from tests.unit.streams.rules.fleet import START, target
from tests.unit.streams.rules.job_accounts import (
    HOUR,
    MINUTE,
    defines,
    job,
    listens,
    ms,
    says,
    signal,
)
from tests.unit.streams.rules.reference_words import Closed, Opened
from tests.unit.streams.rules.test_reference import Account, ByReference, ByRules, in_short

HOURLY: dict[str, object] = {"interval_ms": HOUR, "grace_ms": 5 * MINUTE}
OPENED, RECOVERED = "opened unreachable", "closed unreachable: recovered"
UPDATED = "updated unreachable"


@pytest.fixture(params=[ByReference, ByRules])
def fleet(request: pytest.FixtureRequest) -> Account:
    made = request.param()
    assert isinstance(made, Account)
    listens(made)
    return made


def told(fleet: Account) -> list[str]:
    return [in_short(one) for one in fleet.full]


def opened(fleet: Account) -> Opened:
    return next(one for one in reversed(fleet.full) if isinstance(one, Opened))


# What is expected


def test_a_report_that_does_not_come_is_missed_after_its_grace(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    says(fleet, "success")
    listens(fleet, 65 * MINUTE - 1)
    assert told(fleet) == []
    listens(fleet, 5_001)
    one = opened(fleet)
    assert told(fleet) == [OPENED]
    assert (one.first_failed_at, one.severity) == (START + HOUR, "warning")
    assert (one.votes.down, one.votes.need, one.votes.fresh, one.votes.configured) == (1,) * 4
    says(fleet, "success")
    assert told(fleet) == [OPENED, RECOVERED]


def test_late_but_within_the_grace_is_nothing(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    for _ in range(3):
        says(fleet, "success")
        listens(fleet, 65 * MINUTE - 1)
    assert told(fleet) == []


def test_the_first_report_is_due_an_interval_after_the_definition(fleet: Account) -> None:
    listens(fleet, 10 * MINUTE)
    defined = fleet.now
    defines(fleet, **HOURLY)
    listens(fleet, 65 * MINUTE + 5_000)
    assert opened(fleet).first_failed_at == defined + HOUR


def test_what_is_missed_again_is_told_once(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    listens(fleet, 5 * HOUR)
    assert told(fleet) == [OPENED]
    assert opened(fleet).first_failed_at == START + HOUR


def test_a_failure_is_told_at_once_and_another_reason_as_an_update(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    says(fleet, "fail")
    assert opened(fleet).first_failed_at == fleet.now
    says(fleet, "fail")
    assert told(fleet) == [OPENED]
    listens(fleet, 66 * MINUTE)
    assert told(fleet) == [OPENED, UPDATED]
    says(fleet, "fail", "success", "success")
    assert told(fleet) == [OPENED, UPDATED, UPDATED, RECOVERED]


def test_a_failure_moves_what_is_due_as_a_success_does(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    listens(fleet, 30 * MINUTE)
    says(fleet, "fail")
    listens(fleet, 64 * MINUTE)
    assert told(fleet) == [OPENED]
    listens(fleet, 2 * MINUTE)
    assert told(fleet) == [OPENED, UPDATED]


def test_a_word_changes_nothing(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    for _ in range(7):
        says(fleet, "log")
        listens(fleet, 10 * MINUTE)
    assert opened(fleet).first_failed_at == START + HOUR
    says(fleet, "log")
    assert told(fleet) == [OPENED]


@pytest.mark.parametrize(
    ("reported", "due"),
    [
        ("2027-01-15 08:58:59", "2027-01-15 09:00"),
        ("2027-01-15 08:59:00", "2027-01-15 10:00"),  # a minute ahead: that was the run of 9:00
        ("2027-01-15 09:00:00", "2027-01-15 10:00"),
    ],
)
def test_a_job_may_be_a_minute_ahead_of_its_schedule(
    fleet: Account, reported: str, due: str
) -> None:
    defines(fleet, schedule="0 * * * *", grace_ms=5 * MINUTE)
    listens(fleet, ms(reported) - fleet.now)
    says(fleet, "success")
    listens(fleet, ms(due) + 5 * MINUTE - 1 - fleet.now)
    assert told(fleet) == []
    listens(fleet, 1_000)
    assert opened(fleet).first_failed_at == ms(due)


@pytest.mark.parametrize(("second", "due"), [(44_999, 1), (45_000, 2), (45_001, 2)])
def test_of_a_quick_schedule_a_quarter_of_its_period(fleet: Account, second: int, due: int) -> None:
    defines(fleet, schedule="* * * * *", grace_ms=10_000)
    listens(fleet, second)
    says(fleet, "success")
    listens(fleet, START + due * MINUTE + 10_000 - 1 - fleet.now)
    assert told(fleet) == []
    listens(fleet, 1_000)
    assert opened(fleet).first_failed_at == START + due * MINUTE


def test_a_schedule_is_that_of_its_zone_on_both_days_on_which_the_clock_changes(
    fleet: Account,
) -> None:
    zone = "Europe/Berlin"
    for day, shown, fold in (("2027-03-28", "03:00", 0), ("2027-10-31", "02:30", 0)):
        fleet.now = ms(f"{day} 01:00", zone)
        listens(fleet)
        defines(fleet, schedule="30 2 * * *", zone=zone, version=fleet.now)
        listens(fleet)
        listens(fleet, ms(f"{day} {shown}", zone, fold) + MINUTE - 1 - fleet.now)
        before = len(fleet.full)
        listens(fleet, 1_000)
        assert opened(fleet).first_failed_at == ms(f"{day} {shown}", zone, fold)
        assert len(fleet.full) == before + 1
        says(fleet, "success")
        listens(fleet, 3 * HOUR)
        assert told(fleet)[-1] == RECOVERED


# Runs


def test_a_start_gives_a_run_its_time(fleet: Account) -> None:
    defines(fleet, max_runtime_ms=2 * HOUR, **HOURLY)
    says(fleet, "success")
    listens(fleet, HOUR)
    says(fleet, "start", run="a")
    listens(fleet, 2 * HOUR - 1)
    assert told(fleet) == []
    says(fleet, "success", run="a")
    listens(fleet, 65 * MINUTE - 1)
    assert told(fleet) == []


def test_without_max_runtime_a_start_gives_it_the_grace(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    listens(fleet, 64 * MINUTE)
    says(fleet, "start")
    listens(fleet, 5 * MINUTE - 1)
    assert told(fleet) == []
    listens(fleet, 1_000)
    assert opened(fleet).first_failed_at == START + HOUR


def test_a_job_that_begins_again_and_again_is_missed(fleet: Account) -> None:
    """It dies each time without a word: its starts move the deadline by their grace at most."""
    defines(fleet, **HOURLY)
    listens(fleet, 64 * MINUTE)
    for _ in range(3):
        says(fleet, "start")
        listens(fleet, 2 * MINUTE - 1_000)
        assert told(fleet) == []
    says(fleet, "start")
    listens(fleet, 10_000)
    assert opened(fleet).first_failed_at == START + HOUR


def test_a_run_that_does_not_end_overran_when_it_should_have_ended(fleet: Account) -> None:
    defines(fleet, max_runtime_ms=2 * HOUR, **HOURLY)
    listens(fleet, HOUR)
    says(fleet, "start", run="a")
    began = fleet.now
    listens(fleet, 2 * HOUR - 1)
    assert told(fleet) == []
    listens(fleet, 1_000)
    # The report was missed at the same moment; the run says more.
    assert opened(fleet).first_failed_at == began + 2 * HOUR
    assert told(fleet) == [OPENED]
    says(fleet, "success", run="a")
    assert told(fleet) == [OPENED, RECOVERED]
    listens(fleet, 30 * MINUTE)
    assert told(fleet) == [OPENED, RECOVERED]


def test_an_end_ends_its_run_and_those_before(fleet: Account) -> None:
    defines(fleet, interval_ms=24 * HOUR, max_runtime_ms=HOUR)
    for run in "abc":
        says(fleet, "start", run=run)
        listens(fleet, 5_000)
    says(fleet, "success", run="b")
    began = fleet.now - 5_000
    listens(fleet, HOUR)
    assert told(fleet) == [OPENED]
    assert opened(fleet).first_failed_at == began + HOUR
    says(fleet, "success", run="nobody knows it")
    listens(fleet, 2 * HOUR)
    assert told(fleet) == [OPENED, RECOVERED]


def test_an_end_without_a_name_ends_all_runs(fleet: Account) -> None:
    defines(fleet, interval_ms=24 * HOUR, max_runtime_ms=HOUR)
    for run in ("a", "b", None):
        says(fleet, "start", run=run)
    says(fleet, "success")
    listens(fleet, 2 * HOUR)
    assert told(fleet) == []


def test_a_start_that_comes_after_its_end_begins_no_run(fleet: Account) -> None:
    defines(fleet, interval_ms=24 * HOUR, max_runtime_ms=HOUR)
    start = signal(fleet, "start", run="a")
    fleet.wait(2_000)
    end = signal(fleet, "success", run="a", prober="receiver-2")
    fleet.wait(5_000)
    fleet.append([end])
    fleet.append([start])
    says(fleet, "start", "success", run="b")
    listens(fleet, 2 * HOUR)
    assert told(fleet) == []


def test_after_a_clock_that_was_set_back_starts_begin_runs(fleet: Account) -> None:
    defines(fleet, interval_ms=24 * HOUR, max_runtime_ms=HOUR)
    says(fleet, "success")
    fleet.now -= 10 * MINUTE
    listens(fleet)
    says(fleet, "start", run="a")
    listens(fleet, HOUR + 1_000)
    assert told(fleet) == [OPENED]


def test_a_start_of_the_same_run_begins_it_anew(fleet: Account) -> None:
    defines(fleet, interval_ms=24 * HOUR, max_runtime_ms=HOUR)
    says(fleet, "start", run="a")
    listens(fleet, 30 * MINUTE)
    says(fleet, "start", run="a")
    listens(fleet, HOUR - 1)
    assert told(fleet) == []
    listens(fleet, 1_000)
    assert told(fleet) == [OPENED]


def test_of_more_than_sixteen_runs_the_oldest_is_forgotten(fleet: Account) -> None:
    defines(fleet, interval_ms=24 * HOUR, max_runtime_ms=HOUR)
    for number in range(17):
        says(fleet, "start", run=str(number))
        listens(fleet, 5_000)
    listens(fleet, HOUR - 17 * 5_000 + 4_999)
    assert told(fleet) == []
    listens(fleet, 1_000)
    assert opened(fleet).first_failed_at == START + 5_000 + HOUR


def test_while_it_overruns_another_run_may_succeed(fleet: Account) -> None:
    defines(fleet, interval_ms=24 * HOUR, max_runtime_ms=HOUR)
    says(fleet, "start", run="a")
    listens(fleet, HOUR)
    assert told(fleet) == [OPENED]
    says(fleet, "start", run="b")
    listens(fleet, 5_000)
    says(fleet, "success", run="a")  # and not b, which began later
    assert told(fleet) == [OPENED, RECOVERED]
    listens(fleet, HOUR - 5_000)
    assert told(fleet) == [OPENED, RECOVERED, OPENED]


# Which signals count


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"ago": 30_000}, True),
        ({"ago": 30_001}, False),
        ({"ago": -15_000}, True),
        ({"ago": -15_001}, False),
        ({"region": "berlin"}, False),
        ({"signal": None}, False),
        ({"target": "another"}, False),
        ({"prober": "receiver-2"}, True),
    ],
)
def test_what_counts(fleet: Account, changes: dict[str, object], counts: bool) -> None:
    defines(fleet, **HOURLY)
    listens(fleet, MINUTE)
    fleet.append([signal(fleet, "fail", **changes)])  # type: ignore[arg-type]
    assert told(fleet) == [OPENED] * counts


def test_what_a_receiver_sends_twice_counts_once(fleet: Account) -> None:
    defines(fleet, interval_ms=24 * HOUR, max_runtime_ms=MINUTE)
    failed, start = signal(fleet, "fail"), signal(fleet, "start", run="a")
    end = signal(fleet, "success", run="a")
    for one in (failed, start, end, failed, start, end, start):
        listens(fleet, 1_000)
        fleet.append([one])
    listens(fleet, 2 * MINUTE)
    assert told(fleet) == [OPENED, RECOVERED]


# By hand, the inventory


def fleet_incident(fleet: Account) -> str:
    if isinstance(fleet, ByReference):
        return fleet.reference.jobs.known["job"].incidents["unreachable"].id
    return fleet.incident_id("unreachable")


def test_what_was_resolved_by_hand_is_told_of_the_next_run(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    listens(fleet, 66 * MINUTE)
    incident = fleet_incident(fleet)
    fleet.control(Resolved(target="job", incident_id=incident, by="ann", note="gone"))
    assert told(fleet) == [OPENED, "closed unreachable: resolved"]
    listens(fleet, 58 * MINUTE)
    assert len(told(fleet)) == 2
    listens(fleet, 2 * MINUTE)
    assert told(fleet)[2:] == [OPENED]
    assert opened(fleet).first_failed_at == START + 2 * HOUR


def test_acknowledged(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    says(fleet, "fail")
    incident = fleet_incident(fleet)
    for by, note in (("ann", None), ("ann", None), ("ann", "on it"), ("bob", None)):
        fleet.control(Acknowledged(target="job", incident_id=incident, by=by, note=note))
    assert told(fleet) == [OPENED, *[UPDATED] * 3]
    says(fleet, "success")
    closed = fleet.full[-1]
    assert isinstance(closed, Closed)
    assert closed.acknowledged == ("bob", None)


@pytest.mark.parametrize("how", ["removed", "paused", "disabled", "kind"])
def test_the_inventory_closes_it(fleet: Account, how: str) -> None:
    defines(fleet, **HOURLY)
    says(fleet, "fail")
    if how == "removed":
        fleet.remove("job")
    elif how == "paused":
        fleet.control(TargetPaused(target="job", until=None, by="ann"))
    elif how == "disabled":
        defines(fleet, enabled=False, version=2, **HOURLY)
    else:
        fleet.control(TargetSet(target("job", version=2)))
    because = {"removed": "target_removed", "kind": "target_changed"}.get(how, "target_paused")
    assert told(fleet) == [OPENED, f"closed unreachable: {because}"]
    says(fleet, "fail")
    listens(fleet, 3 * HOUR)
    assert len(told(fleet)) == 2


def test_after_a_pause_it_is_due_as_a_new_job(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    fleet.control(TargetPaused(target="job", until=START + 3 * HOUR, by="ann"))
    listens(fleet, 4 * HOUR)
    assert told(fleet) == []
    listens(fleet, 5 * MINUTE)
    assert opened(fleet).first_failed_at == START + 4 * HOUR


def test_what_began_before_the_end_of_a_pause_is_of_the_pause(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    fleet.control(TargetPaused(target="job", until=None, by="ann"))
    listens(fleet, MINUTE)
    fleet.control(TargetResumed(target="job", by="ann"))
    fleet.append([signal(fleet, "fail", ago=1_000)])
    assert told(fleet) == []
    fleet.append([signal(fleet, "fail", ago=999)])
    assert told(fleet) == [OPENED]


def test_another_interval_holds_from_its_moment_on(fleet: Account) -> None:
    defines(fleet, interval_ms=24 * HOUR, grace_ms=MINUTE)
    says(fleet, "success")
    listens(fleet, 5 * HOUR)
    changed = fleet.now
    defines(fleet, version=2, interval_ms=HOUR, grace_ms=MINUTE)
    listens(fleet, 61 * MINUTE - 1)
    assert told(fleet) == []
    listens(fleet, 1_000)
    assert opened(fleet).first_failed_at == changed + HOUR


def test_another_grace_or_name_moves_nothing_that_is_due(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    listens(fleet, 62 * MINUTE)
    defines(fleet, version=2, interval_ms=HOUR, grace_ms=3 * MINUTE, name="Night run")
    listens(fleet, MINUTE - 1)
    assert told(fleet) == []
    listens(fleet, 1_000)
    assert opened(fleet).first_failed_at == START + HOUR


def test_an_older_definition_changes_nothing(fleet: Account) -> None:
    defines(fleet, version=5, **HOURLY)
    defines(fleet, version=4, interval_ms=MINUTE)
    defines(fleet, version=4, enabled=False, **HOURLY)
    listens(fleet, HOUR)
    assert told(fleet) == []
    listens(fleet, 6 * MINUTE)
    assert told(fleet) == [OPENED]


# Flapping


def test_the_seventh_transition_within_an_hour_is_flapping(fleet: Account) -> None:
    defines(fleet, interval_ms=24 * HOUR)
    for _ in range(4):
        listens(fleet, MINUTE)
        says(fleet, "fail")
        listens(fleet, MINUTE)
        says(fleet, "success")
    assert told(fleet) == [OPENED, RECOVERED] * 3 + ["opened flapping"]
    listens(fleet, 30 * MINUTE)
    assert told(fleet)[7:] == ["closed flapping: recovered"]


def test_what_fails_on_after_flapping_is_an_outage(fleet: Account) -> None:
    defines(fleet, interval_ms=24 * HOUR)
    for _ in range(4):
        listens(fleet, MINUTE)
        says(fleet, "success", "fail")
    failed = fleet.now
    assert told(fleet) == [OPENED, *[RECOVERED, OPENED] * 2, RECOVERED, "opened flapping"]
    listens(fleet, 30 * MINUTE)
    assert told(fleet)[7:] == ["closed flapping: steady", OPENED]
    assert opened(fleet).first_failed_at == failed


# Not judged


def test_nothing_is_missed_when_nobody_listened(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    listens(fleet, 50 * MINUTE)
    fleet.quiet(30 * MINUTE)
    listens(fleet, MINUTE)
    # Due at 1:00, with nobody from 0:50 to 1:20: the next one is due at 2:00.
    listens(fleet, START + 2 * HOUR + 5 * MINUTE - 1 - fleet.now)
    assert told(fleet) == []
    listens(fleet, 1_000)
    assert opened(fleet).first_failed_at == START + 2 * HOUR


def test_a_silent_receiver_is_told_once_and_when_it_is_back(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    listens(fleet, MINUTE)
    fleet.quiet(10 * MINUTE)
    listens(fleet, MINUTE)
    assert fleet.silences == ["silent receiver", "returned receiver"]


def test_receivers_that_have_no_jobs_are_not_silent(fleet: Account) -> None:
    listens(fleet, jobs=0)
    fleet.quiet(10 * MINUTE)
    assert fleet.silences == []


def test_a_gap_of_the_log_is_such_a_time(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    listens(fleet, 58 * MINUTE)
    fleet.wait(10 * MINUTE, broker_away=True)
    listens(fleet, 40 * MINUTE)
    assert told(fleet) == []


@pytest.mark.parametrize(
    ("from_minute", "for_s", "missed"),
    [
        (30, 60, True),
        (53, 60, True),
        (54, 61, False),  # the report could have come 5 min before it was due, and no earlier
        (60, 15, True),  # that is no time in which they were deaf
        (60, 16, False),
        (64, 60, False),
        (65, 60, True),
    ],
)
def test_deaf_between_a_grace_before_and_a_grace_after(
    fleet: Account, from_minute: int, for_s: int, missed: bool
) -> None:
    defines(fleet, **HOURLY)
    says(fleet, "success")
    listens(fleet, from_minute * MINUTE)
    while for_s:
        fleet.now += min(for_s, 10) * 1_000
        for_s -= min(for_s, 10)
        fleet.tick()
    listens(fleet)
    listens(fleet, START + 66 * MINUTE - fleet.now)
    assert told(fleet) == [OPENED] * missed


def test_a_first_report_may_have_come_at_any_time_since_the_definition(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    listens(fleet, 20 * MINUTE)
    fleet.quiet(MINUTE)  # the job reports at 0:20, and each hour after that
    listens(fleet, START + 80 * MINUTE - fleet.now)
    assert told(fleet) == []
    # It has never been heard. Nothing was lost since 0:21.
    listens(fleet, START + 125 * MINUTE - 1 - fleet.now)
    assert told(fleet) == []
    listens(fleet, 1_000)
    assert opened(fleet).first_failed_at == START + 2 * HOUR


def test_what_was_reported_since_they_were_deaf_is_known(fleet: Account) -> None:
    defines(fleet, interval_ms=MINUTE, grace_ms=10 * MINUTE)
    listens(fleet, MINUTE)
    fleet.quiet(MINUTE)
    listens(fleet)
    says(fleet, "success")
    listens(fleet, 11 * MINUTE)
    assert told(fleet) == [OPENED]


def test_a_deadline_waits_until_a_receiver_is_heard(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    listens(fleet, 65 * MINUTE - 1_000)
    fleet.wait(1_000).tick()
    fleet.wait(9_000).tick()
    assert told(fleet) == []
    fleet.wait(5_000)
    listens(fleet)  # 15 s after the last beat: they were there all the time
    assert told(fleet) == [OPENED]


def test_before_the_first_beat_nothing_is_missed() -> None:
    for made in (ByReference(), ByRules()):
        defines(made, interval_ms=MINUTE, grace_ms=1_000)
        made.quiet(HOUR)
        assert told(made) == []
        listens(made)
        listens(made, 2 * MINUTE)
        assert told(made) == [OPENED]


def test_a_run_did_not_overrun_when_nobody_listened(fleet: Account) -> None:
    defines(fleet, interval_ms=24 * HOUR, max_runtime_ms=HOUR)
    says(fleet, "start", run="a")
    listens(fleet, 10 * MINUTE)
    fleet.quiet(MINUTE)
    listens(fleet, 5 * HOUR)
    assert told(fleet) == []


def test_a_clock_that_is_set_back_moves_what_is_due(fleet: Account) -> None:
    defines(fleet, **HOURLY)
    listens(fleet, 30 * MINUTE)
    fleet.now -= 20 * MINUTE
    listens(fleet)
    listens(fleet, 35 * MINUTE - 1)
    assert told(fleet) == []
    listens(fleet, 1_000)
    assert told(fleet) == [OPENED]


def test_what_is_due_by_a_schedule_follows_the_clock_that_is_set_back(fleet: Account) -> None:
    defines(fleet, schedule="0 11 * * *", grace_ms=5 * MINUTE)  # it is 8:00
    listens(fleet, 30 * MINUTE)
    fleet.now -= HOUR
    listens(fleet)
    listens(fleet, ms("2027-01-15 11:05") - 1 - fleet.now)
    assert told(fleet) == []
    listens(fleet, 1_000)
    assert opened(fleet).first_failed_at == ms("2027-01-15 11:00")


def test_the_receivers_are_no_region_of_the_guard(fleet: Account) -> None:
    fleet.control(TargetSet(target()))
    for _ in range(5):
        fleet.wait(5_000)
        for region in ("a", "receiver"):
            fleet.beat(region, targets=100)
        fleet.beat("c", targets=100, failing=50, newly_failing=50)
    # a contradicts c: one of two. With the receivers it would be two of three.
    assert told(fleet) == ["suspect c"]


def test_a_job_of_the_same_name_is_known_by_its_definition(fleet: Account) -> None:
    fleet.control(TargetSet(target("job", "receiver", retries=0)))
    fleet.fail("receiver", of="job")
    assert told(fleet) == [OPENED]
    fleet.control(TargetSet(job(version=2, interval_ms=HOUR)))
    assert told(fleet) == [OPENED, "closed unreachable: target_changed"]
    says(fleet, "fail")
    assert told(fleet)[2:] == [OPENED]
