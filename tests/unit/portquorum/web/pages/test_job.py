"""What the page of a job says of it: in words, late or not, and its runs."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from portquorum.access.principal import Principal
from portquorum.web.answers import Counts, Freshness
from portquorum.web.history.answers import JobHistory, JobRun, JobSignal, TargetHistory
from portquorum.web.history.windows import named
from portquorum.web.pages import target
from portquorum.web.pages.job import JobView, expects, job_view
from portquorum.web.pages.schedule_words import schedule_words
from portquorum.web.pages.target import TargetView
from portquorum.web.pages.viewer import Viewer, iso
from portquorum.web.words import ENGLISH
from schemas.probe import HeartbeatProbe
from tests.browser.web import job
from tests.browser.web.nights import HOUR, MINUTE, NOW, busy

HOURLY = HeartbeatProbe(interval_ms=HOUR, grace_ms=5 * MINUTE)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("30 3 * * *", "every day at 03:30"),
        ("0 6,18 * * *", "every day at 06:00, 18:00"),
        ("*/5 * * * *", "every 5 minutes"),
        ("* * * * *", "every minute"),
        ("15 * * * *", "each hour at :15"),
        ("0 4 * * 1,4", "Mon, Thu at 04:00"),
        ("0 4 * * 0,6", "Sat, Sun at 04:00"),
        ("0 0 1 * *", "on day 1 of the month at 00:00"),
        ("*/15 * * * 1-5", "Mon, Tue, Wed, Thu, Fri every 15 minutes"),
        ("0 4 13 * 5", ""),
        ("0 4 1 1 *", ""),
        ("0 */2 * * *", ""),
        ("1,2,3,5,8 * * * *", ""),
        ("not one", ""),
    ],
)
def test_a_usual_schedule_has_words(schedule: str, words: str) -> None:
    assert schedule_words(schedule) == words


def test_what_is_expected_is_said_with_its_zone() -> None:
    assert list(expects(job.ZONE)) == [
        ("Reports", "every day at 03:30: 30 3 * * * (Europe/Berlin)"),
        ("May be late by", "30 min"),
        ("May run for", "2 h"),
    ]
    assert list(expects(HOURLY)) == [("Reports", "every 1 h"), ("May be late by", "5 min")]


def view(probe: HeartbeatProbe, reports: Sequence[JobSignal] | None, **row: Any) -> JobView:
    fresh: Freshness = busy().freshness
    answer = job.answer(fresh, "")
    answer = replace(
        answer,
        definition=replace(answer.definition, probe=probe),
        row=replace(answer.row, **({"state": "up", "incident": None} | row)),
    )
    told = None if reports is None else tuple(reports)
    past = TargetHistory(target=job.JOB, window=named("24h", NOW), job=JobHistory(signals=told))
    found = job_view(answer, past)
    assert found is not None
    return found


def said(signal: str, ago_ms: int) -> JobSignal:
    return JobSignal(signal=signal, at=busy().freshness.now - ago_ms, exit_code=None)


def test_the_next_report_is_due_an_interval_after_the_newest_end() -> None:
    found = view(HOURLY, [said("success", 20 * MINUTE), said("start", MINUTE)])
    assert (found.due_at, found.is_late) == (busy().freshness.now + 40 * MINUTE, False)
    found = view(HOURLY, [said("success", 2 * HOUR), said("fail", 62 * MINUTE)])
    now = busy().freshness.now
    assert (found.due_at, found.is_late) == (now - 2 * MINUTE, True)
    assert (found.deadline_at, found.last_report) == (now + 3 * MINUTE, "fail")


def test_the_next_report_of_a_job_that_was_missed_is_still_to_come() -> None:
    found = view(HOURLY, [said("success", 5 * HOUR - MINUTE)], state="down")
    assert (found.due_at, found.is_late) == (busy().freshness.now + MINUTE, False)
    found = view(job.ZONE, [said("success", 50 * HOUR)], state="down")
    assert found.due_at is not None
    assert 0 <= found.due_at - busy().freshness.now < 24 * HOUR
    assert found.due_at % (24 * HOUR) == 90 * MINUTE  # 03:30 in summer is 01:30 UTC


def test_before_the_first_report_the_definition_counts() -> None:
    never = HeartbeatProbe(interval_ms=41 * 24 * HOUR, grace_ms=MINUTE)
    found = view(never, [])
    assert found.due_at == NOW + 24 * HOUR
    assert (found.last_report_at, found.is_known) == (None, True)


def test_what_is_not_known_or_nobody_waits_for_has_no_due_time() -> None:
    found = view(HOURLY, None)
    assert (found.due_at, found.is_late, found.is_known) == (None, False, False)
    assert view(HOURLY, [said("success", 5 * HOUR)], state="paused").due_at is None


RUNNING = JobRun(
    run="r1",
    began_at=NOW - MINUTE,
    ended_at=None,
    end="running",
    duration_ms=None,
    exit_code=None,
    output="",
    detail="",
)
ENDED = replace(RUNNING, ended_at=NOW, end="success", duration_ms=8.2, exit_code=0, output="well\n")
NOT_SAID = replace(ENDED, began_at=None, duration_ms=None, exit_code=None, output="")
LOST = replace(RUNNING, run="r0", end="lost", detail="of before")
OVERRAN = replace(ENDED, end="fail", exit_code=3, detail="ran too long")
EVERYBODY = (
    Principal(name="", scope="viewer", via="local"),
    Principal(name="", scope="operator", via="local"),
    Principal(name="", scope="admin", via="local"),
)
PAUSED = {"paused_by": "mia", "paused_until": NOW + HOUR, "pause_reason": "moved"}


def shown(state: str, history: JobHistory | None, rights: Principal, **other: Any) -> str:
    """The page of an hourly job as `rights` see it, with undefined names refused."""
    fresh = busy().freshness
    answer = job.answer(fresh, "")
    definition = replace(answer.definition, probe=HOURLY, source=other.pop("source", "web"))
    answer = replace(
        answer,
        definition=definition,
        row=replace(answer.row, state=state, incident=None, **other),
        incidents=answer.incidents if state == "down" else (),
    )
    past = TargetHistory(
        target=job.JOB,
        window=named("24h", NOW),
        job=history,
        trouble=None if history is not None else "The history can't be reached.",
    )
    viewer = Viewer(now=fresh.now, rights=rights)
    return target.page(TargetView(answer=answer, opened=(), past=past), Counts(), viewer)


@pytest.mark.parametrize("rights", EVERYBODY, ids=lambda one: str(one.scope))
@pytest.mark.parametrize("source", ["web", "inventory.yaml"])
@pytest.mark.parametrize("state", ["up", "down", "flapping", "pending", "unknown", "paused"])
@pytest.mark.parametrize(
    "history",
    [
        pytest.param(None, id="no-history"),
        pytest.param(JobHistory(), id="none-of-its-parts"),
        pytest.param(JobHistory(signals=(), runs=(), durations=()), id="never"),
        pytest.param(JobHistory(signals=(said("success", 20 * MINUTE),), runs=(ENDED,)), id="well"),
        pytest.param(JobHistory(signals=(said("success", 62 * MINUTE),), runs=()), id="late"),
        pytest.param(JobHistory(signals=(said("success", 66 * MINUTE),), runs=()), id="missed"),
        pytest.param(
            JobHistory(
                signals=(said("fail", MINUTE), said("start", MINUTE), said("log", MINUTE)),
                runs=(RUNNING, OVERRAN, LOST, NOT_SAID),
            ),
            id="failed-and-runs",
        ),
    ],
)
def test_every_page_of_a_job_can_be_shown(
    state: str, source: str, history: JobHistory | None, rights: Principal
) -> None:
    paused = PAUSED if state == "paused" else {}
    page = shown(state, history, rights, source=source, **paused)
    assert 'id="job-of"' in page
    may_act = rights.scope != "viewer"
    assert (f"/targets/{job.JOB}/keys" in page) == may_act


def test_a_late_job_says_from_when_on_it_is_missed() -> None:
    now = busy().freshness.now
    late = shown("up", JobHistory(signals=(said("success", 62 * MINUTE),)), EVERYBODY[0])
    assert ENGLISH.late in late
    assert f"{ENGLISH.jobs.missed_from} <time" in late
    assert iso(now + 3 * MINUTE) in late
    missed = shown("up", JobHistory(signals=(said("success", 66 * MINUTE),)), EVERYBODY[0])
    assert ENGLISH.late in missed
    assert ENGLISH.jobs.missed_from not in missed
