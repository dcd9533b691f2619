"""Logs that nobody but a forger, or a fault, would write: rule 16 goes on all the same.

Each record goes through the rules, through restored rules and through the reference (`Log`), unless
the text says nothing of it: then the rules must stand it, and a restored state must be the same.
"""

from typing import Final

import pytest
from msgspec import structs

from schemas import batch, control
from schemas.control import TargetRemoved, TargetSet
from schemas.incident import IncidentEvent
from schemas.probe import HeartbeatProbe, ZoneOffset
from schemas.result import RECEIVER, CheckResult
from schemas.target import Target
from streams.checkpoint import decoder
from streams.rules.process import step
from streams.rules.record import Record
from tests.unit.streams.rules.fleet import START, Fleet, target
from tests.unit.streams.rules.job_accounts import (
    DAY,
    HOUR,
    MINUTE,
    defines,
    job,
    listens,
    says,
    signal,
)
from tests.unit.streams.rules.reference_log import Log

HOURLY: dict[str, object] = {"interval_ms": HOUR, "grace_ms": 5 * MINUTE}
YEAR: Final = 366 * DAY


def begun(*jobs: Target) -> Log:
    log = Log()
    listens(log)
    for one in jobs:
        defines(log, one)
    return log


def told(fleet: Fleet) -> list[str]:
    return [
        f"{one.event} {one.incident_type} {one.closed_because or one.regions[RECEIVER].reason}"
        for one in fleet.events
    ]


def passes(log: Log, ms: int) -> None:
    """A long time in which receivers listen at its end alone, so that little is judged."""
    log.wait(ms, broker_away=True)
    listens(log, MINUTE)


MISSED, FAILED, OVERRAN = (
    f"opened unreachable {reason}" for reason in ("heartbeat_missed", "job_failed", "job_overran")
)
RECOVERED = "closed unreachable recovered"


# What is sent again


def test_a_log_that_is_appended_once_more_says_nothing() -> None:
    log = begun(job(max_runtime_ms=HOUR, **HOURLY))
    for sort in ("start", "fail", "start", "success", "fail", "success"):
        says(log, sort, run="a")  # type: ignore[arg-type]
        listens(log, 10_000)
    before = told(log)
    again = [record.results for record in log.log if record.results]
    listens(log, 31_000)
    for results in again:
        log.append(list(results))
    listens(log, 2 * MINUTE)
    assert told(log) == before == [FAILED, RECOVERED] * 2


def test_a_start_that_is_sent_again_after_its_end_begins_no_run() -> None:
    log = begun(job(interval_ms=DAY, max_runtime_ms=MINUTE))
    start = signal(log, "start", run="a")
    log.append([start, start])
    says(log, "success", run="a")
    log.append([start])
    listens(log, 3 * MINUTE)
    assert told(log) == []


def test_a_failure_that_is_sent_again_after_fifteen_others_is_known() -> None:
    log = begun(job(interval_ms=DAY))
    failed = signal(log, "fail")
    log.append([failed])
    says(log, *["success"] * 15)
    log.append([failed])
    assert told(log) == [FAILED, RECOVERED]


# What is forged


@pytest.mark.parametrize(
    "changes",
    [
        {"region": "a"},
        {"region": "receiver-2"},
        {"signal": None},
        {"signal": None, "kind": "tcp", "status": "down", "reason": "timed_out"},
        {"target": "nobody"},
    ],
)
def test_what_is_no_signal_moves_nothing(changes: dict[str, object]) -> None:
    log = begun(job(**HOURLY))
    log.append([structs.replace(signal(log, "fail"), **changes)])
    assert told(log) == []
    assert log.restored().targets == {}


def test_a_signal_is_no_result_of_a_target_that_is_checked() -> None:
    log = begun()
    # The inventory refuses this name of a region; a forged definition does not.
    log.control(TargetSet(target("db", "receiver a", retries=0)))
    for _ in range(3):
        listens(log, MINUTE)
        log.append([signal(log, "fail", "db")])
    assert told(log) == []


def test_a_job_by_its_kind_with_a_host_and_regions_is_a_job() -> None:
    forged = structs.replace(job(**HOURLY), host="db1.example.com", port=1, regions=("a", "b"))  # type: ignore[arg-type]
    log = begun(forged)
    log.control(TargetSet(target(regions="a", retries=0)))
    log.fail("a")
    log.fail("a", of="job")
    assert [one.target for one in log.events] == ["db"]
    says(log, "fail")
    assert [one.target for one in log.events] == ["db", "job"]
    assert log.state.targets.keys() == {"db"}


def test_a_run_may_have_the_longest_name_and_a_longer_one_is_a_dead_letter() -> None:
    log = begun(job(max_runtime_ms=MINUTE, interval_ms=DAY))
    for number in range(40):
        says(log, "start", run=f"{number:>064}")
    says(log, "start", run="")
    before = sum(map(len, decoder.encode(log.state)))
    says(log, "start", run="x" * 64)
    assert abs(sum(map(len, decoder.encode(log.state))) - before) < 500
    line = batch.encode([signal(log, "start", run="y" * 64)]).replace(b"y" * 64, b"y" * 65)
    done = step(log.state, len(log.log), log.now, line, [])
    assert (done.failed, done.unreadable, done.results) == (False, 1, 0)


# Runs


def test_a_name_that_is_used_again_is_a_run_of_its_own() -> None:
    log = begun(job(max_runtime_ms=HOUR, interval_ms=DAY))
    for _ in range(3):
        says(log, "start", run="nightly")
        listens(log, 10 * MINUTE)
        says(log, "success", run="nightly")
        listens(log, 10 * MINUTE)
    assert told(log) == []
    says(log, "start", run="nightly")
    listens(log, HOUR + 1_000)
    assert told(log) == [OVERRAN]


def test_starts_without_an_end_for_months_keep_sixteen_runs() -> None:
    log = begun(job(schedule="0 3 * * *", grace_ms=HOUR))
    for day in range(120):
        passes(log, DAY)
        says(log, "start", run=f"night {day}")
    (known,) = log.reference.jobs.known.values()
    assert len(known.runs) == 16
    size = sum(map(len, decoder.encode(log.state)))
    passes(log, DAY)
    says(log, "start", run="night 120")
    assert abs(sum(map(len, decoder.encode(log.state))) - size) < 500


def test_a_run_of_no_time_and_a_job_of_every_second() -> None:
    log = begun(job(interval_ms=1_000, grace_ms=1_000, max_runtime_ms=1_000))
    for _ in range(5):
        says(log, "start", "success", "start", "fail", "success", run="a")
        log.now += 1_000
        listens(log)
    assert told(log)[:2] == [FAILED, RECOVERED]
    listens(log, 90_000)
    assert log.open.keys()


# Times


@pytest.mark.parametrize(
    "options",
    [
        {"interval_ms": YEAR, "grace_ms": 31 * DAY},
        {"schedule": "0 0 29 2 *", "grace_ms": 31 * DAY},
        {"schedule": "59 23 31 12 *"},
        {"schedule": "0 0 29 2 1"},
    ],
)
def test_what_is_due_in_years(options: dict[str, object]) -> None:
    log = begun(job(**options))  # type: ignore[arg-type]
    (known,) = log.reference.jobs.known.values()
    assert known.deadline is not None
    log.wait(known.deadline - 40 * DAY - log.now, broker_away=True)
    listens(log)
    listens(log, MINUTE)
    assert told(log) == []
    says(log, "success")
    passes(log, 80 * DAY)
    assert told(log) == []


@pytest.mark.parametrize(
    "probe",
    [
        None,
        HeartbeatProbe(),
        HeartbeatProbe(interval_ms=HOUR, schedule="* * * * *"),
        HeartbeatProbe(schedule="no schedule at all"),
        HeartbeatProbe(schedule="61 25 32 13 9"),
        HeartbeatProbe(schedule="* * * * * *"),
        HeartbeatProbe(schedule="*/0 * * * *"),
        HeartbeatProbe(schedule="@reboot"),
        HeartbeatProbe(schedule="0 0 30 2 *"),
        HeartbeatProbe(schedule="\x00 \ud7ff * * *"),
        HeartbeatProbe(schedule="0," * 99 + "0"),
        HeartbeatProbe(schedule="0 3 * * *", zone="No/Where"),
    ],
)
def test_a_definition_that_no_inventory_writes_costs_nothing_but_itself(
    probe: HeartbeatProbe | None,
) -> None:
    fleet = Fleet()
    listens(fleet)
    defines(fleet, job("other", **HOURLY))  # type: ignore[arg-type]
    stands(fleet, structs.replace(job(), probe=probe))
    for _ in range(3):
        listens(fleet, HOUR)
        fleet.append([signal(fleet, "success", of) for of in ("job", "other")])
    says(fleet, "fail", of="other")
    assert [one.target for one in fleet.events][-1] == "other"
    stands(fleet, job(version=2, **HOURLY))
    says(fleet, "fail")
    assert [one.target for one in fleet.events][-1] == "job"


OFFSETS = {
    "out of order": ((0, 3_600), (START + HOUR, 7_200), (START - DAY, 0), (START + 2 * HOUR, 0)),
    "all at once": ((0, 3_600), (START, 7_200), (START, 0), (START, -86_400), (START, 86_400)),
    "from later on": ((START + YEAR, 3_600),),
    "two days at once": ((0, 86_400), (START + 20 * HOUR, -86_400), (START + DAY, 86_400)),
    "every second": tuple((START + 1_000 * n, 3_600 * (n % 2)) for n in range(100)),
    "half seconds": ((0, 1), (START + 1, -1), (START + 61_001, 59)),
    "in the last year": ((0, 0), (10**13 - 1, 3_600)),
}


@pytest.mark.parametrize("which", OFFSETS)
@pytest.mark.parametrize("schedule", ["* * * * *", "30 2 * * *", "0 */6 * * *"])
def test_offsets_that_no_zone_has(which: str, schedule: str) -> None:
    offsets = tuple(ZoneOffset(at=at, seconds=seconds) for at, seconds in OFFSETS[which])
    fleet = Fleet()
    listens(fleet)
    known = job(schedule=schedule, grace_ms=1_000)
    assert isinstance(known.probe, HeartbeatProbe)
    stands(fleet, structs.replace(known, probe=structs.replace(known.probe, offsets=offsets)))
    for _ in range(40):
        fleet.wait(HOUR, broker_away=True)
        listens(fleet, 75_000)
        says(fleet, "start", "success")
    assert set(told(fleet)) <= {MISSED, RECOVERED}
    replays(fleet)


def stands(fleet: Fleet, one: Target) -> None:
    """Defines it as the worker does: what the rules refuse is a dead letter and changes nothing."""
    headers = control.headers(TargetSet(one))
    record = Record(len(fleet.log), fleet.now, [], TargetSet(one))
    done = step(fleet.state, record.offset, record.append_time, b"", headers)
    assert not done.unreadable
    fleet.log.append(record)


def replays(fleet: Fleet) -> None:
    restored = decoder.encode(fleet.restored())
    assert restored == decoder.encode(fleet.state)


@pytest.mark.parametrize("stamp", [-1, 0, 2**62, 7_258_118_400_000, 7_258_118_400_000 - HOUR])
def test_a_stamp_that_is_no_time_misses_nothing(stamp: int) -> None:
    log = Fleet(job(**HOURLY))  # type: ignore[arg-type]
    listens(log)
    before = log.now
    log.now = stamp
    log.append([signal(log, "fail", started_at=before)])
    log.tick()
    log.now = before + 1_000
    listens(log, MINUTE)
    assert MISSED not in told(log)


def test_a_clock_that_is_years_ahead_for_a_moment_misses_nothing() -> None:
    log = begun(job(**HOURLY), job("nightly", schedule="0 3 * * *", grace_ms=HOUR))
    says(log, "success")
    before = log.now
    log.wait(3 * YEAR, broker_away=True)
    listens(log)
    log.now = before + 5_000
    listens(log, 30 * MINUTE)
    assert told(log) == []
    listens(log, 36 * MINUTE)
    assert told(log) == [MISSED]


# The inventory


def test_versions_that_come_in_any_order() -> None:
    log = begun(job(version=5, **HOURLY))
    says(log, "fail")
    for version in (4, 1, 5):
        defines(log, job(version=version, interval_ms=MINUTE))
        defines(log, job(version=version, enabled=version == 5, interval_ms=MINUTE))
    log.control(TargetRemoved(target="job", version=3))
    assert told(log) == [FAILED]
    log.control(TargetRemoved(target="job", version=5))
    assert told(log) == [FAILED, "closed unreachable target_removed"]
    defines(log, job(version=1, **HOURLY))
    says(log, "fail")
    assert told(log)[2:] == [FAILED]


def test_it_is_checked_and_a_job_in_turn() -> None:
    log = begun()
    for version in range(1, 9, 2):
        log.control(TargetSet(target("job", "a", version=version, retries=0)))
        log.wait(1_000).fail("a", of="job")
        defines(log, job(version=version + 1, **HOURLY))
        says(log, "fail")
        log.fail("a", of="job")
    reasons = ["opened unreachable", "closed unreachable target_changed"] * 4
    found = [f"{one.event} {one.incident_type}" for one in log.events if one.event == "opened"]
    assert found == reasons[::2] * 2
    assert log.open.keys() == {("job", "unreachable")}


# Receivers


def test_receivers_with_a_new_name_each_time_are_forgotten() -> None:
    fleet = Fleet(job(**HOURLY))
    for number in range(3_000):
        fleet.now += 5_000
        fleet.beat(RECEIVER, prober=f"receiver-{number}", targets=1)
    size = sum(map(len, decoder.encode(fleet.state)))
    for number in range(3_000, 4_000):
        fleet.now += 5_000
        fleet.beat(RECEIVER, prober=f"receiver-{number}", targets=1)
    assert sum(map(len, decoder.encode(fleet.state))) < size + 2_000


def test_many_jobs_that_are_missed_at_once_are_each_told() -> None:
    fleet = Fleet(*[job(f"job-{number}", **HOURLY) for number in range(2_000)])
    listens(fleet)
    says_all(fleet, 2_000)
    listens(fleet, HOUR + 6 * MINUTE)
    assert len(fleet.events) == 2_000
    assert {one.event for one in fleet.events} == {"opened"}
    says_all(fleet, 2_000)
    assert len([one for one in fleet.events if one.event == "closed"]) == 2_000


def says_all(fleet: Fleet, jobs: int) -> None:
    found: list[CheckResult] = [
        signal(fleet, "success", f"job-{number}", attempt=0) for number in range(jobs)
    ]
    fleet.append(found)


def test_an_event_names_the_receivers_as_its_one_region() -> None:
    log = begun(job(**HOURLY))
    says(log, "fail")
    (event,) = [one for one in log.outputs if isinstance(one, IncidentEvent)]
    assert event.regions.keys() == {RECEIVER}
    assert (event.regions[RECEIVER].verdict, event.regions[RECEIVER].reason) == (
        "down",
        "job_failed",
    )
