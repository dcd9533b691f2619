"""The history: the questions of pages and API to ClickHouse."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Hashable
from importlib import import_module
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from msgspec import Struct
from msgspec.structs import replace

from foundation.settings import Settings
from portquorum.report.history import MOST_DAYS, History
from portquorum.report.result import Report
from portquorum.status_pages.uptime import Outage, TargetDay
from portquorum.web.history import (
    common_queries,
    incident_queries,
    job_queries,
    job_reports,
    public_queries,
    result_queries,
    target_queries,
    uptime_queries,
)
from portquorum.web.history.answers import (
    DayUptime,
    IncidentHistory,
    IncidentPage,
    IncidentRow,
    MaintenanceSpan,
    RegionChecks,
    ResultPage,
    ResultRow,
    TargetHistory,
    TimeWindow,
    UptimeRow,
)
from portquorum.web.history.common_queries import Common, covering, silent_in
from portquorum.web.history.day_uptime import day_of, over
from portquorum.web.history.in_parts import had
from portquorum.web.history.job_reports import JobReports
from portquorum.web.history.public_queries import Responses
from portquorum.web.history.question_pool import REPORT_S, QuestionPool
from portquorum.web.history.questions import (
    IncidentQuery,
    ReportQuery,
    ResultQuery,
    TargetAsked,
    UptimeQuery,
)
from portquorum.web.history.shared_answers import SharedAnswers
from portquorum.web.history.windows import DAY_MS, within_results

__all__ = [
    "HistoryState",
    "IncidentQuery",
    "ReportQuery",
    "ResultQuery",
    "StoredHistory",
    "TargetAsked",
    "UptimeQuery",
]

DAYS: Final = 90
"""Days of the bar of days on the target page."""

CHECKS: Final = 20
"""Checks of a region on the target page."""

RUNS: Final = 20
"""Runs of a job on its page."""

KEEP_S: Final = 1.0
"""How long an answer is given to others who ask the same, in s."""

KEEP_MOST: Final = 64
"""Answers that are kept; that of a target page has some 200 kB."""

MOST_PARTS: Final = 512
"""Parts of target pages that are kept: of some 80 targets, up to 100 kB each."""

SOON_S: Final = 5.0
"""Incidents and checks of the past are kept so long; those of now come from memory."""

SELDOM_S: Final = 15.0
"""Likewise days of uptime (reckoned every 5 min), certificates, definitions, windows, regions."""

LATENCY_KEEP_S: Final = 60.0
LATENCY_PARTS: Final = 60
"""Latencies are kept for a part of a step, so many of which are one step, but no longer."""

CHECKS_PARTS: Final = 10
"""Checks are kept for a part of the target's interval."""

LARGEST_PAGE: Final = 5_000
"""The most rows of one page of results or incidents."""


class HistoryState(Struct, frozen=True, kw_only=True):
    """How ClickHouse is: `trouble` is None if the last question was answered, else one sentence.

    `since` (UTC ms) is the first failure after the last answer.
    """

    trouble: str | None
    since: int | None


class StoredHistory:
    """Asks ClickHouse, some questions at a time, each within a time limit.

    Every method raises:
        HistoryUnavailableError: ClickHouse does not answer; at once while it is known to be away.
        HistoryTooSlowError: the question took too long, or too many wait.
    """

    def __init__(self, settings: Settings) -> None:
        """Does not connect yet."""
        self._pool = QuestionPool(settings)
        self._results_ms = settings.results_ttl_days * DAY_MS
        self._targets: SharedAnswers[TargetHistory] = SharedAnswers(KEEP_S, KEEP_MOST)
        self._parts: SharedAnswers[Any] = SharedAnswers(KEEP_S, MOST_PARTS)
        self._incidents: SharedAnswers[IncidentHistory | None] = SharedAnswers(KEEP_S, KEEP_MOST)

    @property
    def state(self) -> HistoryState:
        """How ClickHouse answered last; asks nothing."""
        trouble = self._pool.trouble
        if trouble is None:
            return HistoryState(trouble=None, since=None)
        return HistoryState(trouble=str(trouble), since=trouble.since)

    async def close(self) -> None:
        """Ends the threads; what is being asked is waited for, no longer than its limit."""
        await self._pool.close()

    async def target(self, asked: TargetAsked) -> TargetHistory:
        """The target page. A part that could not be had is None, and `trouble` says why.

        The window has longer steps than asked for where single results have expired. Who asks the
        same within a second gets the same answer.
        """
        return await self._targets.get(asked, lambda: self._target(asked))

    async def _target(self, asked: TargetAsked) -> TargetHistory:
        now = _now()
        window = within_results(asked.window, now - self._results_ms)
        since, until = min(window.since, now - DAYS * DAY_MS), max(window.until, now)
        parts, trouble = await had(self._target_parts(asked, window, since, until, now))
        incidents, left_out = parts.get("incidents", (None, None))
        days: tuple[DayUptime, ...] | None = parts.get("days")
        common: Common | None = parts.get("common")
        return TargetHistory(
            target=asked.target,
            window=window,
            latency=parts.get("latency"),
            checks=parts.get("checks"),
            incidents=incidents,
            incidents_left_out=left_out,
            days=days,
            uptime=None if days is None else over(days),
            maintenance=parts.get("maintenance"),
            regions=None
            if common is None
            else silent_in(common.region_events, asked.regions, since, until),
            certificates=parts.get("certificates"),
            definitions=parts.get("definitions"),
            job=job_queries.history_of(parts) if asked.is_job else None,
            trouble=trouble,
        )

    def _target_parts(
        self, asked: TargetAsked, window: TimeWindow, since: int, until: int, now: int
    ) -> dict[str, Awaitable[Any]]:
        """The questions of a target page, each kept as long as its answer changes little."""
        target = asked.target
        older = since if window.since == since else 0
        later = until if window.until == until else 0
        common = self._common_of(since, until)
        own = (
            self._job_parts(target, window)
            if asked.is_job
            else self._check_parts(asked, window, now)
        )
        return own | {
            "incidents": self._kept(
                ("incidents", target, older, later),
                lambda one: target_queries.incidents(
                    one, target, since=since, until=until, now=now
                ),
                SOON_S,
            ),
            "days": self._kept(
                ("days", target, day_of(now)),
                lambda one: target_queries.days(one, target, DAYS, now),
                SELDOM_S,
            ),
            "definitions": self._kept(
                ("definitions", target),
                lambda one: target_queries.definitions(one, target),
                SELDOM_S,
            ),
            "common": common,
            "maintenance": self._maintenance(asked, since, until),
        }

    def _check_parts(
        self, asked: TargetAsked, window: TimeWindow, now: int
    ) -> dict[str, Awaitable[Any]]:
        """What only a target has that is checked."""
        target, interval_s = asked.target, asked.interval_ms / 1000
        return {
            "latency": self._kept(
                ("latency", target, window),
                lambda one: target_queries.latency(one, target, window),
                _latency_keep_s(window),
            ),
            "checks": self._kept(
                ("checks", target, interval_s),
                lambda one: target_queries.checks(one, target, asked.interval_ms, CHECKS, now),
                min(SOON_S, interval_s / CHECKS_PARTS),
            ),
            "certificates": self._kept(
                ("certificates", target),
                lambda one: target_queries.certificates(one, target),
                SELDOM_S,
            ),
        }

    def _job_parts(self, target: str, window: TimeWindow) -> dict[str, Awaitable[Any]]:
        """What only a job has, which reports itself."""
        return {
            "runs": self._kept(
                ("runs", target), lambda one: job_queries.runs(one, target, RUNS), KEEP_S
            ),
            "signals": self._kept(
                ("signals", target), lambda one: job_queries.signals(one, target), KEEP_S
            ),
            "durations": self._kept(
                ("durations", target, window),
                lambda one: job_queries.durations(one, target, window),
                _latency_keep_s(window),
            ),
        }

    def _common_of(self, since: int, until: int) -> Awaitable[Common]:
        """What all target pages of a time ask alike; of whole days, so that they share it."""
        first, last = since - since % DAY_MS, until + -until % DAY_MS
        return self._kept(
            ("common", first, last),
            lambda one: common_queries.common(one, first, last),
            SELDOM_S,
        )

    async def _maintenance(
        self, asked: TargetAsked, since: int, until: int
    ) -> tuple[MaintenanceSpan, ...]:
        selectors = (asked.target, *(f"tag:{tag}" for tag in asked.tags))
        windows = (await self._common_of(since, until)).windows
        if windows is not None:
            return covering(windows, selectors, since, until)
        return await self._pool.ask(
            lambda one: common_queries.windows_of(one, selectors, since, until)
        )

    def _kept(
        self, question: Hashable, ask: Callable[[Client], Any], keep_s: float
    ) -> Awaitable[Any]:
        return self._parts.get(question, lambda: self._pool.ask(ask), keep_s)

    async def checks(
        self, target: str, interval_ms: int, most: int = CHECKS
    ) -> tuple[RegionChecks, ...]:
        """The last `most` checks of a target from each region."""
        return await self._pool.ask(
            lambda client: target_queries.checks(client, target, interval_ms, most, _now())
        )

    async def results(self, asked: ResultQuery, cursor: str | None, limit: int) -> ResultPage:
        """A page of results, the newest first; `LARGEST_PAGE` rows at most.

        Raises:
            UnknownCursorError: not a cursor of `next`.
        """
        most = min(limit, LARGEST_PAGE)
        return await self._pool.ask(lambda one: result_queries.find(one, asked, cursor, most))

    async def all_results(self, asked: ResultQuery) -> AsyncIterator[tuple[ResultRow, ...]]:
        """All results, the newest first, as pages: for a file."""
        cursor = None
        while True:
            page = await self.results(asked, cursor, LARGEST_PAGE)
            if page.rows:
                yield page.rows
            if (cursor := page.next) is None:
                return

    async def incidents(self, asked: IncidentQuery, cursor: str | None, limit: int) -> IncidentPage:
        """A page of incidents, open and closed, the newest opening first.

        Raises:
            UnknownCursorError: not a cursor of `next`.
        """
        most = min(limit, LARGEST_PAGE)
        return await self._pool.ask(
            lambda one: incident_queries.find(one, asked, cursor, most, _now())
        )

    async def closed_since(self, since: int, limit: int) -> tuple[IncidentRow, ...]:
        """Incidents that were closed at `since` (UTC ms) or later, the newest closing first."""
        most = min(limit, LARGEST_PAGE)
        return await self._pool.ask(lambda one: incident_queries.closed_since(one, since, most))

    async def incident(self, incident_id: str) -> IncidentHistory | None:
        """An incident, open or closed, from its first failure on; None if there is none.

        Who asks the same within a second gets the same answer.
        """
        return await self._incidents.get(incident_id, lambda: self._incident(incident_id))

    async def _incident(self, incident_id: str) -> IncidentHistory | None:
        found = await self._pool.ask(
            lambda client: incident_queries.incident(client, incident_id, _now())
        )
        if found is None:
            return None
        parts, trouble = await had(
            {
                "told": self._pool.ask(
                    lambda one: incident_queries.told(one, incident_id, found.began_at)
                )
            }
        )
        return replace(found, told=parts.get("told"), trouble=trouble)

    async def uptime(self, asked: UptimeQuery) -> tuple[UptimeRow, ...]:
        """Uptime rows, by name and day."""
        return await self._pool.ask(lambda client: uptime_queries.uptime(client, asked))

    async def uptime_of(self, targets: Collection[str], days: int) -> dict[str, float | None]:
        """The uptime (percent) of each of some targets over the last days, today included."""
        if not targets:
            return {}
        return await self._pool.ask(
            lambda client: uptime_queries.uptime_of(client, targets, days, _now())
        )

    async def job_reports(self, targets: Collection[str]) -> dict[str, JobReports]:
        """The newest reports of those of some jobs that have any."""
        if not targets:
            return {}
        return await self._pool.ask(lambda one: job_reports.job_reports(one, targets))

    async def public_days(self, targets: Collection[str], count: int) -> dict[str, list[TargetDay]]:
        """Days of targets for status pages, by target."""
        return await self._pool.ask(
            lambda one: public_queries.days(one, targets, _now(), count), REPORT_S
        )

    async def public_outages(self, targets: Collection[str], since: int) -> tuple[Outage, ...]:
        """When targets were down, from `since` (UTC ms) on."""
        return await self._pool.ask(
            lambda one: public_queries.outages(one, targets, since), REPORT_S
        )

    async def public_responses(self, targets: Collection[str]) -> dict[str, Responses]:
        """Response times of targets for status pages, by target."""
        return await self._pool.ask(
            lambda one: public_queries.responses(one, targets, _now()), REPORT_S
        )

    async def report(self, asked: ReportQuery) -> Report:
        """A report. Uptime, SLO and cost are at most 5 minutes old (docs/analytics.md).

        Raises:
            portquorum.report.history.UnknownScopeError: no such team or target.
            ValueError: no days, or too many; the text is a sentence.
        """
        if not 0 <= (asked.until - asked.since).days < MOST_DAYS:
            raise ValueError(f"expected up to {MOST_DAYS:,} days that end after they begin")
        kind = import_module(f"portquorum.report.{asked.kind}")

        def question(client: Client) -> Report:
            stored = History(client, asked.since, asked.until, team=asked.team, target=asked.target)
            report: Report = kind.report(stored, asked.most)
            return report

        return await self._pool.ask(question, REPORT_S)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _latency_keep_s(window: TimeWindow) -> float:
    """How long latencies and durations of a window are kept."""
    return min(LATENCY_KEEP_S, window.step_ms / 1000 / LATENCY_PARTS)
