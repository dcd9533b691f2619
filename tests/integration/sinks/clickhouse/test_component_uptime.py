"""The uptime of a component of several jobs that overlap, from a real ClickHouse."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence

import pytest
from msgspec.structs import replace

from foundation.clickhouse import database, internal_database
from foundation.settings import Settings
from portquorum.status_pages.model import Past
from portquorum.status_pages.uptime import Outage, TargetDay, percent
from portquorum.web.history import job_queries, public_queries
from portquorum.web.history.answers import TimeWindow
from portquorum.web.history.public_queries import Responses
from portquorum.web.public.past import history_of
from sinks.clickhouse.refresh_views import reckon
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.test_jobs import Jobs
from tests.unit.portquorum.status_pages.pages import component, page

S = 1_000
PAGE = page(component("mail", "a", "b"), component("one", "a"))


class Asked:
    """The questions of status pages, without a pool."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    async def public_days(
        self, targets: Collection[str], count: int
    ) -> Mapping[str, list[TargetDay]]:
        return public_queries.days(self.jobs.client, targets, now_ms(), count)

    async def public_outages(self, targets: Collection[str], since: int) -> Sequence[Outage]:
        return public_queries.outages(self.jobs.client, targets, since)

    async def public_responses(self, targets: Collection[str]) -> Mapping[str, Responses]:
        return public_queries.responses(self.jobs.client, targets, now_ms())


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def tables(clickhouse: str) -> Settings:
    return rig.used_place(rig.NO_KAFKA, clickhouse, "component", for_file=True)


@pytest.fixture
def jobs(tables: Settings) -> Iterator[Jobs]:
    there = Jobs(tables)
    rig.empty(there.client, tables)
    yield there
    there.client.close()


def down(jobs: Jobs, number: int, target: str, begin: int, end: int | None) -> None:
    """An incident of a job; `end` None: it goes on."""
    job = {"kind": "heartbeat", "host": "", "port": 0}
    over = {} if end is None else {"closed_at": end, "closed_because": "recovered", "at": end}
    jobs.incident(f"{number}", target, begin, **job)
    if over:
        jobs.incident(f"{number}", target, begin, event="closed", **job, **over)


def seconds(past: Past) -> tuple[int, int]:
    """Measured and down."""
    return sum(one.measured_s for one in past.days), sum(one.down_s for one in past.days)


async def test_overlapping_outages_of_a_young_component_count_once(jobs: Jobs) -> None:
    """Two jobs of ten minutes, as a new user had them: by hand 549 s of the first 623 s."""
    begin = jobs.now - 623 * S
    for target in ("a", "b"):
        jobs.job(target, appended_at=begin, version=begin)
        jobs.report(target, "success", 620 * S)
    down(jobs, 1, "a", begin + 55 * S, begin + 129 * S)
    down(jobs, 2, "a", begin + 162 * S, None)
    down(jobs, 3, "b", begin + 148 * S, begin + 377 * S)
    reckon(jobs.client)
    internal = internal_database(database(jobs.settings))
    ((reckoned,),) = jobs.rows(
        f"SELECT toUnixTimestamp64Milli(max(reckoned_at)) FROM `{internal}`.uptime_days"  # noqa: S608
    )
    age_s = (reckoned - begin) / S
    rounding = 1 if begin // public_queries.DAY_MS == reckoned // public_queries.DAY_MS else 3

    asks = Asked(jobs)
    first = await history_of(PAGE, asks, now_ms())
    # The outage that goes on is longer now; the days are as they were reckoned.
    deadline = time.monotonic() + 30
    while max(one.ended_at for one in await asks.public_outages(["a"], 0)) < reckoned + 2 * S:
        assert time.monotonic() < deadline
    each_minute = await history_of(PAGE, asks, now_ms(), first)
    whole = await history_of(PAGE, asks, now_ms())

    for history in (first, each_minute, whole):
        measured, lost = seconds(history.past["mail"])
        assert measured == pytest.approx(age_s, abs=rounding)
        assert lost == pytest.approx(age_s - 623 + 549, abs=rounding)
        assert seconds(history.past["one"])[1] == pytest.approx(age_s - 88, abs=rounding)
        shown = percent(history.past["mail"].days)
        assert shown == pytest.approx(100 * 74 / age_s, abs=0.7)
    assert first.past == each_minute.past == whole.past


async def test_the_response_time_of_a_job_is_how_long_its_runs_took(jobs: Jobs) -> None:
    """As it measured itself, else from its start to its end; of runs that ended well."""
    jobs.job("a")
    jobs.job("b")
    jobs.job("c")
    jobs.report("a", "success", 9 * S, total_us=8_200)
    jobs.report("a", "fail", 8 * S, total_us=9_000_000)
    for run, took_s in (("1", 20), ("2", 60), ("3", 90)):
        jobs.report("b", "start", 100 * S + took_s * S, run=run)
        jobs.report("b", "success", 100 * S, run=run, attempt=int(run))
    jobs.report("c", "success", 9 * S)
    jobs.target("db")
    jobs.result(jobs.now - 60 * S)

    found = public_queries.responses(jobs.client, ["a", "b", "c", "db", "none"], jobs.now)

    # Of a span of days: the first is today, which may have begun since.
    assert [found[name].spans[1] for name in "abc"] == [8.2, 60_000, None]
    assert [one for one in found["a"].hours if one is not None] == [8.2]
    assert [one for one in found["b"].hours if one is not None] == [60_000]
    assert not any(found["c"].hours)
    assert found["db"].spans[1] is not None
    assert found["none"].spans == (None,) * 4
    shown = await history_of(replace(PAGE, show_response_times=True), Asked(jobs), jobs.now)
    assert shown.past["mail"].response_ms[1] == 60_000
    hour = public_queries.HOUR_MS
    begun = jobs.now // hour * hour - 2 * hour
    window = TimeWindow(name="", since=begun, until=begun + 3 * hour, step_ms=hour)
    steps = job_queries.durations(jobs.client, "a", window)
    assert max(one.p95_ms or 0 for one in steps) == 8.2


async def test_what_was_down_while_nobody_watched_it_is_no_downtime(jobs: Jobs) -> None:
    """Of two jobs of which each was down before it was in the inventory."""
    begin = jobs.now - 600 * S
    for target in ("a", "b"):
        jobs.job(target, appended_at=begin, version=begin)
        jobs.report(target, "success", 590 * S)
    down(jobs, 1, "a", begin - 300 * S, begin + 60 * S)
    down(jobs, 2, "b", begin - 500 * S, begin + 30 * S)
    reckon(jobs.client)

    history = await history_of(PAGE, Asked(jobs), now_ms())

    assert 59 <= seconds(history.past["mail"])[1] <= 91
