"""What the tables and views make of jobs that report themselves (heartbeats)."""
# ruff: noqa: S608 - names of views and targets of this file

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from foundation.clickhouse import database, internal_database
from foundation.settings import Settings
from portquorum.web.following.late_jobs import late_jobs
from portquorum.web.history import job_queries, result_queries
from portquorum.web.history.answers import TimeWindow
from portquorum.web.history.questions import ResultQuery
from schemas.probe import HeartbeatProbe
from sinks.clickhouse.fleet_queries import FleetFilter, fleet_summary, inventory_now, targets_now
from tests.browser.web.job import definition
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.test_status import StartOffset

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
JOB = {"kind": "heartbeat", "host": "", "port": 0, "regions": ["receiver"]}
WORDS = {
    "success": {"status": "up", "reason": ""},
    "fail": {"status": "down", "reason": "job_failed"},
    "start": {"status": "missed", "reason": ""},
    "log": {"status": "missed", "reason": ""},
}


class Jobs(StartOffset):
    """Rows of jobs; times are before now, in ms."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.now = int(time.time() * 1000)

    def job(self, target: str, interval_ms: int | None = HOUR, **changes: Any) -> None:
        expected = {"job_interval_ms": interval_ms, "job_zone": "UTC", "job_grace_ms": MINUTE}
        placeholder = {"interval_ms": min(interval_ms or DAY, DAY), "timeout_ms": 1_000}
        long_ago = {"version": self.now - 40 * DAY, "appended_at": self.now - 40 * DAY}
        self.target(target, **JOB | expected | placeholder | long_ago | changes)

    def report(self, target: str, signal: str, ago_ms: int, **changes: Any) -> None:
        said = JOB | {"target": target, "signal": signal, "connect_us": None, "regions": None}
        del said["regions"]
        row = said | {"region": "receiver", "prober": "receiver-a"} | WORDS[signal] | changes
        self.result(self.now - ago_ms, **row)

    def pause(self, target: str, at: int, until: int) -> None:
        row = {"target": target, "removed": 0, "appended_at": at}
        self._insert("pauses", row | {"paused_at": at / 1000, "paused_until": until / 1000})

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.client.query(sql).result_rows]

    def status(self, target: str) -> str:
        (found,) = targets_now(self.client, [target])
        return found.status


@pytest.fixture(scope="module")
def tables(clickhouse: str) -> Settings:
    return rig.used_place(rig.NO_KAFKA, clickhouse, "jobs", for_file=True)


@pytest.fixture
def jobs(tables: Settings) -> Iterator[Jobs]:
    there = Jobs(tables)
    rig.empty(there.client, tables)
    yield there
    there.client.close()


def test_a_job_is_up_late_failing_down_pending_or_paused(jobs: Jobs) -> None:
    for name in ("up", "late", "failing", "down", "pending", "off", "again"):
        jobs.job(name)
    jobs.job("weekly", 7 * DAY)
    jobs.job("by-schedule", None, job_schedule="0 4 * * *")
    jobs.job("off", enabled=False)
    for name in ("up", "down", "off", "again"):
        jobs.report(name, "success", 10 * MINUTE)
    jobs.report("late", "success", 61 * MINUTE)
    jobs.report("failing", "success", 20 * MINUTE)
    jobs.report("failing", "fail", 10 * MINUTE)
    jobs.report("weekly", "success", 6 * DAY)
    jobs.report("by-schedule", "success", 20 * HOUR)
    jobs.report("pending", "start", MINUTE)
    jobs.incident("1", "down", jobs.now - 5 * MINUTE, **{k: JOB[k] for k in ("kind", "host")})
    said = {row[0]: row[1:] for row in jobs.rows("SELECT target, status, since FROM status_now")}
    assert {name: one[0] for name, one in said.items()} == {
        "up": "up",
        "late": "late",
        "failing": "failing",
        "down": "down",
        "pending": "pending",
        "off": "paused",
        "again": "up",
        "weekly": "up",
        "by-schedule": "up",
    }
    due = jobs.now - MINUTE
    assert round(said["late"][1].timestamp() * 1000) == due
    by_region = "SELECT target, status FROM region_status_now WHERE status NOT IN ('up', 'down')"
    assert jobs.rows(by_region) == [("pending", "pending")]
    assert jobs.rows("SELECT count() FROM region_status_now WHERE latency_ms IS NOT NULL") == [(0,)]


def test_a_job_with_a_schedule_is_late_by_its_schedule(jobs: Jobs) -> None:
    hourly = HeartbeatProbe(schedule="0 * * * *", grace_ms=MINUTE)
    raw = msgspec.json.encode(replace(definition(), probe=hourly)).decode()
    for name in ("on-time", "late", "broken"):
        jobs.job(name, None, job_schedule="0 * * * *", raw="{}" if name == "broken" else raw)
    jobs.job("interval")
    hour = jobs.now // HOUR * HOUR
    jobs.report("on-time", "success", jobs.now - hour)
    for name in ("late", "broken", "interval"):
        jobs.report(name, "success", jobs.now - hour + 90 * MINUTE)
    jobs.report("late", "start", jobs.now - hour)
    assert late_jobs(jobs.client) == {"late": hour - HOUR}


def test_what_was_resolved_by_hand_of_a_job_is_over(jobs: Jobs) -> None:
    jobs.job("backup")
    jobs.report("backup", "success", 30 * MINUTE)
    began, closed = jobs.now - 20 * MINUTE, jobs.now - 10 * MINUTE
    about = {"kind": "heartbeat", "host": "", "port": 0}
    jobs.incident("1", "backup", began, **about)
    assert jobs.status("backup") == "down"
    over = {"event": "closed", "closed_at": closed, "closed_because": "resolved"}
    jobs.incident("1", "backup", began, **about, **over)
    assert jobs.status("backup") == "up"
    assert jobs.rows("SELECT duration_s, is_open FROM outages") == [(600.0, 0)]


def test_the_inventory_is_not_late_because_of_its_jobs(jobs: Jobs) -> None:
    jobs.job("backup", 1_000)
    alone = inventory_now(jobs.client)
    assert not alone.is_late(30 * DAY)
    assert alone.regions == ()
    jobs.target("db")
    both = inventory_now(jobs.client)
    assert both.gap_ms == pytest.approx(30_000)
    assert both.regions == ("eu",)
    summary, _ = fleet_summary(jobs.client, FleetFilter(), 0)
    assert set(summary.by_region) == {"eu"}


def runs_of(jobs: Jobs, target: str) -> list[tuple[Any, ...]]:
    columns = "run, end, round(duration_ms), exit_code, output, began_at IS NULL, ended_at IS NULL"
    newest = "ORDER BY ifNull(ended_at, began_at) DESC"
    return jobs.rows(f"SELECT {columns} FROM job_runs WHERE target = '{target}' {newest}")


def test_runs_have_a_start_an_end_and_how_long_they_took(jobs: Jobs) -> None:
    jobs.job("backup")
    for ago_ms in (100_000, 90_000):  # started again: the second start replaces the first
        jobs.report("backup", "start", ago_ms, run="a")
    jobs.report("backup", "fail", 80_000, run="a", exit_code=3, output="no <disk>")
    jobs.report("backup", "success", 70_000)  # one that names no run and had no start
    jobs.report("backup", "start", 60_000)
    jobs.report("backup", "log", 55_000, output="half done")
    jobs.report("backup", "success", 50_000, exit_code=0)
    jobs.report("backup", "success", 40_000, run="b", total_us=1_500_000)
    jobs.report("backup", "success", 40_000, run="b", total_us=1_500_000)  # stored twice
    jobs.report("backup", "start", 30_000, run="c")
    jobs.report("other", "success", 10_000, run="c")
    assert runs_of(jobs, "backup") == [
        ("c", "no end", None, None, "", False, True),
        ("b", "success", 1_500, None, "", True, False),
        ("", "success", 10_000, 0, "", False, False),
        ("", "success", None, None, "", True, False),
        ("a", "fail", 10_000, 3, "no <disk>", False, False),
    ]


def test_the_page_asks_for_the_runs_and_how_long_they_took(jobs: Jobs) -> None:
    jobs.job("backup")
    hour = jobs.now // HOUR * HOUR
    since = jobs.now - hour
    for took_ms in (1_000, 3_000, 2_000):  # in one hour, an hour ago
        jobs.report(
            "backup", "start", since + 30 * MINUTE, run=f"{took_ms}", attempt=took_ms // 1_000
        )
        jobs.report("backup", "success", since + 30 * MINUTE - took_ms, run=f"{took_ms}")
    jobs.report("backup", "fail", since + 20 * MINUTE, total_us=9_000_000, output="no")
    jobs.report("backup", "success", since + 80 * MINUTE)
    window = TimeWindow(name="", since=hour - 4 * HOUR, until=hour + HOUR, step_ms=HOUR)
    steps = job_queries.durations(jobs.client, "backup", window)
    assert [(one.at - hour, one.checks, one.up, one.p50_ms, one.max_ms) for one in steps] == [
        (-2 * HOUR, 1, 1, None, None),
        (-HOUR, 4, 3, 2_000, 3_000),
    ]
    runs = job_queries.runs(jobs.client, "backup", 20)
    assert [(one.end, one.duration_ms) for one in runs] == [
        ("fail", 9_000),
        ("success", 3_000),
        ("success", 2_000),
        ("success", 1_000),
        ("success", None),
    ]
    assert runs[0].output == "no"
    said = job_queries.signals(jobs.client, "backup")
    assert [one.signal for one in said] == ["fail", "start", "success"]
    query = ResultQuery(target="backup", since=hour - 4 * HOUR, until=hour + HOUR)
    page = result_queries.find(jobs.client, query, None, 1)
    assert (page.rows[0].signal, page.rows[0].output) == ("fail", "no")


def test_a_run_of_days_is_told_in_full(jobs: Jobs) -> None:
    """The column of a check's time ends at 71 min."""
    jobs.job("backup", DAY)
    jobs.report("backup", "start", 3 * DAY, run="a")
    jobs.report("backup", "success", DAY, run="a", total_us=2**32 - 1)
    assert runs_of(jobs, "backup")[0][2] == 2 * DAY


def test_the_last_reports_of_a_job_are_kept_longer_than_results(jobs: Jobs) -> None:
    jobs.job("backup", HOUR, name="Nightly backup", team="db")
    jobs.job("new", None, job_schedule="0 4 * * *", job_zone="Europe/Vienna")
    jobs.report("backup", "success", 50 * MINUTE, exit_code=0)
    jobs.report("backup", "fail", 40 * MINUTE, exit_code=7)
    jobs.report("backup", "start", 30 * MINUTE)
    jobs.client.command("TRUNCATE TABLE results")
    wanted = "team, status, interval_s, grace_s, max_runtime_s, exit_code"
    times = "last_report_at, last_success_at, last_failure_at, last_start_at, due_at"
    (first, second) = jobs.client.query(
        f"SELECT {wanted}, {times} FROM jobs_now ORDER BY target"
    ).result_rows
    assert first[:6] == ("db", "failing", 3_600.0, 60.0, None, 7)
    ago = [jobs.now - round(at.timestamp() * 1000) for at in first[6:]]
    assert ago == [40 * MINUTE, 50 * MINUTE, 40 * MINUTE, 30 * MINUTE, -20 * MINUTE]
    assert second[1:] == ("pending", None, 60.0, None, None, *[None] * 5)


def test_questions_about_checks_and_regions_leave_reports_out(jobs: Jobs) -> None:
    jobs.job("backup")
    jobs.target("db")
    jobs.result(jobs.now - MINUTE)
    for signal in ("start", "log", "success", "fail"):
        jobs.report("backup", signal, 2 * MINUTE, total_us=5_000_000)
    for view in ("region_uptime_hourly", "region_uptime_daily", "region_uptime_monthly"):
        assert {row[0] for row in jobs.rows(f"SELECT region FROM {view}")} == {"eu"}
    assert {row[0] for row in jobs.rows("SELECT region FROM region_latency_hourly")} == {"eu"}
    assert jobs.rows("SELECT region, missed FROM missed_daily") == [("eu", 0)]
    for view in ("target_checks_hourly", "target_checks_daily"):
        columns = "checks, up, missed, p50_ms, p99_ms, max_ms"
        found = jobs.rows(f"SELECT {columns} FROM {view} WHERE target = 'backup'")
        assert found == [(2, 1, 0, None, None, None)]
    refresh(jobs, "latency_week_mv")
    assert jobs.rows("SELECT target FROM slowest") == [("db",)]


def refresh(jobs: Jobs, view: str) -> None:
    place = f"`{internal_database(database(jobs.settings))}`.{view}"
    jobs.client.command(f"SYSTEM REFRESH VIEW {place}")
    jobs.client.command(f"SYSTEM WAIT VIEW {place}")


def uptime(jobs: Jobs, target: str) -> dict[int, tuple[float, float, float]]:
    """Whole days ago → hours watched, measured, down."""
    internal = internal_database(database(jobs.settings))
    sql = f"""SELECT toUInt32(toDate(now('UTC')) - day), watched_s / 3600, measured_s / 3600,
        down_s / 3600 FROM `{internal}`.uptime_now WHERE target = '{target}'"""
    return {row[0]: row[1:] for row in jobs.rows(sql)}


def midnight(jobs: Jobs, days: int) -> int:
    """The beginning of the day (UTC) so many days ago."""
    return jobs.now // DAY * DAY - days * DAY


def test_the_uptime_of_a_job_is_by_its_incidents(jobs: Jobs) -> None:
    """After the first report all time is measured: what is due and not there is an incident."""
    jobs.job("monthly", 31 * DAY)
    jobs.report("monthly", "success", 20 * DAY)
    began = midnight(jobs, 5) + 6 * HOUR
    over = {"event": "closed", "closed_at": began + 3 * HOUR, "closed_because": "recovered"}
    jobs.incident("1", "monthly", began, kind="heartbeat", host="", port=0, **over)
    found = uptime(jobs, "monthly")
    assert found[4] == (24.0, 24.0, 0.0)
    assert found[5] == (24.0, 24.0, 3.0)
    assert found[20] == (24.0, 24.0, 0.0)
    assert found[22] == (24.0, 0.0, 0.0)


def test_silence_of_the_receivers_and_pauses_measure_nothing(jobs: Jobs) -> None:
    jobs.job("backup")
    jobs.job("off", appended_at=midnight(jobs, 9))
    jobs.job("off", appended_at=midnight(jobs, 5) + 12 * HOUR, enabled=False)
    for days in range(1, 9):
        jobs.report("backup", "success", jobs.now - midnight(jobs, days) - 13 * HOUR)
    jobs.report("off", "success", jobs.now - midnight(jobs, 8) - HOUR)
    silent = midnight(jobs, 3) + 6 * HOUR
    jobs.region_event("region.silent", "receiver", silent, "not heard")
    jobs.region_event("region.returned", "receiver", silent + 2 * HOUR, "heard")
    jobs.region_event("region.silent", "eu", midnight(jobs, 4), "another region")
    paused = midnight(jobs, 6) + 22 * HOUR
    jobs.pause("backup", paused, until=paused + 12 * HOUR)
    found = uptime(jobs, "backup")
    assert found[2] == (24.0, 24.0, 0.0)
    assert found[3] == (24.0, 22.0, 0.0)
    assert found[4] == (24.0, 24.0, 0.0)
    assert found[5] == (24.0, 14.0, 0.0)
    assert found[6] == (24.0, 22.0, 0.0)
    assert uptime(jobs, "off")[5] == (24.0, 12.0, 0.0)
    assert uptime(jobs, "off")[4] == (24.0, 0.0, 0.0)
