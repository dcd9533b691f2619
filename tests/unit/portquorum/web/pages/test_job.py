"""What the page of a job says of it: in words, late or not, and its runs."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from portquorum.web.answers import Freshness
from portquorum.web.history.answers import JobHistory, JobSignal, TargetHistory
from portquorum.web.history.windows import named
from portquorum.web.pages.job import JobView, expects, job_view
from portquorum.web.pages.schedule_words import schedule_words
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
