"""The history against a real ClickHouse: what it says is what the views say, of a made-up past.

`tests/truth` holds the views against a slow program; here are 90 days of a few targets with outages
of every kind, maintenance, gaps and rows that came twice.
"""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import pytest
import pytest_asyncio

from foundation.clickhouse import connect
from foundation.settings import Settings
from portquorum.report.history import UnknownScopeError
from portquorum.web.history import uptime_queries
from portquorum.web.history.answers import TargetHistory
from portquorum.web.history.errors import HistoryTooSlowError
from portquorum.web.history.questions import (
    IncidentQuery,
    ReportQuery,
    ResultQuery,
    TargetAsked,
    UptimeQuery,
)
from portquorum.web.history.stored_history import StoredHistory
from portquorum.web.history.windows import named
from portquorum.web.public.past import pasts
from sinks.clickhouse.migrate import migrate
from tests.truth.made_history import made_history
from tests.truth.records import DAY, HOUR, History, Row, day_of
from tests.truth.stored import Store

DAYS = 90
TARGETS = 5
SEED = 4


class Past:
    """A made-up history in a database of its own, and the views' rows."""

    def __init__(self, url: str) -> None:
        self.settings = Settings(
            clickhouse=f"{url.rpartition('/')[0]}/web_{uuid.uuid4().hex[:8]}",
            results_ttl_days=DAYS + 60,
        )
        migrate(self.settings)
        self.client = connect(self.settings)
        self.store = Store(self.client, self.settings)
        self.made: History = made_history(
            SEED,
            int(datetime.now(tz=UTC).timestamp() * 1000) - 1,
            days=DAYS,
            targets=TARGETS,
            interval_ms=HOUR,
            tells_recovery=True,
        )
        self.store.insert(self.made, SEED)
        self.store.reckon()

    def rows(self, sql: str, **parameters: Any) -> list[Row]:
        found = self.client.query(sql, parameters=parameters)
        return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]

    @property
    def targets(self) -> list[str]:
        return sorted({row["target"] for row in self.made.targets})


@pytest.fixture(scope="module")
def past(clickhouse: str) -> Past:
    return Past(clickhouse)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def history(past: Past) -> AsyncIterator[StoredHistory]:
    history = StoredHistory(past.settings)
    yield history
    await history.close()


async def asked(
    past: Past, history: StoredHistory, target: str, window: str = "90d"
) -> TargetHistory:
    definition = next(row for row in reversed(past.made.targets) if row["target"] == target)
    told = await history.target(
        TargetAsked(
            target=target,
            tags=tuple(definition["tags"]),
            regions=tuple(definition["regions"]),
            interval_ms=definition["interval_ms"],
            window=named(window, past.made.now),
        )
    )
    assert told.trouble is None
    return told


async def test_days_and_uptime_are_those_of_the_view(past: Past, history: StoredHistory) -> None:
    for target in past.targets:
        told = await asked(past, history, target)
        assert told.days is not None
        assert told.uptime is not None
        seen = {
            row["day"]: (row["down_s"], row["measured_s"], row["uptime_percent"])
            for row in past.rows("SELECT * FROM uptime_daily WHERE target = {t:String}", t=target)
        }
        assert len(told.days) == DAYS
        for one in told.days:
            expected = seen.get(one.day, (0, 0, None))
            assert (one.down_s, one.measured_s, one.uptime_percent) == pytest.approx(expected)
        (whole,) = past.rows(
            "SELECT 100 * (1 - sum(down_s) / sum(measured_s)) AS up FROM uptime_daily "
            "WHERE target = {t:String} AND day > toDate(now('UTC')) - 30",
            t=target,
        )
        assert told.uptime[2].uptime_percent == pytest.approx(whole["up"])


@pytest.mark.parametrize(
    ("window", "view", "time"), [("7d", "hourly", "hour"), ("90d", "daily", "day")]
)
async def test_latencies_are_those_of_the_view(
    past: Past, history: StoredHistory, window: str, view: str, time: str
) -> None:
    for target in past.targets:
        told = await asked(past, history, target, window)
        assert told.latency is not None
        seen = {
            (row["region"], row["at"]): row
            for row in past.rows(
                f"SELECT *, toUnixTimestamp(toDateTime({time}, 'UTC')) * 1000 AS at "  # noqa: S608
                f"FROM target_checks_{view} WHERE target = {{t:String}} "
                "AND at >= {since:Int64} AND at < {until:Int64}",
                t=target,
                since=told.window.since,
                until=told.window.until,
            )
        }
        found = {(one.region, step.at): step for one in told.latency for step in one.steps}
        assert found.keys() == seen.keys()
        for key, step in found.items():
            row = seen[key]
            assert (step.checks, step.up, step.missed) == (row["checks"], row["up"], row["missed"])
            assert (step.p50_ms, step.p95_ms, step.max_ms) == pytest.approx(
                (row["p50_ms"], row["p95_ms"], row["max_ms"])
            )


async def test_single_results_and_coarser_steps_count_every_check_once(
    past: Past, history: StoredHistory
) -> None:
    target = past.targets[0]
    for window in ("24h", "30d"):
        told = await asked(past, history, target, window)
        assert told.latency is not None
        (row,) = past.rows(
            "SELECT countIf(status != 'missed') AS checks FROM results FINAL "
            "WHERE target = {t:String} "
            "AND scheduled_at >= fromUnixTimestamp64Milli({since:Int64}) "
            "AND scheduled_at < fromUnixTimestamp64Milli({until:Int64})",
            t=target,
            since=told.window.since,
            until=told.window.until,
        )
        found = sum(step.checks for one in told.latency for step in one.steps)
        assert row["checks"] <= found <= row["checks"] * 1.02 + 1  # some results came twice


async def test_incidents_end_when_the_views_say(past: Past, history: StoredHistory) -> None:
    seen = {row["incident_id"]: row for row in past.rows("SELECT * FROM incident_times")}
    outages = {row["incident_id"]: row for row in past.rows("SELECT * FROM outages")}
    kinds = set()
    for target in past.targets:
        told = await asked(past, history, target)
        assert told.incidents is not None
        assert told.incidents_left_out == 0
        for one in told.incidents:
            row = seen[one.incident_id]
            kinds.add((one.incident_type, one.closed_because))
            slack = 60 if one.ended_at is None else 0.01
            assert one.duration_s == pytest.approx(row["duration_s"], abs=slack)
            if one.incident_id in outages:
                assert (one.ended_at is None) == bool(outages[one.incident_id]["is_open"])
                assert one.began_at == outages[one.incident_id]["begin_ms"]
    assert {"flapping", "unreachable"} <= {kind for kind, _ in kinds}
    assert {"resolved", "recovered"} <= {why for _, why in kinds}


async def test_maintenance_is_that_of_the_target_and_its_tags(
    past: Past, history: StoredHistory
) -> None:
    some = 0
    for target in past.targets:
        told = await asked(past, history, target)
        assert told.maintenance is not None
        definition = next(row for row in reversed(past.made.targets) if row["target"] == target)
        selectors = {target, *(f"tag:{tag}" for tag in definition["tags"])}
        expected = {
            (row["name"], row["begin_ms"], row["end_ms"])
            for row in past.rows("SELECT * FROM maintenance_windows")
            if selectors & set(row["selectors"])
            and row["end_ms"] > told.window.since
            and row["begin_ms"] < told.window.until
        }
        found = {(one.name, one.began_at, one.ended_at) for one in told.maintenance}
        assert expected <= found
        some += len(found)
    assert some


async def test_too_many_windows_are_asked_for_each_target(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for most in (20_000, 0):
        monkeypatch.setattr("portquorum.web.history.common_queries.MOST_WINDOWS", most)
        history = StoredHistory(past.settings)
        found.append([(await asked(past, history, one)).maintenance for one in past.targets])
        await history.close()
    assert found[0] == found[1]
    assert any(found[0])


async def test_what_changes_little_is_asked_once(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the number of questions: 7 for the first page, 6 for another target, 0 for the same."""
    questions: list[object] = []
    clock = [0.0]
    history = StoredHistory(past.settings)
    ask = history._pool.ask
    monkeypatch.setattr(
        history._pool, "ask", lambda one, *limit: questions.append(one) or ask(one, *limit)
    )
    for answers in (history._targets, history._parts):
        monkeypatch.setattr(answers, "_clock", lambda: clock[0])
    numbers = []
    for target, seconds in ((0, 0), (1, 0), (0, 2), (0, 20)):
        clock[0] += seconds
        questions.clear()
        await asked(past, history, past.targets[target])
        numbers.append(len(questions))
    await history.close()
    # After 20 s all but the latencies, whose steps are days.
    assert numbers == [7, 6, 0, 6]


async def test_the_last_checks_of_each_region_come_newest_first_and_once(
    past: Past, history: StoredHistory
) -> None:
    for target in past.targets:
        told = await asked(past, history, target, "1h")
        assert told.checks is not None
        for one in told.checks:
            times = [check.at for check in one.checks]
            assert times == sorted(times, reverse=True)
            assert len(times) == len(set(times)) <= 20


async def test_every_page_of_incidents_and_what_each_filter_finds(
    past: Past, history: StoredHistory
) -> None:
    everything = past.rows("SELECT * FROM incidents_current ORDER BY opened_at DESC")
    found, cursor = [], None
    while True:
        page = await history.incidents(IncidentQuery(), cursor, 7)
        assert page.total == len(everything)
        found += page.rows
        if (cursor := page.next) is None:
            break
    assert len({one.incident_id for one in found}) == len(found) == len(everything)
    assert [one.opened_at for one in found] == sorted(
        (one.opened_at for one in found), reverse=True
    )
    lengths = {row["incident_id"]: row["duration_s"] for row in everything}
    for one in found:
        slack = 60 if one.ended_at is None else 0.01
        assert one.duration_s == pytest.approx(lengths[one.incident_id], abs=slack)

    async def ids(**asked: Any) -> set[str]:
        page = await history.incidents(IncidentQuery(**asked), None, 5_000)
        assert page.total == len(page.rows)
        return {one.incident_id for one in page.rows}

    def there(holds: Any) -> set[str]:
        return {row["incident_id"] for row in everything if holds(row)}

    assert await ids(status="open") == there(lambda row: row["status"] == "open")
    assert await ids(status="closed") == there(lambda row: row["status"] == "closed")
    assert await ids(types=("slow",)) == there(lambda row: row["incident_type"] == "slow")
    assert await ids(targets=("t00", "t01")) == there(lambda row: row["target"] in {"t00", "t01"})
    assert await ids(q="T02.EXAMPLE") == there(lambda row: "t02" in row["host"])
    assert await ids(teams=("db",)) >= there(lambda row: row["team"] == "db")
    assert await ids(q="%' OR 1=1 --") == set()


async def test_results_page_by_page_are_all_there_are_and_each_once(
    past: Past, history: StoredHistory
) -> None:
    target = past.targets[0]
    wanted = ResultQuery(target=target, since=past.made.now - 20 * DAY, until=past.made.now)
    found = [row async for page in history.all_results(wanted) for row in page]
    paged, cursor = [], None
    while True:
        page = await history.results(wanted, cursor, 200)
        paged += page.rows
        if (cursor := page.next) is None:
            break
    assert paged == found
    keys = [
        (one.scheduled_at, one.region, one.started_at, one.prober, one.attempt) for one in found
    ]
    assert keys == sorted(set(keys), reverse=True)
    (row,) = past.rows(
        "SELECT count() AS n FROM results FINAL WHERE target = {t:String} "
        "AND scheduled_at >= fromUnixTimestamp64Milli({since:Int64})",
        t=target,
        since=wanted.since,
    )
    assert len(found) == row["n"]


async def test_results_by_region_status_and_reason(past: Past, history: StoredHistory) -> None:
    target = past.targets[0]
    wanted = ResultQuery(
        target=target,
        since=past.made.now - 90 * DAY,
        until=past.made.now,
        regions=("eu",),
        statuses=("down",),
        reasons=("timed_out", "dns_failed"),
    )
    page = await history.results(wanted, None, 100)
    assert page.rows
    assert {(one.region, one.status) for one in page.rows} == {("eu", "down")}
    assert {one.reason for one in page.rows} <= {"timed_out", "dns_failed"}


async def test_closed_incidents_the_newest_first(past: Past, history: StoredHistory) -> None:
    since = past.made.now - 60 * DAY
    found = await history.closed_since(since, 1_000)
    expected = past.rows(
        "SELECT incident_id FROM incidents_current WHERE closed_at >= "
        "fromUnixTimestamp64Milli({since:Int64})",
        since=since,
    )
    assert {one.incident_id for one in found} == {row["incident_id"] for row in expected}
    times = [one.closed_at or 0 for one in found]
    assert times == sorted(times, reverse=True)


async def test_uptime_by_team_and_day(past: Past, history: StoredHistory) -> None:
    until = datetime.fromtimestamp(past.made.now / 1000, tz=UTC).date()
    since = until - timedelta(days=20)
    seen = {
        (row["team"], row["day"]): row["uptime_percent"]
        for row in past.rows(
            "SELECT * FROM team_uptime_daily WHERE day BETWEEN {since:Date} AND {until:Date}",
            since=since,
            until=until,
        )
    }
    found = await history.uptime(UptimeQuery(by="team", since=since, until=until, by_day=True))
    assert {(one.name, one.day) for one in found} == seen.keys()
    for one in found:
        assert one.uptime_percent == pytest.approx(seen[one.name, one.day])
    teams = [name for name, _ in groupby(found, key=lambda one: one.name)]
    assert teams == sorted(set(teams))
    whole = await history.uptime(UptimeQuery(by="all", since=since, until=until))
    assert [(one.name, one.day) for one in whole] == [("", None)]
    one = await history.uptime(
        UptimeQuery(by="target", since=since, until=until, targets=(past.targets[0],))
    )
    assert [row.name for row in one] == [past.targets[0]]
    of = await history.uptime_of([past.targets[0], "nobody"], 21)
    assert of == {past.targets[0]: pytest.approx(one[0].uptime_percent), "nobody": None}


async def test_rows_of_uptime_are_never_cut_without_a_word(
    past: Past, history: StoredHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = datetime.fromtimestamp(past.made.now / 1000, tz=UTC).date()
    asked = UptimeQuery(by="target", since=until - timedelta(2), until=until)
    monkeypatch.setattr(uptime_queries, "MOST_ROWS", TARGETS)
    assert len(await history.uptime(asked)) == TARGETS
    monkeypatch.setattr(uptime_queries, "MOST_ROWS", TARGETS - 1)
    with pytest.raises(HistoryTooSlowError, match="ask for less"):
        await history.uptime(asked)


@pytest.mark.parametrize("kind", ["uptime", "slo", "cost", "reliability"])
async def test_reports_are_those_of_the_command_line(
    past: Past, history: StoredHistory, kind: Any
) -> None:
    until = datetime.fromtimestamp(past.made.now / 1000, tz=UTC).date()
    found = await history.report(
        ReportQuery(kind=kind, since=until - timedelta(days=30), until=until, most=10)
    )
    assert (found.kind, found.scope) == (kind, "all targets")
    with pytest.raises(UnknownScopeError):
        await history.report(ReportQuery(kind=kind, since=until, until=until, team="nobody"))
    with pytest.raises(ValueError, match="days"):
        await history.report(ReportQuery(kind=kind, since=until, until=until - timedelta(1)))


async def test_what_status_pages_ask_is_what_the_views_say(
    past: Past, history: StoredHistory
) -> None:
    since = past.made.now - DAYS * DAY

    days = await history.public_days(past.targets, DAYS)
    outages = await history.public_outages(past.targets, since)
    responses = await history.public_responses(past.targets)

    first = day_of(past.made.now - (DAYS - 1) * DAY)
    seen = {
        (row["target"], row["day"]): (row["measured_s"], row["down_s"])
        for row in past.rows("SELECT * FROM uptime_daily WHERE day >= {d:Date}", d=first)
    }
    found = {
        (target, one.day): (one.measured_s, one.down_s) for target in days for one in days[target]
    }
    assert found.keys() == seen.keys()
    for key, expected in seen.items():
        assert found[key] == pytest.approx(expected)
    told = past.rows("SELECT * FROM outages WHERE end_ms > {s:Int64}", s=since)
    assert {(one.target, one.began_at) for one in outages} == {
        (row["target"], row["begin_ms"]) for row in told
    }
    assert any(one.down_s for some in days.values() for one in some)
    for target in past.targets:
        latency = (await asked(past, history, target)).latency
        assert latency is not None
        every = [step for region in latency for step in region.steps if step.p50_ms is not None]
        median = responses[target].spans[-1]
        assert (median is None) == (not every)
        if median is not None:
            assert min(one.p50_ms or 0 for one in every) <= median
            assert median <= max(one.p50_ms or 0 for one in every)
        assert len(responses[target].hours) == 24


async def test_a_component_of_many_targets_was_down_while_any_of_them_was(
    past: Past, history: StoredHistory
) -> None:
    parts = {"all": past.targets, **{one: [one] for one in past.targets}}

    found = await pasts(parts, history, past.made.now, responses=False)

    assert len(found["all"].days) >= max(len(found[one].days) for one in past.targets)
    for place in range(1, 90):
        alone = [days[-place] for one in past.targets if len(days := found[one].days) >= place]
        if not alone:
            break
        whole = found["all"].days[-place]
        assert max(one.down_s for one in alone) <= whole.down_s + 1
        assert whole.down_s <= sum(one.down_s for one in alone) + 1
        assert whole.measured_s == max(one.measured_s for one in alone)


async def test_a_target_that_nobody_knows_has_an_empty_history(
    past: Past, history: StoredHistory
) -> None:
    told = await history.target(
        TargetAsked(
            target="nobody",
            tags=(),
            regions=(),
            interval_ms=60_000,
            window=named("7d", past.made.now),
        )
    )
    assert (told.trouble, told.latency, told.incidents, told.checks) == (None, (), (), ())
    assert told.definitions == ()
    assert all(one.uptime_percent is None for one in told.days or ())
    assert await history.incident("nobody") is None
