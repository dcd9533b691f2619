"""The short form. What must hold is told in the package's docstring."""

from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from schemas.incident import IncidentEvent
from tests.simulation.jobs import daemon
from tests.simulation.jobs.fleet import HOURLY, NIGHTLY, QUICK, Scenario
from tests.simulation.jobs.judge import judge, simulate
from tests.simulation.jobs.simulation import JobSimulation
from tests.unit.streams.rules.job_accounts import ms

BEGIN = ms("2027-01-15 06:50")

CHANGES = {
    "Europe/Berlin": ("2027-03-28", "2027-10-31"),
    "America/New_York": ("2027-03-14", "2027-11-07"),
    "Australia/Lord_Howe": ("2027-10-03", "2027-04-04"),
}
"""When the clocks go forward, and back."""


# Where a zone moves by half an hour, cronsim leaves out half of an hour that comes twice.
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_the_daemon_runs_what_cronsim_says(zone: str) -> None:
    schedules = (*NIGHTLY, *HOURLY, *QUICK)
    for day in CHANGES[zone]:
        begin, end = ms(f"{day} 00:00", zone), ms(f"{day} 06:00", zone)
        ran = list(daemon.runs([daemon.read(one) for one in schedules], zone, begin, end))
        for number, schedule in enumerate(schedules):
            times = CronSim(schedule, datetime.fromtimestamp(begin / 1000 - 1, ZoneInfo(zone)))
            found = [at for place, at in ran if place == number]
            assert found == [_utc_ms(one) for one in islice(times, len(found))]
            assert _utc_ms(next(times)) >= end


def _utc_ms(shown: datetime) -> int:
    return round(shown.timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "day"), [(zone, day) for zone, days in CHANGES.items() for day in days]
)
def test_jobs_of_the_night_in_which_the_clocks_change(zone: str, day: str) -> None:
    found = simulate(
        Scenario(
            seed=5,
            begin=ms(f"{day} 00:05", zone),
            hours=4,
            jobs=60,
            zones=(zone,),
            schedules=NIGHTLY + HOURLY + QUICK[:1],
            partitions=1,
            troubles=0.1,
        )
    )
    assert not found.divergences, "\n".join(found.lines())
    assert found.must >= 20


def test_receivers_that_are_away_and_a_silent_log_blame_no_job() -> None:
    found = simulate(
        Scenario(
            seed=6,
            begin=BEGIN,
            hours=5,
            jobs=80,
            deaf=((70, 30), (200, 1)),
            silent=((150, 10),),
            troubles=0.1,
        )
    )
    assert not found.divergences, "\n".join(found.lines())
    assert found.lost > 50
    assert found.must >= 50
    reasons = {one.split()[-1] for one in found.told}
    assert {"heartbeat_missed", "job_failed", "job_overran"} <= reasons


def test_ten_thousand_jobs_with_receivers_that_are_killed() -> None:
    found = simulate(
        Scenario(
            seed=7,
            begin=BEGIN,
            hours=1.1,
            jobs=10_000,
            schedules=HOURLY,
            partitions=4,
            deaf=((20, 30),),
            deaths=20,
            troubles=0.02,
        )
    )
    assert not found.divergences, "\n".join(found.lines())
    assert found.must >= 50


def test_jobs_that_are_well_are_never_told() -> None:
    scenario = Scenario(
        seed=8, begin=BEGIN, hours=4, jobs=60, troubles=0, deaf=((70, 30),), silent=((120, 10),)
    )
    outcome = JobSimulation(scenario).run()
    assert [one for _, one in outcome.events if isinstance(one, IncidentEvent)] == []
    assert not judge(outcome).divergences


def test_the_judge_sees_what_is_not_told_and_what_is_not_so() -> None:
    scenario = Scenario(seed=9, begin=BEGIN, hours=3, jobs=40, troubles=0.2)
    outcome = JobSimulation(scenario).run()
    assert not judge(outcome).divergences
    told, outcome.events = outcome.events, []
    unsaid = {one.what for _, one in judge(outcome).divergences}
    assert {f"{one} was not told" for one in ("left out", "failed", "killed")} <= unsaid
    outcome.events = told
    for job in outcome.jobs:
        for run in job.runs:
            run.outcome = "well"
            run.begins = run.planned
            run.ends = run.planned + 1
    untrue = {one.what for _, one in judge(outcome).divergences}
    assert {
        f"said to be {one}, and was not" for one in ("heartbeat_missed", "job_overran")
    } <= untrue
