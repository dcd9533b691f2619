"""Why there is or is not an incident of a job (rule 16)."""

from schemas.control import Resolved
from schemas.result import RECEIVER
from streams.explain import Explanation, RunExplained, explain
from streams.state.heartbeats import Receivers
from tests.unit.streams.rules.fleet import START
from tests.unit.streams.rules.jobs import MINUTE_MS, Jobs, job, probe


def explained(jobs: Jobs) -> Explanation:
    found = explain(jobs.state, "backup")
    assert found is not None
    return found


def test_a_job_that_has_not_reported() -> None:
    found = explained(Jobs(job()))
    assert found.status == "pending"
    assert found.headline == "No incident: it has not reported yet."
    assert found.would_change == (
        "An incident opens at once when it reports a failure.",
        (
            "The next report is due at 2027-01-15 09:00:00 UTC (60 min from now); it is missed at "
            "2027-01-15 09:10:00 UTC (10 min of grace)."
        ),
    )
    assert found.job is not None
    assert (found.job.reported_at, found.job.due_at) == (None, START + 60 * MINUTE_MS)


def test_its_last_report_and_the_run_that_goes_on() -> None:
    jobs = Jobs(job(expected=probe(max_runtime_ms=20 * MINUTE_MS)))
    jobs.signal("start", run="a")
    jobs.pass_time(MINUTE_MS)
    jobs.signal("success", run="a", exit_code=0)
    jobs.pass_time(MINUTE_MS)
    jobs.signal("start", run="b")
    found = explained(jobs)
    assert found.headline == "No incident: its last report is a success."
    assert found.because == (
        (
            "The last report, a success (exit code 0), came at 2027-01-15 08:01:00 UTC (60 s ago), "
            "1 min after start."
        ),
        (
            "A run (b) began at 2027-01-15 08:02:00 UTC (0 ms ago) and has not ended; it must end "
            "by 2027-01-15 08:22:00 UTC."
        ),
    )
    assert found.job is not None
    assert found.job.runs == (
        RunExplained(name="b", began_at=jobs.now, ends_by=jobs.now + 20 * MINUTE_MS, overran=False),
    )
    jobs.pass_time(20 * MINUTE_MS)
    found = explained(jobs)
    assert found.headline == "An incident is open: job ran too long, since 08:22:00 (0 ms)."
    assert "ran for too long, which was told" in found.because[1]
    assert found.incidents[0].likely == "job_overran"
    assert found.would_change[0] == "The incident closes with the next success."


def test_a_start_that_moved_the_deadline_is_named() -> None:
    jobs = Jobs(job(expected=probe(max_runtime_ms=120 * MINUTE_MS)))
    jobs.signal("start")
    assert "moved by the start of a run" in explained(jobs).would_change[1]


def test_why_it_is_not_judged() -> None:
    jobs = Jobs(job())
    jobs.signal()
    jobs.pass_time(50 * MINUTE_MS)
    jobs.away = True
    jobs.pass_time(5 * MINUTE_MS)
    found = explained(jobs)
    assert found.because[1:] == (
        (
            "No receiver was heard since 2027-01-15 08:50:00 UTC: jobs are not judged until one is "
            "heard again."
        ),
    )
    assert found.regions[0].silent_since == START + 50 * MINUTE_MS
    jobs.away = False
    jobs.pass_time(5_000)
    found = explained(jobs)
    assert found.because[1:] == (
        (
            "No receiver was heard from 2027-01-15 08:50:00 UTC to 08:55:05: what may have come "
            "then was not judged."
        ),
    )
    assert found.job is not None
    assert found.job.deaf == ((START + 50 * MINUTE_MS, jobs.now),)


def test_why_the_report_before_was_not_judged() -> None:
    jobs = Jobs(job())
    jobs.signal()
    jobs.pass_time(55 * MINUTE_MS)
    jobs.away = True
    jobs.pass_time(10 * MINUTE_MS)
    jobs.away = False
    jobs.pass_time(30 * MINUTE_MS)
    assert jobs.events == []
    found = explained(jobs)
    assert found.job is not None
    assert found.job.due_at == START + 120 * MINUTE_MS
    assert [begin for begin, _ in found.job.deaf] == [START + 55 * MINUTE_MS]
    assert "No receiver was heard from 2027-01-15 08:55:00 UTC" in found.because[1]
    jobs.signal()
    assert explained(jobs).because[1:] == ()


def test_nobody_was_ever_heard() -> None:
    jobs = Jobs(job())
    jobs.state.receivers = Receivers()
    found = explained(jobs)
    assert found.because == ("No receiver was ever heard: jobs are not judged.",)
    assert found.regions[0].region == RECEIVER


def test_one_that_was_resolved_by_hand_and_one_that_flaps() -> None:
    jobs = Jobs(job())
    jobs.signal("fail")
    jobs.control(Resolved(target="backup", incident_id=jobs.last.incident_id, by="eve"))
    found = explained(jobs)
    assert found.headline == "No incident, though its last report is a failure: resolved by hand."
    for _ in range(4):
        jobs.signal("fail")
        jobs.signal("success")
    found = explained(jobs)
    assert found.headline.startswith("An incident is open: flapping since 08:00:00")
    assert found.would_change[0].startswith("The flapping ends when it stays up until 08:30:00")
