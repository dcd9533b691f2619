"""Rule 16, sentence by sentence."""

import pytest

from schemas.result import RECEIVER
from streams.state.heartbeats import Receivers
from tests.unit.streams.rules.fleet import START, target
from tests.unit.streams.rules.jobs import MINUTE_MS, Jobs, job, ms, nightly, probe

HOUR_MS = 60 * MINUTE_MS


def test_a_report_that_does_not_come_is_missed_when_its_grace_is_over() -> None:
    jobs = Jobs(job())
    jobs.pass_time(HOUR_MS)
    jobs.signal()
    jobs.until(START + 2 * HOUR_MS + 10 * MINUTE_MS - 2_000)
    assert jobs.events == []
    jobs.pass_time(2_000)
    assert jobs.story == [("opened", "heartbeat_missed")]
    event = jobs.last
    assert event.incident_type == "unreachable"
    assert event.first_failed_at == START + 2 * HOUR_MS
    assert (event.votes.down, event.votes.need, event.votes.fresh, event.votes.configured) == (
        1,
        1,
        1,
        1,
    )
    assert list(event.regions) == [RECEIVER]
    assert event.host is None
    assert event.host_targets == ()
    assert event.first_steps


def test_what_is_missed_again_and_again_is_told_once_since_the_first_time() -> None:
    jobs = Jobs(job())
    jobs.pass_time(5 * HOUR_MS)
    assert jobs.story == [("opened", "heartbeat_missed")]
    down = jobs.one().down
    assert down is not None
    assert down.since == START + HOUR_MS


def test_a_success_closes_it() -> None:
    jobs = Jobs(job())
    jobs.pass_time(2 * HOUR_MS)
    jobs.signal()
    assert jobs.story == [("opened", "heartbeat_missed"), ("closed", "recovered")]
    assert jobs.last.votes.down == 0
    assert jobs.last.regions[RECEIVER].verdict == "up"
    assert jobs.state.job_index.troubled == set()


def test_a_failure_opens_at_once_and_is_a_report() -> None:
    jobs = Jobs(job())
    jobs.pass_time(30 * MINUTE_MS)
    jobs.signal("fail", exit_code=3)
    assert jobs.story == [("opened", "job_failed")]
    assert jobs.last.regions[RECEIVER].detail == "exit code 3"
    assert "(exit code 3)" in jobs.last.summary
    assert jobs.one().due == START + 90 * MINUTE_MS
    jobs.signal("fail", exit_code=4)
    assert len(jobs.events) == 1
    jobs.until(START + 100 * MINUTE_MS)
    assert jobs.story[1:] == [("updated", "heartbeat_missed")]
    assert jobs.last.first_failed_at == START + 30 * MINUTE_MS
    jobs.signal("fail")
    assert jobs.story[2:] == [("updated", "job_failed")]


@pytest.mark.parametrize(
    ("said", "detail", "summary"),
    [
        ({"detail": "disk full"}, '"disk full"', 'reported that it failed: "disk full". It'),
        ({"output": "one\ndisk full\n \n"}, '"disk full"', 'failed: "disk full". It'),
        ({"output": "long words", "detail": "boom"}, '"boom"', 'failed: "boom". It'),
        (
            {"output": "no space left", "detail": "exit code 17", "exit_code": 17},
            'exit code 17: "no space left"',
            'failed (exit code 17): "no space left". It',
        ),
        ({"detail": "exit code 17", "exit_code": 17}, "exit code 17", "(exit code 17). It"),
        ({"output": "\n \t"}, None, "reported that it failed. It"),
        # Nothing of it gets out of the quotation, to a terminal, or to another line.
        ({"detail": 'a". All\x1b[2J\u202eis\nwell'}, '"a\'. All�[2J�is well"', 'well". It'),
        ({"output": "x" * 4_000}, f'"{"x" * 199}…"', 'x…". It'),
    ],
)
def test_what_a_failure_says_is_quoted(
    said: dict[str, str | int], detail: str | None, summary: str
) -> None:
    jobs = Jobs(job())
    jobs.signal("fail", **said)  # type: ignore[arg-type]
    assert jobs.last.regions[RECEIVER].detail == detail
    assert summary in jobs.last.summary
    # What a later failure says is told with the next reason, and of this one by the page.
    jobs.signal("fail", detail="another")
    assert len(jobs.events) == 1
    assert jobs.one().down is not None
    assert jobs.one().down.words == "another"


def test_a_run_that_does_not_end_overran() -> None:
    jobs = Jobs(job(expected=probe(max_runtime_ms=20 * MINUTE_MS)))
    jobs.pass_time(30 * MINUTE_MS)
    jobs.signal("start", run="a")
    jobs.until(START + 50 * MINUTE_MS - 2_000)
    assert jobs.events == []
    jobs.pass_time(2_000)
    assert jobs.story == [("opened", "job_overran")]
    assert jobs.last.first_failed_at == START + 50 * MINUTE_MS
    assert "runs for more than 20 min" in jobs.last.summary
    # It is told once, and known until it ends.
    jobs.pass_time(MINUTE_MS)
    assert len(jobs.events) == 1
    jobs.signal("success", run="a")
    assert jobs.story[1:] == [("closed", "recovered")]
    assert jobs.one().runs == ()


def test_a_start_moves_a_deadline_that_would_come_sooner() -> None:
    jobs = Jobs(job(expected=probe(max_runtime_ms=2 * HOUR_MS)))
    jobs.until(START + 65 * MINUTE_MS)
    jobs.signal("start")
    jobs.until(START + 3 * HOUR_MS)
    assert jobs.events == []
    # Both come at one moment: what it says of its run is the better word.
    jobs.until(START + 65 * MINUTE_MS + 2 * HOUR_MS)
    assert jobs.story == [("opened", "job_overran")]


def test_without_max_runtime_a_start_moves_it_to_its_grace() -> None:
    jobs = Jobs(job())
    jobs.until(START + 69 * MINUTE_MS)
    jobs.signal("start")
    jobs.until(START + 79 * MINUTE_MS - 2_000)
    assert jobs.events == []
    jobs.pass_time(2_000)
    assert jobs.story == [("opened", "heartbeat_missed")]
    assert "did not end" in (jobs.last.regions[RECEIVER].detail or "")


def test_an_end_ends_its_run_and_all_that_began_before() -> None:
    jobs = Jobs(job())
    for name in ("a", "b", "c"):
        jobs.signal("start", run=name)
    jobs.signal("success", run="b")
    assert [run.name for run in jobs.one().runs] == ["c"]
    jobs.signal("start", run="d")
    jobs.signal("success", run="unknown")
    assert jobs.one().runs == ()
    jobs.signal("start", run="e")
    jobs.signal("success")
    assert jobs.one().runs == ()


def test_of_more_than_16_runs_the_oldest_is_forgotten() -> None:
    jobs = Jobs(job())
    for number in range(17):
        jobs.signal("start", run=str(number))
    assert [run.name for run in jobs.one().runs] == [str(number) for number in range(1, 17)]
    jobs.signal("start", run="1")
    assert [run.name for run in jobs.one().runs][-1] == "1"
    assert len(jobs.one().runs) == 16


@pytest.mark.parametrize(
    "changes",
    [
        {"region": "eu"},
        {"started_at": START - 30_001},
        {"started_at": START + 15_001},
        {"signal": "log"},
        {"signal": None},
        {"target": "another"},
    ],
)
def test_what_does_not_count_changes_nothing(changes: dict[str, object]) -> None:
    jobs = Jobs(job())
    jobs.signal(**{"exit_code": 1, "signal": "fail"} | changes)  # type: ignore[arg-type]
    assert jobs.events == []
    assert jobs.one().counted == ()


@pytest.mark.parametrize("started_at", [START - 30_000, START + 15_000])
def test_at_the_edges_it_counts(started_at: int) -> None:
    jobs = Jobs(job())
    jobs.signal("fail", started_at=started_at)
    assert jobs.story == [("opened", "job_failed")]


def test_what_was_sent_twice_counts_once() -> None:
    jobs = Jobs(job())
    jobs.signal("fail", attempt=7)
    jobs.signal("success", attempt=8)
    jobs.signal("fail", attempt=7)
    assert jobs.story == [("opened", "job_failed"), ("closed", "recovered")]


# -- schedules ----------------------------------------------------------------


def test_a_job_whose_clock_is_ahead_reports_its_run_and_not_the_one_before() -> None:
    at = ms("2026-12-01 12:00")
    jobs = Jobs(job(expected=nightly(at)), begin=at)
    assert jobs.one().due == ms("2026-12-02 01:00")
    jobs.until(ms("2026-12-02 00:59:30"))
    jobs.signal()
    assert jobs.one().due == ms("2026-12-03 01:00")
    jobs.until(ms("2026-12-03 00:58:59"))
    jobs.signal()
    assert jobs.one().due == ms("2026-12-03 01:00")


def test_of_a_job_of_each_minute_a_quarter_of_the_minute_is_early() -> None:
    at = ms("2026-12-01 12:00")
    jobs = Jobs(job(expected=nightly(at, "* * * * *", grace_ms=1_000)), begin=at)
    jobs.until(at + 44_999)
    jobs.signal()
    assert jobs.one().due == at + MINUTE_MS
    jobs.pass_time(1)
    jobs.signal()
    assert jobs.one().due == at + 2 * MINUTE_MS


@pytest.mark.parametrize(
    ("begin", "due"),
    [
        ("2026-03-28 12:00", "2026-03-29 01:00"),  # 02:30 does not come: at 03:00 of summer time
        ("2026-10-24 12:00", "2026-10-25 00:30"),  # 02:30 comes twice: the first time
        ("2026-10-25 00:40", "2026-10-26 01:30"),
    ],
)
def test_both_changes_of_the_clock(begin: str, due: str) -> None:
    at = ms(begin)
    jobs = Jobs(job(expected=nightly(at, "30 2 * * *")), begin=at)
    assert jobs.one().due == ms(due)


def test_after_one_was_missed_the_next_scheduled_time_is_due() -> None:
    at = ms("2026-12-01 12:00")
    jobs = Jobs(job(expected=nightly(at, "0 * * * *")), begin=at)
    jobs.until(ms("2026-12-01 13:10"))
    assert jobs.story == [("opened", "heartbeat_missed")]
    assert jobs.one().due == ms("2026-12-01 14:00")


def test_after_one_was_missed_the_next_is_due_whole_intervals_later() -> None:
    jobs = Jobs(job(expected=probe(interval_ms=4 * MINUTE_MS)))
    jobs.pass_time(MINUTE_MS)
    jobs.signal()
    jobs.pass_time(14 * MINUTE_MS)
    assert jobs.story == [("opened", "heartbeat_missed")]
    assert jobs.one().due == START + 17 * MINUTE_MS


# -- nobody listens -----------------------------------------------------------


def test_while_nobody_listens_nothing_is_missed() -> None:
    jobs = Jobs(job())
    jobs.until(START + 55 * MINUTE_MS)
    jobs.away = True
    jobs.until(START + 85 * MINUTE_MS)
    assert jobs.events == []
    jobs.away = False
    jobs.until(START + 90 * MINUTE_MS)
    assert jobs.events == []
    assert jobs.one().due == START + 120 * MINUTE_MS
    told = [event.event for event in jobs.region_events]
    assert told == ["region.silent", "region.returned"]
    silent, returned = jobs.region_events
    assert silent.region == RECEIVER
    assert "jobs are not judged" in silent.summary
    assert "heard again" in returned.summary
    jobs.until(START + 130 * MINUTE_MS)
    assert jobs.story == [("opened", "heartbeat_missed")]


def test_a_gap_of_the_log_is_a_deaf_time() -> None:
    jobs = Jobs(job())
    jobs.until(START + 55 * MINUTE_MS)
    jobs.now += 30 * MINUTE_MS
    jobs.hear()
    jobs.pass_time(MINUTE_MS)
    assert jobs.events == []
    assert jobs.one().due == START + 120 * MINUTE_MS


def test_a_deadline_is_decided_by_the_first_beat_after_it() -> None:
    jobs = Jobs(job())
    jobs.until(START + 70 * MINUTE_MS - 2_000)
    jobs.now += 3_000
    jobs.tick()
    assert jobs.events == []
    jobs.now += 5_000
    jobs.hear()
    assert jobs.story == [("opened", "heartbeat_missed")]


def test_a_deaf_time_before_the_report_was_due_matters_from_its_grace_on() -> None:
    for deaf_until, opens in ((49, True), (51, False)):
        jobs = Jobs(job())
        jobs.signal("success")
        jobs.until(START + (deaf_until - 1) * MINUTE_MS)
        jobs.away = True
        jobs.pass_time(MINUTE_MS - 5_000)
        jobs.away = False
        jobs.until(START + 70 * MINUTE_MS)
        assert bool(jobs.events) is opens


def test_a_deaf_time_before_the_last_report_does_not_matter() -> None:
    jobs = Jobs(job(expected=probe(interval_ms=MINUTE_MS)))
    jobs.away = True
    jobs.pass_time(MINUTE_MS)
    jobs.away = False
    jobs.pass_time(5_000)
    jobs.signal()
    jobs.pass_time(11 * MINUTE_MS)
    assert jobs.story == [("opened", "heartbeat_missed")]


def test_a_run_of_which_the_end_may_not_have_been_heard_did_not_overrun() -> None:
    jobs = Jobs(job(expected=probe(max_runtime_ms=20 * MINUTE_MS)))
    jobs.signal("start", run="a")
    jobs.pass_time(MINUTE_MS)
    jobs.away = True
    jobs.pass_time(MINUTE_MS)
    jobs.away = False
    jobs.pass_time(30 * MINUTE_MS)
    assert jobs.events == []
    assert jobs.one().runs == ()


def test_before_the_first_beat_nothing_is_missed() -> None:
    jobs = Jobs()
    jobs.state.receivers = Receivers()
    jobs.state.regions.clear()
    jobs.set(job())
    jobs.away = True
    jobs.pass_time(3 * HOUR_MS)
    assert jobs.events == []
    assert [one.event for one in jobs.region_events] == ["region.silent"]
    assert "ever heard" in jobs.region_events[0].summary
    jobs.away = False
    jobs.pass_time(5_000)
    assert jobs.events == []
    assert [one.event for one in jobs.region_events] == ["region.silent", "region.returned"]


def test_a_failure_is_told_whoever_listened() -> None:
    jobs = Jobs(job())
    jobs.away = True
    jobs.pass_time(5 * MINUTE_MS)
    jobs.signal("fail")
    assert jobs.story == [("opened", "job_failed")]


def test_a_receiver_that_knows_of_no_jobs_is_not_silent() -> None:
    jobs = Jobs(job())
    jobs.beat(RECEIVER, targets=0)
    jobs.away = True
    jobs.pass_time(MINUTE_MS)
    assert jobs.region_events == []


def test_receivers_are_no_region_of_the_guard() -> None:
    jobs = Jobs(job(), target("db", "a"))
    for _ in range(20):
        jobs.pass_time(5_000)
        jobs.beat("a", targets=100, failing=90, newly_failing=90)
    assert [one.event for one in jobs.region_events] == []
    assert jobs.state.set_aside == set()
    assert jobs.state.regions[RECEIVER].probers == {}
