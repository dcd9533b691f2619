"""Rule 16: words by hand, pauses, other definitions, flapping, the clock, and the state of jobs."""

import pytest
from msgspec import structs

from schemas.control import Acknowledged, Resolved, TargetPaused, TargetRemoved, TargetResumed
from streams.rules.apply import RuleError
from tests.unit.streams.rules.fleet import START, target
from tests.unit.streams.rules.jobs import MINUTE_MS, Jobs, job, ms, nightly, probe

HOUR_MS = 60 * MINUTE_MS


# -- by hand, pauses, changes -------------------------------------------------


def test_acknowledged_and_resolved_by_hand() -> None:
    jobs = Jobs(job())
    jobs.signal("fail")
    which = jobs.last.incident_id
    jobs.control(Acknowledged(target="backup", incident_id=which, by="eve", note="on it"))
    jobs.control(Acknowledged(target="backup", incident_id=which, by="eve"))
    assert (jobs.last.event, jobs.last.acknowledged_by) == ("updated", "eve")
    assert jobs.last.acknowledged_note == "on it"
    jobs.control(Resolved(target="backup", incident_id=which, by="eve", note="fine"))
    assert (jobs.last.closed_because, jobs.last.resolved_by) == ("resolved", "eve")
    assert len(jobs.events) == 3
    # Each run is another one.
    jobs.pass_time(30 * MINUTE_MS)
    assert len(jobs.events) == 3
    jobs.signal("fail")
    assert jobs.story[3:] == [("opened", "job_failed")]
    jobs.control(Resolved(target="backup", incident_id="another", by="eve"))
    assert len(jobs.events) == 4


def test_a_paused_job_is_not_judged_and_begins_anew() -> None:
    jobs = Jobs(job())
    jobs.signal("fail")
    jobs.control(TargetPaused(target="backup", until=None, by="eve", note="migration"))
    assert jobs.last.closed_because == "target_paused"
    assert jobs.last.paused_by == "eve"
    assert "backup" not in jobs.state.jobs
    jobs.signal("fail")
    jobs.pass_time(3 * HOUR_MS)
    assert len(jobs.events) == 2
    jobs.control(TargetResumed(target="backup", by="eve"))
    assert jobs.one().due == jobs.now + HOUR_MS
    jobs.pass_time(70 * MINUTE_MS)
    assert jobs.story[2:] == [("opened", "heartbeat_missed")]


def test_a_pause_ends_by_itself() -> None:
    jobs = Jobs(job())
    until = START + 30 * MINUTE_MS
    jobs.control(TargetPaused(target="backup", until=until, by="eve"))
    jobs.until(until + 7_000)
    assert jobs.one().due == until + HOUR_MS


def test_a_job_that_is_not_enabled_is_not_judged() -> None:
    jobs = Jobs(job())
    jobs.signal("fail")
    jobs.set(job(enabled=False, version=2))
    assert jobs.story[1:] == [("closed", "target_paused")]
    assert jobs.state.jobs == {}
    jobs.set(job(version=3))
    assert jobs.one().due == jobs.now + HOUR_MS


def test_a_job_that_is_removed() -> None:
    jobs = Jobs(job(version=11))
    jobs.signal("fail")
    jobs.remove("backup")
    assert len(jobs.events) == 1
    jobs.set(job(version=5))
    assert jobs.one().target.version == 11
    jobs.control(TargetRemoved(target="backup", version=12))
    assert jobs.story[1:] == [("closed", "target_removed")]
    assert jobs.state.jobs == {}
    jobs.pass_time(3 * HOUR_MS)
    assert len(jobs.events) == 2


def test_another_kind_is_another_target() -> None:
    jobs = Jobs(job())
    jobs.signal("fail")
    jobs.set(target("backup", "a", version=2))
    assert jobs.story[1:] == [("closed", "target_changed")]
    assert "backup" in jobs.state.targets
    assert jobs.state.jobs == {}
    jobs.down("a", of="backup")
    jobs.set(job(version=3))
    assert [(one.event, one.closed_because) for one in jobs.events[2:]] == [
        ("opened", None),
        ("closed", "target_changed"),
    ]
    assert jobs.state.targets == {}
    assert jobs.one().due == jobs.now + HOUR_MS


def test_another_interval_is_due_from_now_on_and_another_grace_at_once() -> None:
    jobs = Jobs(job())
    jobs.until(START + 65 * MINUTE_MS)
    jobs.set(job(version=2, expected=probe(interval_ms=30 * MINUTE_MS)))
    assert jobs.one().due == START + 95 * MINUTE_MS
    jobs.set(job(version=3, expected=probe(interval_ms=30 * MINUTE_MS, grace_ms=MINUTE_MS)))
    assert jobs.one().due == START + 95 * MINUTE_MS
    jobs.until(START + 96 * MINUTE_MS)
    assert jobs.story == [("opened", "heartbeat_missed")]


def test_another_name_changes_nothing_but_what_the_next_event_says() -> None:
    jobs = Jobs(job())
    jobs.until(START + 65 * MINUTE_MS)
    jobs.set(job(version=2, name="Other", runbook="https://example.com"))
    jobs.until(START + 70 * MINUTE_MS)
    assert (jobs.last.name, jobs.last.runbook) == ("Other", "https://example.com")
    assert jobs.last.first_failed_at == START + HOUR_MS


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {"interval_ms": None},
        {"schedule": "0 2 * * *", "interval_ms": 60_000},
        {"schedule": "0 0 31 2 *"},
    ],
)
def test_a_definition_that_cannot_be_judged_is_refused(wrong: dict[str, object] | None) -> None:
    jobs = Jobs(job())
    expected = None if wrong is None else probe(**wrong)
    with pytest.raises(RuleError, match="expected"):
        jobs.set(structs.replace(job(version=2), probe=expected))
    assert jobs.one().target.version == 1


# -- flapping -----------------------------------------------------------------


def flap(jobs: Jobs, times: int) -> None:
    for _ in range(times):
        jobs.signal("fail")
        jobs.pass_time(MINUTE_MS)
        jobs.signal("success")
        jobs.pass_time(MINUTE_MS)


def test_a_job_that_fails_in_turn_flaps() -> None:
    jobs = Jobs(job())
    flap(jobs, 4)
    assert [one.incident_type for one in jobs.events][-1] == "flapping"
    assert jobs.last.event == "opened"
    recovered = jobs.now - MINUTE_MS
    for _ in range(4):
        jobs.pass_time(9 * MINUTE_MS)
        jobs.signal("success")
    assert jobs.last.closed_because == "recovered"
    assert jobs.last.recovered_at == recovered
    assert "half an hour" in jobs.last.summary
    assert jobs.state.transitions == {}


def test_one_that_stays_down_flaps_no_more() -> None:
    jobs = Jobs(job())
    flap(jobs, 4)
    jobs.signal("fail")
    failed = jobs.now
    jobs.pass_time(30 * MINUTE_MS)
    assert [(one.event, one.closed_because, one.incident_type) for one in jobs.events[-2:]] == [
        ("closed", "steady", "flapping"),
        ("opened", None, "unreachable"),
    ]
    assert jobs.last.first_failed_at == failed


# -- the clock ----------------------------------------------------------------


def test_a_clock_set_back_moves_all_times() -> None:
    jobs = Jobs(job(expected=probe(max_runtime_ms=20 * MINUTE_MS)))
    jobs.until(START + 30 * MINUTE_MS)
    jobs.signal("start")
    jobs.pass_time(5 * MINUTE_MS)
    jobs.now -= 10 * MINUTE_MS
    jobs.hear()
    job_now = jobs.one()
    assert job_now.due == START + 50 * MINUTE_MS
    assert job_now.runs[0].began == START + 20 * MINUTE_MS
    jobs.until(START + 40 * MINUTE_MS)
    assert jobs.story == [("opened", "job_overran")]


def test_what_is_scheduled_stays_at_the_time_of_the_clock() -> None:
    at = ms("2026-12-01 12:00")
    jobs = Jobs(job(expected=nightly(at, "0 14 * * *")), begin=at)
    assert jobs.one().due == ms("2026-12-01 13:00")
    jobs.pass_time(30 * MINUTE_MS)
    jobs.now -= 20 * MINUTE_MS
    jobs.hear()
    assert jobs.one().due == ms("2026-12-01 13:00")


# -- the work, the state ------------------------------------------------------


def test_of_many_jobs_a_thousand_are_looked_at_with_each_record() -> None:
    jobs = Jobs(*(job(f"job-{number:05}") for number in range(2_500)))
    jobs.away = True
    while jobs.now < START + 70 * MINUTE_MS - 2_000:
        jobs.now = min(jobs.now + 14_000, START + 70 * MINUTE_MS - 2_000)
        jobs.hear()
    jobs.now += 2_000
    opened = [len(jobs.hear()), len(jobs.tick()), len(jobs.tick()), len(jobs.tick())]
    assert opened == [1_000, 1_000, 500, 0]
    assert [one.target for one in jobs.events] == sorted(one.target for one in jobs.events)


def test_a_job_is_restored_as_it_was() -> None:
    jobs = Jobs(job(), job("other", probe(max_runtime_ms=MINUTE_MS)), job("third"))
    jobs.signal("fail", exit_code=1)
    jobs.signal("start", of="other", run="x")
    jobs.pass_time(2 * MINUTE_MS)
    flap(jobs, 4)
    again = jobs.restored()
    assert again.jobs == jobs.state.jobs
    assert again.receivers == jobs.state.receivers
    assert again.transitions == jobs.state.transitions
    assert again.job_index.troubled == jobs.state.job_index.troubled
    assert again.job_index.flapping == jobs.state.job_index.flapping
